"""What a paid reader has answered and cost: a small SQLite file in the data folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

from catalyst_bot.domain.errors import ConfigError

FILE = "text_answers.sqlite"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, content TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS spent (day TEXT PRIMARY KEY, usd TEXT NOT NULL)",
)
_WAIT_S = 1.0


class AnswerMemory:
    """Answers by content hash, and the dollars of each day. Several processes may share it.

    Money is reserved before a question goes out and corrected afterwards, so that a crash or a
    question without an answer never makes a day look cheaper than it was.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            for table in _TABLES:
                connection.execute(table)

    def answer(self, key: str) -> str | None:
        """Return an earlier answer to the same question."""
        with self._open() as connection:
            row = connection.execute("SELECT content FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def keep(self, key: str, content: str) -> None:
        """Remember an answer that was fit to use."""
        with self._open() as connection:
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, content))

    def reserve(self, day: date, usd: Decimal, *, cap_usd: Decimal) -> bool:
        """Count dollars as spent; False, and nothing counted, where the day's cap forbids it."""
        with self._open() as connection:
            spent = _spent(connection, day)
            if spent + usd > cap_usd:
                return False
            _write(connection, day, spent + usd)
        return True

    def settle(self, day: date, *, reserved_usd: Decimal, cost_usd: Decimal) -> None:
        """Put what a question did cost in the place of what was reserved for it."""
        with self._open() as connection:
            _write(connection, day, _spent(connection, day) - reserved_usd + cost_usd)

    def spent(self, day: date) -> Decimal:
        """Return the dollars of a day."""
        with self._open() as connection:
            return _spent(connection, day)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for every use, for readers work in threads."""
        try:
            connection = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
        except sqlite3.Error as error:
            raise ConfigError(f"{self._path}: cannot be opened: {error}") from error
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise ConfigError(f"{self._path}: {error}; move the file away to begin anew") from error
        finally:
            connection.close()


def _spent(connection: sqlite3.Connection, day: date) -> Decimal:
    row = connection.execute("SELECT usd FROM spent WHERE day = ?", (day.isoformat(),)).fetchone()
    return Decimal(0) if row is None else Decimal(row[0])


def _write(connection: sqlite3.Connection, day: date, usd: Decimal) -> None:
    connection.execute("INSERT OR REPLACE INTO spent VALUES (?, ?)", (day.isoformat(), str(usd)))
