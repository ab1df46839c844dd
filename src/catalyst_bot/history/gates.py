"""Quality gates: which symbols a history takes, and why it leaves out the others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import MARKET_WINDOW
from catalyst_bot.history.adjustment import unexplained_jumps


class Gate(StrEnum):
    """Why a symbol is left out."""

    TOO_LITTLE_HISTORY = "too_little_history"
    MISSING_BARS = "missing_bars"
    ZERO_VOLUME = "zero_volume"
    BAD_ADJUSTMENT = "bad_adjustment"
    UNADJUSTED_SPLIT = "unadjusted_split"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Fewest bars, and the largest share of sessions' bars that miss or traded nothing."""

    min_bars: int = MARKET_WINDOW
    max_missing: float = 0.05
    max_zero_volume: float = 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolBars:
    """Bars of one symbol as imported, and how many there should be between first and last.

    `factor` makes adjusted prices of as-traded ones. Times in epoch seconds.
    """

    symbol: str
    source: str
    expected: int
    opened_s: Floats
    closed_s: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    factor: Floats

    def __len__(self) -> int:
        return len(self.close)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A symbol that was left out, by which gate, and what was seen."""

    symbol: str
    gate: Gate
    detail: str


def judge(bars: SymbolBars, rules: GateRules) -> Exclusion | None:
    """Return why a symbol is left out, by the first gate it fails; None when it is taken."""
    found = _failed(bars, rules)
    if found is None:
        return None
    gate, detail = found
    return Exclusion(symbol=bars.symbol, gate=gate, detail=detail)


def _failed(bars: SymbolBars, rules: GateRules) -> tuple[Gate, str] | None:
    if len(bars) < rules.min_bars:
        return Gate.TOO_LITTLE_HISTORY, f"{len(bars)} bars, {rules.min_bars} are needed"
    missing = bars.expected - len(bars)
    if missing > rules.max_missing * bars.expected:
        return Gate.MISSING_BARS, f"{missing} of {bars.expected} are missing"
    idle = int((bars.volume <= 0).sum())
    if idle > rules.max_zero_volume * len(bars):
        return Gate.ZERO_VOLUME, f"{idle} of {len(bars)} traded nothing"
    if not np.isfinite(bars.factor).all() or not (bars.factor > 0).all():
        return Gate.BAD_ADJUSTMENT, "an adjusted close is missing, not finite or not positive"
    jumps = unexplained_jumps(bars.open * bars.factor, bars.close * bars.factor, bars.volume)
    if jumps:
        row, day = jumps[0], bars.opened_s[jumps[0]].astype("datetime64[s]").astype("datetime64[D]")
        change = bars.open[row] * bars.factor[row] / (bars.close[row - 1] * bars.factor[row - 1])
        return Gate.UNADJUSTED_SPLIT, f"{day}: x {change:.4g} over a night without much trading"
    return None
