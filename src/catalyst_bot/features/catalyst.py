"""The catalyst features: what the news says, and how the market took it so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from catalyst_bot.domain.news import Catalyst, Worth
from catalyst_bot.features.spec import UNMEASURED_HIGH_BPS

_HOUR_S = 3600.0


Edges = Mapping[str, Worth]
"""What categories were worth, by name, where a model learned it; a category without was not."""


def catalyst_features(
    catalyst: Catalyst,
    *,
    direction: int,
    reaction_bps: float,
    rvol: float,
    at: datetime,
    edges: Edges | None = None,
) -> dict[str, float]:
    """Return the features of a catalyst at a decision by name, not yet clipped.

    `direction`, `reaction_bps` and `rvol` are those of the signal. With `edges` its category was
    worth what they say, else what detection ships. A worth that nobody has measured is none.
    """
    edge_bps, high_bps = (
        (catalyst.edge_bps, catalyst.edge_high_bps)
        if edges is None
        else _measured(edges, catalyst.category)
    )
    return {
        "direction": float(direction),
        "score": catalyst.score,
        "confidence": catalyst.confidence,
        "sentiment": catalyst.sentiment,
        "age_hours": (at - catalyst.received_at).total_seconds() / _HOUR_S,
        "horizon_hours": catalyst.horizon_s / _HOUR_S,
        "edge_bps": _or(edge_bps, 0.0),
        "edge_high_bps": _or(high_bps, UNMEASURED_HIGH_BPS),
        "reaction_bps": reaction_bps,
        "rvol": rvol,
    }


def _measured(edges: Edges, category: str) -> tuple[float | None, float | None]:
    worth = edges.get(category)
    return (worth.edge_bps, worth.high_bps) if worth is not None else (None, None)


def _or(measured: float | None, unmeasured: float) -> float:
    return unmeasured if measured is None else measured
