"""The real command in a process of its own, and what its ready line says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import Any

import httpx2 as httpx

READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 30.0


@dataclass
class Running:
    """An exchange that is served by another process."""

    process: subprocess.Popen[str]
    url: str
    words: list[tuple[str, str]]

    def all_of(self, name: str) -> list[str]:
        return [value for word, value in self.words if word == name]

    def __getitem__(self, name: str) -> str:
        return self.all_of(name)[0]

    def ws(self, path: str) -> str:
        return self.url.replace("http", "ws", 1) + path

    @property
    def keys(self) -> tuple[str, str]:
        return self["key"], self["secret"]

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        token = {"X-Admin-Token": self["admin-token"]}
        answer = httpx.request(method, self.url + path, json=body, headers=token, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, to: str) -> None:
        assert self.admin("POST", "/admin/clock/advance", {"to": to})["now"] == to

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop the process with a signal; return its exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=ENDS_WITHIN_S)
        return self.process.returncode, stderr


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "catalyst_bot", "exchange", "serve", *flags]


@contextmanager
def exchange(*flags: str, limit_files: int | None = None) -> Iterator[Running]:
    """Start an exchange, wait for its line, kill what is left of it in the end.

    With `limit_files` no file of it grows beyond so many bytes, as if the disk were full.
    """
    limit = f'ulimit -f {(limit_files or 0) // 512} && exec "$@"'
    under = ["sh", "-c", limit, "sh"] if limit_files else []
    process = subprocess.Popen(
        [*under, *command(*flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:catalyst_bot"},
    )
    patience = Timer(READY_WITHIN_S, process.kill)
    patience.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        patience.cancel()
        assert line.startswith("exchange ready "), line + process.communicate()[1]
        url, *words = line.split()[2:]
        named = [(name, value) for name, _, value in (word.partition("=") for word in words)]
        yield Running(process, url, named)
    finally:
        patience.cancel()
        process.kill()
        process.communicate()


def refused(*flags: str) -> tuple[int, str]:
    """Run the command with flags it cannot serve; return its exit code and what it says."""
    done = subprocess.run(command(*flags), capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""
    return done.returncode, done.stderr
