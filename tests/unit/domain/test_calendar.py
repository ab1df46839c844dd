from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from tests.builders import CLOSE, NOON, OPEN, calendar

CALENDAR = calendar()
FIRST, LAST = CALENDAR.sessions[0], CALENDAR.sessions[-1]
MOMENTS = st.datetimes(
    FIRST.opens_at.replace(tzinfo=None),
    (LAST.opens_at - timedelta(seconds=1)).replace(tzinfo=None),
    timezones=st.just(UTC),
)
SECOND = timedelta(seconds=1)


@given(MOMENTS)
def test_every_answer_is_what_a_search_from_end_to_end_gives(at: datetime):
    around = [s for s in CALENDAR.sessions if s.opens_at <= at < s.closes_at]
    assert CALENDAR.session_at(at) == (around[0] if around else None)
    assert CALENDAR.next_session(at) == next(s for s in CALENDAR.sessions if s.opens_at > at)


@given(MOMENTS, MOMENTS)
def test_between_is_every_session_that_shares_a_moment(one: datetime, other: datetime):
    start, end = min(one, other), max(one, other) + SECOND
    overlapping = tuple(
        s for s in CALENDAR.sessions if max(s.opens_at, start) < min(s.closes_at, end)
    )
    assert CALENDAR.between(start, end) == overlapping


def test_a_session_is_open_from_its_open_and_not_at_its_close():
    assert CALENDAR.session_at(OPEN - SECOND) is None
    assert CALENDAR.session_at(OPEN) is not None
    assert CALENDAR.session_at(NOON) is not None
    assert CALENDAR.session_at(CLOSE - SECOND) is not None
    assert CALENDAR.session_at(CLOSE) is None


@pytest.mark.parametrize("at", [FIRST.opens_at - SECOND, LAST.opens_at, LAST.closes_at])
def test_outside_its_table_it_refuses_to_guess(at: datetime):
    for ask in (CALENDAR.session_at, CALENDAR.next_session):
        with pytest.raises(BadData, match="outside the session table"):
            ask(at)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (OPEN - timedelta(hours=5, minutes=30) - SECOND, SessionPhase.CLOSED),
        (OPEN - timedelta(hours=5, minutes=30), SessionPhase.PRE),
        (OPEN - SECOND, SessionPhase.PRE),
        (OPEN, SessionPhase.REGULAR),
        (CLOSE - SECOND, SessionPhase.REGULAR),
        (CLOSE, SessionPhase.POST),
        (CLOSE + timedelta(hours=4) - SECOND, SessionPhase.POST),
        (CLOSE + timedelta(hours=4), SessionPhase.CLOSED),
        (OPEN - timedelta(days=1), SessionPhase.CLOSED),  # a Sunday
    ],
)
def test_a_day_has_hours_before_and_after_its_session(at: datetime, phase: SessionPhase):
    assert CALENDAR.phase_at(at) is CALENDAR.phase_or_closed(at) is phase


def test_outside_its_table_nothing_trades():
    before = FIRST.opens_at - SECOND
    with pytest.raises(BadData):
        CALENDAR.phase_at(before)
    assert CALENDAR.phase_or_closed(before) is SessionPhase.CLOSED
