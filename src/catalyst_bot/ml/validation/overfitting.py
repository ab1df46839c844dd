"""Was the best of several candidates chosen, or drawn? Combinatorially symmetric cross-validation.

Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest Overfitting" (2015): cut the
time into blocks, take every half of them to choose the best candidate, and look where it ranks in
the other half. A procedure that overfits chooses what is then below the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.ml.validation.metrics import Floats

BLOCKS = 16  # 12,870 ways to halve them; the paper's own choice
MIN_BLOCK = 10  # periods: a Sharpe ratio of fewer is noise
_TINY = 1e-18


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """`probability`: how often the best half-way choice ends below the median of the other half.

    `slope` is that of its Sharpe ratio outside on the one inside: negative means the better it
    looked, the worse it did. `loss` is how often its outside Sharpe ratio was below 0.
    """

    candidates: int
    blocks: int
    ways: int
    probability: float
    loss: float
    slope: float


def overfitting(returns: Floats, *, blocks: int = BLOCKS) -> Overfitting | None:
    """Return how likely a choice among candidates is overfitted.

    `returns` [periods, candidates], each column one candidate over the same periods. Blocks are
    fewer where time is short. None with fewer than two candidates that differ, or too few periods.
    Raises `ValueError` for a number that is none.
    """
    if not np.isfinite(returns).all():
        raise ValueError("a return is not a number")
    distinct = np.unique(returns, axis=1).shape[1]
    blocks = min(blocks, len(returns) // MIN_BLOCK) // 2 * 2
    if distinct < 2 or blocks < 4:
        return None
    halves = _halves(blocks)
    parts = np.array_split(returns, blocks)
    inside = _sharpes(halves, parts)
    outside = _sharpes(~halves, parts)
    best = inside.argmax(axis=1)
    ways = np.arange(len(halves))
    chosen_in, chosen_out = inside[ways, best], outside[ways, best]
    # Ties count half, or a candidate that equals another would rank above itself.
    below = (outside < chosen_out[:, None]).sum(axis=1)
    equal = (outside == chosen_out[:, None]).sum(axis=1)
    rank = (below + (equal + 1) / 2) / (returns.shape[1] + 1)
    spread = float(chosen_in.var())
    together = float(((chosen_in - chosen_in.mean()) * (chosen_out - chosen_out.mean())).mean())
    return Overfitting(
        candidates=returns.shape[1],
        blocks=blocks,
        ways=len(halves),
        probability=float((rank <= 0.5).mean()),
        loss=float((chosen_out < 0).mean()),
        slope=together / spread if spread > _TINY else 0.0,
    )


def _halves(blocks: int) -> NDArray[np.bool_]:
    """Every way to choose half of the blocks, a row each."""
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(chosen), blocks), dtype=np.bool_)
    np.put_along_axis(halves, chosen, values=True, axis=1)
    return halves


def _sharpes(halves: NDArray[np.bool_], parts: list[Floats]) -> Floats:
    """Sharpe ratio of each candidate over the blocks of each way, from sums over blocks."""
    weights = halves.astype(np.float64)
    counts = weights @ np.array([len(part) for part in parts], dtype=np.float64)
    sums = weights @ np.array([part.sum(axis=0) for part in parts])
    squares = weights @ np.array([(part**2).sum(axis=0) for part in parts])
    mean = sums / counts[:, None]
    variance = (squares - counts[:, None] * mean**2) / (counts[:, None] - 1)
    varies = variance > _TINY
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
