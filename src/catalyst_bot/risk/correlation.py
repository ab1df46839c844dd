"""How alike two symbols move: Pearson correlation of bar returns over their common bars.

Two positions that move together are one large position in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.risk.closes import Closes

Floats = NDArray[np.float64]

MIN_COMMON_BARS = 30  # fewer bars give a number, but no knowledge
_NONE = Closes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """The highest correlation with anything held or on its way; 0 when nothing is known."""

    correlation: float
    note: str


def kinship(symbol: str, others: Iterable[str], closes: Mapping[str, Closes]) -> Kinship:
    """Return the highest correlation of `symbol` with any of `others`; unknown counts as 0."""
    names = sorted(set(others) - {symbol})
    values = correlations(closes.get(symbol, _NONE), [closes.get(name, _NONE) for name in names])
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
    mine, theirs = np.frombuffer(one.prices), _at_times_of(one, [others[at] for at in places])
    is_common = ~np.isnan(theirs)
    counts = is_common.sum(axis=1)
    for count in set(counts.tolist()):
        if count < MIN_COMMON_BARS:
            continue
        rows = np.flatnonzero(counts == count)
        # In rows of their own, so that each is added up as it would be alone.
        of, bars = is_common[rows].nonzero()
        prices = np.concatenate((mine[bars], theirs[rows[of], bars])).reshape(2, len(rows), count)
        for row, value in zip(rows.tolist(), _pearson(*_moves(prices)), strict=True):
            found[places[row]] = value
    return found


def _at_times_of(one: Closes, others: Sequence[Closes]) -> Floats:
    """The others' prices at the same times, a row each; NaN where they have none."""
    times = np.frombuffer(one.ends_s, np.int64)
    ends_s = np.concatenate([np.frombuffer(other.ends_s, np.int64) for other in others])
    prices = np.concatenate([np.frombuffer(other.prices) for other in others])
    rows = np.repeat(np.arange(len(others)), [len(other) for other in others])
    bars = np.searchsorted(times, ends_s)
    is_known = times.take(bars, mode="clip") == ends_s
    table = np.full((len(others), len(times)), np.nan)
    table[rows[is_known], bars[is_known]] = prices[is_known]
    return table


def _moves(prices: Floats) -> Floats:
    """Returns from each bar to the next, less their mean; bars are along the last axis."""
    moves = prices[..., 1:] / prices[..., :-1] - 1.0
    centred: Floats = moves - moves.sum(axis=2, keepdims=True) / moves.shape[2]
    return centred


def _pearson(mine: Floats, theirs: Floats) -> list[float | None]:
    """By sums, for a dot product's last bit may differ from machine to machine."""
    spreads = np.sqrt((mine * mine).sum(axis=1)) * np.sqrt((theirs * theirs).sum(axis=1))
    shared = (theirs * mine).sum(axis=1)
    return [
        max(-1.0, min(1.0, both / spread)) if spread > 0 else None
        for both, spread in zip(shared.tolist(), spreads.tolist(), strict=True)
    ]
