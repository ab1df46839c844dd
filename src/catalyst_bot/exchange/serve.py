"""Serves an exchange with uvicorn until it is told to stop.

The caller owns the signals; stopping is setting an event. A killed process loses nothing that was
answered: what an answer tells is on disk before it leaves (`store.py`).
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.connections import HttpConnection, SocketConnection
from catalyst_bot.exchange.tls import Certificate

BACKLOG: Final = 1024
GRACE_S: Final = 2
MAX_FRAME_BYTES: Final = 1024 * 1024
KEEP_ALIVE_S: Final = 75

Task = Callable[[], Coroutine[Any, Any, None]]


class _Server(uvicorn.Server):
    """uvicorn's server with the signals left alone, that tells when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self._on_ready()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any free one).

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"--port {port}: taken on {host}; stop what listens there, or use another port "
                "(0 is any free one)"
            ) from error
        reason = error.strerror or error
        raise ConfigError(
            f"--host {host} --port {port}: cannot listen there: {reason}; use an address of this "
            "machine and a port that is allowed"
        ) from error
    except OverflowError as error:
        raise ConfigError(f"--port {port}: is no port; use 0 to 65535") from error


def address_of(listener: socket.socket, certificate: Certificate | None) -> str:
    """Return the address clients use."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if certificate else 'http'}://{shown}:{port}"


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    beside: Sequence[Task],
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    certificate: Certificate | None = None,
) -> None:
    """Serve `app` and run the tasks beside it until `stop` is set; then end all of it.

    A task that fails ends the serving and raises.
    """
    server = _Server(_config(app, certificate), on_ready)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task()) for task in beside]
        stopping = group.create_task(_stop(server, stop))
        await server.serve(sockets=[listener])
        for task in (*running, stopping):
            task.cancel()


async def _stop(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


def _config(app: ASGIApp, certificate: Certificate | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpConnection,
        ws=SocketConnection,
        ws_max_size=MAX_FRAME_BYTES,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
