"""A venue that died is rebuilt from the journal and goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id
from tests.builders import fill
from tests.unit.simulation.venue import (
    at,
    bracket,
    buy,
    candle,
    flat,
    limit_buy,
    open_at,
    show,
    story,
    venue,
)

D = Decimal


def sent(order: ApprovedOrder) -> SubmitOrder:
    return SubmitOrder(order=order, valid_until=order.approved_at + timedelta(seconds=10))


def rebuilt(messages: list[Message]) -> EmbeddedVenue:
    engine = venue()
    engine.rebuild(messages)
    return engine


def test_a_submit_without_an_answer_is_not_at_the_venue():
    order = buy()
    engine = rebuilt([sent(order)])
    assert engine.state == venue().state
    assert engine.ticket(order.client_order_id) is None
    assert story(engine.submit(order, at(1))) == ["OrderAccepted order"]


def test_a_suppressed_submit_is_not_at_the_venue():
    order = buy()
    suppressed = f.SubmitSuppressed(
        at=at(0), client_order_id=order.client_order_id, reason="halt latch"
    )
    assert rebuilt([sent(order), suppressed]).state == venue().state


def test_a_rejection_is_remembered():
    order = buy(quantity=D(0))
    live = venue()
    messages = [sent(order), *live.submit(order, at(0))]
    assert rebuilt(messages).state == live.state


def entry_fill(engine: EmbeddedVenue) -> list[Fact]:
    return open_at(engine, 0)


def stop_fill(engine: EmbeddedVenue) -> list[Fact]:
    return show(engine, candle(1, (100.0, 107.0, 96.0, 96.0)))


def leg_cancel(engine: EmbeddedVenue) -> list[Fact]:
    return engine.cancel(stop_leg_id(bracket().client_order_id), at(1))


@pytest.mark.parametrize(
    "steps", [(entry_fill,), (entry_fill, stop_fill), (entry_fill, leg_cancel)]
)
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_facts_that_were_due_when_the_venue_died_are_made_up_for(
    steps: tuple[Callable[[EmbeddedVenue], list[Fact]], ...], lost: int
):
    live, order = venue(), bracket()
    messages: list[Message] = [sent(order), *live.submit(order, at(0))]
    facts: list[Fact] = []
    for step in steps:
        facts = step(live)
        messages += facts
    lost = min(lost, len(facts) - 1)
    again = rebuilt(messages[: len(messages) - lost])
    assert again.settle(facts[-1].at) == facts[len(facts) - lost :]
    assert again.state == live.state


def test_a_moved_stop_is_remembered_with_its_time():
    live, order = venue(), bracket()
    messages: list[Message] = [sent(order), *live.submit(order, at(0)), *open_at(live, 0)]
    messages += live.replace(
        stop_leg_id(order.client_order_id), at(0, seconds=30), stop_price=D(99)
    )
    again = rebuilt(messages)
    for engine in (live, again):
        assert show(engine, candle(0, (100.0, 100.0, 98.0, 100.0))) == []
    next_bar = candle(1, (100.0, 100.0, 98.0, 100.0))
    assert show(again, next_bar) == show(live, next_bar) != []


def test_prices_shown_again_after_a_restart_fill_nothing_twice():
    live, order = venue(), limit_buy("99", quantity=D(300))
    down = candle(0, (100.0, 100.0, 98.0, 100.0), volume=1_000.0)
    messages: list[Message] = [sent(order), *live.submit(order, at(0)), *show(live, down)]
    again = rebuilt(messages)
    assert show(again, down) == []
    assert again.state == live.state


def test_a_repeated_fill_counts_once():
    live, order = venue(), buy()
    messages: list[Message] = [sent(order), *live.submit(order, at(0)), *open_at(live, 0)]
    assert rebuilt([*messages, messages[-1]]).state == live.state


def test_other_messages_mean_nothing_to_a_venue():
    engine = venue()
    engine.apply(f.BarClosed(at=at(1), bar=flat(0)))
    assert engine.state == venue().state


def test_a_fact_about_an_order_nobody_sent_is_a_bug():
    with pytest.raises(InvariantViolated, match="cb-test"):
        rebuilt([f.OrderFilled(at=at(0), fill=fill())])


def test_only_a_new_venue_is_rebuilt():
    engine = venue()
    engine.submit(buy(), at(0))
    with pytest.raises(InvariantViolated):
        engine.rebuild([])
