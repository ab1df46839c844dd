"""The tracker against a slow recomputation, over any story of an account."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.monitoring.journal_source import performance_of
from catalyst_bot.portfolio.tracker import Performance, PortfolioTracker
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.read_model import ReadModel
from tests import builders as b
from tests.replays import generated
from tests.unit.portfolio.test_tracker import closed, fill, opened, worth

HOUR = timedelta(hours=1)
money = st.decimals("1000", "200000", places=2)


def order_of(number: int, *, is_entry: bool, quantity: int, reference: Decimal) -> Any:
    return replace(
        b.approved_order(stop_loss_price=None, take_profit_price=None),
        client_order_id=f"cb-{number}",
        role=OrderRole.ENTRY if is_entry else OrderRole.EXIT,
        side=Side.BUY if is_entry else Side.SELL,
        quantity=Decimal(quantity),
        reference_price=reference,
    )


@st.composite
def orders(draw: st.DrawFn) -> list[list[Message]]:
    """What is said of one order after the other."""
    told = []
    for number in range(draw(st.integers(0, 6))):
        quantity = draw(st.integers(1, 500))
        order = order_of(
            number,
            is_entry=draw(st.booleans()),
            quantity=quantity,
            reference=draw(st.decimals("1", "500", places=2)),
        )
        said: list[Message] = [d.OrderApproved(order=order)]
        if draw(st.booleans()):
            said.append(c.SubmitOrder(order=order, valid_until=b.NOON))
            left = quantity
            while left and draw(st.booleans()):
                part = draw(st.integers(1, left))
                price = str(draw(st.decimals("1", "500", places=2)))
                said.append(fill(order.client_order_id, price, part, side=order.side))
                left -= part
            if draw(st.booleans()):
                said.append(f.OrderExpired(at=b.NOON, client_order_id=order.client_order_id))
        told.append(said)
    return told


@st.composite
def stories(draw: st.DrawFn) -> list[Recorded]:
    """Valuations, sessions, trades and orders, woven together in any way; time goes on."""
    threads: list[list[Message]] = draw(orders())
    threads.append([opened(day) for day in range(draw(st.integers(0, 14)))])
    threads.append([worth(equity) for equity in draw(st.lists(money, max_size=30))])
    pnls = draw(st.lists(st.decimals("-900", "900", places=2), max_size=8))
    threads.append([closed(str(pnl)) for pnl in pnls])
    turns = [number for number, thread in enumerate(threads) for _ in thread]
    queues = [iter(thread) for thread in threads]
    body = [next(queues[turn]) for turn in draw(st.permutations(turns))]
    at = b.NOON
    records = []
    for seq, message in enumerate(body, start=1):
        at += draw(st.sampled_from([timedelta(0), HOUR, 9 * HOUR]))
        told = message
        if isinstance(message, d.EquityMarked):
            told = d.EquityMarked(account=replace(message.account, as_of=at))
        records.append(Recorded(seq=seq, at=at, cause_seq=None, trail_id="", body=told))
    return records


def report_of(records: Sequence[Recorded]) -> Performance:
    tracker = PortfolioTracker()
    tracker.learn(records)
    return tracker.report()


def bodies(records: Sequence[Recorded], kind: type) -> list[Any]:
    return [record.body for record in records if isinstance(record.body, kind)]


@given(stories())
def test_the_account_is_that_of_a_slow_recomputation(records: list[Recorded]):
    report = report_of(records)
    equities = [m.account.equity_usd for m in bodies(records, d.EquityMarked)]
    if not equities:
        assert report.total_return is report.max_drawdown is report.equity_usd is None
        return
    assert report.equity_usd == equities[-1]
    assert report.total_return == pytest.approx(float(equities[-1] / equities[0]) - 1)
    falls = [
        1 - later / earlier for index, earlier in enumerate(equities) for later in equities[index:]
    ]
    assert report.max_drawdown == pytest.approx(float(max(falls)))


@given(stories())
def test_days_add_up_to_the_whole(records: list[Recorded]):
    report = report_of(records)
    assert [day.day for day in report.days] == [m.day for m in bodies(records, f.SessionOpened)]
    seen: list[Decimal] = []
    begins: list[Decimal] = []
    for record in records:
        if isinstance(record.body, d.EquityMarked):
            seen.append(record.body.account.equity_usd)
        elif isinstance(record.body, f.SessionOpened):
            begins.append(seen[-1] if seen else Decimal(0))
    last = seen[-1:] or begins[-1:]
    ends = [*begins[1:], *last] if begins else []
    assert [day.pnl_usd for day in report.days] == [
        end - begin for begin, end in zip(begins, ends, strict=True)
    ]
    for before, after in pairwise(report.days):
        assert after.equity_usd - after.pnl_usd == before.equity_usd


@given(stories())
def test_trades_and_orders_are_those_of_a_slow_recomputation(records: list[Recorded]):
    report = report_of(records)
    pnls = [m.trade.pnl_usd for m in bodies(records, d.PositionClosed)]
    won, lost = sum(p for p in pnls if p > 0), -sum(p for p in pnls if p < 0)
    assert report.trade_count == len(pnls)
    assert report.win_rate == (sum(p > 0 for p in pnls) / len(pnls) if pnls else None)
    assert report.profit_factor == (pytest.approx(float(won / lost)) if lost else None)
    orders_ = {m.order.client_order_id: m.order for m in bodies(records, d.OrderApproved)}
    sent = {m.order.client_order_id for m in bodies(records, c.SubmitOrder)}
    over = {m.client_order_id for m in bodies(records, f.OrderExpired)}
    fills = [m.fill for m in bodies(records, f.OrderFilled)]
    shares, loss, planned = [], Decimal(0), Decimal(0)
    for order_id in sent:
        order = orders_[order_id]
        mine = [one for one in fills if one.client_order_id == order_id]
        filled = sum(one.quantity for one in {one.fill_id: one for one in mine}.values())
        if order_id in over or filled >= order.quantity:
            shares.append(filled / order.quantity)
        for one in {one.fill_id: one for one in mine}.values():
            worse = one.price - order.reference_price
            loss += (worse if order.side is Side.BUY else -worse) * one.quantity
            planned += order.reference_price * one.quantity
    assert report.order_count == len(sent)
    assert report.fill_rate == (pytest.approx(float(sum(shares) / len(shares))) if shares else None)
    assert report.slippage_bps == (pytest.approx(float(loss / planned) * 1e4) if planned else None)


@given(stories(), st.data())
def test_told_live_in_batches_or_from_the_journal_it_says_the_same(
    records: list[Recorded], data: st.DataObject
):
    tracker = PortfolioTracker()
    start = 0
    while start < len(records):
        size = data.draw(st.integers(1, 5))
        tracker.learn(records[start : start + size])
        tracker.report()  # asking in between changes nothing
        start += size
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "journal.db"
        with SqlJournal(file, durable=False) as journal:
            journal.append(records)
        with ReadModel(file) as model:
            assert performance_of(model) == tracker.report() == report_of(records)


@given(stories(), st.integers(0, 40))
def test_a_period_and_what_was_before_it_share_no_trade(records: list[Recorded], hours: int):
    since: datetime = b.NOON + hours * HOUR
    later = PortfolioTracker(since)
    later.learn(records)
    before = report_of([record for record in records if record.at < since])
    report, whole = later.report(), report_of(records)
    assert report.trade_count + before.trade_count == whole.trade_count
    assert report.order_count + before.order_count == whole.order_count
    if before.equity_usd is not None and report.total_return is not None:
        began = before.equity_usd * Decimal(1 + report.total_return)
        assert float(began) == pytest.approx(float(whole.equity_usd or 0))


def test_a_listener_of_a_run_says_what_its_journal_says(tmp_path: Path):
    tracker = PortfolioTracker()
    request = replace(generated(tmp_path), listeners=(tracker.learn,))
    with ReadModel(run.replay(request).journal) as model:
        report = performance_of(model)
        account = model.account()
    assert report == tracker.report()
    assert report.trade_count > 10
    assert report.fill_rate is not None
    assert account is not None
    assert str(report.equity_usd) == account["equity_usd"]
    assert report.day_return == pytest.approx(account["day_return"])
