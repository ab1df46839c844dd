"""A server on this machine that speaks OpenAI's chat protocol, with any answer one likes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], "Reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes over the wire; `drip_s` waits between the bytes."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    wait_s: float = 0.0
    drip_s: float = 0.0
    location: str = ""


@dataclass
class ModelServer:
    """The answers it gives, and the requests it saw."""

    answer: Answer
    seen: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""


def completion(content: Any, tokens: tuple[int, int] | None = (400, 50)) -> bytes:
    """A chat completion as OpenAI and Ollama write it."""
    reply: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test-model",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }
        ],
    }
    if tokens is not None:
        reply["usage"] = {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        }
    return json.dumps(reply).encode()


def says(content: Any, **more: Any) -> Answer:
    """Always the same content."""
    reply = Reply(body=completion(content), **more)
    return lambda request: reply


@contextmanager
def serving(answer: Answer) -> Iterator[ModelServer]:
    """Serve on a free port of this machine."""
    server = ModelServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            server.seen.append({"path": self.path, **request})
            server.keys.append(self.headers.get("Authorization", ""))
            reply = server.answer(request)
            time.sleep(reply.wait_s)
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                if reply.location:
                    self.send_header("Location", reply.location)
                self.end_headers()
                step = 1 if reply.drip_s else len(reply.body)
                for start in range(0, len(reply.body), max(step, 1)):
                    self.wfile.write(reply.body[start : start + step])
                    self.wfile.flush()
                    time.sleep(reply.drip_s)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client has had enough

        def log_message(self, *_: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
