"""No sample that is learned from has a label that reaches into what is tested."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.splits import Gap, three_parts, walk_forward

gaps = st.builds(Gap, horizon=st.integers(0, 30), embargo=st.integers(0, 20))


def weekdays(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * count))
    return [day for day in days if day.weekday() < 5][:count]


@given(st.integers(0, 1_000), st.integers(100, 4_000), gaps)
def test_three_parts_keep_their_gaps(first: int, count: int, gap: Gap) -> None:
    sessions = range(first, first + count)
    try:
        parts = three_parts(sessions, gap)
    except BadData:
        assume(False)
    assert parts.train[-1] + gap.horizon + gap.embargo < parts.validation[0]
    assert parts.validation[-1] + gap.horizon + gap.embargo < parts.test[0]
    assert (parts.train[0], parts.test[-1]) == (sessions[0], sessions[-1])
    lost = count - len(parts.train) - len(parts.validation) - len(parts.test)
    assert lost == 2 * gap.sessions
    assert len(parts.test) == pytest.approx(0.2 * count, abs=1)


@given(st.dates(date(2000, 1, 1), date(2020, 1, 1)), st.integers(300, 2_000), gaps)
def test_folds_never_learn_from_what_they_are_tested_on(first: date, count: int, gap: Gap) -> None:
    days = weekdays(first, count)
    folds = walk_forward(days, gap)
    for fold in folds:
        assert fold.train[-1] + gap.horizon + gap.embargo < fold.test[0]
        assert fold.train[0] >= 0
        assert days[fold.train[0]] >= days[fold.test[0]] - timedelta(days=370)
        assert days[fold.test[-1]] - days[fold.test[0]] < timedelta(days=93)
    tested = [session for fold in folds for session in fold.test]
    assert tested == list(range(tested[0], count)), "tests follow each other without a hole"


def test_a_walk_over_ten_years_is_forty_quarters() -> None:
    days = weekdays(date(2010, 1, 4), 12 * 261)
    folds = walk_forward(days, Gap(horizon=10, embargo=5), start=date(2012, 1, 1))
    whole = [fold for fold in folds if days[fold.test[0]].year < 2022]
    assert len(whole) == 40
    assert days[whole[0].test[0]] == date(2012, 1, 2)
    assert days[whole[0].train[0]] == date(2011, 1, 3)
    assert {len(fold.train) for fold in whole} <= set(range(240, 250))


@pytest.mark.parametrize("count", [0, 1, 200])
def test_too_few_sessions_are_refused(count: int) -> None:
    with pytest.raises(BadData):
        walk_forward(weekdays(date(2010, 1, 4), count), Gap(horizon=10))


def test_three_parts_of_too_little_are_refused() -> None:
    with pytest.raises(BadData, match="too few"):
        three_parts(range(20), Gap(horizon=10))
