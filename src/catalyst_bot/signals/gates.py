"""The gates between a catalyst and a signal, as one table.

Every gate is always run, so that a refusal shows all of them with limit and observed value.
"""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.enums import HaltedSymbols, Tier
from catalyst_bot.domain.limits import SignalRules
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.domain.trading import Check
from catalyst_bot.signals.enrich import MarketReading
from catalyst_bot.signals.rules import Rules

# At a review the news is known to be old and to have moved the price: of the gates of the market
# only those are asked again that say whether the symbol can be traded now.
REVIEWED = frozenset({"stale_quote", "price_floor", "spread"})


def at_most(name: str, observed: float, limit: float, *, unit: str, note: str = "") -> Check:
    """A check that passes when observed <= limit; NaN never passes."""
    return Check(
        name=name,
        tier=Tier.ORDER,
        limit=limit,
        observed=observed,
        unit=unit,
        passed=bool(observed <= limit),
        note=note,
    )


def at_least(name: str, observed: float, limit: float, *, unit: str, note: str = "") -> Check:
    """A check that passes when observed >= limit; NaN never passes."""
    return Check(
        name=name,
        tier=Tier.ORDER,
        limit=limit,
        observed=observed,
        unit=unit,
        passed=bool(observed >= limit),
        note=note,
    )


def confidence_gate(catalyst: Catalyst, gates: SignalRules) -> Check:
    """The roadmap's confidence threshold; needs no market, so it is asked first."""
    note = "met: a person asked for this trade" if catalyst.wish is not None else ""
    return at_least(
        "confidence", catalyst.confidence, gates.min_confidence, unit="fraction", note=note
    )


def state_gate(name: str, *, is_bad: bool, note: str) -> Check:
    """A yes/no gate: 1 is wanted, 0 is observed when the bad state holds."""
    return at_least(name, float(not is_bad), 1.0, unit="state", note=note if is_bad else "")


def history_gate(bars: int, rules: Rules) -> Check:
    """There are enough bars to measure by."""
    needed = max(rules.gates.min_bars, rules.stops.atr_length + 1)
    return at_least("too_few_bars", float(bars), needed, unit="count")


def halt_gate(*, is_halted: bool, rules: Rules) -> Check:
    """The exchange does not halt the symbol, or orders may wait for its resume."""
    is_bad = is_halted and rules.halted_symbols is HaltedSymbols.REFUSE
    return state_gate("symbol_halted", is_bad=is_bad, note="the exchange halted it")


def direction_after(catalyst: Catalyst, reaction_bps: float) -> int:
    """The catalyst's own sign, or that of the reaction when its text gives none."""
    if catalyst.direction != 0:
        return catalyst.direction
    return 1 if reaction_bps > 0 else -1


def market_gates(
    catalyst: Catalyst,
    reading: MarketReading,
    gates: SignalRules,
    *,
    bar_interval_s: int,
    now: datetime,
    expires_at: datetime,
) -> tuple[Check, ...]:
    """All gates that need the market, in the order in which a refusal names them."""
    direction = direction_after(catalyst, reading.reaction_bps)
    moved_bps = reading.reaction_bps * direction
    checks = [
        at_most("expired", (now - expires_at).total_seconds(), 0.0, unit="s"),
        at_most(
            "stale_quote", reading.quote_age_s, gates.stale_after_bars * bar_interval_s, unit="s"
        ),
        at_least("price_floor", reading.price, gates.min_price_usd, unit="usd"),
        at_most("spread", reading.spread_bps, gates.max_spread_bps, unit="bps"),
        at_most("already_ran", moved_bps, gates.max_chase_bps, unit="bps"),
    ]
    if catalyst.direction == 0:
        checks.append(
            at_least("reaction_too_small", abs(moved_bps), gates.min_reaction_bps, unit="bps")
        )
        checks.append(
            at_least("volume_too_low", reading.rvol, gates.min_reaction_rvol, unit="count")
        )
    return tuple(checks)
