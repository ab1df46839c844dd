"""Whether an order fills in a stretch of prices, at what price, and how much of it.

Scalar rules without state, so that they can be read, tested and compared one by one. Whatever a
bar leaves open is settled against us.
"""

from __future__ import annotations

from decimal import Decimal

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.money import (
    SUB_PENNY,
    ZERO,
    round_price,
    round_price_down,
    round_price_up,
    to_decimal,
)

_NOISE_DIGITS = 8  # far below the smallest tick; drops what binary fractions add


def is_on_tick(price: Decimal) -> bool:
    """Tell whether the venue takes `price`: above zero, whole cents ($0.0001 below $1)."""
    return price > 0 and price == round_price(price)


def executable_price(side: Side, price: float) -> Decimal:
    """Round to a tick against `side`: up for a buy, down for a sell, at least one tick."""
    exact = to_decimal(round(price, _NOISE_DIGITS), "price")
    if side is Side.BUY:
        return round_price_up(exact)
    return max(SUB_PENNY, round_price_down(exact))


def market_fill_price(
    side: Side, reference: float, *, half_spread: float, slippage_fraction: float
) -> Decimal:
    """Return what a market order pays or gets when the last trade is at `reference`.

    Half a spread and `slippage_fraction` of the price are always to our disadvantage.
    """
    cost = half_spread + reference * slippage_fraction
    return executable_price(side, reference + cost if side is Side.BUY else reference - cost)


def limit_fill_price(
    side: Side,
    reference: float,
    *,
    limit_price: Decimal,
    half_spread: float,
    slippage_fraction: float,
) -> Decimal:
    """Return what a limit order pays or gets: the market's price, but never beyond its limit."""
    market = market_fill_price(
        side, reference, half_spread=half_spread, slippage_fraction=slippage_fraction
    )
    return min(market, limit_price) if side is Side.BUY else max(market, limit_price)


def buy_limit_reference(limit_price: float, *, open_price: float, low: float) -> float | None:
    """Return the better of open and limit when prices came down to the limit, else None."""
    return min(open_price, limit_price) if low <= limit_price else None


def sell_limit_reference(limit_price: float, *, open_price: float, high: float) -> float | None:
    """Return the better of open and limit when prices came up to the limit, else None."""
    return max(open_price, limit_price) if high >= limit_price else None


def sell_stop_reference(stop_price: float, *, open_price: float, low: float) -> float | None:
    """Return the stop price, or the open where prices gapped through it; None if untouched."""
    return min(open_price, stop_price) if low <= stop_price else None


def buy_stop_reference(stop_price: float, *, open_price: float, high: float) -> float | None:
    """Return the stop price, or the open where prices gapped through it; None if untouched."""
    return max(open_price, stop_price) if high >= stop_price else None


def buy_stop_collar(stop_price: Decimal) -> Decimal:
    """Return the most a triggered buy stop pays at Alpaca: 4 % above its stop, 2.5 % from $50."""
    return round_price(stop_price * (Decimal("1.04") if stop_price < 50 else Decimal("1.025")))


def participation_cap(volume: float, participation_fraction: float) -> Decimal:
    """Return how many whole shares we may be of `volume`: at least 1 where anything traded."""
    if not volume > 0:
        return ZERO
    return Decimal(max(1, int(volume * participation_fraction)))


def partial_quantity(quantity: Decimal, *, size_draw: float) -> Decimal:
    """Return a random part of `quantity` in whole shares, at least 1 and less than all of it.

    `size_draw` is in [0, 1). One share cannot be split and is returned whole.
    """
    if quantity <= 1:
        return quantity
    return Decimal(1 + int(size_draw * (int(quantity) - 1)))
