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
    traded = [name for name in names if name in closes]
    values = correlations(closes.get(symbol, _NONE), [closes[name] for name in traded])
    known = {name: value for name, value in zip(traded, values, strict=True) if value is not None}
    unknown = [name for name in names if name not in known]
    notes = [f"too few common bars with {', '.join(unknown)}"] if unknown else []
    if not known:
        return Kinship(correlation=0.0, note="; ".join(notes) or "nothing else is held")
    highest, other = max((value, name) for name, value in known.items())
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
    mine = np.frombuffer(one.prices)[np.newaxis]
    theirs = _at_times_of(one, [others[at] for at in places])
    is_common = ~np.isnan(theirs)
    counts = is_common.sum(axis=1)
    for count in set(counts.tolist()):
        if count < MIN_COMMON_BARS:
            continue
        rows = np.flatnonzero(counts == count)
        if count == len(one):  # as nearly all have: its own moves are the same for each of them
            moves = _moves(mine), _moves(theirs[rows])
        else:
            # In rows of their own, so that each is added up as it would be alone.
            is_kept = is_common[rows]
            both = np.concatenate((mine.repeat(len(rows), axis=0)[is_kept], theirs[rows][is_kept]))
            moves = tuple(_moves(both.reshape(2, len(rows), count)))
        for row, value in zip(rows.tolist(), _pearson(*moves), strict=True):
            found[places[row]] = value
    return found


def _at_times_of(one: Closes, others: Sequence[Closes]) -> Floats:
    """The others' prices at the same times, a row each; NaN where they have none."""
    table = np.full((len(others), len(one)), np.nan)
    odd: dict[int, Closes] = {}
    for row, other in enumerate(others):
        if other.ends_s == one.ends_s:
            table[row] = np.frombuffer(other.prices)
        else:
            odd[row] = other
    if odd:
        _search(np.frombuffer(one.ends_s, np.int64), odd, table)
    return table


def _search(times: NDArray[np.int64], odd: Mapping[int, Closes], table: Floats) -> None:
    """Write into their rows of the table what those with other times have of these."""
    ends_s = np.concatenate([np.frombuffer(other.ends_s, np.int64) for other in odd.values()])
    prices = np.concatenate([np.frombuffer(other.prices) for other in odd.values()])
    rows = np.repeat(list(odd), [len(other) for other in odd.values()])
    bars = np.searchsorted(times, ends_s)
    is_known = times.take(bars, mode="clip") == ends_s
    table[rows[is_known], bars[is_known]] = prices[is_known]


def _moves(prices: Floats) -> Floats:
    """Returns from each bar to the next, less their mean; bars are along the last axis."""
    moves: Floats = prices[..., 1:] / prices[..., :-1]
    moves -= 1.0
    moves -= moves.sum(axis=-1, keepdims=True) / moves.shape[-1]
    return moves


def _pearson(mine: Floats, theirs: Floats) -> list[float | None]:
    """By sums, for a dot product's last bit may differ from machine to machine."""
    spreads = np.sqrt((mine * mine).sum(axis=1)) * np.sqrt((theirs * theirs).sum(axis=1))
    shared = (theirs * mine).sum(axis=1)
    return [
        max(-1.0, min(1.0, both / spread)) if spread > 0 else None
        for both, spread in zip(shared.tolist(), spreads.tolist(), strict=True)
    ]
