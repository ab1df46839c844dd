"""How alike two symbols move: Pearson correlation of bar returns over their common bars.

Two positions that move together are one large position in disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from catalyst_bot.risk.state import Close

MIN_COMMON_BARS = 30  # fewer bars give a number, but no knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """The highest correlation with anything held or on its way; 0 when nothing is known."""

    correlation: float
    note: str


def correlation(left: Iterable[Close], right: Iterable[Close]) -> float | None:
    """Return the correlation of simple returns between common bars, in [-1, 1].

    Bars are common when they closed at the same time. None with fewer than `MIN_COMMON_BARS`
    common bars, or when one side did not move.
    """
    prices = {close.closed_at: close.price for close in right}
    common = [(c.price, prices[c.closed_at]) for c in left if c.closed_at in prices]
    if len(common) < MIN_COMMON_BARS:
        return None
    returns = [(b / a - 1, d / c - 1) for (a, c), (b, d) in pairwise(common)]
    return _pearson([x for x, _ in returns], [y for _, y in returns])


def _pearson(xs: list[float], ys: list[float]) -> float | None:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread_x = sum((x - mean_x) ** 2 for x in xs)
    spread_y = sum((y - mean_y) ** 2 for y in ys)
    spread = sqrt(spread_x) * sqrt(spread_y)
    if not spread > 0:
        return None
    product = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return max(-1.0, min(1.0, product / spread))


def kinship(symbol: str, others: Iterable[str], closes: Mapping[str, tuple[Close, ...]]) -> Kinship:
    """Return the highest correlation of `symbol` with any of `others`; unknown counts as 0."""
    known: list[tuple[float, str]] = []
    unknown: list[str] = []
    for other in sorted(set(others) - {symbol}):
        value = correlation(closes.get(symbol, ()), closes.get(other, ()))
        if value is None:
            unknown.append(other)
        else:
            known.append((value, other))
    notes = [f"too few common bars with {', '.join(unknown)}"] if unknown else []
    if not known:
        return Kinship(correlation=0.0, note="; ".join(notes) or "nothing else is held")
    highest, other = max(known)
    return Kinship(correlation=highest, note="; ".join([f"with {other}", *notes]))
