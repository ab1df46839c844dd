from __future__ import annotations

from datetime import UTC, date, datetime

import exchange_calendars
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.calendar_table import load_calendar


# exchange-calendars still uses a part of pandas that pandas 4 will change.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_session_equals_that_of_exchange_calendars():
    theirs = exchange_calendars.get_calendar("XNYS", start="2000-01-01", end="2027-12-31").schedule
    expected = [
        (day.date(), opens.to_pydatetime(), closes.to_pydatetime())
        for day, opens, closes in zip(theirs.index, theirs["open"], theirs["close"], strict=True)
    ]
    ours = load_calendar().between(
        datetime(2000, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    )
    assert [(s.day, s.opens_at, s.closes_at) for s in ours] == expected


def test_daylight_saving_and_half_days_in_utc():
    sessions = {session.day: session for session in load_calendar().sessions}
    assert sessions[date(2025, 3, 7)].opens_at == datetime(2025, 3, 7, 14, 30, tzinfo=UTC)
    assert sessions[date(2025, 3, 10)].opens_at == datetime(2025, 3, 10, 13, 30, tzinfo=UTC)
    assert sessions[date(2025, 11, 28)].closes_at == datetime(2025, 11, 28, 18, 0, tzinfo=UTC)
    assert date(2025, 11, 27) not in sessions


def test_the_table_spans_1998_to_2030_and_says_where_it_ends():
    calendar = load_calendar()
    assert calendar.sessions[0].day == date(1998, 1, 2)
    assert calendar.sessions[-1].day == date(2030, 12, 31)
    with pytest.raises(BadData, match="outside the session table"):
        calendar.session_at(datetime(1997, 6, 2, 15, 0, tzinfo=UTC))
