"""The core alone: bars of a held symbol, orders at the simulated venue."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.generated_run import recorded_session
from benchmarks.line import Line, median_of
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.bootstrap.parts import supervised
from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import OrderApproved
from catalyst_bot.domain.messages.facts import BarClosed, OrderAccepted, OrderFilled, SessionOpened
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import ApprovedOrder, Fill, stop_leg_id
from catalyst_bot.engine.engine import Engine
from catalyst_bot.ports.journal import Journal
from catalyst_bot.runtime.pipeline import Pipeline
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.memory import MemoryJournal

BARS = 5_000
ORDERS = 2_000
MINUTE = timedelta(minutes=1)
PEERS = "NautilusTrader 45 k, backtrader 12.6 k (earlier, same class of machine)"


def lines() -> list[Line]:
    """Measure on an order taken from the generated session."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = recorded_session(folder)
        return [
            Line(
                job="bars of a held symbol, memory journal",
                unit="bars/s",
                value=median_of(lambda: _bars_per_second(records, MemoryJournal())),
                target=100_000,
                note=PEERS,
            ),
            Line(
                job="bars of a held symbol, SQLite journal",
                unit="bars/s",
                value=median_of(lambda: _bars_in_sqlite(folder, records)),
                note="synchronous=OFF, a commit for each bar",
            ),
            Line(
                job="orders at the simulated venue",
                unit="orders/s",
                value=median_of(lambda: _orders_per_second(records)),
                target=5_000,
                note="bracket submitted, filled at a bar, sold at its target",
            ),
        ]


def _bars_in_sqlite(folder: Path, records: Sequence[Recorded]) -> float:
    for part in folder.glob("bars.db*"):
        part.unlink()
    with SqlJournal(f"sqlite:///{folder / 'bars.db'}", durable=False) as journal:
        return _bars_per_second(records, journal)


def _bars_per_second(records: Sequence[Recorded], journal: Journal) -> float:
    """Hold one position and let it see `BARS` bars that neither stop nor target ends."""
    engine = engine_of(records[0])
    pipeline = Pipeline(supervised(engine, Path("no-quarantine")), journal)
    order = _first_entry(records)
    _hold(order, records, engine, pipeline, journal)
    facts = [BarClosed(at=bar.closed_at, bar=bar) for bar in _calm_bars(order)]
    start = time.perf_counter()
    for fact in facts:
        pipeline.process([fact])
    seconds = time.perf_counter() - start
    if order.symbol not in engine.state.portfolio.positions:
        raise RuntimeError(f"{order.symbol} was sold: the measurement is of something else")
    return BARS / seconds


def _first_entry(records: Sequence[Recorded]) -> ApprovedOrder:
    orders = (r.body.order for r in records if isinstance(r.body, OrderApproved))
    return next(order for order in orders if order.role is OrderRole.ENTRY)


def _hold(
    order: ApprovedOrder,
    records: Sequence[Recorded],
    engine: Engine,
    pipeline: Pipeline,
    journal: Journal,
) -> None:
    """Bring the core to where the order is filled and its stop is at work."""
    at = order.approved_at
    opened = next(r.body for r in records if isinstance(r.body, SessionOpened))
    pipeline.process([records[0].body, opened])
    for promise in (OrderApproved(order=order), SubmitOrder(order=order, valid_until=at + MINUTE)):
        record = Recorded(
            seq=engine.state.last_seq + 1,
            at=at,
            cause_seq=None,
            trail_id=order.catalyst_id,
            body=promise,
        )
        engine.remember(record)
        journal.append([record])
    fill = Fill(
        fill_id="fill-1",
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.reference_price,
        fee_usd=Decimal(0),
        filled_at=at,
    )
    stop_id = stop_leg_id(order.client_order_id)
    pipeline.process([_accepted(order.client_order_id, at)])
    pipeline.process([OrderFilled(at=at, fill=fill), _accepted(stop_id, at)])


def _accepted(order_id: str, at: datetime) -> OrderAccepted:
    return OrderAccepted(at=at, client_order_id=order_id, broker_order_id=f"broker-{order_id}")


def _calm_bars(order: ApprovedOrder) -> list[Bar]:
    """Minutes within 0.2 % of the entry price, one after the other."""
    price = float(order.reference_price)
    bars = []
    for minute in range(BARS):
        close = price * (1.0 + 0.001 * sin(minute / 7.0))
        bars.append(_bar(order, minute, open_=price, high=max(price, close) * 1.001, close=close))
    return bars


def _bar(order: ApprovedOrder, minute: int, *, open_: float, high: float, close: float) -> Bar:
    opened_at = order.approved_at + minute * MINUTE
    return Bar(
        symbol=order.symbol,
        opened_at=opened_at,
        closed_at=opened_at + MINUTE,
        open=open_,
        high=high,
        low=min(open_, close) * 0.999,
        close=close,
        volume=1e9,
    )


def _orders_per_second(records: Sequence[Recorded]) -> float:
    """Send brackets one after the other; each is bought in one bar and sold in the next."""
    venue = EmbeddedVenue(CostRules(), starting_cash_usd=Decimal(10_000_000))
    order = _first_entry(records)
    price = float(order.reference_price)
    work = [
        (
            replace(order, client_order_id=f"order-{number}"),
            _bar(order, 2 * number + 1, open_=price, high=price * 1.001, close=price),
            _bar(order, 2 * number + 2, open_=price, high=price * 1.5, close=price * 1.4),
        )
        for number in range(ORDERS)
    ]
    start = time.perf_counter()
    for entry, bought, sold in work:
        venue.submit(entry, bought.opened_at)
        venue.on_bar(bought, bought.closed_at)
        venue.on_bar(sold, sold.closed_at)
    seconds = time.perf_counter() - start
    if venue.working_symbols():
        raise RuntimeError("orders are left at the venue: the measurement is of something else")
    return ORDERS / seconds
