"""What every broker adapter promises, whatever stands behind it.

To add an adapter, write a `Bench` for it (how its market is moved, how its answers are collected)
and list it in `TRADING`. A broker that never trades belongs in `ALL` only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import pytest

from catalyst_bot.broker.dry_run import DryRunBroker
from catalyst_bot.broker.embedded import EmbeddedBroker
from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from catalyst_bot.ports.broker import Broker
from catalyst_bot.simulation.fill_profile import FillProfile
from tests.alpaca_desk import AlpacaDesk
from tests.builders import NOON, approved_order, bar

CASH_USD = Decimal(100_000)
AnyFact = TypeVar("AnyFact")


class Bench(Protocol):
    """A broker with an account of $100,000 and a market that the test moves."""

    broker: Broker

    def now(self) -> datetime:
        """The time at the broker."""
        ...

    def trade_at(self, price: float) -> None:
        """Let ACME trade at a price for an hour."""
        ...

    def take(self) -> list[Fact]:
        """Remove and return what the broker said since the last call."""
        ...


class DryRunBench:
    broker: Broker

    def __init__(self) -> None:
        self._now = NOON
        self._said: list[Fact] = []
        self.broker = DryRunBroker(sink=self._said.append, clock=self, cash_usd=CASH_USD)

    def now(self) -> datetime:
        return self._now

    def trade_at(self, price: float) -> None:
        self._now += timedelta(hours=1)

    def take(self) -> list[Fact]:
        said = list(self._said)
        self._said.clear()
        return said


class EmbeddedBench(DryRunBench):
    def __init__(self, profile: FillProfile) -> None:
        super().__init__()
        venue = EmbeddedVenue(CostRules(), profile, seed=1, starting_cash_usd=CASH_USD)
        self._venue = EmbeddedBroker(venue, sink=self._said.append, clock=self)
        self.broker = self._venue

    def trade_at(self, price: float) -> None:
        prices = dict.fromkeys(("open", "high", "low", "close"), price)
        for _ in range(12):  # enough bars for what the venue fills in parts
            one = bar(opened_at=self._now, volume=1e6, **prices)
            self._now = one.closed_at
            self._said += self._venue.on_bars([one], one.closed_at)


class AlpacaBench(DryRunBench):
    """The real adapter, its requests answered by a small Alpaca in the same event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._desk = AlpacaDesk(self._said.append, clock=self)
        self.broker = self._desk.broker

    def trade_at(self, price: float) -> None:
        prices = dict.fromkeys(("open", "high", "low", "close"), price)
        for _ in range(12):
            one = bar(opened_at=self._now, volume=1e6, **prices)
            self._now = one.closed_at
            self._desk.service.trade(one)
            self._desk.settle()

    def take(self) -> list[Fact]:
        self._desk.settle()
        return super().take()


TRADING: dict[str, Callable[[], Bench]] = {
    "embedded with our costs": lambda: EmbeddedBench(FillProfile.OURS),
    "embedded as alpaca fills": lambda: EmbeddedBench(FillProfile.ALPACA),
    "alpaca": AlpacaBench,
}
ALL: dict[str, Callable[[], Bench]] = {**TRADING, "dry run": DryRunBench}


@pytest.fixture(params=TRADING)
def bench(request: pytest.FixtureRequest) -> Bench:
    return TRADING[request.param]()


@pytest.fixture(params=ALL)
def any_bench(request: pytest.FixtureRequest) -> Bench:
    return ALL[request.param]()


def the(kind: type[AnyFact], facts: list[Fact]) -> AnyFact:
    """The one fact of a kind."""
    (found,) = (fact for fact in facts if isinstance(fact, kind))
    return found


def send(bench: Bench, **given: Any) -> ApprovedOrder:
    order = approved_order(**({"approved_at": bench.now()} | given))
    bench.broker.submit(c.SubmitOrder(order=order, valid_until=bench.now() + timedelta(seconds=10)))
    return order


def exit_order(bench: Bench, order_id: str = "cb-exit", **given: Any) -> ApprovedOrder:
    return send(
        bench,
        client_order_id=order_id,
        side=Side.SELL,
        role=OrderRole.EXIT,
        stop_loss_price=None,
        take_profit_price=None,
        **given,
    )


def cancel(bench: Bench, order_id: str) -> list[Fact]:
    bench.broker.cancel(c.CancelOrder(client_order_id=order_id, catalyst_id="cat-test"))
    return bench.take()


def move_stop(bench: Bench, order_id: str, price: str) -> list[Fact]:
    bench.broker.replace(
        c.ReplaceOrder(client_order_id=order_id, catalyst_id="cat-test", stop_price=Decimal(price))
    )
    return bench.take()


def look_up(bench: Bench, order_id: str) -> f.OrderLookedUp:
    bench.broker.look_up(c.LookUpOrder(client_order_id=order_id))
    return the(f.OrderLookedUp, bench.take())


def books(bench: Bench) -> BrokerSnapshot:
    bench.broker.snapshot(c.TakeBrokerSnapshot(reason="test"))
    return the(f.BrokerSnapshotReceived, bench.take()).snapshot


def books_after(bench: Bench) -> BrokerSnapshot:
    """The books, with everything said so far put aside."""
    bench.take()
    return books(bench)


def filled_entry(bench: Bench) -> ApprovedOrder:
    order = send(bench)
    bench.trade_at(100.0)
    bench.take()
    return order


def test_a_broker_has_a_name(any_bench: Bench):
    assert any_bench.broker.name


def test_a_submit_is_answered_at_once(any_bench: Bench):
    order = send(any_bench)
    (answer,) = any_bench.take()
    assert isinstance(answer, f.OrderAccepted | f.SubmitSuppressed)
    assert answer.client_order_id == order.client_order_id
    assert answer.at >= order.approved_at


