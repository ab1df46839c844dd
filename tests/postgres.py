"""A private PostgreSQL, started for the tests and thrown away."""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.storage.places import PostgresPlace

PASSWORD = "s3cret-canary"  # of the role `guarded`, which has to log in with it
_SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
_INITDB = shutil.which("initdb") or (str(_SERVERS[-1]) if _SERVERS else None)
_ORDINARY_USERS = ("postgres", "nobody")
_HBA = """
local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_PATIENCE_S = 60
_TRIES = 5  # somebody may take the free port first
_PARENT_DIED = 1  # PR_SET_PDEATHSIG
_SETTINGS = "listen_addresses=127.0.0.1 max_connections=60 shared_buffers=32MB log_min_messages=log"


class Postgres:
    """A server of ours with an empty database; every journal is a schema in it."""

    def __init__(self, bin_dir: Path, folder: Path, as_user: dict[str, Any]) -> None:
        self._bin, self._folder, self._as_user = bin_dir, folder, as_user
        self._names = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def make(self) -> None:
        """Create the cluster, with the roles `bot` and `guarded`."""
        initdb = [str(self._bin / "initdb"), "-D", self.data, "-U", "bot", "-E", "UTF8", "-N"]
        done = subprocess.run(
            [*initdb, "--locale=C.UTF-8"],
            cwd="/",
            capture_output=True,
            check=False,
            **self._as_user,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb exited {done.returncode}: {done.stderr.decode()[-2000:]}")
        (self._folder / "data" / "pg_hba.conf").write_text(_HBA)
        self.start()
        self.execute("CREATE DATABASE catalyst", database="postgres")
        self.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
        self.execute("GRANT CREATE ON DATABASE catalyst TO guarded")

    @property
    def data(self) -> str:
        return str(self._folder / "data")

    @property
    def server(self) -> str:
        """Its URL, as a setting names it."""
        return f"postgresql+psycopg://bot@127.0.0.1:{self.port}/catalyst"

    def place(self, name: str = "") -> PostgresPlace:
        """A journal that nobody uses yet."""
        return PostgresPlace(self.server, name or f"journal-{next(self._names)}")

    def start(self) -> None:
        """Start it, on the port it had before; it dies with this process, whatever happens."""
        for _ in range(_TRIES):
            port = self.port or _free_port()
            options = [word for setting in _SETTINGS.split() for word in ("-c", setting)]
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        str(self._bin / "postgres"),
                        *("-D", self.data, "-k", str(self._folder), "-p", str(port), *options),
                    ],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=_die_with_parent,  # noqa: PLW1509  # started before any thread
                    **self._as_user,
                )
            if self._answers(port):
                self.port = port
                return
            self._process.kill()
            self._process.wait()
        raise RuntimeError(f"postgres does not start: {self._log()}")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as a crash: nothing is written out, every session is cut."""
        if self._process is not None:
            self._process.send_signal(_STOP[mode])
            self._process.wait(timeout=_PATIENCE_S)
            self._process = None

    def _answers(self, port: int) -> bool:
        """Wait until it takes connections; False when it gave up, for example on the port."""
        import psycopg  # noqa: PLC0415  # tests are collected without it, too

        deadline = time.monotonic() + _PATIENCE_S
        dsn = f"host=127.0.0.1 port={port} user=bot dbname=postgres connect_timeout=2"
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            with suppress(psycopg.OperationalError), psycopg.connect(dsn):
                return True
            time.sleep(0.02)
        return False

    def _log(self) -> str:
        log = self._folder / "log"
        return log.read_text()[-2000:] if log.exists() else ""

    def execute(self, statement: str, *, database: str = "catalyst") -> list[tuple[Any, ...]]:
        """Run a statement as the owner."""
        import psycopg  # noqa: PLC0415  # tests are collected without it, too

        dsn = f"host=127.0.0.1 port={self.port} user=bot dbname={database}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running() -> Iterator[Postgres]:
    """A running server in a folder of its own; a skip with the reason where there is none."""
    pytest.importorskip("psycopg", reason="no driver: `make setup-all` installs psycopg")
    if _INITDB is None:
        pytest.skip("no PostgreSQL here: install the server (initdb, pg_ctl) to run this")
    as_user = _ordinary_user()
    # Not pytest's folder: a socket's path may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="catalyst-pg-"))
    try:
        if as_user:
            os.chown(folder, as_user["user"], as_user["group"])
        server = Postgres(Path(_INITDB).parent, folder, as_user)
        server.make()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _ordinary_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then as somebody who owns nothing."""
    if os.geteuid() != 0:
        return {}
    for name in _ORDINARY_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip(f"PostgreSQL does not run as root, and there is no user {_ORDINARY_USERS}")


def _die_with_parent() -> None:
    """A test run that is killed leaves no server behind (where the system can see to that)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
