from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.ml.validation.overfitting import overfitting


def noise(seed: int, *, periods: int = 800, candidates: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, size=(periods, candidates))


def test_one_candidate_with_skill_is_chosen_rightly():
    returns = noise(1)
    returns[:, 7] += 0.002  # an annual Sharpe ratio of 3
    found = overfitting(returns)
    assert found is not None
    assert (found.candidates, found.blocks, found.ways) == (20, 16, 12_870)
    assert found.probability < 0.01
    assert found.loss < 0.01


def test_noise_is_chosen_as_by_a_coin():
    found = [overfitting(noise(seed)) for seed in range(12)]
    shares = [each.probability for each in found if each is not None]
    assert 0.35 < float(np.mean(shares)) < 0.65


def test_candidates_that_each_had_their_own_lucky_time_are_overfitted():
    # Each is good in one block and equally bad in the rest: whoever is chosen disappoints.
    returns = noise(4, periods=640, candidates=16)
    for block in range(16):
        returns[:, block] -= 0.001
        returns[block * 40 : (block + 1) * 40, block] += 0.016
    found = overfitting(returns)
    assert found is not None
    assert found.probability > 0.9
    assert found.slope < 0


def test_the_ways_are_those_of_choosing_by_hand():
    # Four blocks of ten, two candidates: six ways, looked at one by one.
    returns = noise(9, periods=40, candidates=2)
    blocks, below, ways = np.array_split(returns, 4), 0, 0
    for first in range(4):
        for second in range(first + 1, 4):
            inside = np.concatenate([blocks[first], blocks[second]])
            outside = np.concatenate([b for i, b in enumerate(blocks) if i not in {first, second}])
            best = int((inside.mean(axis=0) / inside.std(axis=0, ddof=1)).argmax())
            ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
            below += ratios[best] < ratios[1 - best]
            ways += 1
    found = overfitting(returns)
    assert found is not None
    assert (found.blocks, found.ways) == (4, 6)
    assert found.probability == pytest.approx(below / ways)


@pytest.mark.parametrize(
    "returns", [noise(1, candidates=1), noise(1, periods=39), np.repeat(noise(2)[:, :1], 3, axis=1)]
)
def test_without_a_choice_or_without_time_there_is_no_answer(returns):
    assert overfitting(returns) is None


def test_a_return_that_is_no_number_is_refused():
    returns = noise(1)
    returns[3, 3] = np.nan
    with pytest.raises(ValueError, match="not a number"):
        overfitting(returns)


@given(st.integers(0, 50), st.permutations(range(6)))
def test_the_order_of_candidates_does_not_matter(seed: int, order: list[int]):
    returns = noise(seed, periods=80, candidates=6)
    one, other = overfitting(returns, blocks=8), overfitting(returns[:, order], blocks=8)
    assert one is not None
    assert other is not None
    assert one.probability == pytest.approx(other.probability)
