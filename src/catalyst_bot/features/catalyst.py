"""The catalyst features: what the news says, and how the market took it so far."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.news import Catalyst
from catalyst_bot.features.spec import UNMEASURED_HIGH_BPS

_HOUR_S = 3600.0


def catalyst_features(
    catalyst: Catalyst, *, direction: int, reaction_bps: float, rvol: float, at: datetime
) -> dict[str, float]:
    """Return the features of a catalyst at a decision by name, not yet clipped.

    `direction`, `reaction_bps` and `rvol` are those of the signal. A worth that nobody has measured
    is none.
    """
    return {
        "direction": float(direction),
        "score": catalyst.score,
        "confidence": catalyst.confidence,
        "sentiment": catalyst.sentiment,
        "age_hours": (at - catalyst.received_at).total_seconds() / _HOUR_S,
        "horizon_hours": catalyst.horizon_s / _HOUR_S,
        "edge_bps": _or(catalyst.edge_bps, 0.0),
        "edge_high_bps": _or(catalyst.edge_high_bps, UNMEASURED_HIGH_BPS),
        "reaction_bps": reaction_bps,
        "rvol": rvol,
    }


def _or(measured: float | None, unmeasured: float) -> float:
    return unmeasured if measured is None else measured
