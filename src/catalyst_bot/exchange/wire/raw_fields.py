"""Values taken out of a JSON body, each of its expected kind; a body of other kinds is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from catalyst_bot.exchange.wire.errors import invalid_field, malformed_body
from catalyst_bot.exchange.wire.replies import decimal_in

_MOST_DIGITS = 15  # before the point: nobody has more dollars or shares
_Word = TypeVar("_Word", bound=StrEnum)


def number(table: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a number given as one or as text; nothing when absent, null or empty."""
    given = table.get(name)
    if given is None or given == "":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        raise malformed_body()
    value = decimal_in(str(given))
    if value is None or value.adjusted() >= _MOST_DIGITS or _is_too_fine(value):
        raise malformed_body()
    return value


def _is_too_fine(value: Decimal) -> bool:
    """Tell of numbers that sums of money could not hold exactly."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and not -2 * _MOST_DIGITS <= exponent <= _MOST_DIGITS


def text(table: Mapping[str, Any], name: str) -> str | None:
    """Return a text, nothing when absent or null."""
    given = table.get(name)
    if given is None:
        return None
    if not isinstance(given, str):
        raise malformed_body()
    return given


def table(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object inside the body; an empty one when absent or null."""
    given = body.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise malformed_body()
    return given


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Return a truth value, False when absent or null."""
    given = body.get(name)
    if given is None or isinstance(given, bool):
        return bool(given)
    raise malformed_body()


def word(kind: type[_Word], body: Mapping[str, Any], name: str, message: str) -> _Word:
    """Return one of a closed list; raises `ApiError` with `message` for another or none."""
    found = optional_word(kind, body, name, message)
    if found is None:
        raise invalid_field(message)
    return found


def optional_word(
    kind: type[_Word], body: Mapping[str, Any], name: str, message: str
) -> _Word | None:
    """Return one of a closed list, nothing when absent or empty; raises `ApiError` for another."""
    given = text(body, name)
    if not given:
        return None
    try:
        return kind(given)
    except ValueError as error:
        raise invalid_field(message) from error
