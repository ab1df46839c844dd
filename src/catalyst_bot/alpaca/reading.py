"""Values out of Alpaca's answers: numbers as decimal text, times with nine digits, symbols.

Whatever is not what it should be raises `BadData` that names the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.money import finite, share_price

_LONG_FRACTION = re.compile(r"(\.\d{6})\d+")  # datetime knows microseconds only


def amount(told: Mapping[str, Any], key: str) -> Decimal:
    """Return a finite amount that Alpaca gives as text (or as a number)."""
    found = optional_amount(told, key)
    if found is None:
        raise BadData(f"{key} is missing")
    return found


def optional_amount(told: Mapping[str, Any], key: str) -> Decimal | None:
    """Return a finite amount, None where Alpaca has none."""
    value = told.get(key)
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise BadData(f"{key} is {value!r}: a number is needed") from error
    if not found.is_finite():
        raise BadData(f"{key} is {value!r}: a finite number is needed")
    return found


def price(told: Mapping[str, Any], key: str) -> float:
    """Return a measured price that a share can have."""
    return share_price(_number(told, key), key)


def volume(told: Mapping[str, Any], key: str) -> float:
    """Return a measured volume, zero or more."""
    found = finite(_number(told, key), key)
    if found < 0:
        raise BadData(f"{key} is {found!r}: below zero")
    return found


def _number(told: Mapping[str, Any], key: str) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadData(f"{key} is {value!r}: a number is needed")
    return float(value)


def time_of(told: Mapping[str, Any], key: str) -> datetime:
    """Return a time as aware UTC; digits below the microsecond are dropped."""
    found = optional_time(told, key)
    if found is None:
        raise BadData(f"{key} is missing")
    return found


def optional_time(told: Mapping[str, Any], key: str) -> datetime | None:
    """Return a time as aware UTC, None where Alpaca has none."""
    value = told.get(key)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", str(value)))
    except ValueError as error:
        raise BadData(f"{key} is {value!r}: a time is needed") from error
    if found.tzinfo is None:
        raise BadData(f"{key} is {value!r}: a time zone is needed")
    return found.astimezone(UTC)


def rfc3339(at: datetime) -> str:
    """Return a time as Alpaca reads it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def alpaca_symbol(symbol: str) -> str:
    """Return a symbol as Alpaca spells it: BRK.B where the SEC writes BRK-B."""
    return symbol.replace("-", ".")


def our_symbol(name: str) -> str:
    """Return a symbol of Alpaca's as we spell it."""
    return name.replace(".", "-")
