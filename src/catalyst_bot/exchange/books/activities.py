"""The list of an account's activities: executions, splits and changed symbols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from catalyst_bot.domain.money import ZERO
from catalyst_bot.exchange.books.account import Account, Activity, BooksChanged, Execution
from catalyst_bot.exchange.wire.errors import invalid_field
from catalyst_bot.exchange.wire.replies import Query, decimal_text, rfc3339
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.simulation.events import SplitApplied

MOST_A_PAGE: Final = 100
_FILL, _SPLIT, _NAME_CHANGE = "FILL", "SPLIT", "NC"
_CATEGORIES: Final = {
    "trade_activity": frozenset({_FILL}),
    "non_trade_activity": frozenset({_SPLIT, _NAME_CHANGE}),
}
_KINDS: Final = {
    "FILL", "TRANS", "MISC", "ACATC", "ACATS", "CFEE", "CGD", "CSD", "CSW", "DIV", "DIVCGL",
    "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX", "FEE", "INT", "INTNRA",
    "INTTW", "JNL", "JNLC", "JNLS", "MA", "NC", "OPASN", "OPCA", "OPCSH", "OPEXC", "OPEXP",
    "OPTRD", "PTC", "PTR", "REO", "REORG", "SPIN", "SPLIT", "FOPT", "OCT",
}  # fmt: skip  # Alpaca's closed list; most of them never happen here


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFilter:
    """Which activities are asked for, and which page of them."""

    kinds: frozenset[str] | None
    order_id: str | None
    on: date | None
    after: datetime | None
    until: datetime | None
    is_ascending: bool
    page_size: int
    page_token: str | None


def read_filter(query: Query, kind: str | None = None) -> ActivityFilter:
    """Return what a request asks for; raises `ApiError` for contradictions."""
    kinds = frozenset(query.names("activity_types")) or None
    category = query.text("category")
    if kind is not None:
        kinds = frozenset(kind.split(","))
    elif category is not None:
        if kinds is not None:
            raise invalid_field("only one of activity_types or category is accepted")
        if category not in _CATEGORIES:
            raise invalid_field("invalid category")
        kinds = _CATEGORIES[category]
    if kinds is not None and not kinds <= _KINDS:
        raise invalid_field(f"invalid activity_type: {', '.join(sorted(kinds - _KINDS))}")
    return ActivityFilter(
        kinds=kinds,
        order_id=query.text("order_id"),
        on=query.day("date"),
        after=query.moment("after"),
        until=query.moment("until"),
        is_ascending=query.word("direction", "desc", ("asc", "desc")) == "asc",
        page_size=query.whole("page_size", MOST_A_PAGE, most=MOST_A_PAGE),
        page_token=query.text("page_token"),
    )


def list_activities(account: Account, asked: ActivityFilter) -> list[dict[str, Any]]:
    """Return a page; the one after it begins behind the activity named by the page token."""
    page: list[dict[str, Any]] = []
    for activity in _behind(account, asked):
        if not _matches(activity, asked):
            continue
        page.append(_body(activity))
        if len(page) == asked.page_size:
            break
    return page


def _behind(account: Account, asked: ActivityFilter) -> Iterator[Activity]:
    activities = account.activities
    place: int | None = None
    if asked.page_token is not None:
        place = account.activity_places.get(asked.page_token.rpartition("::")[2])
        if place is None:
            raise invalid_field("page_token is invalid")
    if asked.is_ascending:
        places = range(0 if place is None else place + 1, len(activities))
    else:
        places = range((len(activities) if place is None else place) - 1, -1, -1)
    return (activities[index] for index in places)


def _matches(activity: Activity, asked: ActivityFilter) -> bool:
    at = activity.event.at
    if asked.kinds is not None and _kind(activity) not in asked.kinds:
        return False
    if asked.order_id is not None and (
        isinstance(activity, BooksChanged) or activity.event.order_id != asked.order_id
    ):
        return False
    if asked.on is not None and at.date() != asked.on:
        return False
    is_late_enough = asked.after is None or at > asked.after
    return is_late_enough and (asked.until is None or at < asked.until)


def _kind(activity: Activity) -> str:
    if isinstance(activity, Execution):
        return _FILL
    return _SPLIT if isinstance(activity.event, SplitApplied) else _NAME_CHANGE


def _activity_id(activity: Activity) -> str:
    """Return the time in New York to the millisecond and a UUID, as Alpaca's ids look."""
    local = activity.event.at.astimezone(NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{activity.name}"


def _body(activity: Activity) -> dict[str, Any]:
    if isinstance(activity, Execution):
        return _fill_body(activity)
    event = activity.event
    is_split = isinstance(event, SplitApplied)
    cash = event.cash_in_lieu_usd if isinstance(event, SplitApplied) else ZERO
    return {
        "activity_type": _SPLIT if is_split else _NAME_CHANGE,
        "activity_sub_type": _split_type(event) if isinstance(event, SplitApplied) else "SNC",
        "created_at": rfc3339(event.at),
        "currency": "USD",
        "date": f"{event.at.astimezone(NEW_YORK):%Y-%m-%d}T00:00:00Z",
        "id": _activity_id(activity),
        "net_amount": decimal_text(cash),
        "qty": decimal_text(activity.quantity),
        "status": "executed",
        "symbol": event.symbol if isinstance(event, SplitApplied) else event.new_symbol,
    }


def _split_type(event: SplitApplied) -> str:
    return "FSPLIT" if event.shares_per_share > Decimal(1) else "RSPLIT"


def _fill_body(activity: Execution) -> dict[str, Any]:
    event = activity.event
    is_last = event.leaves_quantity == ZERO
    return {
        "activity_type": _FILL,
        "cum_qty": decimal_text(activity.cumulative),
        "id": _activity_id(activity),
        "leaves_qty": decimal_text(event.leaves_quantity),
        "order_id": event.order_id,
        "order_status": "filled" if is_last else "partially_filled",
        "price": decimal_text(event.price),
        "qty": decimal_text(event.quantity),
        "side": activity.side,
        "symbol": activity.symbol,
        "transaction_time": rfc3339(event.filled_at),
        "type": "fill" if is_last else "partial_fill",
    }
