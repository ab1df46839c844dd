from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.session_times import (
    DAY_S,
    SessionTimes,
    to_datetime,
    to_seconds,
)


@pytest.fixture(scope="module")
def sessions() -> SessionTimes:
    return SessionTimes.of(load_calendar())


def at(day: int, hour: int, minute: int = 0) -> int:
    return to_seconds(datetime(2025, 10, day, hour, minute, tzinfo=UTC))


def test_seconds_round_down():
    late = datetime(2025, 10, 6, 13, 30, 0, 999_999, tzinfo=UTC)
    assert to_datetime(to_seconds(late)) == late.replace(microsecond=0)


def test_a_bar_ends_with_its_interval_or_its_session(sessions: SessionTimes):
    opened_s = np.array([at(6, 13), at(6, 13, 30), at(6, 19, 30), at(6, 21)])
    closed_s = sessions.bar_closes(opened_s, 3600)
    assert closed_s.tolist() == [at(6, 13, 30), at(6, 14, 30), at(6, 20), at(6, 22)]


def test_a_daily_bar_ends_at_the_close(sessions: SessionTimes):
    assert sessions.bar_closes(np.array([at(6, 13, 30)]), DAY_S).tolist() == [at(6, 20)]


def test_sessions_are_half_open(sessions: SessionTimes):
    times = np.array([at(6, 13, 29), at(6, 13, 30), at(6, 19, 59), at(6, 20), at(5, 15)])
    assert (sessions.index_at(times) >= 0).tolist() == [False, True, True, False, False]


def test_closed_days_have_no_session(sessions: SessionTimes):
    days = np.array([at(5, 0), at(6, 0)]) // DAY_S
    assert (sessions.index_of_days(days) >= 0).tolist() == [False, True]


def test_the_grid_has_78_bars_a_day(sessions: SessionTimes):
    opens_s = sessions.bar_opens(at(6, 13, 30), at(7, 19, 55), 300)
    assert len(opens_s) == 2 * 78
    assert opens_s[77] == at(6, 19, 55)
    assert opens_s[78] == at(7, 13, 30)
