"""A private PostgreSQL, started for the tests and thrown away."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
_SETTINGS = "listen_addresses=127.0.0.1 max_connections=60 shared_buffers=32MB log_min_messages=log"


class Postgres:
    """A server of ours with an empty database; every journal is a schema in it."""

    def __init__(self, bin_dir: Path, folder: Path, as_user: dict[str, Any]) -> None:
        self._bin, self._folder, self._as_user = bin_dir, folder, as_user
        self._names = itertools.count(1)
        self.port = 0

    def make(self) -> None:
        """Create the cluster, with the roles `bot` and `guarded`."""
        self._run("initdb", "-D", self.data, "-U", "bot", "-E", "UTF8", "--locale=C.UTF-8", "-N")
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
        """Start it, on the port it had before."""
        self.port = self.port or _free_port()
        options = " ".join(f"-c {setting}" for setting in _SETTINGS.split())
        options += f" -k {self._folder} -p {self.port}"
        self._run(
            "pg_ctl", "-D", self.data, "-l", f"{self._folder}/log", "-o", options, "-w", "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as a crash: nothing is written out, every session is cut."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def execute(self, statement: str, *, database: str = "catalyst") -> list[tuple[Any, ...]]:
        """Run a statement as the owner."""
        import psycopg  # noqa: PLC0415  # tests are collected without it, too

        dsn = f"host=127.0.0.1 port={self.port} user=bot dbname={database}"
        with psycopg.connect(dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            check=False,
            **self._as_user,
        )
        if done.returncode != 0:
            log = self._folder / "log"
            said = (done.stderr or b"").decode() + (log.read_text() if log.exists() else "")
            raise RuntimeError(f"{program} exited {done.returncode}: {said[-2000:]}")


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
