"""Reads the reference file: CSV or JSON lines of a company's float, short interest and sector."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import BadData
from catalyst_bot.signals.reference import Reference, ReferenceRow

_MOST = {"float_shares": 1e13, "shares_outstanding": 1e13, "short_interest_fraction": 10.0}
_COLUMNS = frozenset({"symbol", "as_of", "sector", *_MOST})
_MAX_TEXT = 60


def load_reference(path: Path) -> Reference:
    """Return the rows of each symbol. Raises `BadData` naming file, line and reason.

    One wrong line refuses the file: a figure that is silently missing looks like an unknown one.
    """
    found: dict[str, list[ReferenceRow]] = {}
    try:
        for place, row in _rows(path):
            symbol = _text(row, "symbol", place)
            if symbol is None:
                raise BadData(f"{place}: symbol is missing")
            found.setdefault(symbol.upper(), []).append(_reference_row(row, place))
    except csv.Error as error:
        raise BadData(f"{path}: is no CSV: {error}") from error
    return {symbol: tuple(rows) for symbol, rows in found.items()}


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{path}: cannot be read: {error}") from error
    is_csv = not next((line for line in lines if line.strip()), "").startswith("{")
    rows: Iterable[Any] = csv.DictReader(lines) if is_csv else map(_decoded, lines)
    for number, row in enumerate(rows, start=2 if is_csv else 1):
        place = f"{path}:{number}"
        if not is_csv and not lines[number - 1].strip():
            continue
        if not isinstance(row, dict):
            raise BadData(f"{place}: is no JSON object")
        unknown = sorted(str(name) for name in row if name not in _COLUMNS)
        if unknown:
            raise BadData(
                f"{place}: unknown column {unknown[0]!r}; known: {', '.join(sorted(_COLUMNS))}"
            )
        yield place, row


def _decoded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _reference_row(row: Mapping[str, Any], place: str) -> ReferenceRow:
    try:
        as_of = date.fromisoformat(str(row.get("as_of", "")))
    except ValueError as error:
        raise BadData(f"{place}: as_of is no day such as 2025-10-31") from error
    if not date.min < as_of < date.max:
        raise BadData(f"{place}: as_of {as_of} is no day of trading")
    return ReferenceRow(
        as_of=as_of,
        sector=_text(row, "sector", place),
        **{name: _number(row.get(name), name, most, place) for name, most in _MOST.items()},
    )


def _number(given: Any, name: str, most: float, place: str) -> float | None:
    if given is None or given == "":
        return None
    try:
        value = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not 0 <= value <= most:
        raise BadData(f"{place}: {name} = {str(given)[:_MAX_TEXT]} is not from 0 to {most:g}")
    return value


def _text(row: Mapping[str, Any], name: str, place: str) -> str | None:
    given = row.get(name)
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > _MAX_TEXT or not given.isprintable():
        raise BadData(f"{place}: {name} is no text of at most {_MAX_TEXT} characters")
    return given.strip() or None
