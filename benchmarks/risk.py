"""One risk decision: an intent goes in, an order with all its checks comes out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.generated_run import recorded_session
from benchmarks.line import Line, how_long
from benchmarks.restart import full_desk
from benchmarks.restart_once import ORDERS, POSITIONS
from catalyst_bot import runner
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.decisions import IntentFormed, OrderApproved
from catalyst_bot.domain.messages.facts import BarClosed, SessionOpened
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.risk.manager import assess

REPEATS = 50  # of each intent of the session
DECISIONS = 2_000  # with a full desk
BARS = 120  # of every symbol, all at the same times: what risk remembers of them
TARGET_P99_MS = 1.0
_MINUTE = timedelta(minutes=1)


def lines() -> list[Line]:
    """Measure intents of a session where they stood, and one with a full desk."""
    runner.settle_memory()
    with TemporaryDirectory() as name:
        records = recorded_session(Path(name))
    session = list(_of_a_session(records))
    crowded = list(_of_a_full_desk(records))
    full = f"{POSITIONS} positions, {ORDERS} open orders, {BARS} bars each"
    return [
        *_lines("in a session", session, f"{len(session)} decisions"),
        *_lines("with a full desk", crowded, f"{len(crowded)} decisions; {full}"),
    ]


def _lines(where: str, milliseconds: Sequence[float], note: str) -> list[Line]:
    return how_long(f"risk decision {where}", "ms", milliseconds, p99=TARGET_P99_MS, note=note)


def _of_a_session(records: Sequence[Recorded]) -> Iterator[float]:
    """Fold the session, and stop at every intent to judge it again and again."""
    engine = engine_of(records[0])
    for record in records:
        if isinstance(record.body, IntentFormed):
            for _ in range(REPEATS):
                yield _decided_in_ms(engine, record.body, record.at)
        engine.remember(record)


def _of_a_full_desk(records: Sequence[Recorded]) -> Iterator[float]:
    intents = (r for r in records if isinstance(r.body, IntentFormed))
    asked = next(intents)
    assert isinstance(asked.body, IntentFormed)
    engine = _crowded(records, asked.body.intent.signal.catalyst.symbol, asked.at)
    for _ in range(DECISIONS):
        yield _decided_in_ms(engine, asked.body, asked.at)


def _decided_in_ms(engine: Engine, asked: IntentFormed, at: datetime) -> float:
    rules, desk = engine.rules.risk, engine.desk_at(at)
    start = time.perf_counter()
    assess(engine.state.risk, asked.intent, desk, rules)
    return (time.perf_counter() - start) * 1000.0


def _crowded(records: Sequence[Recorded], symbol: str, at: datetime) -> Engine:
    """Return an engine that holds much, knows the past of all of it, and is in session."""
    engine = engine_of(records[0])
    orders = (r.body.order for r in records if isinstance(r.body, OrderApproved))
    entry = next(order for order in orders if order.role is OrderRole.ENTRY)
    opened = next(r.body for r in records if isinstance(r.body, SessionOpened))
    begun = [records[0].body, opened, *full_desk(replace(entry, approved_at=at))]
    symbols = [*(f"S{number}" for number in range(POSITIONS)), symbol]
    for body in [*begun, *_bars(symbols, at)]:
        engine.remember(_record(engine, body, at))
    return engine


def _record(engine: Engine, body: Message, at: datetime) -> Recorded:
    seq = engine.state.last_seq + 1
    return Recorded(seq=seq, at=at, cause_seq=None, trail_id="", body=body)


def _bars(symbols: Sequence[str], until: datetime) -> Iterator[BarClosed]:
    for minute in range(BARS):
        closed_at = until - (BARS - minute) * _MINUTE
        for place, symbol in enumerate(symbols):
            close = 50.0 + sin(minute * (1.0 + place / 7.0))
            bar = Bar(
                symbol=symbol,
                opened_at=closed_at - _MINUTE,
                closed_at=closed_at,
                open=close,
                high=close,
                low=close,
                close=close,
                volume=1e6,
            )
            yield BarClosed(at=closed_at, bar=bar)
