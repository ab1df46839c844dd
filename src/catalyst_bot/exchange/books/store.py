"""What an exchange remembers on disk: accounts, keys, the log of events, lists and equity.

Writes are kept until `commit`, which puts all of them into one transaction, together with how far
the market was played: what one request or one instant of the market changed is there as a whole or
not at all, and it is there before anybody is told. The file is in WAL mode with
`synchronous = NORMAL`: a killed process loses nothing that was committed; only a power cut may lose
the last moments. It holds the secrets of keys, so nobody but its owner may read it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self, get_args

import msgspec

from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.exchange.books.records import AccessKey, AccountRecord, Watchlist
from catalyst_bot.exchange.market.moments import Played
from catalyst_bot.simulation.events import VenueEvent
from catalyst_bot.storage.sqlite_store import lock

SCHEMA: Final = "2"
_TABLES: Final = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE accounts (account_id TEXT PRIMARY KEY, place INTEGER, body TEXT NOT NULL)",
    "CREATE TABLE access_keys (key_id TEXT PRIMARY KEY, account_id TEXT, secret TEXT)",
    """CREATE TABLE events (account_id TEXT, seq INTEGER, at TEXT, kind TEXT, body BLOB NOT NULL,
    PRIMARY KEY (account_id, seq)) WITHOUT ROWID""",
    "CREATE TABLE watchlists (watchlist_id TEXT PRIMARY KEY, account_id TEXT, body TEXT NOT NULL)",
    """CREATE TABLE equity_points (account_id TEXT, minute_s INTEGER, equity_usd TEXT NOT NULL,
    PRIMARY KEY (account_id, minute_s)) WITHOUT ROWID""",
)
_OF_ACCOUNT: Final = ("accounts", "access_keys", "events", "watchlists", "equity_points")
_PAGE_ROWS: Final = 2_000
_BUSY_TIMEOUT_S: Final = 5.0
_ENCODE: Final = msgspec.json.Encoder().encode
_DECODERS: Final = {kind.__name__: msgspec.json.Decoder(kind) for kind in get_args(VenueEvent)}
_PUT_EVENT: Final = "INSERT INTO events (account_id, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)"
_PUT_SETTING: Final = "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)"
_OWNER_ONLY: Final = 0o600
_FLAG: Final = "--db"
_CLOCK, _PLAYED = "clock", "played"
_IDLE_STEP: Final = timedelta(minutes=1)  # while nothing but the time is to be written


class ExchangeStore:
    """The file of one exchange (None: in memory, gone at the end); use it from one thread at a
    time.

    Raises `ConfigError` for a file another exchange holds, that is none of ours or that cannot be
    written, and `JournalDamaged` for one that is no database.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._waiting: list[tuple[str, Sequence[tuple[Any, ...]]]] = []
        self._kept: tuple[datetime, Played] | None = None
        with ExitStack() as stack:
            if path is not None:
                stack.enter_context(_named(path))
                stack.enter_context(lock(path, named=_FLAG))
                path.touch(_OWNER_ONLY)
            connection = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection = stack.enter_context(closing(connection))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(path)
            if path is not None:
                _make_private(path)
            self._held = stack.pop_all()

    def accounts(self) -> list[AccountRecord]:
        """Return the accounts in the order in which they were opened."""
        rows = self._connection.execute("SELECT body FROM accounts ORDER BY place, account_id")
        return [msgspec.json.decode(body, type=AccountRecord) for (body,) in rows]

    def access_keys(self) -> list[AccessKey]:
        """Return every key with its secret and account."""
        rows = self._connection.execute(
            "SELECT key_id, secret, account_id FROM access_keys ORDER BY key_id"
        )
        return [AccessKey(key_id=k, secret=s, account_id=a) for k, s, a in rows]

    def watchlists(self, account_id: str) -> list[Watchlist]:
        """Return an account's watchlists, oldest first."""
        rows = self._connection.execute(
            "SELECT body FROM watchlists WHERE account_id = ?", (account_id,)
        )
        lists = [msgspec.json.decode(body, type=Watchlist) for (body,) in rows]
        return sorted(lists, key=lambda found: (found.created_at, found.watchlist_id))

    def equity_points(self, account_id: str) -> list[tuple[int, Decimal]]:
        """Return an account's equity by minute (epoch seconds), oldest first."""
        rows = self._connection.execute(
            "SELECT minute_s, equity_usd FROM equity_points WHERE account_id = ? ORDER BY minute_s",
            (account_id,),
        )
        return [(minute_s, Decimal(equity)) for minute_s, equity in rows]

    def events(self, account_id: str, after_seq: int = 0) -> Iterator[tuple[int, VenueEvent]]:
        """Yield an account's events with their numbers, oldest first; read page by page."""
        seq = after_seq
        while page := self._connection.execute(
            "SELECT seq, kind, body FROM events WHERE account_id = ? AND seq > ? "
            "ORDER BY seq LIMIT ?",
            (account_id, seq, _PAGE_ROWS),
        ).fetchall():
            for seq, kind, body in page:
                yield seq, _read_event(seq, kind, body)

    def setting(self, name: str) -> str | None:
        """Return a remembered word of the exchange itself."""
        found = self._connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if found is None else str(found[0])

    def clock(self) -> datetime | None:
        """Return the exchange's time at the last commit."""
        written = self.setting(_CLOCK)
        return None if written is None else datetime.fromisoformat(written).astimezone(UTC)

    def played(self) -> Played | None:
        """Return how far the market had been played at the last commit."""
        written = self.setting(_PLAYED)
        return None if written is None else msgspec.json.decode(written, type=Played)

    def put_account(self, record: AccountRecord, place: int) -> None:
        """Write an account's record at the next commit."""
        self._put(
            "INSERT OR REPLACE INTO accounts (account_id, place, body) VALUES (?, ?, ?)",
            (record.account_id, place, _ENCODE(record).decode()),
        )

    def put_access_key(self, key: AccessKey) -> None:
        """Write a key at the next commit."""
        self._put(
            "INSERT OR REPLACE INTO access_keys (key_id, account_id, secret) VALUES (?, ?, ?)",
            (key.key_id, key.account_id, key.secret),
        )

    def put_watchlist(self, account_id: str, watchlist: Watchlist) -> None:
        """Write a watchlist at the next commit."""
        self._put(
            "INSERT OR REPLACE INTO watchlists (watchlist_id, account_id, body) VALUES (?, ?, ?)",
            (watchlist.watchlist_id, account_id, _ENCODE(watchlist).decode()),
        )

    def drop_watchlist(self, watchlist_id: str) -> None:
        """Remove a watchlist at the next commit."""
        self._put("DELETE FROM watchlists WHERE watchlist_id = ?", (watchlist_id,))

    def put_equity(self, account_id: str, minute_s: int, equity_usd: Decimal) -> None:
        """Write what an account was worth in a minute at the next commit."""
        self._put(
            "INSERT OR REPLACE INTO equity_points (account_id, minute_s, equity_usd) "
            "VALUES (?, ?, ?)",
            (account_id, minute_s, str(equity_usd)),
        )

    def put_setting(self, name: str, value: str) -> None:
        """Remember a word of the exchange itself at the next commit."""
        self._put(_PUT_SETTING, (name, value))

    def add_events(self, account_id: str, after_seq: int, events: Sequence[VenueEvent]) -> None:
        """Append events of an account, numbered from `after_seq + 1`, at the next commit."""
        rows = [
            (account_id, seq, event.at.isoformat(), type(event).__name__, _ENCODE(event))
            for seq, event in enumerate(events, start=after_seq + 1)
        ]
        self._waiting.append((_PUT_EVENT, rows))

    def drop_account(self, account_id: str) -> None:
        """Remove an account with all it has at the next commit."""
        for table in _OF_ACCOUNT:
            self._put(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))  # noqa: S608

    def commit(self, at: datetime, played: Played, *, is_exact: bool = False) -> None:
        """Write what was put since the last time, the clock and how far the market was played.

        All of it is one transaction. Without anything put it is made once a minute of the clock, or
        at once with `is_exact`: what was played since then changed nothing, so playing it again
        changes nothing either. When it fails, nothing is written and all of it tried again next
        time.
        """
        if not self._waiting and not self._is_time_to_keep(at, played, is_exact=is_exact):
            return
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for statement, rows in self._waiting:
                connection.executemany(statement, rows)
            place = ((_CLOCK, at.isoformat()), (_PLAYED, _ENCODE(played).decode()))
            connection.executemany(_PUT_SETTING, place)
        self._waiting.clear()
        self._kept = at, played

    def close(self) -> None:
        """Close the file and let go of it; what was not committed is gone."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_time_to_keep(self, at: datetime, played: Played, *, is_exact: bool) -> bool:
        if self._kept is None or is_exact:
            return self._kept != (at, played)
        return at >= self._kept[0] + _IDLE_STEP

    def _put(self, statement: str, row: tuple[Any, ...]) -> None:
        self._waiting.append((statement, (row,)))

    def _prepare(self, path: Path | None) -> None:
        connection = self._connection
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not names:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                for table in _TABLES:
                    connection.execute(table)
                connection.execute("INSERT INTO settings VALUES ('schema', ?)", (SCHEMA,))
        elif not {"settings", "access_keys"} <= names or self.setting("schema") != SCHEMA:
            raise ConfigError(
                f"{_FLAG} {path}: is not the file of an exchange of this version; name another file"
            )


def _make_private(path: Path) -> None:
    """Keep others from reading a file that an older version made, and what SQLite has beside it."""
    for part in (path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))):
        if part.exists():
            part.chmod(_OWNER_ONLY)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say by its flag why a file cannot be opened."""
    if path.is_dir():
        raise ConfigError(f"{_FLAG} {path}: is a folder; name a file")
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"{_FLAG} {path}: cannot be written: {reason}; name another file"
        ) from error
    except sqlite3.OperationalError as error:
        raise ConfigError(
            f"{_FLAG} {path}: cannot be opened: {error}; name another file"
        ) from error
    except sqlite3.DatabaseError as error:
        raise JournalDamaged(
            f"{_FLAG} {path}: is no readable database ({error}); name another file"
        ) from error


def _read_event(seq: int, kind: str, body: bytes) -> VenueEvent:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise JournalDamaged(f"event {seq} is of an unknown kind, {kind!r}")
    try:
        event: VenueEvent = decoder.decode(body)
    except msgspec.DecodeError as error:
        raise JournalDamaged(f"event {seq} ({kind}) cannot be read: {error}") from error
    return event
