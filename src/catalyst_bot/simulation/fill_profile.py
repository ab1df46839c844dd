"""The two ways the venue fills: with our costs, or as the real paper service does.

Comparisons are only fair within one profile, so it is chosen once, when the venue is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.money import positive


class FillProfile(StrEnum):
    """Name of a profile: our cost model, or the behaviour of Alpaca's paper service."""

    OURS = "ours"
    ALPACA = "alpaca"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTerms:
    """What a profile means in numbers.

    `participation_fraction` None means that size does not matter. `fills_at_touch`: a limit
    fills when the synthetic quote reaches it, not already when a trade does.
    `partial_probability` is the chance that an opportunity fills only a part. `collars_buy_stops`:
    a triggered buy stop pays at most a little more than its stop.
    """

    slippage_fraction: float
    commission_fraction: float
    participation_fraction: float | None
    fills_at_touch: bool
    partial_probability: float
    collars_buy_stops: bool


def fill_terms(profile: FillProfile, costs: CostRules) -> FillTerms:
    """Return the terms of `profile`. Raises `BadData` when `costs` could undo causality."""
    positive(costs.latency_s, "latency_s")
    positive(costs.participation_fraction, "participation_fraction")
    if profile is FillProfile.OURS:
        return FillTerms(
            slippage_fraction=costs.slippage_fraction,
            commission_fraction=costs.commission_fraction,
            participation_fraction=costs.participation_fraction,
            fills_at_touch=False,
            partial_probability=0.0,
            collars_buy_stops=False,
        )
    return FillTerms(  # as documented for Alpaca paper trading
        slippage_fraction=0.0,
        commission_fraction=0.0,
        participation_fraction=None,
        fills_at_touch=True,
        partial_probability=0.10,
        collars_buy_stops=True,
    )
