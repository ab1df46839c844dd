"""Which timeframes there are, and where their bars begin."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from catalyst_bot.exchange.market.timeframes import BadTimeframe, bar_starts, read_timeframe
from catalyst_bot.market_data.session_times import to_datetime, to_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1Min", 60), ("5T", 300), ("59Min", 3540), ("1Hour", 3600), ("23H", 82_800), ("1Day", None)],
)
def test_alpacas_words_are_read(text: str, seconds: int | None) -> None:
    assert read_timeframe(text).seconds == seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("151Min", "timeframe period number is larger than the allowed maximum of 59"),
        ("24Hour", "timeframe period number is larger than the allowed maximum of 23"),
        ("2Day", "timeframe period number is larger than the allowed maximum of 1"),
        ("13Month", "timeframe period number is larger than the allowed maximum of 12"),
        ("5Month", "invalid timeframe: 5Month"),
        ("0Min", "invalid timeframe: 0Min"),
        ("minute", "invalid timeframe: minute"),
        ("1Sec", "invalid timeframe: 1Sec"),
        ("1min", "invalid timeframe: 1min"),
    ],
)
def test_others_are_refused_in_alpacas_words(text: str, reason: str) -> None:
    with pytest.raises(BadTimeframe, match=f"^{reason}$"):
        read_timeframe(text)


@pytest.mark.parametrize(
    ("text", "at", "start"),
    [
        ("1Min", "2025-10-22T13:37", "2025-10-22T13:37"),
        ("15Min", "2025-10-22T13:37", "2025-10-22T13:30"),
        ("1Hour", "2025-10-22T13:37", "2025-10-22T13:00"),
        ("4Hour", "2025-10-22T13:37", "2025-10-22T12:00"),  # 08:00 in New York
        ("4Hour", "2025-11-03T14:37", "2025-11-03T13:00"),  # the same after summer time
        ("1Day", "2025-10-22T13:37", "2025-10-22T04:00"),
        ("1Day", "2025-11-03T14:37", "2025-11-03T05:00"),
        ("1Day", "2025-11-04T00:30", "2025-11-03T05:00"),
        ("1Week", "2025-10-22T13:37", "2025-10-20T04:00"),
        ("1Week", "2025-11-07T15:00", "2025-11-03T05:00"),
        ("1Month", "2025-11-20T15:00", "2025-11-01T04:00"),  # summer time ends on the second
        ("3Month", "2025-11-20T15:00", "2025-10-01T04:00"),
        ("12Month", "2025-11-20T15:00", "2025-01-01T05:00"),
    ],
)
def test_where_a_bar_begins(text: str, at: str, start: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    (found,) = bar_starts(np.array([to_seconds(moment)]), read_timeframe(text))
    assert to_datetime(int(found)) == datetime.fromisoformat(start).replace(tzinfo=UTC)
