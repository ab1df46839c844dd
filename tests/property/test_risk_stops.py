"""A stop only rises, whatever prices, splits and halts do; a price through it is left at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.enums import ExitReason, OrderRole
from catalyst_bot.domain.messages.decisions import (
    IntentFormed,
    OrderApproved,
    PositionOpened,
    StopMoved,
)
from catalyst_bot.domain.messages.facts import BarClosed, SplitApplied, SymbolHalted, SymbolResumed
from catalyst_bot.domain.money import tick_size
from tests import builders
from tests.unit.risk.bench import Bench

START = Decimal(100)
RATIOS = st.sampled_from([Decimal(2), Decimal(10), Decimal("0.5"), Decimal("0.05")])
PRICES = st.floats(60, 200)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bar"), PRICES, PRICES),
        st.tuples(st.just("split"), RATIOS),
        st.tuples(st.just("halt")),
        st.tuples(st.just("resume")),
    ),
    max_size=25,
)


class Held:
    """A position without any order at the venue: the bot itself has to see the stop.

    `shares` are new shares for one of the first day; prices are told in those of the first day.
    """

    def __init__(self) -> None:
        self.bench = Bench()
        self.shares = Decimal(1)
        (approved,) = self.bench.tell(IntentFormed(intent=builders.intent()))
        assert isinstance(approved, OrderApproved)
        self.trade_id = approved.order.trade_id
        self.position = builders.position(trade_id=self.trade_id, opened_at=builders.NOON)
        self.bench.desk.positions = {"ACME": self.position}
        self.bench.tell(PositionOpened(position=self.position))

    @property
    def stop(self) -> Decimal:
        """In prices of the first day."""
        return self.bench.state.plans[self.trade_id].stop_price * self.shares

    @property
    def tick(self) -> Decimal:
        return tick_size(self.bench.state.plans[self.trade_id].stop_price) * self.shares

    def bar(self, close: float, high: float) -> list[Any]:
        now = self.bench.desk.now
        ratio = float(self.shares)
        made = builders.bar(
            opened_at=now, close=close / ratio, high=max(close, high) / ratio, low=1.0 / ratio
        )
        self.bench.desk.now = made.closed_at
        return self.bench.tell(BarClosed(at=made.closed_at, bar=made))

    def split(self, ratio: Decimal) -> None:
        self.shares *= ratio
        now = self.bench.desk.now
        fact = SplitApplied(at=now, symbol="ACME", shares_per_share=ratio, effective_on=now.date())
        assert self.bench.tell(fact) == []
        self.position = replace(
            self.position,
            quantity=self.position.quantity * ratio,
            average_cost=self.position.average_cost / ratio,
        )
        self.bench.desk.positions = {"ACME": self.position}

    def halt(self, *, is_halted: bool) -> None:
        now = self.bench.desk.now
        fact: Any = (
            SymbolHalted(at=now, symbol="ACME", code="T1")
            if is_halted
            else SymbolResumed(at=now, symbol="ACME")
        )
        assert self.bench.tell(fact) == []


@settings(deadline=None)
@given(STEPS)
def test_a_stop_only_rises_and_a_price_through_it_is_left(steps: list[tuple[Any, ...]]):
    held = Held()
    for step in steps:
        before = held.stop
        match step:
            case ("split", ratio) if Decimal("0.01") < held.shares * ratio < 100:
                held.split(ratio)
                assert abs(held.stop - before) <= held.tick
            case ("halt" | "resume",):
                held.halt(is_halted=step[0] == "halt")
                assert held.stop == before
            case ("bar", close, high):
                said = held.bar(close, high)
                assert held.stop >= before
                moved = [m for m in said if isinstance(m, StopMoved)]
                assert all(m.stop_price > m.old_stop_price for m in moved)
                exits = [m for m in said if isinstance(m, OrderApproved)]
                if Decimal(repr(close)) < before - held.tick:
                    (order,) = (m.order for m in exits)
                    assert order.role is OrderRole.EXIT
                    assert order.quantity == held.position.quantity
                    assert order.exit_reason in {ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP}
                if exits:
                    return


@settings(deadline=None, max_examples=30)
@given(gap=st.floats(1.0, 97.0), ratio=RATIOS)
def test_a_gap_through_the_stop_is_left_at_the_first_price_also_after_a_split(
    gap: float, ratio: Decimal
):
    held = Held()
    held.halt(is_halted=True)
    held.bench.desk.now += timedelta(hours=1)
    held.split(ratio)
    held.halt(is_halted=False)
    (approved,) = held.bar(gap, gap)
    assert approved.order.exit_reason is ExitReason.STOP_LOSS
    assert approved.order.quantity == held.position.quantity


@settings(deadline=None, max_examples=30)
@given(ratio=RATIOS)
def test_a_split_alone_neither_sells_nor_trails(ratio: Decimal):
    held = Held()
    held.split(ratio)
    assert held.bar(100.0, 100.0) == []
    (moved,) = held.bar(108.0, 108.0)
    assert isinstance(moved, StopMoved)
    assert abs(moved.stop_price * held.shares - Decimal("104.76")) <= held.tick
