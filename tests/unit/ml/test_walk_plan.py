from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.splits import Parts
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.ml.walk_forward.plan import (
    DAILY,
    WITHIN_DAYS,
    Span,
    folds_of,
    gap_in,
    gap_of,
    least_in,
    must_be_asked,
    must_be_complete,
)
from tests.panels import Case, panel_of

WEEKDAYS = [
    day
    for day in (date(2015, 1, 1) + timedelta(days=n) for n in range(5 * 365))
    if day.weekday() < 5
]


def span(start: str, oos_start: str, end: str, **more: int) -> Span:
    days = (date.fromisoformat(day) for day in (start, end, oos_start))
    return Span(**dict(zip(("start", "end", "oos_start"), days, strict=True)), **more)


def test_a_year_teaches_and_the_next_quarter_tests():
    folds = folds_of(WEEKDAYS, span("2015-01-01", "2016-01-01", "2018-12-31"), gap_of(5 * DAY_S))
    assert len(folds) == 12
    first = folds[0]
    assert WEEKDAYS[first.train.start] == date(2015, 1, 1)
    assert WEEKDAYS[first.test.start] == date(2016, 1, 1)
    assert WEEKDAYS[folds[-1].test.stop - 1] == date(2018, 12, 31)


def test_a_span_may_begin_on_a_day_without_a_session():
    folds = folds_of(WEEKDAYS[1:], span("2015-01-01", "2016-01-01", "2016-12-31"), gap_of(0.0))
    assert (folds[0].train.start, len(folds)) == (0, 4)


def test_the_gap_is_that_of_the_longest_case_of_a_history():
    cases = [Case(symbol="ACME", bar=40, bars=5), Case(symbol="ACME", bar=80, bars=30)]
    assert gap_in(panel_of(cases)) == gap_of(29 * DAY_S)
    assert gap_in(panel_of([])) == gap_of(0.0)


@given(st.integers(1, 40), st.integers(12, 30), st.integers(2, 6))
def test_no_session_is_in_two_parts_and_gaps_are_kept(horizon_days, train_months, test_months):
    gap = gap_of(horizon_days * DAY_S)
    wish = span(
        "2015-01-01", "2018-01-01", "2019-06-01",
        train_months=train_months, test_months=test_months,
    )  # fmt: skip
    folds = folds_of(WEEKDAYS, wish, gap)
    for fold in folds:
        assert fold.validation.start - fold.train.stop == gap.sessions
        assert fold.test.start - fold.validation.stop == gap.sessions
        assert gap.sessions * 365.25 / 252 > horizon_days
    tests = [session for fold in folds for session in fold.test]
    assert tests == list(range(tests[0], tests[-1] + 1))


@pytest.mark.parametrize(
    ("start", "oos_start", "end"),
    [
        ("2016-01-01", "2015-06-01", "2018-01-01"),
        ("2016-01-01", "2018-06-01", "2018-01-01"),
        ("2016-01-01", "2016-01-01", "2018-01-01"),
        ("2016-01-01", "2016-12-31", "2018-01-01"),
    ],
)
def test_a_first_tested_day_outside_is_refused(start: str, oos_start: str, end: str):
    with pytest.raises(ConfigError, match="--oos-start"):
        span(start, oos_start, end)


@pytest.mark.parametrize(
    ("start", "oos_start", "end", "why"),
    [
        ("2013-06-01", "2014-12-01", "2018-01-01", "the history holds 2015-01-01"),
        ("2015-01-01", "2020-06-01", "2021-01-01", "the history holds"),
        ("2015-01-01", "2016-01-01", "2016-01-10", "no quarter"),
    ],
)
def test_too_little_history_is_refused(start: str, oos_start: str, end: str, why: str):
    with pytest.raises(BadData, match=why):
        folds_of(WEEKDAYS, span(start, oos_start, end), gap_of(5 * DAY_S))


def test_missing_sessions_are_named():
    asked = (date(2015, 1, 1), date(2018, 12, 31))
    must_be_complete(WEEKDAYS, WEEKDAYS, *asked)
    holes = [day for day in WEEKDAYS if day.month != 7]
    with pytest.raises(BadData, match=r"2015-07-01, 2015-07-02, .*…"):
        must_be_complete(holes, WEEKDAYS, *asked)
    with pytest.raises(BadData, match=r"the history holds 2015-03-02 to 2019-12-30, but no bar"):
        must_be_complete(WEEKDAYS[42:], WEEKDAYS, *asked)
    must_be_complete(WEEKDAYS[:1200], WEEKDAYS[:1200], *asked)


def test_sessions_in_which_nobody_is_asked_teach_nothing():
    panel = panel_of([Case(symbol="ACME", bar=40, bars=5)])
    learns, rests = range(20, 60), range(60, 90)
    asked = [Parts(train=learns, validation=rests, test=rests)]
    must_be_asked(panel, asked)
    days = panel.days()
    with pytest.raises(BadData, match=f"from {days[60]} to {days[89]} there is neither news"):
        must_be_asked(panel, [*asked, Parts(train=rests, validation=rests, test=rests)])


def test_parts_that_the_gaps_leave_nothing_of_are_refused():
    wish = span("2015-01-01", "2016-01-01", "2017-01-01")
    with pytest.raises(BadData, match="take more months"):
        folds_of(WEEKDAYS, wish, gap_of(120 * DAY_S))


@given(st.integers(40, 90), st.integers(5, 25), st.integers(0, 3))
def test_a_short_history_is_walked_by_sessions(train, test, horizon_days):
    days, gap = WEEKDAYS[:160], gap_of(horizon_days * DAY_S)
    wish = Span(
        start=days[0], oos_start=days[110], end=days[-1], train_sessions=train, test_sessions=test
    )
    folds = folds_of(days, wish, gap, WITHIN_DAYS)
    assert folds[0].test.start == 110
    for fold in folds:
        assert fold.validation.start - fold.train.stop == gap.sessions
        assert fold.test.start - fold.validation.stop == gap.sessions
        assert fold.validation.stop - fold.train.start == train
    assert {len(fold.test) for fold in folds[:-1]} <= {test}
    tests = [session for fold in folds for session in fold.test]
    assert tests == list(range(110, 110 + len(tests)))
    assert 160 - tests[-1] <= WITHIN_DAYS.test


def test_half_a_measure_in_sessions_is_refused():
    with pytest.raises(ConfigError, match="give both"):
        span("2015-01-01", "2015-06-01", "2015-12-31", train_sessions=60)


def test_too_few_months_name_the_remedy():
    with pytest.raises(ConfigError, match="--train-sessions"):
        span("2015-01-01", "2015-06-01", "2015-12-31")


def test_what_a_part_needs_depends_on_the_bars():
    panel = panel_of([])
    assert least_in(panel) == DAILY
    assert least_in(replace(panel, card=replace(panel.card, interval_s=300))) == WITHIN_DAYS
