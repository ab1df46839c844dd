"""The real `catalyst-bot exchange serve` as a process, and a plain client of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from tests.conformance.answers import Answers

START_S = 60.0
STOP_S = 15.0
ANSWER_S = 20.0
_READY = re.compile(r"^exchange ready (?P<url>\S+) (?P<pairs>.*)$")
_PAIR = re.compile(r"([a-z-]+)=(\S*)")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client signs in with."""

    key: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"APCA-API-KEY-ID": self.key, "APCA-API-SECRET-KEY": self.secret}


class Exchange:
    """A running exchange: where it is, who may trade there, and its clock."""

    def __init__(self, url: str, admin_token: str) -> None:
        self.url = url
        self.admin_token = admin_token
        self.answers = Answers()
        self._admin = httpx2.Client(
            base_url=url, headers={"X-Admin-Token": admin_token}, timeout=ANSWER_S
        )

    def ws(self, path: str) -> str:
        """Return the address of a socket."""
        return self.url.replace("http://", "ws://") + path

    def admin(self, method: str, path: str, **options: Any) -> Any:
        """Do something only an operator may; fails the test when it is refused."""
        answer = self._admin.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def new_account(self, **options: Any) -> Keys:
        """Open an account for one test."""
        key, secret = f"PK{uuid4().hex[:18].upper()}", uuid4().hex
        self.admin("POST", "/admin/accounts", json={"key": key, "secret": secret, **options})
        return Keys(key, secret)

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol."""
        self.admin("POST", "/admin/halt", json={"symbol": symbol})

    def resume(self, symbol: str) -> None:
        """Let it trade again."""
        self.admin("POST", "/admin/resume", json={"symbol": symbol})

    def now(self) -> datetime:
        """Return the exchange's time."""
        return datetime.fromisoformat(self.admin("GET", "/admin/clock")["now"])

    def advance(self, to: datetime) -> datetime:
        """Play the market up to a time."""
        told = self.admin("POST", "/admin/clock/advance", json={"to": to.isoformat()})
        return datetime.fromisoformat(told["now"])

    def advance_by(self, **span: float) -> datetime:
        """Play the market for a while: `minutes=2`."""
        return self.advance(self.now() + timedelta(**span))

    def client(self, keys: Keys) -> httpx2.Client:
        """Return a plain HTTP client whose every answer is held against Alpaca's documents."""
        return httpx2.Client(
            base_url=self.url,
            headers=keys.headers,
            timeout=ANSWER_S,
            verify=False,  # plain HTTP; reading the certificates of the world takes longer
            event_hooks={"response": [self._look]},
        )

    def _look(self, response: httpx2.Response) -> None:
        response.read()
        self.answers.look(
            response.request.method,
            str(response.request.url),
            response.status_code,
            response.content,
            response.headers.get("content-type", ""),
        )


@contextmanager
def serve(
    arguments: Sequence[str | Path], *, log: Path, keys: Sequence[Keys] = ()
) -> Iterator[Exchange]:
    """Serve an exchange on a free port; it must end well and complain of nothing."""
    command: list[str | Path] = [sys.executable, "-m", "catalyst_bot", "exchange", "serve"]
    command += ["--port", "0", *arguments]
    for pair in keys:
        command += ["--key", pair.key, "--secret", pair.secret]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=os.environ | _QUIET
        ) as process,
    ):
        try:
            ready = _ready_line(process, log)
            exchange = Exchange(ready["url"], ready["admin-token"])
            with closing(exchange._admin):
                yield exchange
            exchange.answers.check()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    complaints = log.read_text()
    assert code == 0, f"exit {code}\n{complaints}"
    assert "Traceback" not in complaints, complaints


_QUIET = {"PYTHONUNBUFFERED": "1"}


def _ready_line(process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    assert process.stdout is not None
    end = time.monotonic() + START_S
    text = b""
    while not text.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise AssertionError(f"not ready after {START_S} s\n{log.read_text()}")
        read = os.read(process.stdout.fileno(), 4096)
        if not read:
            raise AssertionError(f"ended with {process.wait()}\n{log.read_text()}")
        text += read
    line = text.decode().splitlines()[0]
    found = _READY.match(line)
    assert found, line
    return {"url": found["url"], **dict(_PAIR.findall(found["pairs"]))}
