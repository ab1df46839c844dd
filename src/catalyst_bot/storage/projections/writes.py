"""What a reducer returns: statements with values that the databases take as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Table

from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.codec import wire_decimal, wire_json, wire_time

Value = str | int | float | None
Write = tuple[str, dict[str, Value]]
Reducer = Callable[[Recorded, Any], Iterable[Write]]
Reducers = Mapping[type, Reducer]


def write(statement: str, **values: object) -> Write:
    """Return a statement with its named values: money and times as text, tuples as JSON."""
    return statement, {name: _column(value) for name, value in values.items()}


def put(table: Table, **values: object) -> Write:
    """Write a row, in place of the one with the same key; columns not given become null."""
    return write(_insert(table, tuple(values), replaces=True), **values)


def add(table: Table, **values: object) -> Write:
    """Write a row unless there is one with the same key: the first word counts."""
    return write(_insert(table, tuple(values), replaces=False), **values)


@cache
def _insert(table: Table, names: tuple[str, ...], *, replaces: bool) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    named = ", ".join(f":{name}" for name in names)
    keys = [column.name for column in table.primary_key]
    others = ", ".join(
        f'"{column.name}" = excluded."{column.name}"'
        for column in table.columns
        if column.name not in keys
    )
    return (
        f"INSERT INTO {table.name} ({columns}) VALUES ({named}) "  # noqa: S608  # our own names
        f"ON CONFLICT ({', '.join(keys)}) DO {f'UPDATE SET {others}' if replaces else 'NOTHING'}"
    )


def _column(value: object) -> Value:
    match value:
        case Enum():
            return str(value.value)
        case str():
            return value.replace("\x00", "\ufffd")  # PostgreSQL has no text with NUL
        case None | int() | float():
            return value
        case Decimal():
            return wire_decimal(value)
        case datetime():
            return wire_time(value)
        case _:
            return wire_json(value)
