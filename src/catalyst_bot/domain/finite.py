"""Finding the number that is none: NaN and infinity in a value of any depth.

Every comparison with NaN is false (and raises with a `Decimal`), so a limit says nothing about it.
What enters a decision is searched once, by its own fields: a number that is added later is
searched too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from math import isfinite
from operator import attrgetter
from typing import Any

_PLAIN = frozenset({str, int, bool, type(None), datetime})  # most values, and never such a number
_FLOATS = frozenset({float})


def first_not_finite(value: Any, name: str) -> str | None:
    """Return the place and value of the first number that is none, such as `quote.bid is nan`.

    Looks into dataclasses and tuples; `name` is what the value itself is called. None when every
    number is finite, which is nearly always: places are only named when one is not.
    """
    return None if _are_all_finite(value) else _place_in(value, name)


def _are_all_finite(value: Any) -> bool:
    rest = [value]
    for part in rest:  # which grows by the parts of its parts
        kind: type = type(part)
        if kind in _PLAIN:
            continue
        if isinstance(part, float):
            if not isfinite(part):
                return False
        elif isinstance(part, Decimal):
            if not part.is_finite():
                return False
        elif isinstance(part, tuple):
            kinds = set(map(type, part))
            if kinds == _FLOATS:  # most of what a policy sees: at once, not one by one
                if not all(map(isfinite, part)):
                    return False
            elif not kinds <= _PLAIN:
                rest += part
        else:
            rest += _parts(kind)(part)
    return True


def _place_in(value: Any, name: str) -> str | None:
    if isinstance(value, float):
        return None if isfinite(value) else f"{name} is {value}"
    if isinstance(value, Decimal):
        return None if value.is_finite() else f"{name} is {value}"
    if isinstance(value, tuple):
        parts = ((item, f"{name}[{at}]") for at, item in enumerate(value))
    else:
        kind: type = type(value)
        parts = ((getattr(value, of), f"{name}.{of}") for of in _names(kind))
    found = (_place_in(part, place) for part, place in parts)
    return next((place for place in found if place is not None), None)


@cache
def _parts(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """What takes all fields of a value at once: one by one they cost twice the time."""
    match _names(kind):
        case ():
            return lambda _: ()
        case (name,):
            only = attrgetter(name)
            return lambda value: (only(value),)
        case names:
            return attrgetter(*names)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
