from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderStatus as S
from catalyst_bot.execution.order_states import (
    FINISHED,
    TRANSITIONS,
    advance,
    fill_event,
    is_at_broker,
    is_finished,
)
from catalyst_bot.execution.order_states import OrderEvent as E
from tests.builders import ticket


def test_every_status_is_in_the_table():
    assert set(TRANSITIONS) == set(S)


def test_a_finished_order_can_only_turn_out_to_be_filled():
    for status in FINISHED:
        assert set(TRANSITIONS[status].values()) <= {status, S.FILLED}


@pytest.mark.parametrize("status", [s for s in S if s not in FINISHED])
def test_from_every_unfinished_status_there_is_a_way_to_an_end(status: S):
    assert set(TRANSITIONS[status].values()) & FINISHED


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (S.PLANNED, E.FILL_REST),  # never sent
        (S.PLANNED, E.ACCEPT),
        (S.WORKING, E.MISS),  # the broker confirmed it before
        (S.WORKING, E.SUPPRESS),
        (S.PARTIALLY_FILLED, E.REJECT),
        (S.FILLED, E.FILL_PART),  # more than was ordered
        (S.FILLED, E.REJECT),
        (S.REJECTED, E.ACCEPT),
        (S.REJECTED, E.FILL_PART),
        (S.ABANDONED, E.ACCEPT),
        (S.ABANDONED, E.FILL_REST),
        (S.UNKNOWN, E.SUBMIT),  # never again
    ],
)
def test_contradictions_are_refused(status: S, event: E):
    assert advance(status, event) is None


@pytest.mark.parametrize(
    ("status", "event", "after"),
    [
        (S.PLANNED, E.SUBMIT, S.SUBMITTED),
        (S.SUBMITTED, E.FILL_REST, S.FILLED),  # fill before the acknowledgement
        (S.FILLED, E.ACCEPT, S.FILLED),  # which comes late
        (S.CANCELLED, E.FILL_PART, S.CANCELLED),  # a fill from before the cancellation
        (S.CANCELLED, E.CANCEL, S.CANCELLED),
        (S.HELD, E.ACCEPT, S.WORKING),
        (S.UNKNOWN, E.MISS, S.ABANDONED),
    ],
)
def test_late_and_repeated_steps_are_harmless(status: S, event: E, after: S):
    assert advance(status, event) is after


def test_fill_event_tells_part_rest_and_too_much():
    half = ticket(filled_quantity=Decimal(50))
    assert fill_event(half, Decimal(49)) is E.FILL_PART
    assert fill_event(half, Decimal(50)) is E.FILL_REST
    assert fill_event(half, Decimal(51)) is None


def test_a_planned_order_is_neither_finished_nor_at_the_broker():
    planned = ticket(status=S.PLANNED)
    assert not is_finished(planned)
    assert not is_at_broker(planned)
    assert is_at_broker(ticket(status=S.UNKNOWN))
    assert not is_at_broker(ticket(status=S.FILLED))
