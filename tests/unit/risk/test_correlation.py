"""Correlation of bar returns, aligned by the time the bars closed."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import exp, sin
from random import Random
from statistics import correlation as by_the_book

import pytest

from catalyst_bot.risk.correlation import MIN_COMMON_BARS, correlations, kinship
from tests import builders


def closes(prices, *, shift: int = 0) -> dict[int, float]:
    first_s = int(builders.OPEN.timestamp())
    return {first_s + 300 * (n + shift): price for n, price in enumerate(prices)}


def correlation(one, other) -> float | None:
    return correlations(one, [other])[0]


WAVE = [100 + sin(n) for n in range(60)]
DOUBLE = [2 * price for price in WAVE]
MIRROR = [1 / price for price in WAVE]


def test_the_same_moves_correlate_fully():
    assert correlation(closes(WAVE), closes(DOUBLE)) == pytest.approx(1.0)


def test_opposite_moves_correlate_negatively():
    assert correlation(closes(WAVE), closes(MIRROR)) == pytest.approx(-1.0, abs=0.01)


def test_bars_are_aligned_by_time():
    late = closes(WAVE[10:], shift=10)
    assert correlation(closes(WAVE), late) == pytest.approx(1.0)
    assert correlation(closes(WAVE), closes(WAVE[10:])) < 0.9


def test_too_few_common_bars_say_nothing():
    enough, few = closes(WAVE[:MIN_COMMON_BARS]), closes(WAVE[: MIN_COMMON_BARS - 1])
    assert correlation(closes(WAVE), enough) is not None
    assert correlation(closes(WAVE), few) is None


def test_bars_count_only_when_they_are_common():
    """Long histories of other times say nothing; one bar more in common, and they do."""
    late = closes(WAVE, shift=60 - MIN_COMMON_BARS)
    later = closes(WAVE, shift=60 - MIN_COMMON_BARS + 1)
    assert correlation(closes(WAVE), late) is not None
    assert correlation(closes(WAVE), later) is None
    assert correlation(closes(WAVE[:MIN_COMMON_BARS]), closes(DOUBLE)) is not None
    assert correlation(closes(WAVE[: MIN_COMMON_BARS - 1]), closes(DOUBLE)) is None


def test_it_is_the_correlation_of_simple_returns():
    rng = Random(3)
    one, other = ([100 * exp(rng.gauss(0, 0.05)) for _ in range(40)] for _ in range(2))
    returns = [[b / a - 1 for a, b in pairwise(p)] for p in (one, other)]
    found = correlation(closes(one), closes(other))
    assert found == pytest.approx(by_the_book(*returns), abs=1e-12)


def test_it_never_leaves_its_range():
    """Rounding would, for some of these: the same moves, and the opposite ones."""
    rng = Random(11)
    for _ in range(40):
        moves = [rng.gauss(0, 0.02) for _ in range(60)]
        walk, same, opposite = (
            closes(
                accumulate(moves, lambda price, move, way=way: price * (1 + way * move), initial=p)
            )
            for p, way in ((100, 1), (300, 1), (100, -1))
        )
        assert 1 - 1e-9 < correlation(walk, same) <= 1
        assert -1 <= correlation(walk, opposite) < -1 + 1e-9


def test_a_symbol_that_did_not_move_says_nothing():
    assert correlation(closes(WAVE), closes([5.0] * 60)) is None


def test_kinship_is_the_closest_other():
    known = {"A": closes(WAVE), "B": closes(MIRROR), "C": closes(DOUBLE), "D": closes([1.0])}
    nearest = kinship("A", ["A", "B", "C", "D"], known)
    assert nearest.correlation == pytest.approx(1.0)
    assert nearest.note == "with C; too few common bars with D"


def test_kinship_with_nothing_is_zero():
    assert kinship("A", [], {}).correlation == 0.0
    assert kinship("A", ["A"], {}).note == "nothing else is held"
    assert kinship("A", ["B"], {}).note == "too few common bars with B"


def test_together_they_are_what_they_are_alone():
    """Not a bit more or less, whoever else is asked about."""
    rng = Random(7)
    walks = [[100 * exp(rng.gauss(0, 0.02)) for _ in range(500)] for _ in range(9)]
    own = closes(walks[0])
    others = [closes(walk[: 500 - 40 * (n % 3)], shift=n % 2) for n, walk in enumerate(walks)]
    assert correlations(own, others) == [correlation(own, other) for other in others]
