"""How alike two symbols move: Pearson correlation of bar returns over their common bars.

Two positions that move together are one large position in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

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
    if len(one) < MIN_COMMON_BARS:
        return found
    like_one = [place for place, other in enumerate(others) if other.ends_s == one.ends_s]
    if like_one:  # their prices stand beside each other as they are
        prices = b"".join([one.prices, *[others[place].prices for place in like_one]])
        rows = np.frombuffer(prices).reshape(-1, len(one))
        for place, value in zip(like_one, _pearson(_moves(rows)), strict=True):
            found[place] = value
    rest = {*range(len(others))}.difference(like_one)
    places = [place for place in sorted(rest) if len(others[place]) >= MIN_COMMON_BARS]
    if places:
        _by_common_bars(one, others, places, found)
    return found


def _by_common_bars(
    one: Closes, others: Sequence[Closes], places: Sequence[int], found: list[float | None]
) -> None:
    """Fill in the correlations with others whose bars are not all those of `one`."""
    pairs, counts = _at_times_of(one, [others[at] for at in places])
    stops = list(accumulate(counts))
    for count in {*counts}.difference(range(MIN_COMMON_BARS)):
        rows = [row for row, size in enumerate(counts) if size == count]
        # In rows of their own, so that each is added up as it would be alone.
        parts = [pairs[:, stops[row] - count : stops[row]] for row in rows]
        prices = np.concatenate(parts, axis=1).reshape(2, len(rows), count)
        for row, value in zip(rows, _pearson(_moves(prices)), strict=True):
            found[places[row]] = value


def _at_times_of(one: Closes, others: Sequence[Closes]) -> tuple[Floats, list[int]]:
    """Prices at common times: a row of `one` over a row of the others, one after the other, and how
    many there are of each.
    """
    times = np.frombuffer(one.ends_s, np.int64)
    ends_s = np.frombuffer(b"".join([other.ends_s for other in others]), np.int64)
    prices = np.frombuffer(b"".join([other.prices for other in others]))
    bars = times.searchsorted(ends_s)
    is_common = times.take(bars, mode="clip") == ends_s
    stops = [0, *accumulate(map(len, others))]
    counts = [int(np.count_nonzero(is_common[start:stop])) for start, stop in pairwise(stops)]
    mine = np.frombuffer(one.prices).take(bars[is_common])
    table: Floats = np.concatenate((mine, prices[is_common])).reshape(2, -1)
    return table, counts


def _moves(prices: Floats) -> Floats:
    """Returns from each bar to the next, less their mean; bars are along the last axis."""
    moves = prices[..., 1:] / prices[..., :-1]
    moves -= 1.0
    moves -= np.add.reduce(moves, axis=-1, keepdims=True) / moves.shape[-1]
    return moves


def _pearson(moves: Floats) -> list[float | None]:
    """Of the first with each of the others, which are rows, or of pairs of rows.

    By sums, for a dot product's last bit may differ from machine to machine.
    """
    lengths = np.sqrt(np.add.reduce(moves * moves, axis=-1))
    shared = np.add.reduce(moves[0] * moves[1:], axis=-1)
    most = lengths[0] * lengths[1:]
    return [
        max(-1.0, min(1.0, both / at_most)) if at_most > 0 else None
        for both, at_most in zip(shared.ravel().tolist(), most.ravel().tolist(), strict=True)
    ]
