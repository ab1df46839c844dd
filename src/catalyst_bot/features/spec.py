"""THE table of features: what a policy sees, in order, and what each number means.

The hash of the table goes into every model and every recorded observation; a policy made for
another table is refused. Windows are counted in decision bars, so the table reads the same for
bars of five minutes and of a day; a model runs only at the interval it was trained at.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

# Raised when a formula in `kernels.py` changes: its text is not part of the table.
FORMULAS = 1
MARKET_WINDOW = 252  # the most bars of a symbol that any feature looks at
BENCHMARK_WINDOW = 100  # the most bars of the benchmark
UNMEASURED_HIGH_BPS = 500.0  # nothing speaks against a category that nobody measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One named number.

    `bars` is the length of its window (0: it looks at no bars) and `needs` the fewest bars it is
    measured on; with fewer, or where nothing can be said, it is `neutral`. What was measured is
    transformed (`root`: signed square root), then clipped to `low` and `high`.
    """

    name: str
    group: Literal["account", "market", "catalyst"]
    meaning: str
    source: str
    low: float
    high: float
    bars: int = 0
    needs: int = 0
    transform: Literal["none", "root"] = "none"
    neutral: float = 0.0


def _account(name: str, meaning: str, low: float, high: float, *, neutral: float = 0.0) -> Feature:
    return Feature(
        name=name,
        group="account",
        meaning=meaning,
        source="ledger",
        low=low,
        high=high,
        neutral=neutral,
    )


def _market(
    name: str,
    meaning: str,
    bars: int,
    needs: int,
    *,
    low: float,
    high: float,
    source: str = "bars",
    transform: Literal["none", "root"] = "none",
    neutral: float = 0.0,
) -> Feature:
    return Feature(
        name=name,
        group="market",
        meaning=meaning,
        source=source,
        low=low,
        high=high,
        bars=bars,
        needs=needs,
        transform=transform,
        neutral=neutral,
    )


def _catalyst(
    name: str, meaning: str, source: str, low: float, high: float, *, neutral: float = 0.0
) -> Feature:
    return Feature(
        name=name,
        group="catalyst",
        meaning=meaning,
        source=source,
        low=low,
        high=high,
        neutral=neutral,
    )


_BENCHMARK, _BOTH = "benchmark bars", "bars and benchmark bars"
FEATURES: tuple[Feature, ...] = (
    _account("cash_fraction", "cash / equity", -3.0, 1.0, neutral=1.0),
    _account("exposure_fraction", "value of positions / equity", 0.0, 3.0),
    _account("position_fraction", "value held in this symbol / equity", 0.0, 3.0),
    _market("return_1", "close / close a bar ago - 1", 2, 2, low=-0.25, high=0.25),
    _market("return_5", "close / close 5 bars ago - 1", 6, 6, low=-0.5, high=0.5),
    _market("return_20", "close / close 20 bars ago - 1", 21, 21, low=-1.0, high=1.0),
    _market("return_60", "close / close 60 bars ago - 1", 61, 61, low=-1.0, high=2.0),
    _market("gap", "session's open / close before it - 1", 100, 2, low=-0.25, high=0.25),
    _market(
        "volume_ratio",
        "volume / mean volume of the 20 bars before",
        *(21, 21),
        low=0.0,
        high=10.0,
        transform="root",
        neutral=1.0,
    ),
    _market("atr_fraction", "ATR(14) / close", 100, 15, low=0.0, high=0.2),
    _market("atr_ratio", "ATR(14) / mean true range", 100, 16, low=0.0, high=5.0, neutral=1.0),
    _market("volatility", "standard deviation of 20 returns", 21, 21, low=0.0, high=0.2),
    _market("rsi", "(RSI(14) - 50) / 50", 100, 15, low=-1.0, high=1.0),
    _market("macd", "histogram of MACD(12, 26, 9) / close", 100, 34, low=-0.05, high=0.05),
    _market(
        "bollinger",
        "distance from mean(20) in half bands (2 deviations)",
        20,
        20,
        low=-3.0,
        high=3.0,
    ),
    _market("vwap_distance", "close / VWAP of 20 bars - 1", 20, 20, low=-0.5, high=0.5),
    _market("high_distance", "close / highest high - 1", 252, 60, low=-1.0, high=0.0),
    _market(
        "spread_bps",
        "spread estimated from close, high, low (20 bars)",
        21,
        21,
        low=0.0,
        high=1000.0,
    ),
    _market(
        "relative_strength", "return_20 - the benchmark's", 21, 21, low=-1.0, high=1.0, source=_BOTH
    ),
    _market(
        "beta",
        "slope of returns on the benchmark's",
        *(61, 41),
        low=-1.0,
        high=4.0,
        source=_BOTH,
        neutral=1.0,
    ),
    _market(
        "benchmark_trend", "close / mean(50) - 1", 50, 50, low=-0.2, high=0.2, source=_BENCHMARK
    ),
    _market(
        "benchmark_volatility",
        "standard deviation of 20 returns",
        *(21, 21),
        low=0.0,
        high=0.05,
        source=_BENCHMARK,
    ),
    _market(
        "regime",
        "1 bull, 0 neutral, -1 bear, -2 stressed",
        *(100, 30),
        low=-2.0,
        high=1.0,
        source=_BENCHMARK,
    ),
    _catalyst("direction", "sign after the reaction; 0: no news", "text and reaction", -1.0, 1.0),
    _catalyst("score", "strength of the catalyst", "text", 0.0, 1.0),
    _catalyst("confidence", "chance that category and sign are right", "text", 0.0, 1.0),
    _catalyst("sentiment", "tone of the text", "text", -1.0, 1.0),
    _catalyst("age_hours", "hours since the item was received", "clock", 0.0, 96.0),
    _catalyst("horizon_hours", "hours the category is expected to work", "category", 0.0, 240.0),
    _catalyst("edge_bps", "measured worth of the category after costs", "study", -500.0, 500.0),
    _catalyst(
        "edge_high_bps",
        "upper end of the band of that worth",
        "study",
        -500.0,
        500.0,
        neutral=UNMEASURED_HIGH_BPS,
    ),
    _catalyst("reaction_bps", "move since the news over the benchmark's", _BOTH, -2000.0, 2000.0),
    _catalyst(
        "rvol", "volume against the same time of earlier days", "bars", 0.0, 20.0, neutral=1.0
    ),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
MARKET: tuple[Feature, ...] = tuple(f for f in FEATURES if f.group == "market")
SPEC_HASH: str = sha256(repr((FORMULAS, FEATURES)).encode()).hexdigest()[:16]
