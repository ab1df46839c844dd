"""Where a trade is left: stop, take profit, trailing stop and time, as valid prices.

Roadmap, tier 1: a stop of so many ATR, a target at three times the risk but at least 5 %, and
from a gain of 5 % a stop that trails the highest price by 3 % and never falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite

from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.domain.limits import StopRules
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.money import round_price_down, round_price_up, to_decimal
from catalyst_bot.risk.state import TradePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The two prices of a bracket."""

    stop_price: Decimal
    take_profit_price: Decimal


def protect(price: Decimal, *, atr: float, rules: StopRules) -> Protection | None:
    """Return stop and target of a long entry at `price` (USD), or None when there is none.

    The stop lies `atr_multiple` ATR below, bounded to a fraction of the price; both prices are
    rounded outwards to a tick. None when price or ATR is no usable number: no stop, no entry.
    """
    if not (price > 0 and isfinite(atr) and atr >= 0):
        return None
    distance = to_decimal(atr) * to_decimal(rules.atr_multiple)
    distance = max(distance, price * to_decimal(rules.min_stop_fraction))
    distance = min(distance, price * to_decimal(rules.max_stop_fraction))
    gain = max(
        distance * to_decimal(rules.reward_to_risk),
        price * to_decimal(rules.min_take_profit_fraction),
    )
    stop_price = round_price_down(price - distance)
    if not 0 < stop_price < price:
        return None
    return Protection(stop_price=stop_price, take_profit_price=round_price_up(price + gain))


def highest_seen(plan: TradePlan, bar: Bar) -> Decimal:
    """Return the highest price (USD) since the entry.

    Of a bar that began before the first fill only the close counts: its high may be older than
    the position.
    """
    is_ours = plan.opened_at is not None and bar.opened_at >= plan.opened_at
    return max(plan.high_water_price, to_decimal(bar.high if is_ours else bar.close, "price"))


def trail(
    *, entry_price: Decimal, high_water_price: Decimal, stop_price: Decimal, rules: StopRules
) -> Decimal | None:
    """Return the raised stop (USD), or None when it stays: inactive yet, or not higher."""
    active_from = entry_price * (1 + to_decimal(rules.trailing_activation_fraction))
    if high_water_price < active_from:
        return None
    raised = round_price_down(high_water_price * (1 - to_decimal(rules.trailing_distance_fraction)))
    return raised if raised > stop_price else None


def exit_due(
    plan: TradePlan,
    *,
    close_price: Decimal,
    stop_price: Decimal,
    now: datetime,
    has_stop: bool,
    has_target: bool = True,
) -> ExitReason | None:
    """Return why the position must be left now, or None.

    `stop_price` is the stop as it would be raised by the newest bar. The venue works the recorded
    stop itself (`has_stop`); without it, or when the price is already through the raised stop
    (a venue takes no sell stop above the market), the bot has to act. So it has at the target
    when the venue does not work one (`has_target`).
    """
    is_raised = stop_price > plan.stop_price
    if close_price <= stop_price and (is_raised or not has_stop):
        is_trailing = is_raised or plan.is_trailing
        return ExitReason.TRAILING_STOP if is_trailing else ExitReason.STOP_LOSS
    target_price = plan.take_profit_price
    if not has_target and target_price is not None and close_price >= target_price:
        return ExitReason.TAKE_PROFIT
    if plan.exit_at is not None and now >= plan.exit_at:
        return ExitReason.TIME_EXIT
    return None
