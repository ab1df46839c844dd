"""A real SMTP server that keeps every mail it is given."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """The address of the server, and the mails as they came over the wire."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say(b"220 ready")
            while line := self.rfile.readline():
                match line[:4].strip().upper():
                    case b"DATA":
                        self._say(b"354 go on")
                        made.mails.append(self._mail())
                        self._say(b"250 taken")
                    case b"QUIT":
                        self._say(b"221 bye")
                        return
                    case _:
                        self._say(b"250 fine")

        def _say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def _mail(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            return b"".join(lines)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
