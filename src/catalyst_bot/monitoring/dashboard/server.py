"""Serves the dashboard, inside the bot's event loop or on its own.

uvicorn would take the process's signals and keep waiting for open streams; here the caller owns
the signals, and stopping is cancelling the task.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from catalyst_bot.domain.errors import ConfigError

PORTS_TRIED: Final = 20
BACKLOG: Final = 128
GRACE_S: Final = 3


class _Server(uvicorn.Server):
    """uvicorn's server with the signals left alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the caller."""
        yield


def listen(host: str, port: int, *, next_free: bool = False) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any free one).

    With `next_free` a taken port is passed over for one of the following.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    last = port + PORTS_TRIED if next_free and port else port
    for candidate in range(port, last + 1):
        try:
            return _bound(host, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and candidate < last:
                continue
            raise ConfigError(_remedy(host, candidate, error)) from error
    raise ConfigError(f"dashboard.port = {port} is no port; use 1 to 65535")


async def serve(app: FastAPI, host: str, port: int, *, next_free: bool = False) -> None:
    """Serve `app` until the calling task is cancelled; then end its streams and stop.

    On its own: `asyncio.run(serve(...))`, which turns Ctrl-C into that cancellation.
    """
    await serve_on(app, listen(host, port, next_free=next_free))


async def serve_on(app: FastAPI, listener: socket.socket) -> None:
    """Serve `app` on a socket from `listen` until the calling task is cancelled, and close it."""
    with listener:
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="dashboard-server")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            app.state.desk.pulse.close()
            await serving
            raise


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)  # now: only listening finds out that a port is taken
    except OSError:
        listener.close()
        raise
    return listener


def _remedy(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken: another dashboard may be running; "
            "stop it, or set dashboard.port to another number"
        )
    return f"the dashboard cannot listen on {host} port {port}: {error.strerror or error}"
