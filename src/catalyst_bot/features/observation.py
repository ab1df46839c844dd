"""The one observation builder: signal + account -> the numbers a policy sees."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.account import AccountView, Position
from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.money import finite
from catalyst_bot.domain.trading import Observation, Signal
from catalyst_bot.features.spec import FEATURES, NAMES, SPEC_HASH

UNMEASURED_HIGH_BPS = 500.0  # nothing speaks against a category that nobody measured
_REGIME_VALUE = {Regime.BULL: 1.0, Regime.NEUTRAL: 0.0, Regime.BEAR: -1.0, Regime.STRESSED: -2.0}


def build(
    signal: Signal, account: AccountView, position: Position | None, at: datetime
) -> Observation:
    """Return the observation of `signal` at `at`, clipped to the spec's ranges.

    Raises `BadData` when a number is not finite.
    """
    equity = float(account.equity_usd) if account.equity_usd > 0 else 1.0
    held = float(position.quantity * position.last_price) if position is not None else 0.0
    catalyst = signal.catalyst
    raw: dict[str, float] = {
        "cash_fraction": float(account.cash_usd) / equity,
        "exposure_fraction": float(account.exposure_usd) / equity,
        "position_fraction": held / equity,
        "direction": float(signal.direction),
        "score": catalyst.score,
        "confidence": catalyst.confidence,
        "sentiment": catalyst.sentiment,
        "age_hours": (at - catalyst.received_at).total_seconds() / 3600.0,
        "edge_bps": _or(catalyst.edge_bps, 0.0),
        "edge_high_bps": _or(catalyst.edge_high_bps, UNMEASURED_HIGH_BPS),
        "reaction_bps": signal.reaction_bps,
        "rvol": signal.rvol,
        "atr_fraction": signal.atr / signal.price,
        "atr_ratio": signal.atr / signal.atr_average if signal.atr_average > 0 else 1.0,
        "vwap_distance": signal.price / signal.vwap - 1.0,
        "spread_bps": signal.spread_bps,
        "regime": _REGIME_VALUE[signal.regime],
    }
    values = tuple(
        min(max(finite(raw[feature.name], feature.name), feature.low), feature.high)
        for feature in FEATURES
    )
    return Observation(spec_hash=SPEC_HASH, names=NAMES, values=values, as_of=at)


def _or(measured: float | None, unmeasured: float) -> float:
    return unmeasured if measured is None else measured
