"""One order whose facts come twice and in any order: the outcome is always the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import OrderStatus
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.execution.order_states import (
    FINISHED,
    TRANSITIONS,
    OrderEvent,
    advance,
)
from tests.builders import NOON, approved_order
from tests.stages import Stages, accepted, cancelled, filled, of_type

ORDER = approved_order(stop_loss_price=None, take_profit_price=None)
ORDER_ID = ORDER.client_order_id


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """What a broker can say about an order of 100: accepted, filled in parts, maybe ended."""
    parts = draw(st.lists(st.integers(1, 40), max_size=4))
    facts: list[Any] = [accepted(ORDER_ID)]
    total = 0
    for n, part in enumerate(parts):
        quantity = min(part, 100 - total)
        total += quantity
        if quantity:
            facts.append(filled(ORDER_ID, quantity=Decimal(quantity), fill_id=f"fil-{n}"))
    if draw(st.booleans()) and total < 100:
        facts.append(filled(ORDER_ID, quantity=Decimal(100 - total), fill_id="fil-rest"))
        total = 100
    if total < 100:
        ends = [cancelled(ORDER_ID), f.OrderExpired(at=NOON, client_order_id=ORDER_ID)]
        facts += draw(st.sampled_from([[], *[[end] for end in ends]]))
    return facts


def outcome(facts: list[Any]) -> tuple[OrderStatus, Decimal, Decimal, list[Any]]:
    stages = Stages()
    stages.approve(ORDER)
    told: list[Any] = []
    for fact in facts:
        told += of_type(stages.handle(fact), d.MismatchFound)
    found = stages.execution.ticket(ORDER_ID)
    assert found is not None
    return found.status, found.filled_quantity, stages.portfolio.books.cash_usd, told


@given(histories(), st.data())
def test_repeated_and_reordered_facts_end_in_the_same_place(facts: list[Any], data: st.DataObject):
    repeated = facts + data.draw(st.lists(st.sampled_from(facts), max_size=4))
    shuffled = data.draw(st.permutations(repeated))
    status, filled_quantity, cash, told = outcome(shuffled)
    assert not told
    assert (status, filled_quantity, cash, told) == outcome(facts)


@given(st.lists(st.sampled_from(OrderEvent), max_size=20))
def test_an_order_ends_once(events: list[OrderEvent]):
    status, ended = OrderStatus.PLANNED, None
    for event in events:
        after = advance(status, event)
        if after is None:
            continue
        if ended is not None:
            assert after in {ended, OrderStatus.FILLED}
        status = after
        if status in FINISHED:
            ended = status


@given(st.sampled_from(OrderStatus), st.sampled_from(OrderEvent))
def test_repeating_a_step_changes_nothing_unless_it_is_a_fill(
    status: OrderStatus, event: OrderEvent
):
    after = advance(status, event)
    if after is None or event in {OrderEvent.FILL_REST, OrderEvent.SUPPRESS}:
        return
    assert TRANSITIONS[after].get(event) in {after, None}
