from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.ml.validation.luck import sample_of
from catalyst_bot.ml.validation.resampling import block_length, drawn_rows, sharpe_band


def test_the_band_of_independent_returns_is_that_of_the_formula():
    returns = np.random.default_rng(5).normal(0.0006, 0.01, size=2_000)
    band, sample = sharpe_band(returns, seed=(1,)), sample_of(returns)
    assert band is not None
    assert sample is not None
    middle, width = sample.sharpe * sqrt(252), 1.96 * sample.error * sqrt(252)
    assert band.low == pytest.approx(middle - width, abs=0.15)
    assert band.high == pytest.approx(middle + width, abs=0.15)


def test_returns_that_remember_have_a_wider_band():
    random = np.random.default_rng(6)
    shocks = random.normal(0.0, 0.01, size=3_000)
    slow = np.convolve(shocks, np.full(20, 1 / 20), mode="valid")
    own, shuffled = sharpe_band(slow, seed=(1,)), sharpe_band(random.permutation(slow), seed=(1,))
    assert own is not None
    assert shuffled is not None
    assert own.block > 3 * shuffled.block
    assert own.high - own.low > 2 * (shuffled.high - shuffled.low)


def test_the_block_fits_how_long_returns_remember():
    # Politis and White give, for an AR(1) of rho, (2 rho / (1 - rho^2))^(2/3) n^(1/3).
    random, rho, n = np.random.default_rng(7), 0.6, 20_000
    returns = np.zeros(n)
    for step, shock in enumerate(random.normal(size=n - 1), 1):
        returns[step] = rho * returns[step - 1] + shock
    expected = (2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3)
    assert block_length(returns) == pytest.approx(expected, rel=0.25)
    assert block_length(np.zeros(100)) == 1.0


def test_the_same_seed_draws_the_same_band():
    returns = np.random.default_rng(8).normal(size=100) * 0.01
    assert sharpe_band(returns, seed=(1, 2)) == sharpe_band(returns, seed=(1, 2))
    assert sharpe_band(returns, seed=(1, 2)) != sharpe_band(returns, seed=(1, 3))


def test_too_few_returns_have_no_band_and_no_number_is_refused():
    assert sharpe_band(np.arange(29.0), seed=(1,)) is None
    with pytest.raises(ValueError, match="not a number"):
        sharpe_band(np.full(40, np.nan), seed=(1,))


@given(st.integers(2, 60), st.floats(1.0, 30.0), st.integers(0, 99))
def test_blocks_run_on_and_wrap_around(periods: int, block: float, seed: int):
    rows = drawn_rows(periods, block, 20, np.random.default_rng(seed))
    assert rows.shape == (20, periods)
    assert rows.min() >= 0
    assert rows.max() < periods
    if block == 1.0:
        return
    goes_on = (rows[:, 1:] == (rows[:, :-1] + 1) % periods).mean()
    assert goes_on >= 1 - 1 / block - 0.35


def test_blocks_are_on_average_as_long_as_asked():
    rows = drawn_rows(1_000, 8.0, 200, np.random.default_rng(3))
    breaks = (rows[:, 1:] != (rows[:, :-1] + 1) % 1_000).mean()
    assert 1 / breaks == pytest.approx(8.0, rel=0.05)
