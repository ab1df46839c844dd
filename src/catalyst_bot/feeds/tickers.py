"""The SEC's list of listed companies: CIK, symbol and registered name.

Both published shapes are read: one JSON object a line, and the SEC's own `company_tickers.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import BadData

_CIK_KEYS = ("cik", "cik_str")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyList:
    """Symbols by CIK in the file's order (the common share first), and names by symbol."""

    symbols_by_cik: Mapping[int, tuple[str, ...]]
    registered_names: Mapping[str, str]


def load_companies(path: Path) -> CompanyList:
    """Read the list. Raises `BadData` naming file, place and remedy.

    One unreadable row refuses the file: a list of which half is missing looks like a market of
    which half has no news.
    """
    symbols: dict[int, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for place, row in _rows(path):
        cik, symbol, name = _company(row, place)
        symbols[cik] = (*symbols.get(cik, ()), symbol)
        names.setdefault(symbol, name)
    if not symbols:
        raise BadData(f"{path}: holds no company; get the SEC's company_tickers.json again")
    return CompanyList(symbols_by_cik=symbols, registered_names=names)


def _rows(path: Path) -> Iterable[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{path}: cannot be read: {error}") from error
    whole = _decoded_or_none(text)
    if isinstance(whole, dict) and not any(key in whole for key in _CIK_KEYS):
        return [(f"{path}: row {key}", row) for key, row in whole.items()]
    lines = enumerate(text.splitlines(), start=1)
    return [(f"{path}:{number}", _decoded_or_none(line)) for number, line in lines if line.strip()]


def _decoded_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _company(row: Any, place: str) -> tuple[int, str, str]:
    if not isinstance(row, dict):
        raise BadData(f"{place}: is no JSON object; get the SEC's company_tickers.json again")
    cik = str(next((row[key] for key in _CIK_KEYS if key in row), ""))
    symbol, name = row.get("ticker"), row.get("title")
    if not (cik.isascii() and cik.isdigit()) or not isinstance(symbol, str) or not symbol:
        raise BadData(f"{place}: needs a numeric cik (or cik_str) and a ticker")
    return int(cik), symbol.strip().upper(), name if isinstance(name, str) else ""
