"""How a rule becomes a `Check`: four comparisons, none of which NaN passes.

A comparison with NaN is false, so every rule asks "is it within?" and never "is it beyond?".
"""

from __future__ import annotations

from math import isfinite

from catalyst_bot.domain.enums import Tier
from catalyst_bot.domain.trading import Check


def at_most(
    name: str, tier: Tier, *, observed: float, limit: float, unit: str, note: str = ""
) -> Check:
    """Passes when `observed <= limit`."""
    return _verdict(
        name,
        tier,
        is_within=observed <= limit,
        observed=observed,
        limit=limit,
        unit=unit,
        note=note,
    )


def below(
    name: str, tier: Tier, *, observed: float, limit: float, unit: str, note: str = ""
) -> Check:
    """Passes when `observed < limit`: for limits that are already the trouble when reached."""
    return _verdict(
        name, tier, is_within=observed < limit, observed=observed, limit=limit, unit=unit, note=note
    )


def at_least(
    name: str, tier: Tier, *, observed: float, limit: float, unit: str, note: str = ""
) -> Check:
    """Passes when `observed >= limit`."""
    return _verdict(
        name,
        tier,
        is_within=observed >= limit,
        observed=observed,
        limit=limit,
        unit=unit,
        note=note,
    )


def in_state(name: str, tier: Tier, *, is_good: bool, note: str) -> Check:
    """A yes or no: observed is 1 when things are as they must be, `note` says how they are."""
    return Check(
        name=name,
        tier=tier,
        limit=1.0,
        observed=float(is_good),
        unit="state",
        passed=is_good,
        note=note,
    )


def _verdict(
    name: str, tier: Tier, *, is_within: bool, observed: float, limit: float, unit: str, note: str
) -> Check:
    """Journals hold finite numbers only, so anything else is told in the note and shown as 0."""
    is_number = isfinite(observed)
    return Check(
        name=name,
        tier=tier,
        limit=limit,
        observed=observed if is_number else 0.0,
        unit=unit,
        passed=is_within and is_number,
        note=note if is_number else f"observed {observed}; {note}".removesuffix("; "),
    )
