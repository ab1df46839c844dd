"""What a reducer returns: statements with values that SQLite takes as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
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
    """Write a row, in place of the one with the same key."""
    return _insert("REPLACE", table, values)


def add(table: Table, **values: object) -> Write:
    """Write a row unless there is one with the same key: the first word counts."""
    return _insert("IGNORE", table, values)


def _insert(on_conflict: str, table: Table, values: Mapping[str, object]) -> Write:
    columns = ", ".join(f'"{name}"' for name in values)
    named = ", ".join(f":{name}" for name in values)
    statement = f"INSERT OR {on_conflict} INTO {table.name} ({columns}) VALUES ({named})"  # noqa: S608
    return write(statement, **values)


def _column(value: object) -> Value:
    match value:
        case Enum():
            return str(value.value)
        case None | str() | int() | float():
            return value
        case Decimal():
            return wire_decimal(value)
        case datetime():
            return wire_time(value)
        case _:
            return wire_json(value)
