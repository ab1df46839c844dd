"""A week of risk in one page of HTML, from the journal alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import escape

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.monitoring.risk_figures import Happened, RiskFigures
from catalyst_bot.portfolio.tracker import Performance, PortfolioTracker

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_WIDTH, _HEIGHT = 720, 120
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid #ccc}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{width:100%;height:120px;background:#f6f6f6}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWeek:
    """What a week's records tell. `deepest` and `most_used` are fractions: the worst drawdown and
    the largest exposure of equity at any valuation. `halted` is how long trading stood still.
    """

    name: str
    begins_at: datetime
    ends_at: datetime
    performance: Performance
    deepest: float
    most_used: float
    path: tuple[tuple[datetime, float], ...]
    refusals: tuple[tuple[str, int], ...]
    warnings: tuple[tuple[str, int], ...]
    halts: tuple[tuple[datetime, str, str], ...]
    halted: timedelta
    stops_moved: int
    naked_steps: int
    mismatches: int
    told_again: int
    answered: int
    timeline: tuple[Happened, ...]


def week_of(text: str) -> tuple[datetime, datetime]:
    """Return when an ISO week such as 2026-W09 begins and ends in New York.

    Raises `ConfigError` for what is no week.
    """
    found = _WEEK.fullmatch(text)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
        week = (_midnight(monday), _midnight(monday + timedelta(days=7))) if monday else None
    except (ValueError, OverflowError):  # a week that is none, or at the end of all time
        week = None
    if week is None:
        raise ConfigError(f"--week {text}: is no week of a year; write it as 2026-W09")
    return week


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def risk_week(name: str, records: Iterable[Recorded]) -> RiskWeek:
    """Fold a journal to the end of a week. Raises `ConfigError` for what is no week."""
    begins_at, ends_at = week_of(name)
    until = [record for record in records if record.at < ends_at]
    week = [record for record in until if record.at >= begins_at]
    figures, tracker = RiskFigures(), PortfolioTracker(begins_at)
    figures.learn(week)
    tracker.learn(until)
    bodies = [record.body for record in week]
    marks = [body.account for body in bodies if isinstance(body, d.EquityMarked)]
    return RiskWeek(
        name=name,
        begins_at=begins_at,
        ends_at=ends_at,
        performance=tracker.report(),
        deepest=max((mark.drawdown for mark in marks), default=0.0),
        most_used=max(
            (float(m.exposure_usd / m.equity_usd) for m in marks if m.equity_usd > 0), default=0.0
        ),
        path=tuple(figures.drawdown_path),
        refusals=_counted(body.rule for body in bodies if isinstance(body, d.OrderRefused)),
        warnings=_counted(body.name for body in bodies if isinstance(body, d.LimitApproached)),
        halts=tuple(
            (record.at, str(record.body.cause), record.body.detail)
            for record in week
            if isinstance(record.body, d.TradingHalted)
        ),
        halted=_halted(until, begins_at, week[-1].at if week else begins_at),
        stops_moved=_count(bodies, d.StopMoved),
        naked_steps=_count(bodies, d.ProtectionNeeded),
        mismatches=_count(bodies, d.MismatchFound),
        told_again=_count(bodies, f.NotificationEscalated),
        answered=_count(bodies, f.NotificationAcknowledged),
        timeline=tuple(figures.timeline),
    )


def _counted(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(map(str, names)).most_common())


def _count(bodies: Sequence[object], kind: type) -> int:
    return sum(isinstance(body, kind) for body in bodies)


def _lasted(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds() // 60), 60)
    return f"{hours} h {minutes:02d} min"


def _halted(records: Sequence[Recorded], begins_at: datetime, ends_at: datetime) -> timedelta:
    """How long of a period trading was halted; a halt from before counts from its beginning."""
    since: datetime | None = None
    total = timedelta()
    for record in records:
        if isinstance(record.body, d.TradingHalted):
            since = since or record.at
        elif isinstance(record.body, d.TradingResumed) and since is not None:
            total += max(record.at - max(since, begins_at), timedelta())
            since = None
    return total + (max(ends_at - max(since, begins_at), timedelta()) if since else timedelta())


def week_html(week: RiskWeek) -> str:
    """Return the page; everything in it is escaped, and it needs nothing from elsewhere."""
    p = week.performance
    days = [
        (str(day.day), _usd(day.equity_usd), _usd(day.pnl_usd), _percent(day.day_return))
        for day in p.days
    ]
    span = f"{week.begins_at:%Y-%m-%d %H:%M} to {week.ends_at:%Y-%m-%d %H:%M} UTC"
    sections = [
        f"<h1>Risk in week {escape(week.name)}</h1>",
        f"<p>{span}, from the journal alone.</p>",
        _table(("", ""), _figures(week)),
        "<h2>Days</h2>",
        _table(("day", "equity", "P&L", "return"), days, empty="No session."),
        "<h2>Drawdown</h2>",
        _path(week.path),
        "<h2>Refused by</h2>",
        _table(("rule", "entries"), _rows(week.refusals), empty="Nothing was refused."),
        "<h2>Nine tenths of a limit used</h2>",
        _table(("limit", "warnings"), _rows(week.warnings), empty="No limit was near."),
        "<h2>Halts</h2>",
        _table(
            ("at (UTC)", "cause", "detail"),
            [(f"{at:%Y-%m-%d %H:%M:%S}", cause, detail) for at, cause, detail in week.halts],
            empty="Trading was never halted.",
        ),
        "<h2>What happened</h2>",
        _table(
            ("at (UTC)", "", "what"),
            [(f"{e.at:%Y-%m-%d %H:%M:%S}", e.severity, e.text) for e in week.timeline],
            empty="Nothing.",
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Risk {escape(week.name)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _figures(week: RiskWeek) -> list[tuple[str, str]]:
    p = week.performance
    return [
        ("Return of the week", _percent(p.total_return)),
        ("Equity at the end", _usd(p.equity_usd)),
        ("Closed trades", f"{p.trade_count}, win rate {_percent(p.win_rate)}"),
        ("Deepest drawdown from the peak", _percent(week.deepest)),
        ("Largest exposure", _percent(week.most_used)),
        ("Order fill rate", f"{_percent(p.fill_rate)} of {p.order_count} orders"),
        ("Halted for", _lasted(week.halted)),
        ("Stops moved up", str(week.stops_moved)),
        ("Steps for positions without a stop", str(week.naked_steps)),
        ("Differences from the broker's books", str(week.mismatches)),
        ("Critical notices", f"{week.told_again} told again, {week.answered} acknowledged"),
    ]


def _rows(counted: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(name, str(count)) for name, count in counted]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str = "") -> str:
    if not rows:
        return f"<p>{escape(empty)}</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in header) if any(header) else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _path(path: Sequence[tuple[datetime, float]]) -> str:
    """The drawdown as a line that hangs from the top."""
    deepest = max((deep for _, deep in path), default=0.0)
    if not deepest > 0:
        return "<p>Never below the peak.</p>"
    step = _WIDTH / max(len(path) - 1, 1)
    points = " ".join(
        f"{index * step:.1f},{deep / deepest * (_HEIGHT - 4):.1f}"
        for index, (_, deep) in enumerate(path)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="drawdown, deepest {deepest:.2%}">'
        f'<polyline points="{points}" fill="none" stroke="#b02a37" stroke-width="2"/></svg>'
    )


def _usd(amount: Decimal | None) -> str:
    return "-" if amount is None else f"${amount:,.2f}"


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.2%}"
