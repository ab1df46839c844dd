"""From a killed process to a bot that may trade again: open, check, decode, fold, rebuild."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchmarks.generated_run import recorded_session
from benchmarks.line import ROUNDS, Line, skipped
from benchmarks.restart_once import ORDERS, POSITIONS, ROWS, restart
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message, Recorded, trail_of
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.domain.trading import ApprovedOrder, Fill, stop_leg_id, target_leg_id
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.state import Books, Origin
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from tests import postgres

TARGET_S = 3.0
STARTS = 20
_BATCH = 500
_STEP = timedelta(seconds=1)
_DAILY_BREAD = (
    *(f.HeadlineReceived, d.HeadlineIgnored, d.CatalystDetected, d.SignalDropped, f.BarClosed),
    *(c.RequestMarketView, f.MarketViewReceived, d.EquityMarked),
)
_NOTE = f"{ROWS:,} rows, {ORDERS} orders, {POSITIONS} positions"


def lines() -> list[Line]:
    """Measure on a journal of many days with open orders and positions in it."""
    with TemporaryDirectory() as name:
        records = list(story(recorded_session(Path(name))))
        file = Path(name) / "restart.db"
        found = [
            _line("restart, SQLite", _written(file, records)),
            Line(
                job="restart, SQLite, with the process",
                unit="s",
                value=max(_of_a_process(file) for _ in range(STARTS)),
                target=TARGET_S,
                is_less_better=True,
                note=f"{_NOTE}; interpreter and imports too, the slowest of {STARTS}",
            ),
        ]
        try:
            with postgres.running() as server:
                found.append(_line("restart, PostgreSQL", _written(server.place(), records)))
        except pytest.skip.Exception as absent:
            found.append(skipped("restart, PostgreSQL", str(absent)))
        return found


def _line(job: str, place: Place) -> Line:
    parts = sorted((restart(place) for _ in range(ROUNDS)), key=sum)[ROUNDS // 2]
    told = ", ".join(f"{word} {part:.2f}" for word, part in zip(_PARTS, parts, strict=True))
    return Line(
        job=job,
        unit="s",
        value=sum(parts),
        target=TARGET_S,
        is_less_better=True,
        note=f"{_NOTE}: {told}",
    )


_PARTS = ("open and check", "decode", "fold", "venue and promises")


def _of_a_process(file: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "benchmarks.restart_once", str(file)], check=True)
    return time.perf_counter() - start


def _written(place: Place, records: Sequence[Recorded]) -> Place:
    with SqlJournal(place) as journal:
        for start in range(0, len(records), _BATCH):
            journal.append(records[start : start + _BATCH])
    return place


def story(session: Sequence[Recorded]) -> Iterator[Recorded]:
    """Orders and positions, then the messages of the session over and over, numbered anew."""
    bread = cycle([r for r in session if isinstance(r.body, _DAILY_BREAD)])
    first = [session[0].body, next(r.body for r in session if isinstance(r.body, f.SessionOpened))]
    entries = [r.body.order for r in session if isinstance(r.body, d.OrderApproved)]
    entry = next(order for order in entries if order.role is OrderRole.ENTRY)
    begun: list[Message] = [*first, *full_desk(entry)]
    at = entry.approved_at
    for seq, body in enumerate(begun, start=1):
        trail = trail_of(body) or entry.catalyst_id
        yield Recorded(seq=seq, at=at, cause_seq=None, trail_id=trail, body=body)
    for seq, record in enumerate(islice(bread, ROWS - len(begun)), start=len(begun) + 1):
        at = at + _STEP
        body = record.body
        if isinstance(body, f.BarClosed):  # of something that is held, and always a later one
            bar = replace(body.bar, symbol=f"S{seq % POSITIONS}", opened_at=at, closed_at=at)
            body = replace(body, at=at, bar=bar)
        yield replace(record, seq=seq, at=at, body=body)


def full_desk(entry: ApprovedOrder) -> Iterator[Message]:
    """`ORDERS` open orders, the first of them filled: a position with two legs each."""
    books = ledger.start(Books(), entry.reference_price * entry.quantity * ORDERS)
    at = entry.approved_at
    for number in range(ORDERS):
        order = replace(
            entry,
            client_order_id=f"order-{number}",
            trade_id=f"trade-{number}",
            symbol=f"S{number}",
            quantity=to_decimal(1.0),
        )
        yield d.OrderApproved(order=order)
        yield c.SubmitOrder(order=order, valid_until=at)
        yield _accepted(order.client_order_id, order)
        if number >= POSITIONS:
            continue
        fill = Fill(
            fill_id=f"fill-{number}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=order.reference_price,
            fee_usd=to_decimal(0.0),
            filled_at=at,
        )
        yield f.OrderFilled(at=at, fill=fill)
        origin = Origin(
            trade_id=order.trade_id,
            catalyst_id=order.catalyst_id,
            strategy_id=order.strategy_id,
        )
        booked = ledger.apply_fill(books, fill, origin)
        books = booked.books
        assert booked.after is not None
        yield d.PositionOpened(position=booked.after)
        yield c.WatchSymbol(symbol=order.symbol)
        yield d.EquityMarked(account=ledger.view(books, at))
        for leg in (stop_leg_id(order.client_order_id), target_leg_id(order.client_order_id)):
            yield _accepted(leg, order)


def _accepted(order_id: str, order: ApprovedOrder) -> f.OrderAccepted:
    return f.OrderAccepted(
        at=order.approved_at, client_order_id=order_id, broker_order_id=f"broker-{order_id}"
    )
