"""Pages of the data API: items of several symbols, by symbol and then by time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.exchange.data_query import bad_request, page_token

Row = dict[str, Any]
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Found:
    """Items of one symbol in order of time: how many, rows from one to another, and what the page
    token says of one.
    """

    count: int
    rows: Callable[[int, int], list[Row]]
    token: Callable[[int], tuple[object, ...]]


Finder = Callable[[str, datetime, datetime], Found]
"""Finds the items of a symbol from one time to another, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which items are wanted; `after` is the last one of the page before, as symbol and time."""

    symbols: Sequence[str]
    start: datetime
    end: datetime
    limit: int
    is_descending: bool
    after: tuple[str, datetime] | None = None


def read_page(request: PageRequest, find: Finder) -> tuple[dict[str, list[Row]], str | None]:
    """Return the items of one page by symbol, and the token of the next page if there is one."""
    shown: dict[str, list[Row]] = {}
    room = request.limit
    last: tuple[object, ...] = ()
    for symbol in request.symbols:
        start, end = request.start, request.end
        if request.after is not None:
            if symbol < request.after[0]:
                continue
            if symbol == request.after[0]:
                if request.is_descending:
                    end = min(end, request.after[1] - _TICK)
                else:
                    start = max(start, request.after[1] + _TICK)
        found = find(symbol, start, end)
        if not found.count:
            continue
        if not room:
            return shown, page_token(*last)
        taken = min(room, found.count)
        if request.is_descending:
            shown[symbol] = found.rows(found.count - taken, found.count)[::-1]
            last = (symbol, *found.token(found.count - taken))
        else:
            shown[symbol] = found.rows(0, taken)
            last = (symbol, *found.token(taken - 1))
        room -= taken
        if taken < found.count:
            return shown, page_token(*last)
    return shown, None


def read_token(
    parts: tuple[str, ...] | None, place: int, given: str
) -> tuple[str, datetime] | None:
    """Return symbol and time of a token whose time stands at `place`; `ApiError` for another."""
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[place])
    except (IndexError, ValueError) as error:
        raise bad_request(f"invalid page_token: {given}") from error
    if at.tzinfo is None:
        raise bad_request(f"invalid page_token: {given}")
    return parts[0], at
