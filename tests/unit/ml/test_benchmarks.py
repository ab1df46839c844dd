from __future__ import annotations

import numpy as np
import pytest

from catalyst_bot.ml.portfolio.regimes import regimes_of_closes


def walk(drift: float, spread: float, days: int, seed: int = 1) -> np.ndarray:
    moves = np.random.default_rng(seed).normal(drift, spread, size=days)
    return 100.0 * np.cumprod(1 + moves)


@pytest.mark.parametrize(
    ("drift", "spread", "word"),
    [
        (0.001, 0.005, "bull"),
        (-0.001, 0.005, "bear"),
        (0.0, 0.0005, "sideways"),
        (0.001, 0.04, "crisis"),
    ],
)
def test_markets_are_called_what_they_are(drift: float, spread: float, word: str):
    assert regimes_of_closes(walk(drift, spread, 500))[-1] == word


def test_what_follows_does_not_change_a_word():
    close = walk(0.0, 0.015, 400)
    changed = close.copy()
    changed[300:] *= 5.0
    # A session's word is known before it begins: its own close does not count yet.
    assert regimes_of_closes(close)[:301] == regimes_of_closes(changed)[:301]


def test_nothing_is_known_at_the_beginning():
    assert set(regimes_of_closes(walk(0.01, 0.001, 60))) == {"sideways"}
