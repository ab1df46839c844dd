"""The catalyst features: what the news says, and how the market took it so far."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.news import Catalyst

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
        "novelty": catalyst.novelty,
        "age_hours": (at - catalyst.received_at).total_seconds() / _HOUR_S,
        "horizon_hours": catalyst.horizon_s / _HOUR_S,
        "edge_bps": 0.0 if catalyst.edge_bps is None else catalyst.edge_bps,
        "reaction_bps": reaction_bps,
        "rvol": rvol,
    }
