from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.study.statistics import (
    benjamini_hochberg,
    clustered_mean,
    half_life,
    share_band,
    shrunk,
)

NAN = math.nan


def test_the_band_of_a_known_spread_is_the_textbooks():
    values = np.random.default_rng(3).normal(20.0, 100.0, size=400)
    found = clustered_mean(values, np.arange(400), seed=(1,))
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std() / 20, rel=0.1)
    assert found.low == pytest.approx(found.value - 1.96 * found.error, abs=1.5)
    assert found.high == pytest.approx(found.value + 1.96 * found.error, abs=1.5)


@pytest.mark.parametrize("value", [0.0, 7.3])
def test_values_that_are_all_alike_have_no_band(value: float):
    found = clustered_mean(np.full(40, value), np.arange(40), seed=(1,))
    assert found.value == pytest.approx(value)
    assert all(math.isnan(each) for each in (found.low, found.high, found.error, found.p))


def test_a_day_with_many_events_counts_as_one_day():
    of_day = np.random.default_rng(5).normal(0.0, 100.0, size=40)
    values, days = np.repeat(of_day, 50), np.repeat(np.arange(40), 50)
    together = clustered_mean(values, days, seed=(1,))
    apart = clustered_mean(values, np.arange(2_000), seed=(1,))
    assert together.error == pytest.approx(of_day.std() / math.sqrt(40), rel=0.15)
    assert together.error > 5 * apart.error


def test_the_same_seed_draws_the_same_band_and_another_one_another():
    values, days = np.arange(100.0), np.arange(100) // 3
    assert clustered_mean(values, days, seed=(1, 2)) == clustered_mean(values, days, seed=(1, 2))
    assert clustered_mean(values, days, seed=(1, 2)) != clustered_mean(values, days, seed=(1, 3))


def test_few_days_have_a_mean_and_no_band():
    found = clustered_mean(np.arange(90.0), np.arange(90) // 10, seed=(1,))
    assert found.value == 44.5
    assert found.clusters == 9
    assert math.isnan(found.low)
    assert math.isnan(found.p)


@pytest.mark.parametrize("values", [[], [1.0, NAN], [math.inf]])
def test_no_sample_and_no_number_are_refused(values: list[float]):
    with pytest.raises(ValueError, match="no NaN"):
        clustered_mean(np.array(values), np.arange(len(values)), seed=(1,))


def test_adjusted_p_values_are_those_of_the_paper():
    # Benjamini and Hochberg (1995), section 3.2: four of fifteen pass at 5 %.
    p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    adjusted = benjamini_hochberg(p)
    assert [q <= 0.05 for q in adjusted] == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), max_size=30))
def test_adjusting_never_makes_a_finding_surer_and_keeps_the_order(p: list[float]):
    adjusted = benjamini_hochberg(p)
    known = [(a, b) for a, b in zip(p, adjusted, strict=True) if not math.isnan(a)]
    assert all(a <= b + 1e-12 and b <= 1 for a, b in known)
    assert [b for _, b in sorted(known)] == sorted(b for _, b in known)
    assert [math.isnan(a) for a in p] == [math.isnan(b) for b in adjusted]


@given(n=st.integers(0, 500), part=st.floats(0, 1))
def test_the_band_of_a_share_holds_it_and_stays_a_share(n: int, part: float):
    hits = int(part * n)
    low, high = share_band(hits, n)
    assert 0 <= low <= high <= 1
    if n:
        assert low - 1e-12 <= hits / n <= high + 1e-12


def test_the_band_of_a_share_is_wilsons():
    assert share_band(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("life", [0.3, 1.0, 4.0])
def test_a_half_life_is_found_again(life: float):
    horizons = np.array([0.25, 1.0, 2.0, 5.0, 10.0])
    means = 120 * (1 - 2 ** (-horizons / life))
    assert half_life(horizons, means, np.full(5, 3.0)) == pytest.approx(life, rel=0.07)


def test_no_half_life_where_the_curve_shows_none():
    horizons, errors = np.array([1.0, 2.0, 5.0, 10.0]), np.full(4, 2.0)
    assert half_life(horizons, 10 * horizons, errors) is None  # still rising
    assert half_life(horizons, np.full(4, 50.0), errors) is None  # all of it at once
    assert half_life(horizons[:2], np.array([1.0, 2.0]), errors[:2]) is None
    assert half_life(horizons, np.full(4, NAN), errors) is None


@given(value=st.floats(-500, 500), error=st.floats(0.1, 500))
def test_shrinking_goes_towards_nothing_and_never_across(value: float, error: float):
    mean, spread = shrunk(value, error, 50.0)
    assert abs(mean) <= abs(value)
    assert mean * value >= 0
    assert 0 < spread < 50.0


def test_without_data_the_prior_stands():
    assert shrunk(NAN, NAN, 50.0) == (0.0, 50.0)
