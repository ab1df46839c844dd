"""How alike two symbols move: Pearson correlation of bar returns over their common bars.

Two positions that move together are one large position in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Closes = Mapping[int, float]  # closing price by the bar's end in epoch seconds, oldest first

MIN_COMMON_BARS = 30  # fewer bars give a number, but no knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """The highest correlation with anything held or on its way; 0 when nothing is known."""

    correlation: float
    note: str


def correlation(left: Closes, right: Closes) -> float | None:
    """Return the correlation of simple returns between common bars, in [-1, 1].

    Bars are common when they closed at the same time. None with fewer than `MIN_COMMON_BARS`
    common bars, or when one side did not move.
    """
    common = left.keys() & right.keys()
    if len(common) < MIN_COMMON_BARS:
        return None
    prices = np.array([_prices(left, common), _prices(right, common)])
    return _pearson(prices[:, 1:] / prices[:, :-1] - 1.0)


def _prices(closes: Closes, times_s: Set[int]) -> Floats:
    """Prices at the given times, oldest first."""
    if len(times_s) == len(closes):
        return np.fromiter(closes.values(), dtype=np.float64, count=len(closes))
    return np.array([price for at, price in closes.items() if at in times_s])


def _pearson(moves: Floats) -> float | None:
    """Of two rows; by sums, for a dot product's last bit may differ from machine to machine."""
    x, y = moves - moves.sum(axis=1, keepdims=True) / moves.shape[1]
    spread = sqrt((x * x).sum()) * sqrt((y * y).sum())
    if not spread > 0:
        return None
    return max(-1.0, min(1.0, float((x * y).sum()) / spread))


def kinship(symbol: str, others: Iterable[str], closes: Mapping[str, Closes]) -> Kinship:
    """Return the highest correlation of `symbol` with any of `others`; unknown counts as 0."""
    known: list[tuple[float, str]] = []
    unknown: list[str] = []
    for other in sorted(set(others) - {symbol}):
        value = correlation(closes.get(symbol, {}), closes.get(other, {}))
        if value is None:
            unknown.append(other)
        else:
            known.append((value, other))
    notes = [f"too few common bars with {', '.join(unknown)}"] if unknown else []
    if not known:
        return Kinship(correlation=0.0, note="; ".join(notes) or "nothing else is held")
    highest, other = max(known)
    return Kinship(correlation=highest, note="; ".join([f"with {other}", *notes]))
