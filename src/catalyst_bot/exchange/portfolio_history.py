"""What an account was worth over time: the arrays of `GET /v2/account/portfolio/history`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.account import Account
from catalyst_bot.exchange.calendar import MarketHours, TradingDay
from catalyst_bot.exchange.errors import invalid_field
from catalyst_bot.exchange.replies import Query
from catalyst_bot.market_data.calendar_table import NEW_YORK

_DAY: Final = "1D"
_STEPS: Final = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    _DAY: timedelta(days=1),
}
_PERIOD: Final = re.compile(r"([1-9]\d{0,3})([DWMA])")
_UNIT_DAYS: Final = {"W": 7, "M": 30, "A": 365}
_MOST_DAYS: Final = 20 * 365
_EARLIEST: Final = datetime(1999, 1, 1, tzinfo=UTC)  # the calendar knows no earlier days
_MOST_WINDOWS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest:
    """The range asked for; `pnl_reset` per day counts each day's profit from the day before."""

    start: datetime
    end: datetime
    timeframe: str
    reporting: str
    resets_daily: bool
    cashflow_kinds: tuple[str, ...]


def read_request(query: Query, hours: MarketHours, now: datetime) -> HistoryRequest:
    """Return what a request asks for; raises `ApiError` for contradictions."""
    start, end, period = query.moment("start"), query.moment("end"), query.text("period")
    if start is not None and end is not None and period is not None:
        raise invalid_field("only two of start, end and period can be specified")
    end_at = now if end is None else min(end, now)
    if start is not None:
        start = max(start, _EARLIEST)
    if start is None:
        start = _period_before(end_at, period or "1M", hours)
    elif period is not None and end is None:
        end_at = min(now, start + _length(period))
    if start > end_at:
        raise invalid_field("start must be before end")
    days = (end_at - start).days
    timeframe = query.text("timeframe") or _default_timeframe(days)
    if timeframe not in _STEPS:
        raise invalid_field("invalid timeframe")
    if days > 31 and timeframe != _DAY:
        raise invalid_field("only 1D timeframe is accepted for periods longer than 30 days")
    reporting = "extended_hours" if query.flag("extended_hours") else "market_hours"
    allowed = ("market_hours", "extended_hours", "continuous")
    return HistoryRequest(
        start=start,
        end=end_at,
        timeframe=timeframe,
        reporting=query.word("intraday_reporting", reporting, allowed),
        resets_daily=query.word("pnl_reset", "per_day", ("per_day", "no_reset")) == "per_day",
        cashflow_kinds=query.names("cashflow_types"),
    )


def _default_timeframe(days: int) -> str:
    if days < 7:
        return "1Min"
    return "15Min" if days < 30 else _DAY


def _length(period: str) -> timedelta:
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise invalid_field("invalid period")
    return timedelta(days=min(_MOST_DAYS, int(found[1]) * _UNIT_DAYS.get(found[2], 1)))


def _period_before(end: datetime, period: str, hours: MarketHours) -> datetime:
    """Return where a period begins; days are trading days, so that 1D is the last session."""
    length = _length(period)
    if not period.endswith("D"):
        return max(end - length, _EARLIEST)
    day = hours.last_session(end)
    for _ in range(length.days - 1):
        if day.pre_opens_at <= _EARLIEST:
            break
        day = hours.day_before(day.day)
    return day.pre_opens_at


