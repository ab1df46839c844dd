from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalyst_bot.feeds.times import MAX_AHEAD, NEW_YORK, believable, epoch, iso, of_rss
from tests.builders import NOON

AT = datetime(2025, 10, 6, 15, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "Mon, 06 Oct 2025 15:59 GMT",
        "Mon, 6 Oct 2025 15:59:00 UT",
        "06 October 2025 15:59:00 Z",
        "Monday, 06 Oct 2025  11:59:00 -0400",
        "Mon, 06 Oct 2025 11:59:00 EDT",
        "Mon, 06 Oct 2025 11:59 ET",
        "2025-10-06T15:59:00Z",
        "2025-10-06 11:59:00-04:00",
    ],
)
def test_one_moment_in_many_spellings(written: str):
    assert of_rss(written) == AT


@pytest.mark.parametrize(
    "written",
    [
        "",
        "16:00",
        "5",
        "Monday",
        "October 2025",
        "2025-10-06",
        "20251006",
        "Mon, 06 Oct 2025 15:59",
        "2025-10-06T15:59:00",
        "Mon, 06 Oct 2025 15:59 ABC",
        "Mon, 31 Feb 2025 15:59 GMT",
        "Mon, 06 Foo 2025 15:59 GMT",
        "Mon, 06 Oct 2025 25:59 GMT",
        "Mon, 06 Oct 2025 15:59 +9999",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "9" * 10_000,
    ],
)
def test_what_names_no_moment_is_refused_not_completed(written: str):
    with pytest.raises(ValueError, match="time"):
        of_rss(written)


def test_a_zone_known_from_the_source_is_used_only_where_the_text_names_none():
    assert iso("2025-10-06 11:59:00", NEW_YORK) == AT
    assert iso("2025-01-06 11:59:00", NEW_YORK) == datetime(2025, 1, 6, 16, 59, tzinfo=UTC)
    assert iso("20251006T155900Z", NEW_YORK) == AT


@pytest.mark.parametrize(
    "value",
    [0, -1, True, None, "1759766340", float("nan"), float("inf"), 1_759_766_340_000, 10**400],
)
def test_only_seconds_are_seconds(value: object):
    with pytest.raises(ValueError, match="no readable time"):
        epoch(value)


def test_seconds_since_1970():
    assert epoch(1_759_766_340) == epoch(1_759_766_340.0) == AT


def test_a_time_nobody_can_have_published_at_is_refused():
    assert believable(NOON + MAX_AHEAD, NOON) == NOON + MAX_AHEAD
    with pytest.raises(ValueError, match="still to come"):
        believable(NOON + MAX_AHEAD + timedelta(seconds=1), NOON)
    with pytest.raises(ValueError, match="1970-01-01 is before there were feeds"):
        believable(datetime(1970, 1, 1, tzinfo=UTC), NOON)
