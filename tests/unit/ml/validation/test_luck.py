from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.ml.validation.luck import (
    Sample,
    best_of,
    deflated_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sample_of,
    variance_between,
)
from catalyst_bot.ml.validation.trials import Trial


def trial(sharpe: float | None, *, periods: int = 252, trials: int = 1, variance: float = 0.0):
    return Trial(
        kind="x", at="", config_hash="", seeds=(), returns_hash="",
        sharpe=sharpe, periods=periods, trials=trials, sharpe_variance=variance,
    )  # fmt: skip


def test_the_deflated_sharpe_ratio_is_the_papers():
    # Bailey and López de Prado (2014), the numerical example: 2.5 a year over five years of days.
    sample = Sample(periods=1250, sharpe=2.5 / sqrt(250), skewness=-3.0, kurtosis=10.0)
    variance = 0.5 / 250
    assert best_of(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(sample, trials=100, variance=variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(sample, trials=46, variance=variance) == pytest.approx(0.9505, abs=5e-5)


def test_the_probabilistic_sharpe_ratio_is_the_papers():
    # Bailey and López de Prado (2012): a fund of two years, 1.59 a year, monthly returns.
    fund = Sample(periods=24, sharpe=0.458, skewness=-2.448, kurtosis=10.164)
    assert probabilistic_sharpe(Sample(periods=24, sharpe=0.458)) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(fund) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_minimum_track_record_is_the_papers(periods: int, years: float):
    # The same paper: so long until a Sharpe ratio of 2 is surely above 1.
    sample = Sample(periods=100, sharpe=2 / sqrt(periods))
    needed = minimum_track_record(sample, 1 / sqrt(periods))
    assert needed is not None
    assert needed / periods == pytest.approx(years, abs=5e-3)


def test_no_record_is_long_enough_for_a_ratio_that_is_not_above():
    assert minimum_track_record(Sample(periods=100, sharpe=0.1), 0.1) is None
    assert minimum_track_record(Sample(periods=100, sharpe=-0.1)) is None


@pytest.mark.parametrize("trials", [5, 50, 1_000])
def test_the_best_of_many_tries_without_skill_is_what_it_is(trials: int):
    drawn = np.random.default_rng(2).normal(0.0, 0.1, size=(4_000, trials)).max(axis=1)
    assert best_of(trials, 0.01) == pytest.approx(drawn.mean(), rel=0.03)


def test_the_error_covers_the_spread_of_drawn_ratios():
    drawn = np.random.default_rng(3).normal(0.05, 1.0, size=(500, 4_000))
    ratios = drawn.mean(axis=0) / drawn.std(axis=0, ddof=1)
    assert Sample(periods=500, sharpe=0.05).error == pytest.approx(ratios.std(), rel=0.05)


@given(st.floats(-0.5, 0.5), st.integers(3, 5_000), st.integers(1, 10_000), st.floats(1e-6, 0.1))
def test_more_tries_never_make_a_result_surer(sharpe, periods, trials, variance):
    sample = Sample(periods=periods, sharpe=sharpe)
    one = deflated_sharpe(sample, trials=trials, variance=variance)
    assert deflated_sharpe(sample, trials=trials * 2, variance=variance) <= one
    assert deflated_sharpe(sample, trials=trials, variance=variance * 2) <= one
    assert 0.0 <= one <= probabilistic_sharpe(sample) <= 1.0


@given(st.floats(0.01, 0.5), st.floats(0.0, 0.009), st.floats(0.5, 0.99))
def test_after_the_minimum_record_one_is_as_sure_as_asked(sharpe, benchmark, confidence):
    needed = minimum_track_record(Sample(periods=10, sharpe=sharpe), benchmark, confidence)
    assert needed is not None
    long_enough = Sample(periods=round(needed) + 1, sharpe=sharpe)
    assert probabilistic_sharpe(long_enough, benchmark) >= confidence - 1e-9


def test_moments_are_those_of_the_returns():
    returns = np.random.default_rng(1).standard_t(6, size=200_000) * 0.01 + 0.001
    sample = sample_of(returns)
    assert sample is not None
    assert sample.sharpe == pytest.approx(returns.mean() / returns.std(), rel=1e-4)
    assert sample.skewness == pytest.approx(0.0, abs=0.1)
    assert sample.kurtosis == pytest.approx(6.0, rel=0.2)  # 3 + 6 / (6 - 4)
    assert sample_of(np.full(50, 0.001)) is None
    assert sample_of(np.array([0.1, 0.2])) is None


def test_the_variance_between_tries_is_that_of_their_ratios():
    trials = [trial(s) for s in (-2.0, 0.0, 2.0, 4.0)]
    assert variance_between(trials, 252) == pytest.approx(np.var([-2, 0, 2, 4], ddof=1) / 252)
    # A search told by mean and variance says the same as its tries one by one.
    sharpes = np.random.default_rng(1).normal(0.5, 2.0, size=1_000)
    told = [trial(float(sharpes.mean()), trials=1_000, variance=float(sharpes.var()))]
    one_by_one = [trial(float(s)) for s in sharpes]
    assert variance_between(told, 500) == pytest.approx(variance_between(one_by_one, 500))


def test_short_tries_are_scaled_to_the_length_of_the_result():
    # Without skill the variance of a quarter's annual ratio is four times that of a year's.
    short = [trial(s * 2, periods=63) for s in (-3.0, 3.0)]
    long = [trial(s, periods=252) for s in (-3.0, 3.0)]
    assert variance_between(short, 1_000) == pytest.approx(variance_between(long, 1_000))


@pytest.mark.parametrize("tries", [[], [trial(9.0)], [trial(None)] * 5, [trial(1.0)] * 50])
def test_tries_that_are_alike_or_unknown_vary_as_luck_does(tries):
    assert variance_between(tries, 400) == 1 / 400