def history_body(account: Account, asked: HistoryRequest, hours: MarketHours) -> dict[str, Any]:
    """Return the arrays; before the account was opened it was worth nothing."""
    windows = list(_windows(asked, hours))
    curve = _Curve(account)
    equity = [curve.at(closes_at) for _, closes_at in windows]
    base, base_on = _base(curve, asked, hours, equity)
    profit: list[float | None] = []
    fraction: list[float | None] = []
    day_base, day = base, None
    for (opens_at, _), value in zip(windows, equity, strict=True):
        on = opens_at.astimezone(NEW_YORK).date()
        if asked.resets_daily and asked.timeframe != _DAY and on != day:
            day, day_base = on, _before(curve, hours, opens_at) or day_base
        profit.append(None if value is None else _money(value - day_base))
        is_known = value is not None and day_base != 0
        fraction.append(round(float((value or day_base) / day_base - 1), 6) if is_known else 0.0)
    body: dict[str, Any] = {
        "base_value": _money(base),
        "equity": [None if value is None else _money(value) for value in equity],
        "profit_loss": profit,
        "profit_loss_pct": fraction,
        "timeframe": asked.timeframe,
        "timestamp": [int(opens_at.timestamp()) for opens_at, _ in windows],
        "cashflow": {kind: [0] * len(windows) for kind in asked.cashflow_kinds if _is_kind(kind)},
    }
    if base_on is not None:
        body["base_value_asof"] = base_on
    return body


def _is_kind(kind: str) -> bool:
    return kind not in {"ALL", "NONE"}


def _money(value: Decimal) -> float:
    return float(round(value, 2))


class _Curve:
    """Equity as a step function of time: of each minute the last value is kept."""

    def __init__(self, account: Account) -> None:
        self._opened_at = account.record.created_at
        self._cash_usd = account.record.cash_usd
        self._minutes = [minute_s for minute_s, _ in account.equity]
        self._values = [value for _, value in account.equity]

    def at(self, at: datetime) -> Decimal | None:
        """Return the equity just before `at`; nothing before the account was opened."""
        if at <= self._opened_at:
            return None
        index = bisect_right(self._minutes, int(at.timestamp()) - 1) - 1
        return self._values[index] if index >= 0 else self._cash_usd


def _base(
    curve: _Curve, asked: HistoryRequest, hours: MarketHours, equity: list[Decimal | None]
) -> tuple[Decimal, str | None]:
    """Return what profit is counted from: the close before the range, else the first value."""
    try:
        day = hours.day_before(asked.start.astimezone(NEW_YORK).date())
    except BadData:
        day = None
    known = None if day is None else curve.at(day.closes_at)
    if known is not None and day is not None:
        return known, day.day.isoformat()
    return next((value for value in equity if value is not None), Decimal(0)), None


def _before(curve: _Curve, hours: MarketHours, at: datetime) -> Decimal | None:
    try:
        day = hours.day_before(at.astimezone(NEW_YORK).date())
    except BadData:
        return None
    return curve.at(day.closes_at)


def _windows(asked: HistoryRequest, hours: MarketHours) -> Iterator[tuple[datetime, datetime]]:
    """Yield the windows of the range: when each begins and ends."""
    step = _STEPS[asked.timeframe]
    made = 0
    for opens_at, closes_at in _stretches(asked, hours):
        if asked.timeframe == _DAY:
            yield opens_at, closes_at
            continue
        at = opens_at
        while at < closes_at and at <= asked.end:
            if at + step > asked.start:
                made += 1
                if made > _MOST_WINDOWS:
                    raise invalid_field("too many data points; use a longer timeframe")
                yield at, min(at + step, closes_at)
            at += step


def _stretches(asked: HistoryRequest, hours: MarketHours) -> Iterator[tuple[datetime, datetime]]:
    """Yield the open hours that count, day by day; a day as a whole is labelled by midnight."""
    if asked.timeframe != _DAY and asked.reporting == "continuous":
        step_s = int(_STEPS[asked.timeframe].total_seconds())
        first = int(asked.start.timestamp()) // step_s * step_s
        yield datetime.fromtimestamp(first, UTC), asked.end + timedelta(seconds=1)
        return
    on = asked.start.astimezone(NEW_YORK).date()
    last = asked.end.astimezone(NEW_YORK).date()
    while on <= last:
        day = hours.day(on)
        if day is not None:
            yield _open_hours(day, asked)
        on += timedelta(days=1)


def _open_hours(day: TradingDay, asked: HistoryRequest) -> tuple[datetime, datetime]:
    if asked.timeframe == _DAY:
        return datetime.combine(day.day, datetime.min.time(), UTC), day.closes_at
    if asked.reporting == "extended_hours":
        return day.pre_opens_at, day.post_closes_at
    return day.opens_at, day.closes_at
