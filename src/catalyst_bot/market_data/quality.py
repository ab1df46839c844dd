"""What is in a file of bars and what is wrong with it, before anyone trades on it.

Gaps, splits and refused rows are the usual reasons why a backtest lies; they are counted here
once, at the import, and shown with examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from catalyst_bot.market_data.load import LoadedBars, Refusal, RowRefusal
from catalyst_bot.market_data.missing import MissingSessions, missing_sessions
from catalyst_bot.market_data.session_times import SessionTimes, to_datetime

JUMP_FRACTION = 0.20  # between neighbouring closes
SPLIT_FRACTION = 0.40  # over a night: rarely news, mostly a split or another company
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolGaps:
    """Bars missing within sessions between a symbol's first and last bar."""

    symbol: str
    missing: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A close that is far from the one before; `change` is a fraction."""

    symbol: str
    at: datetime
    before: float
    after: float
    change: float
    possible_split: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """Range, gaps, duplicates, jumps and refused rows of one file of bars.

    `outside_sessions` counts bars from before the open, after the close or a closed day.
    `worst_gaps` and `worst_jumps` are examples, the worst first; `missing_sessions` are all days
    without a bar.
    """

    source: str
    interval_s: int
    rows_read: int
    rows_taken: int
    symbols: int
    first_at: datetime | None
    last_at: datetime | None
    outside_sessions: int
    expected_bars: int
    missing_bars: int
    worst_gaps: tuple[SymbolGaps, ...]
    missing_sessions: MissingSessions
    jumps: int
    possible_splits: int
    worst_jumps: tuple[Jump, ...]
    refused: tuple[Refusal, ...]

    @property
    def duplicates(self) -> int:
        """Rows refused because their symbol already had a bar at that time."""
        return sum(r.count for r in self.refused if r.reason is RowRefusal.DUPLICATE)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON; times as RFC 3339 text."""
        values = asdict(self) | {"duplicates": self.duplicates}
        values["first_at"], values["last_at"] = _text(self.first_at), _text(self.last_at)
        values["worst_jumps"] = [jump | {"at": _text(jump["at"])} for jump in values["worst_jumps"]]
        return values

    def render(self) -> str:
        """Return the report as a few lines for a person."""
        missing = self.missing_bars / self.expected_bars if self.expected_bars else 0.0
        jumps = (f"{j.symbol} {j.at:%Y-%m-%d} {j.change:+.0%}" for j in self.worst_jumps)
        content = f"{self.rows_taken:,} bars of {self.symbols:,} symbols, {self.interval_s} s"
        span = f"{_text(self.first_at) or '-'} to {_text(self.last_at) or '-'}"
        gaps = (f"{gap.symbol} {gap.missing:,}" for gap in self.worst_gaps)
        lines = [
            f"{self.source}: {content}, {span}",
            f"  gaps: {self.missing_bars:,} of {self.expected_bars:,} bars ({missing:.2%})"
            + _listed(gaps),
            *(f"  {line}" for line in self.missing_sessions.told(self.source)),
            f"  duplicates: {self.duplicates:,}; outside sessions: {self.outside_sessions:,}",
            f"  jumps over {JUMP_FRACTION:.0%}: {self.jumps:,}" + _listed(jumps),
            f"  possible splits: {self.possible_splits:,}",
        ]
        lines += [f"  refused: {r.count:,} {r.reason}{_listed(r.examples)}" for r in self.refused]
        return "\n".join(lines)


def assess(loaded: LoadedBars, sessions: SessionTimes) -> QualityReport:
    """Examine the bars of one file against the exchange's sessions."""
    frame = loaded.frame
    gaps = _gaps(loaded, sessions)
    jumps = _jumps(frame, sessions)
    span = None if frame.is_empty() else loaded.span_s()
    return QualityReport(
        source=loaded.source,
        interval_s=loaded.interval_s,
        rows_read=loaded.rows_read,
        rows_taken=len(frame),
        symbols=frame["symbol"].n_unique(),
        first_at=to_datetime(span[0]) if span else None,
        last_at=to_datetime(span[1]) if span else None,
        outside_sessions=int((sessions.index_at(frame["opened_s"].to_numpy()) < 0).sum()),
        expected_bars=sum(gap.expected for gap in gaps),
        missing_bars=sum(gap.missing for gap in gaps),
        worst_gaps=tuple(gap for gap in gaps if gap.missing)[:_EXAMPLES],
        missing_sessions=missing_sessions(
            {
                str(symbol): bars["opened_s"].to_numpy()
                for (symbol,), bars in frame.partition_by("symbol", as_dict=True).items()
            },
            sessions,
        ),
        jumps=len(jumps),
        possible_splits=sum(jump.possible_split for jump in jumps),
        worst_jumps=jumps[:_EXAMPLES],
        refused=loaded.refused,
    )


def _gaps(loaded: LoadedBars, sessions: SessionTimes) -> list[SymbolGaps]:
    """Compare each symbol with a full grid of session bars; worst first, then by name."""
    frame = loaded.frame
    if frame.is_empty():
        return []
    grid = sessions.bar_opens(*loaded.span_s(), loaded.interval_s)
    ranges = (
        frame.with_columns(on_grid=pl.col("opened_s").is_in(pl.Series(grid).implode()))
        .group_by("symbol")
        .agg(
            first_s=pl.col("opened_s").min(),
            last_s=pl.col("opened_s").max(),
            present=pl.col("on_grid").sum(),
        )
    )
    gaps = []
    for symbol, first, last, present in ranges.rows():
        expected = int(np.searchsorted(grid, last, side="right") - np.searchsorted(grid, first))
        gaps.append(SymbolGaps(symbol=symbol, missing=expected - present, expected=expected))
    return sorted(gaps, key=lambda gap: (-gap.missing, gap.symbol))


def _jumps(frame: pl.DataFrame, sessions: SessionTimes) -> tuple[Jump, ...]:
    """Find closes that moved more than 20 %; the largest first, ups measured like downs."""
    opened_s = frame["opened_s"].to_numpy()
    day = np.searchsorted(sessions.opens_s, opened_s, side="right")
    found = (
        frame.select("symbol", "opened_s", "close")
        .with_columns(
            day=pl.Series(day),
            before=pl.col("close").shift().over("symbol"),
            day_before=pl.Series(day).shift(),
        )
        .with_columns(change=pl.col("close") / pl.col("before") - 1)
        .filter(pl.col("change").abs() > JUMP_FRACTION)
        .sort(pl.col("change").log1p().abs(), descending=True, maintain_order=True)
    )
    return tuple(
        Jump(
            symbol=symbol,
            at=to_datetime(at_s),
            before=before,
            after=after,
            change=change,
            possible_split=today != yesterday and abs(change) > SPLIT_FRACTION,
        )
        for symbol, at_s, after, today, before, yesterday, change in found.rows()
    )


def _listed(examples: Iterable[str]) -> str:
    text = ", ".join(examples)
    return f" ({text})" if text else ""


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
