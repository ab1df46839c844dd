"""How alike two symbols move: Pearson correlation of bar returns over their common bars.

Two positions that move together are one large position in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

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


def kinship(symbol: str, others: Iterable[str], closes: Mapping[str, Closes]) -> Kinship:
    """Return the highest correlation of `symbol` with any of `others`; unknown counts as 0."""
    names = sorted(set(others) - {symbol})
    values = correlations(closes.get(symbol, {}), [closes.get(name, {}) for name in names])
    known = [(value, name) for value, name in zip(values, names, strict=True) if value is not None]
    unknown = [name for value, name in zip(values, names, strict=True) if value is None]
    notes = [f"too few common bars with {', '.join(unknown)}"] if unknown else []
    if not known:
        return Kinship(correlation=0.0, note="; ".join(notes) or "nothing else is held")
    highest, other = max(known)
    return Kinship(correlation=highest, note="; ".join([f"with {other}", *notes]))


def correlations(one: Closes, others: Sequence[Closes]) -> list[float | None]:
    """Return the correlation of simple returns between common bars with each other, in [-1, 1].

    Bars are common when they closed at the same time. None with fewer than `MIN_COMMON_BARS`
    common bars, or when one side did not move. Others with as many common bars, whichever they are,
    are computed together.
    """
    found: list[float | None] = [None] * len(others)
    places = [place for place, other in enumerate(others) if len(other) >= MIN_COMMON_BARS]
    if len(one) < MIN_COMMON_BARS or not places:
        return found
    mine = np.fromiter(one.values(), np.float64, len(one))
    theirs = np.array([_at_times_of(one, others[place]) for place in places])
    is_common = ~np.isnan(theirs)
    counts = is_common.sum(axis=1)
    for count in set(counts.tolist()):
        if count < MIN_COMMON_BARS:
            continue
        rows = np.flatnonzero(counts == count)
        # In rows of their own, so that each is added up as it would be alone.
        common = is_common[rows]
        own = np.broadcast_to(mine, common.shape)[common].reshape(len(rows), count)
        same = theirs[rows][common].reshape(len(rows), count)
        for row, value in zip(rows.tolist(), _pearson(_moves(own), _moves(same)), strict=True):
            found[places[row]] = value
    return found


def _at_times_of(one: Closes, other: Closes) -> Floats:
    """The other's prices at the same times, NaN where it has none."""
    return np.fromiter(map(other.get, one, repeat(np.nan)), np.float64, len(one))


def _moves(prices: Floats) -> Floats:
    """Returns from each bar to the next, less their mean."""
    moves = prices[:, 1:] / prices[:, :-1] - 1.0
    centred: Floats = moves - moves.sum(axis=1, keepdims=True) / moves.shape[1]
    return centred


def _pearson(mine: Floats, theirs: Floats) -> list[float | None]:
    """By sums, for a dot product's last bit may differ from machine to machine."""
    spreads = np.sqrt((mine * mine).sum(axis=1)) * np.sqrt((theirs * theirs).sum(axis=1))
    shared = (theirs * mine).sum(axis=1)
    return [
        max(-1.0, min(1.0, both / spread)) if spread > 0 else None
        for both, spread in zip(shared.tolist(), spreads.tolist(), strict=True)
    ]
