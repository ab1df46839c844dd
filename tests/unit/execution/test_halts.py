"""While the exchange halts a symbol its orders wait; at the resume they go, if still valid."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    Side,
)
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from tests.builders import CLOSE, NOON, approved_order, bar, quote
from tests.stages import Stages, of_type

ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)
EXIT = replace(
    ENTRY,
    client_order_id="cb-exit",
    role=OrderRole.EXIT,
    side=Side.SELL,
    stop_loss_price=None,
    take_profit_price=None,
    exit_reason=ExitReason.TIME_EXIT,
)


def halted(stages: Stages | None = None) -> Stages:
    stages = stages or Stages()
    stages.handle(f.SymbolHalted(at=stages.now, symbol="ACME", code="LUDP"))
    return stages


def resume(stages: Stages) -> list[Any]:
    return stages.handle(f.SymbolResumed(at=stages.now, symbol="ACME"))


def sample(stages: Stages, price: float, symbol: str = "ACME") -> list[Any]:
    told = quote(symbol, at=stages.now, bid=price - 0.01, ask=price + 0.01)
    return stages.handle(f.QuoteSampled(at=stages.now, quote=told))


def held() -> Stages:
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID)
    stages.accept(STOP_ID)
    stages.accept(TARGET_ID)
    return stages


def submitted(said: list[Any]) -> list[str]:
    return [m.order.client_order_id for m in of_type(said, c.SubmitOrder)]


def waiting() -> Stages:
    stages = halted()
    stages.approve(ENTRY)
    return stages


def test_an_entry_waits_for_the_resume_and_then_for_a_price():
    stages = halted()
    said = stages.approve(ENTRY)
    assert [m.order for m in of_type(said, d.OrderQueued)] == [ENTRY]
    assert not submitted(said)
    assert stages.execution.open_tickets[ENTRY_ID].status is OrderStatus.PLANNED
    stages.wait(60)
    assert not submitted(sample(stages, 100.0))  # an old quote is no resume
    assert not submitted(resume(stages))
    assert not submitted(sample(stages, 100.0, "EMCA"))
    assert submitted(sample(stages, 101.0)) == [ENTRY_ID]
    assert not stages.execution.queued


def test_a_bar_that_began_after_the_halt_is_a_price_too():
    stages = waiting()
    stages.wait(60)
    resume(stages)
    before = bar(opened_at=stages.now - timedelta(seconds=1))
    assert not submitted(stages.handle(f.BarClosed(at=stages.now, bar=before)))
    after = bar(opened_at=stages.now)
    assert submitted(stages.handle(f.BarClosed(at=after.closed_at, bar=after))) == [ENTRY_ID]


@pytest.mark.parametrize("price", [94.9, 105.1])
def test_an_entry_whose_price_ran_away_is_withdrawn(price: float):
    stages = waiting()
    resume(stages)
    said = sample(stages, price)
    (withdrawn,) = of_type(said, d.OrderWithdrawn)
    assert "moved" in withdrawn.reason
    assert stages.execution.ticket(ENTRY_ID).status is OrderStatus.ABANDONED  # type: ignore[union-attr]
    assert c.UnwatchSymbol(symbol="ACME") in said
    assert not submitted(sample(stages, 100.0))


def test_an_entry_waits_no_longer_than_it_would_have_had_to_fill():
    stages = waiting()
    (timer,) = [m for m in of_type(stages.said, c.SetTimer) if m.timer_id.startswith("queue:")]
    assert (timer.due_at - NOON).total_seconds() == ENTRY.cancel_after_s
    stages.wait(ENTRY.cancel_after_s)
    assert of_type(stages.fire(timer.timer_id), d.OrderWithdrawn)
    resume(stages)
    assert not submitted(sample(stages, 100.0))


def test_after_the_session_and_after_a_halt_of_trading_an_entry_is_withdrawn():
    stages = waiting()
    stages.now = CLOSE + timedelta(minutes=1)
    resume(stages)
    assert of_type(sample(stages, 100.0), d.OrderWithdrawn)

    stages = waiting()
    halt = d.TradingHalted(
        cause=HaltCause.OPERATOR, positions_policy=PositionsPolicy.HOLD, detail=""
    )
    said = stages.handle(halt)
    assert of_type(said, d.OrderWithdrawn)
    assert not of_type(said, c.CancelOrder)


def test_a_second_halt_makes_an_entry_wait_again():
    stages = waiting()
    resume(stages)
    halted(stages)
    assert not submitted(sample(stages, 100.0))
    resume(stages)
    assert submitted(sample(stages, 100.0)) == [ENTRY_ID]


def test_an_exit_keeps_its_stops_in_the_halt_and_goes_out_at_the_resume():
    stages = halted(held())
    said = stages.approve(EXIT)
    assert of_type(said, d.OrderQueued)
    assert not of_type(said, c.CancelOrder, c.SubmitOrder)
    said = resume(stages)
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(STOP_ID)
    assert submitted(stages.cancel(TARGET_ID)) == ["cb-exit"]


def test_an_exit_of_a_position_that_is_gone_is_dropped():
    stages = halted(held())
    stages.approve(EXIT)
    stages.fill(STOP_ID, side=Side.SELL, fill_id="out")
    assert not stages.execution.queued
    assert not submitted(resume(stages))


def test_a_leg_that_ends_in_the_halt_does_not_set_the_exit_free():
    stages = halted(held())
    stages.approve(EXIT)
    stages.cancel(STOP_ID)
    assert "cb-exit" not in submitted(stages.cancel(TARGET_ID))
    assert resume(stages)


def test_other_symbols_do_not_wait():
    stages = halted()
    assert submitted(stages.approve(approved_order(signal_id="s", symbol="EMCA")))


def test_a_restart_remembers_who_waits():
    stages = waiting()
    resume(stages)
    recovered = stages.recovered()
    assert recovered.execution == stages.execution
    assert recovered.execution.queued[ENTRY_ID].order.quantity == Decimal(100)
