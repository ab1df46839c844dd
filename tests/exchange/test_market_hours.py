"""Hours of the market: summer time, half days, holidays; the bodies of clock and calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.market.calendar import MarketHours
from tests.exchange import openapi

HOURS = MarketHours()
PRE, REGULAR, POST, CLOSED = (
    SessionPhase.PRE,
    SessionPhase.REGULAR,
    SessionPhase.POST,
    SessionPhase.CLOSED,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (utc(2025, 10, 22, 7, 59), CLOSED),
        (utc(2025, 10, 22, 8, 0), PRE),
        (utc(2025, 10, 22, 13, 29, 59), PRE),
        (utc(2025, 10, 22, 13, 30), REGULAR),
        (utc(2025, 10, 22, 19, 59, 59), REGULAR),
        (utc(2025, 10, 22, 20, 0), POST),
        (utc(2025, 10, 22, 23, 59, 59), POST),
        (utc(2025, 10, 23, 0, 0), CLOSED),
        (utc(2025, 10, 25, 15, 0), CLOSED),  # Saturday
        (utc(2025, 11, 27, 15, 0), CLOSED),  # Thanksgiving
        (utc(2025, 11, 28, 17, 59), REGULAR),  # the half day after it
        (utc(2025, 11, 28, 18, 0), POST),
        (utc(2025, 11, 28, 21, 59), POST),
        (utc(2025, 11, 28, 22, 0), CLOSED),
        (utc(2025, 3, 7, 14, 30), REGULAR),  # Friday before summer time
        (utc(2025, 3, 7, 13, 30), PRE),
        (utc(2025, 3, 10, 13, 30), REGULAR),  # Monday after it
        (utc(2025, 10, 31, 13, 30), REGULAR),  # Friday before it ends
        (utc(2025, 11, 3, 13, 30), PRE),
        (utc(2025, 11, 3, 14, 30), REGULAR),
        (utc(2025, 11, 4, 0, 30), POST),  # 19:30 in New York, the next day in UTC
    ],
)
def test_phase(at: datetime, phase: SessionPhase) -> None:
    assert HOURS.phase(at) is phase


def test_every_change_of_a_week_is_announced_in_order() -> None:
    at, end = utc(2025, 11, 26, 2), utc(2025, 12, 2, 2)
    changes = []
    while (change := HOURS.next_change(at))[0] < end:
        at = change[0]
        assert HOURS.phase(at) is change[1]
        assert HOURS.phase(at - timedelta(microseconds=1)) is not change[1]
        changes.append(change[1])
    assert changes == [PRE, REGULAR, POST, CLOSED] * 3  # Wednesday, half Friday, Monday


@pytest.mark.parametrize(
    ("at", "is_open", "next_open", "next_close"),
    [
        (
            utc(2025, 10, 22, 15, 0),
            True,
            "2025-10-23T09:30:00-04:00",
            "2025-10-22T16:00:00-04:00",
        ),
        (
            utc(2025, 10, 22, 13, 30),
            True,
            "2025-10-23T09:30:00-04:00",
            "2025-10-22T16:00:00-04:00",
        ),
        (
            utc(2025, 10, 22, 20, 0),
            False,
            "2025-10-23T09:30:00-04:00",
            "2025-10-23T16:00:00-04:00",
        ),
        (
            utc(2025, 10, 22, 12, 0),
            False,
            "2025-10-22T09:30:00-04:00",
            "2025-10-22T16:00:00-04:00",
        ),
        (
            utc(2025, 10, 31, 20, 0),
            False,
            "2025-11-03T09:30:00-05:00",
            "2025-11-03T16:00:00-05:00",
        ),
        (
            utc(2025, 11, 27, 15, 0),
            False,
            "2025-11-28T09:30:00-05:00",
            "2025-11-28T13:00:00-05:00",
        ),
    ],
)
def test_clock_body(at: datetime, is_open: bool, next_open: str, next_close: str) -> None:
    body = HOURS.clock_body(at)
    openapi.validate("get", "/v2/clock", 200, body)
    assert body["is_open"] is is_open
    assert body["next_open"] == next_open
    assert body["next_close"] == next_close
    assert datetime.fromisoformat(body["timestamp"]) == at


def test_calendar_rows_are_as_documented() -> None:
    rows = HOURS.calendar_rows(date(2025, 11, 26), date(2025, 12, 1))
    openapi.validate("get", "/v2/calendar", 200, rows)
    assert [row["date"] for row in rows] == ["2025-11-26", "2025-11-28", "2025-12-01"]
    assert rows[1] == {
        "date": "2025-11-28",
        "open": "09:30",
        "close": "13:00",
        "session_open": "0400",
        "session_close": "1700",
        "settlement_date": "2025-12-01",
    }
    assert rows[0]["session_close"] == "2000"


@pytest.mark.parametrize(
    ("day", "settles"),
    [("2017-09-01", "2017-09-07"), ("2024-05-24", "2024-05-29"), ("2024-05-28", "2024-05-29")],
)
def test_settlement_became_faster(day: str, settles: str) -> None:
    (row,) = HOURS.calendar_rows(date.fromisoformat(day), date.fromisoformat(day))
    assert row["settlement_date"] == settles
    found = HOURS.calendar_rows(
        date.fromisoformat(settles), date.fromisoformat(settles), by_settlement=True
    )
    assert day in [each["date"] for each in found]


def test_beyond_the_table_nothing_is_guessed() -> None:
    with pytest.raises(BadData, match="no session beyond"):
        HOURS.next_change(utc(2031, 6, 2, 15))
    assert HOURS.phase(utc(2031, 6, 2, 15)) is CLOSED
