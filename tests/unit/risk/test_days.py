"""A year of the exchange's real sessions: what belongs to a day begins anew once in each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import OrderRole, Tier
from catalyst_bot.domain.messages.decisions import LimitApproached, OrderApproved
from catalyst_bot.domain.messages.facts import SessionClosed, SessionOpened
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.risk import checks
from tests import builders
from tests.unit.risk.bench import Bench, proposed

# of the real table only what is asked about: the bench copies its desk at every message
CALENDAR = TradingCalendar(
    load_calendar().between(datetime(2025, 12, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
)
YEAR = CALENDAR.between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
NEAR = LimitApproached(
    name="exposure", tier=Tier.ACCOUNT, limit=0.8, observed=0.75, unit="fraction"
)


def is_open(at: datetime) -> bool:
    bench = Bench()
    bench.desk.calendar, bench.desk.now = CALENDAR, at
    entry = proposed(bench.state, builders.intent(), bench.desk, bench.rules)
    return checks.session_open(entry).passed


def test_every_session_of_a_year_begins_counting_once():
    bench = Bench()
    bench.desk.calendar = CALENDAR
    for session in YEAR:
        opened = SessionOpened(at=session.opens_at, day=session.day, closes_at=session.closes_at)
        bench.desk.now = session.opens_at
        bench.remember(opened)
        assert bench.state.entries_today == 0
        assert bench.state.warned_today == set()
        order = builders.approved_order(
            client_order_id=f"cb-{session.day}", role=OrderRole.ENTRY, quantity=Decimal(1)
        )
        bench.remember(OrderApproved(order=order))
        bench.remember(NEAR)
        bench.remember(SessionClosed(at=session.closes_at, day=session.day))
        assert bench.state.entries_today == 1
        assert bench.state.warned_today == {"exposure"}
    assert len(YEAR) == 251


@pytest.mark.parametrize(
    ("day", "opens_utc", "closes_utc"),
    [
        (date(2026, 3, 6), 14.5, 21.0),  # winter time
        (date(2026, 3, 9), 13.5, 20.0),  # the clocks went forward on Sunday
        (date(2026, 10, 30), 13.5, 20.0),
        (date(2026, 11, 2), 14.5, 21.0),  # and back
        (date(2026, 11, 27), 14.5, 18.0),  # half days
        (date(2026, 12, 24), 14.5, 18.0),
    ],
)
def test_no_entry_out_of_a_session_on_half_days_and_around_changes_of_the_clock(
    day: date, opens_utc: float, closes_utc: float
):
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    opens_at = midnight + timedelta(hours=opens_utc)
    closes_at = midnight + timedelta(hours=closes_utc)
    second = timedelta(seconds=1)
    assert [is_open(at) for at in (opens_at - second, opens_at, closes_at - second, closes_at)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 7, 3), date(2026, 12, 25)])
def test_holidays_have_no_session(day: date):
    noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
    assert not is_open(noon)
