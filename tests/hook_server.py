"""A real HTTP server that stands for Discord, Slack or anybody's webhook, and answers as told."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Told(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Say(NamedTuple):
    """An answer: a status, or `hang` (no answer until the end) or `reset` (a closed socket)."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    hang: bool = False
    reset: bool = False


@dataclass
class Hook:
    url: str = ""
    told: list[Told] = field(default_factory=list)
    answers: deque[Say] = field(default_factory=deque)
    then: Say = field(default_factory=Say)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def texts(self) -> list[str]:
        return [told.body.decode("utf-8", "replace") for told in self.told]


@contextmanager
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.told.append(Told(self.path, dict(self.headers), body))
            say = made.answers.popleft() if made.answers else made.then
            if say.hang:
                made.released.wait()
            if say.hang or say.reset:
                self.close_connection = True
                return
            self.send_response(say.status)
            for name, value in say.headers:
                self.send_header(name, value)
            content = b"ok"  # what Slack says
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
