"""Halts and corporate actions as an administrator writes them: in a TOML file, or as JSON."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.ticks import ActionKind, CorporateAction, Halt

Event = TypeVar("Event", Halt, CorporateAction)


def read_events(path: Path) -> tuple[tuple[Halt, ...], tuple[CorporateAction, ...]]:
    """Read halts and corporate actions from a TOML file; raises `BadData` naming the entry.

    `[[halt]]` has symbol and starts_at, and perhaps ends_at and code. `[[action]]` has kind
    (split, reverse_split, symbol_change), symbol and on, new_rate and old_rate or new_symbol, and
    `is_in_prices = true` when the recorded bars know of it already.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read as TOML ({error})") from error
    unknown = sorted(set(content) - {"halt", "action"})
    if unknown:
        raise BadData(f"{path}: unknown {', '.join(unknown)}; there are [[halt]] and [[action]]")
    try:
        halts = tuple(halt_from(row) for row in _rows(content, "halt"))
        actions = tuple(action_from(row) for row in _rows(content, "action"))
    except BadData as error:
        raise BadData(f"{path}: {error}") from error
    return halts, actions


def halt_from(row: Mapping[str, Any]) -> Halt:
    """Read a halt. Raises `BadData` that names what is wrong."""
    halt = _event(row, Halt)
    if halt.ends_at is not None and halt.ends_at <= halt.starts_at:
        raise BadData(f"halt of {halt.symbol}: it ends at {halt.ends_at}, before it begins")
    return halt


def action_from(row: Mapping[str, Any]) -> CorporateAction:
    """Read a corporate action. Raises `BadData` that names what is wrong."""
    action = _event(row, CorporateAction)
    is_change = action.kind is ActionKind.SYMBOL_CHANGE
    if is_change is not bool(action.new_symbol):
        raise BadData(f"{action.kind} of {action.symbol}: new_symbol is for a symbol change only")
    if not (action.new_rate > 0 and action.old_rate > 0):
        raise BadData(f"{action.kind} of {action.symbol}: both rates must be above zero")
    grows = action.shares_per_share > 1
    if not is_change and grows is not (action.kind is ActionKind.SPLIT):
        raise BadData(
            f"{action.kind} of {action.symbol}: {action.old_rate} shares become {action.new_rate}"
        )
    return action


def _rows(content: Mapping[str, Any], name: str) -> list[Any]:
    rows = content.get(name, [])
    if not isinstance(rows, list):
        raise BadData(f"{name} is no list of tables; write [[{name}]]")
    return rows


def _event(row: Any, kind: type[Event]) -> Event:
    if not isinstance(row, Mapping):
        raise BadData(f"{row!r} is no table")
    unknown = sorted(set(row) - set(kind.__dataclass_fields__))
    if unknown:
        names = ", ".join(kind.__dataclass_fields__)
        raise BadData(f"unknown {', '.join(unknown)} in {dict(row)}; there are {names}")
    try:
        # Numbers of a TOML or JSON file keep the digits they were written with.
        return msgspec.convert({key: _plain(row[key]) for key in row}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadData(f"{dict(row)}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
