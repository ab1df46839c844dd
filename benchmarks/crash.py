"""From kill -9 to a bot that trades again, as real processes: interpreter, journal, books compared.

Two bots are killed and started again: one over its own venue, in a generated session with its page,
and one at an account of the exchange, which is a process of its own. Both hold positions with their
orders and have a long journal. A bot trades again when the books that it asked for are in its
journal and nothing is left to compare; before that it sends nothing.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from benchmarks.line import Line, how_long
from benchmarks.restart import TARGET_S
from benchmarks.restart_once import ROWS
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.codec import decode
from catalyst_bot.storage.journal import SqlJournal
from tools.kill_desk import BOT, Desk, Plan

TRIES = 20
HELD = 3  # positions, at least
FAST, CALM = 90.0, 1.0  # how fast days pass until so much is held, and while starts are measured
PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.005
_BATCH = 500
_DAILY_BREAD = (f.HeadlineReceived, d.HeadlineIgnored, d.EquityMarked)
_OPEN = "SELECT sum(name = 'PositionOpened') - sum(name = 'PositionClosed') FROM journal"
_WORD = (
    "SELECT name, body, version FROM journal WHERE seq > ? AND name IN "
    "('BrokerSnapshotReceived', 'BooksCompared', 'TradingHalted') ORDER BY seq DESC LIMIT 1"
)


class Bot(Protocol):
    """A bot that can be started, killed and looked at."""

    @property
    def journal(self) -> Path:
        """Its journal."""
        ...

    def start_bot(self) -> None:
        """Start it; it is not waited for."""
        ...

    def is_up(self) -> bool:
        """Look whether it lives."""
        ...

    def strike(self, whom: str, /) -> None:
        """End it with SIGKILL."""
        ...


def lines() -> list[Line]:
    """Measure both bots."""
    with TemporaryDirectory() as name, TemporaryDirectory() as other:
        return [*_at_its_own_venue(Path(name)), *_at_the_exchange(Path(other))]


def _at_its_own_venue(folder: Path) -> Iterator[Line]:
    fast, calm = Demo(folder, FAST * 10), Demo(folder, CALM)
    try:
        _trade(fast)
        yield from _lines("its own venue", calm)
    finally:
        fast.strike(BOT)
        calm.strike(BOT)


def _at_the_exchange(folder: Path) -> Iterator[Line]:
    plan = Plan(kills=0, seed=3, folder=folder, start="2025-03-13T13:52:00Z", speed=FAST)
    fast, calm = Desk(plan), Desk(replace(plan, speed=CALM))
    try:
        fast.start_exchange()
        fast.approve()
        _trade(fast)
        fast.close()
        calm.start_exchange()
        yield from _lines("an account at the exchange", calm)
    finally:
        fast.close()
        calm.close()


def _trade(bot: Bot) -> None:
    """Let it trade until enough is held, and kill it then."""
    bot.start_bot()
    deadline = time.monotonic() + PATIENCE_S
    while _asked(bot.journal, _OPEN) < HELD:
        _check(bot, deadline)
        time.sleep(0.1)
    bot.strike(BOT)


def _lines(where: str, bot: Bot) -> list[Line]:
    _started_in_s(bot)  # the first start also looks up what the last one left in the air
    bot.strike(BOT)
    note = _lengthened(bot.journal)
    seconds = []
    for _ in range(TRIES):
        seconds.append(_started_in_s(bot))
        bot.strike(BOT)
    told = f"{note}; {TRIES} kills, the slowest {max(seconds):.2f} s"
    return how_long(f"kill -9 to trading, {where}", "s", seconds, p99=TARGET_S, note=told)


def _started_in_s(bot: Bot) -> float:
    """Start the bot and wait until it trades. Raises `RuntimeError` when it halts or ends."""
    last = _asked(bot.journal, "SELECT max(seq) FROM journal")
    began, deadline = time.perf_counter(), time.monotonic() + PATIENCE_S
    bot.start_bot()
    with closing(_opened(bot.journal)) as connection:
        while not _is_trading(connection, last):
            _check(bot, deadline)
            time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - began


def _is_trading(connection: sqlite3.Connection, last: int) -> bool:
    """A look at the books that leaves nothing to compare ends the start."""
    row = connection.execute(_WORD, (last,)).fetchone()
    if row is None:
        return False
    name, body, version = row
    if name == d.TradingHalted.__name__:
        raise RuntimeError(f"halted instead of trading: {body!r}")
    message = decode(name, body, version=version)
    return not isinstance(message, d.BooksCompared) or not message.differences


def _check(bot: Bot, deadline: float) -> None:
    if not bot.is_up() or time.monotonic() > deadline:
        raise RuntimeError(f"the bot ended, or nothing happened for {PATIENCE_S:g} s")


def _asked(journal: Path, query: str) -> int:
    """Return a number out of a journal, 0 while it is just being made."""
    if journal.exists():
        with suppress(sqlite3.Error), closing(_opened(journal)) as connection:
            return int(connection.execute(query).fetchone()[0] or 0)
    return 0


def _opened(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{journal}?mode=ro", uri=True)


def _lengthened(file: Path) -> str:
    """Write into the journal again what comes every day, up to `ROWS`; say what it then holds."""
    with SqlJournal(file) as journal:
        records = list(journal.read())
        bread = cycle([record for record in records if isinstance(record.body, _DAILY_BREAD)])
        more = _numbered(list(islice(bread, ROWS - len(records))), records[-1])
        for start in range(0, len(more), _BATCH):
            journal.append(more[start : start + _BATCH])
    engine = engine_of(records[0])
    engine.fold([*records, *more])
    if engine.state.risk.trading_state is not TradingState.ACTIVE:
        raise RuntimeError("halted before anything was measured")
    orders, positions = engine.state.execution.open_tickets, engine.state.portfolio.positions
    return f"{ROWS:,} rows, {len(orders)} orders, {len(positions)} positions"


def _numbered(records: Sequence[Recorded], last: Recorded) -> list[Recorded]:
    return [
        replace(record, seq=seq, at=last.at)
        for seq, record in enumerate(records, start=last.seq + 1)
    ]


class Demo:
    """The generated session in a process of its own, with its page."""

    def __init__(self, folder: Path, speed: float) -> None:
        self._command = (
            *(sys.executable, "-m", "catalyst_bot", "demo", "--speed", f"{speed:g}"),
            *("--data-dir", str(folder)),
        )
        self._folder = folder
        self._bot: subprocess.Popen[bytes] | None = None

    @property
    def journal(self) -> Path:
        """See `Bot`; a session has one."""
        found = (self._folder / "journals").glob("*.db")
        return next(found, self._folder / "none.db")

    def start_bot(self) -> None:
        """See `Bot`."""
        self._bot = subprocess.Popen(
            self._command,
            env=os.environ | {"CATALYST_DASHBOARD__PORT": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_up(self) -> bool:
        """See `Bot`."""
        return self._bot is not None and self._bot.poll() is None

    def strike(self, _: str, /) -> None:
        """See `Bot`; there is nothing else to strike."""
        if self._bot is not None:
            self._bot.kill()
            self._bot.wait()
            self._bot = None
