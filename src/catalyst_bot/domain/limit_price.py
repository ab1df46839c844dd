"""Limit prices from a quote: valid ticks, some way through the market, never beyond a bound."""

from __future__ import annotations

from decimal import Decimal

from catalyst_bot.domain.money import (
    round_price_down,
    round_price_up,
    tick_size,
    to_decimal,
)

BPS = Decimal(10_000)


def buy_limit(ask: float, *, ticks: int, worst_price: Decimal) -> Decimal:
    """Return what to bid: `ticks` above the ask, at most `worst_price` (a valid tick)."""
    price = round_price_up(to_decimal(ask, "ask"))
    return min(price + ticks * tick_size(price), worst_price)


def sell_limit(bid: float, *, collar_bps: float, worst_price: Decimal) -> Decimal:
    """Return what to ask: `collar_bps` below the bid, at least `worst_price` (a valid tick)."""
    return max(below(to_decimal(bid, "bid"), collar_bps), worst_price)


def above(price: Decimal, bps: float) -> Decimal:
    """Return the highest valid price that is at most `bps` above."""
    return round_price_down(price * (1 + to_decimal(bps) / BPS))


def below(price: Decimal, bps: float) -> Decimal:
    """Return the lowest valid price that is at most `bps` below."""
    return round_price_up(price * (1 - to_decimal(bps) / BPS))