def test_an_empty_account_has_its_cash_and_nothing_else(any_bench: Bench):
    snapshot = books(any_bench)
    assert (snapshot.cash_usd, snapshot.positions, snapshot.open_orders) == (CASH_USD, (), ())


def test_an_unknown_order_is_unknown(any_bench: Bench):
    assert look_up(any_bench, "cb-none").ticket is None
    assert the(f.ChangeRefused, cancel(any_bench, "cb-none")).client_order_id == "cb-none"
    assert the(f.ChangeRefused, move_stop(any_bench, "cb-none", "99")).reason


def test_a_dry_run_sends_nothing():
    bench = DryRunBench()
    order = send(bench)
    assert the(f.SubmitSuppressed, bench.take()).reason == "dry run"
    bench.trade_at(100.0)
    assert bench.take() == []
    assert look_up(bench, order.client_order_id).ticket is None
    assert books(bench).open_orders == ()


def test_a_market_order_fills_completely_and_after_the_decision(bench: Bench):
    order = send(bench)
    bench.trade_at(100.0)
    fills = [
        fact.fill
        for fact in bench.take()
        if isinstance(fact, f.OrderFilled) and fact.fill.client_order_id == order.client_order_id
    ]
    assert sum(fill.quantity for fill in fills) == order.quantity
    assert all(fill.filled_at > order.approved_at for fill in fills)
    assert len({fill.fill_id for fill in fills}) == len(fills)
    ticket = look_up(bench, order.client_order_id).ticket
    assert ticket is not None
    assert (ticket.status, ticket.filled_quantity) == (OrderStatus.FILLED, order.quantity)


def test_a_second_submit_repeats_the_answer_and_trades_nothing(bench: Bench):
    order = send(bench)
    first = the(f.OrderAccepted, bench.take())
    send(bench)
    again = the(f.OrderAccepted, bench.take())
    assert again.broker_order_id == first.broker_order_id
    bench.trade_at(100.0)
    (position,) = books_after(bench).positions
    assert position.quantity == order.quantity


def test_the_books_follow_the_fills(bench: Bench):
    order = send(bench)
    bench.trade_at(100.0)
    spent_usd = sum(
        fact.fill.price * fact.fill.quantity + fact.fill.fee_usd
        for fact in bench.take()
        if isinstance(fact, f.OrderFilled)
    )
    snapshot = books(bench)
    assert snapshot.cash_usd == CASH_USD - spent_usd
    assert [(p.symbol, p.quantity) for p in snapshot.positions] == [("ACME", order.quantity)]


def test_legs_are_announced_and_protect_what_was_bought(bench: Bench):
    order = send(bench)
    bench.take()
    bench.trade_at(100.0)
    announced = {x.client_order_id for x in bench.take() if isinstance(x, f.OrderAccepted)}
    legs = {stop_leg_id(order.client_order_id), target_leg_id(order.client_order_id)}
    assert announced == legs
    assert {o.client_order_id: o.quantity for o in books(bench).open_orders} == dict.fromkeys(
        legs, order.quantity
    )


@pytest.mark.parametrize(("price", "leg"), [(96.0, "-sl"), (109.0, "-tp")])
def test_one_leg_sells_and_cancels_the_other(bench: Bench, price: float, leg: str):
    order = filled_entry(bench)
    bench.trade_at(price)
    facts = bench.take()
    sold = [fact.fill for fact in facts if isinstance(fact, f.OrderFilled)]
    assert {fill.client_order_id for fill in sold} == {f"{order.client_order_id}{leg}"}
    assert sum(fill.quantity for fill in sold) == order.quantity
    other = "-tp" if leg == "-sl" else "-sl"
    assert the(f.OrderCancelled, facts).client_order_id == f"{order.client_order_id}{other}"
    assert books(bench).positions == ()


def test_a_waiting_order_is_cancelled_once(bench: Bench):
    order = send(bench, kind=OrderKind.LIMIT, limit_price=Decimal(98))
    bench.take()
    assert the(f.OrderCancelled, cancel(bench, order.client_order_id))
    assert the(f.ChangeRefused, cancel(bench, order.client_order_id))
    bench.trade_at(97.8)
    assert bench.take() == []


def test_a_moved_stop_sells_at_its_new_price(bench: Bench):
    order = filled_entry(bench)
    stop_id = stop_leg_id(order.client_order_id)
    replaced = the(f.OrderReplaced, move_stop(bench, stop_id, "99.00"))
    assert (replaced.client_order_id, replaced.stop_price) == (stop_id, Decimal("99.00"))
    bench.trade_at(98.5)
    sold = [fact.fill for fact in bench.take() if isinstance(fact, f.OrderFilled)]
    assert {fill.client_order_id for fill in sold} == {stop_id}


def test_an_order_beyond_the_money_is_rejected(bench: Bench):
    order = send(bench, quantity=Decimal(5_000))
    rejected = the(f.OrderRejected, bench.take())
    assert rejected.client_order_id == order.client_order_id
    assert "insufficient buying power" in rejected.reason


def test_an_exit_needs_the_shares_its_legs_hold(bench: Bench):
    order = filled_entry(bench)
    exit_order(bench)
    assert "insufficient qty available" in the(f.OrderRejected, bench.take()).reason
    for leg_id in (stop_leg_id(order.client_order_id), target_leg_id(order.client_order_id)):
        cancel(bench, leg_id)
    exit_order(bench, "cb-exit-again")
    bench.trade_at(101.0)
    assert books_after(bench).positions == ()
