"""Hypothesis strategies for every message, built from the type hints: new fields come by itself."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from catalyst_bot.domain.messages.registry import MESSAGES

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    bytes: st.binary(),
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC), allow_imaginary=False).map(
        lambda at: at.replace(fold=0)
    ),
    date: st.dates(),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    if kind in LEAVES:
        return LEAVES[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if get_origin(kind) in {UnionType, Union}:
        return st.one_of(*map(values, get_args(kind)))
    raise TypeError(f"no strategy for {kind}")


def messages() -> st.SearchStrategy[Any]:
    return st.one_of(*(values(kind) for kind in MESSAGES.values()))
