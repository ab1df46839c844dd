"""The one bridge between measurements (finite floats) and money (Decimal).

Money and share quantities are `Decimal`; prices of bars and quotes, features and scores are
finite floats. NaN and infinity are refused here, at the boundary, so that no limit is ever
compared with them.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from catalyst_bot.domain.errors import BadData

CENT = Decimal("0.01")
SUB_PENNY = Decimal("0.0001")
ZERO = Decimal(0)
ONE_SHARE = Decimal(1)
MAX_PRICE_USD = 10_000_000.0  # no share has ever cost a tenth of it: more is an error at the source


def finite(value: float, name: str) -> float:
    """Return `value` when it is a finite number, else raise `BadData` that names it."""
    if not math.isfinite(value):
        raise BadData(f"{name} is {value!r}: a finite number is needed")
    return value


def positive(value: float, name: str) -> float:
    """Return `value` when it is finite and above zero, else raise `BadData` that names it."""
    if not finite(value, name) > 0:
        raise BadData(f"{name} is {value!r}: a number above zero is needed")
    return value


def share_price(value: float, name: str) -> float:
    """Return `value` when a share can cost so many dollars, else raise `BadData` that names it."""
    if not positive(value, name) <= MAX_PRICE_USD:
        raise BadData(f"{name} is {value!r}: no share costs that much")
    return value


def to_decimal(value: float, name: str = "value") -> Decimal:
    """Turn a finite float into the Decimal with the same shortest decimal form."""
    return Decimal(repr(finite(value, name)))


def tick_size(price: Decimal) -> Decimal:
    """Return the smallest price step at `price`: a cent from $1 up, else 0.0001 (SEC rule 612)."""
    return CENT if price >= 1 else SUB_PENNY


def round_price(price: Decimal) -> Decimal:
    """Round to the nearest valid tick, half to even."""
    return price.quantize(tick_size(price), rounding=ROUND_HALF_EVEN)


def round_price_down(price: Decimal) -> Decimal:
    """Round to the valid tick at or below `price`."""
    return price.quantize(tick_size(price), rounding=ROUND_FLOOR)


def round_price_up(price: Decimal) -> Decimal:
    """Round to the valid tick at or above `price`."""
    return price.quantize(tick_size(price), rounding=ROUND_CEILING)


def whole_shares(quantity: Decimal) -> Decimal:
    """Drop the fraction of a share."""
    return quantity.quantize(ONE_SHARE, rounding=ROUND_DOWN)


def round_cents(amount: Decimal) -> Decimal:
    """Round an amount of dollars to cents, half to even."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
