"""THE table of features: what a policy sees, in order, and what each number means.

The hash of the table goes into every model and every recorded observation; a policy made for
another table is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Feature:
    """One named number: its group, what it is, and the range it is clipped to."""

    name: str
    group: str
    meaning: str
    low: float
    high: float


FEATURES: tuple[Feature, ...] = (
    Feature("cash_fraction", "account", "cash / equity", -3.0, 1.0),
    Feature("exposure_fraction", "account", "value of positions / equity", 0.0, 3.0),
    Feature("position_fraction", "account", "value held in this symbol / equity", 0.0, 3.0),
    Feature("direction", "catalyst", "sign of the catalyst after the reaction", -1.0, 1.0),
    Feature("score", "catalyst", "strength of the catalyst", 0.0, 1.0),
    Feature("confidence", "catalyst", "chance that category and sign are right", 0.0, 1.0),
    Feature("sentiment", "catalyst", "tone of the text", -1.0, 1.0),
    Feature("age_hours", "catalyst", "hours since the item was received", 0.0, 96.0),
    Feature("edge_bps", "catalyst", "what the category was worth after costs", -500.0, 500.0),
    Feature("edge_high_bps", "catalyst", "upper end of that band; 500 unmeasured", -500.0, 500.0),
    Feature("reaction_bps", "market", "move since the news over the benchmark's", -2000.0, 2000.0),
    Feature("rvol", "market", "volume against the same time of earlier days", 0.0, 20.0),
    Feature("atr_fraction", "market", "ATR / price", 0.0, 0.2),
    Feature("atr_ratio", "market", "ATR / its longer average", 0.0, 10.0),
    Feature("vwap_distance", "market", "price / session VWAP - 1", -0.2, 0.2),
    Feature("spread_bps", "market", "ask - bid over mid", 0.0, 1000.0),
    Feature("regime", "market", "benchmark: 1 bull, 0 neutral, -1 bear, -2 stressed", -2.0, 1.0),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
SPEC_HASH: str = sha256(repr(FEATURES).encode()).hexdigest()[:16]
