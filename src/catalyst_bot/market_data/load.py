"""Reads bars from parquet and CSV files; every row that cannot be right is refused with a reason.

A file has `timestamp` (start of the bar, UTC) or `date` (exchange date), `symbol` and OHLCV, and
may have `adj_close`, the close adjusted for splits and dividends; more columns are ignored. A
refused row is counted and shown, never repaired: a guessed price is worse than a missing one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes, to_datetime, to_seconds

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
ADJUSTED = "adj_close"  # null where a file has none
_TIMES = ("timestamp", "date")
_TEXT_TIME_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
_ROUNDING = 1e-6  # vendors round open and close apart from high and low
_MAX_SHORT_STEPS = 0.25  # share of steps shorter than the interval; more is a mixed file
_MAX_EXAMPLES = 3


class RowRefusal(StrEnum):
    """Why a row of a bar file was not taken."""

    NO_SYMBOL = "no_symbol"
    NO_TIME = "no_time"
    NOT_A_NUMBER = "not_a_number"
    PRICE_NOT_POSITIVE = "price_not_positive"
    NEGATIVE_VOLUME = "negative_volume"
    HIGH_BELOW_LOW = "high_below_low"
    OUTSIDE_HIGH_LOW = "outside_high_low"
    FUTURE = "future"
    NOT_A_SESSION = "not_a_session"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How many rows were refused for one reason, with a few of them as `SYMBOL TIME`."""

    reason: RowRefusal
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BarSelection:
    """Which rows to read: start <= time < end, these symbols; None is no limit.

    `regular_hours` leaves out bars from before the open and after the close. `interval_s` is the
    interval the file must have; `not_after` refuses bars that nobody can have recorded yet.
    """

    start: datetime | None = None
    end: datetime | None = None
    symbols: Collection[str] | None = None
    regular_hours: bool = True
    interval_s: int | None = None
    not_after: datetime | None = None

    def describe(self) -> str:
        """Return the range of time in words, for messages."""
        start = self.start.isoformat() if self.start else "the beginning"
        return f"{start} to {self.end.isoformat() if self.end else 'the end'}"


ALL_REGULAR = BarSelection()


@dataclass(frozen=True, kw_only=True)
class LoadedBars:
    """The good rows of one file, sorted by symbol and time, and what became of the others.

    Columns of `frame`: symbol, opened_s, closed_s (epoch seconds), open, high, low, close, volume,
    adj_close (null where the file has none).
    """

    source: str
    interval_s: int
    frame: pl.DataFrame
    rows_read: int
    refused: tuple[Refusal, ...]

    def span_s(self) -> tuple[int, int]:
        """Return the first open and the last close in epoch seconds; there must be a bar."""
        opened_s, closed_s = self.frame["opened_s"].to_numpy(), self.frame["closed_s"].to_numpy()
        return int(opened_s.min()), int(closed_s.max())


def load_bars(
    path: Path, sessions: SessionTimes, selection: BarSelection = ALL_REGULAR
) -> LoadedBars:
    """Read the selected bars of a parquet or CSV file.

    Raises `BadData` that names the file, what is missing and what to do when it holds no bars.
    """
    scan = _scan(path)
    # A damaged file, a wrong type, a row with more fields than the header: polars says which.
    try:
        interval_s = _interval_s(scan, path, wanted_s=selection.interval_s)
        rows = _select(scan, selection, interval_s=interval_s).collect()
    except pl.exceptions.PolarsError as error:
        raise BadData(f"{path}: cannot be read as bars ({error})") from error
    judged = _judge(rows, sessions, interval_s=interval_s, not_after=selection.not_after)
    good = judged.filter(pl.col("reason").is_null()).drop("reason")
    opened_s = good["opened_s"].to_numpy()
    if selection.regular_hours:
        is_regular = sessions.index_at(opened_s) >= 0
        good, opened_s = good.filter(is_regular), opened_s[is_regular]
    return LoadedBars(
        source=path.name,
        interval_s=interval_s,
        frame=good.with_columns(
            closed_s=pl.Series(sessions.bar_closes(opened_s, interval_s), dtype=pl.Int64)
        ),
        rows_read=len(rows),
        refused=_refusals(judged),
    )


def make_store(loaded: Sequence[LoadedBars]) -> BarStore:
    """Put the bars of one or more files into one store; the first file wins where they overlap.

    Raises `BadData` when their intervals differ.
    """
    intervals = sorted({part.interval_s for part in loaded})
    if len(intervals) != 1:
        files = ", ".join(f"{part.source} ({part.interval_s} s)" for part in loaded)
        raise BadData(f"bars of one interval are needed: choose one of {files}")
    frame = pl.concat([part.frame for part in loaded])
    if len(loaded) > 1:
        frame = frame.unique(["symbol", "opened_s"], keep="first", maintain_order=True).sort(
            "symbol", "opened_s"
        )
    return BarStore(
        {
            str(symbol): BarColumns(
                opened_s=bars["opened_s"].to_numpy(),
                closed_s=bars["closed_s"].to_numpy(),
                open=bars["open"].to_numpy(),
                high=bars["high"].to_numpy(),
                low=bars["low"].to_numpy(),
                close=bars["close"].to_numpy(),
                volume=bars["volume"].to_numpy(),
            )
            for (symbol,), bars in frame.partition_by("symbol", as_dict=True).items()
        },
        interval_s=intervals[0],
    )


def _scan(path: Path) -> pl.LazyFrame:
    """Open a file lazily as symbol, opened_s, OHLCV; CSV cells are text until cast here."""
    if not path.is_file():
        raise BadData(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in {".parquet", ".csv"}:
        raise BadData(f"{path}: bars are read from .parquet and .csv files, not from {suffix!r}")
    try:
        scan = (
            pl.scan_parquet(path) if suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
        )
        schema = scan.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise BadData(f"{path}: is not a {suffix} file with a header ({error})") from error
    scan = scan.rename(str.lower)
    types = {name.lower(): kind for name, kind in schema.items()}
    time = next((name for name in _TIMES if name in types), None)
    missing = [name for name in ("symbol", *VALUES) if name not in types]
    if time is None:
        missing.insert(0, "timestamp (or date)")
    if time is None or missing:
        raise BadData(
            f"{path}: no bars: missing {', '.join(missing)}; it has {', '.join(types)}. "
            "Rename its columns to timestamp (start of the bar, UTC) or date, symbol, "
            "open, high, low, close, volume"
        )
    return scan.select(
        pl.col("symbol").cast(pl.String).str.strip_chars(),
        _opened_s(time, types[time]).alias("opened_s"),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in VALUES),
        (pl.col(ADJUSTED) if ADJUSTED in types else pl.lit(None))
        .cast(pl.Float64, strict=False)
        .alias(ADJUSTED),
    )


def _opened_s(column: str, kind: pl.DataType) -> pl.Expr:
    """Epoch seconds of a time column: dates at midnight, times without a zone taken as UTC."""
    value = pl.col(column)
    if kind == pl.String:
        text = value.str.strip_chars().str.replace(" ", "T").str.replace("Z$", "+00:00")
        value = pl.coalesce(
            *(_parsed(text, template) for template in _TEXT_TIME_FORMATS),
            text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
        )
    elif isinstance(kind, pl.Datetime) and kind.time_zone not in {None, "UTC"}:
        value = value.dt.convert_time_zone("UTC")
    return value.cast(pl.Datetime("us")).dt.epoch("s")


def _parsed(text: pl.Expr, template: str) -> pl.Expr:
    parsed = text.str.to_datetime(template, time_unit="us", strict=False)
    return parsed.dt.replace_time_zone(None)


def _interval_s(scan: pl.LazyFrame, path: Path, *, wanted_s: int | None) -> int:
    """The step most neighbouring bars of a symbol have, the smaller of two; a day at most.

    Taken from the whole file: a selection of one bar has no steps.
    """
    times = scan.select("symbol", "opened_s").drop_nulls().collect()
    steps = (
        times.sort("symbol", "opened_s")
        .select(step=pl.col("opened_s").diff().over("symbol"))
        .filter(pl.col("step") > 0)["step"]
        .clip(upper_bound=DAY_S)
    )
    if steps.is_empty():
        interval_s = DAY_S if (times["opened_s"] % DAY_S == 0).all() else wanted_s
        if interval_s is None:
            raise BadData(f"{path}: no symbol has two bars, so the bar interval cannot be told")
    else:
        interval_s = min(steps.mode().to_list())
    short = int((steps < interval_s).sum())
    if short > _MAX_SHORT_STEPS * len(steps):
        raise BadData(
            f"{path}: mixes bar intervals ({short} of {len(steps)} steps are shorter than the "
            f"usual {interval_s} s); put each interval into a file of its own"
        )
    if wanted_s not in {None, interval_s}:
        raise BadData(f"{path}: has bars of {interval_s} s, not of {wanted_s} s")
    return interval_s


def _select(scan: pl.LazyFrame, selection: BarSelection, *, interval_s: int) -> pl.LazyFrame:
    """Keep the selected rows; rows without a time stay, to be refused with their reason."""
    opened_s = pl.col("opened_s")
    if selection.symbols is not None:
        scan = scan.filter(pl.col("symbol").is_in(sorted(selection.symbols)))
    if selection.start is not None:
        start_s = to_seconds(selection.start)
        # A daily bar is still at midnight here, before the open of the session it belongs to.
        first_s = start_s - start_s % DAY_S if interval_s == DAY_S else start_s
        scan = scan.filter(opened_s.is_null() | (opened_s >= first_s))
    if selection.end is not None:
        scan = scan.filter(opened_s.is_null() | (opened_s < to_seconds(selection.end)))
    return scan


def _judge(
    rows: pl.DataFrame, sessions: SessionTimes, *, interval_s: int, not_after: datetime | None
) -> pl.DataFrame:
    """Sort the rows and add `reason`: the first thing wrong with each, null for a good one."""
    is_session = pl.lit(value=True)
    if interval_s == DAY_S:
        rows = _at_session_opens(rows, sessions)
        is_session = pl.col("is_session")
    is_future = (
        pl.lit(value=False) if not_after is None else pl.col("opened_s") > to_seconds(not_after)
    )
    body_high, body_low = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
    outside = (body_high > pl.col("high") * (1 + _ROUNDING)) | (
        body_low < pl.col("low") * (1 - _ROUNDING)
    )
    rules = {
        RowRefusal.NO_SYMBOL: pl.col("symbol").is_null() | (pl.col("symbol") == ""),
        RowRefusal.NO_TIME: pl.col("opened_s").is_null(),
        RowRefusal.NOT_A_NUMBER: ~pl.all_horizontal(
            pl.col(name).is_finite().fill_null(value=False) for name in VALUES
        ),
        RowRefusal.PRICE_NOT_POSITIVE: pl.min_horizontal(PRICES) <= 0,
        RowRefusal.NEGATIVE_VOLUME: pl.col("volume") < 0,
        RowRefusal.HIGH_BELOW_LOW: pl.col("high") < pl.col("low"),
        RowRefusal.OUTSIDE_HIGH_LOW: outside,
        RowRefusal.FUTURE: is_future,
        RowRefusal.NOT_A_SESSION: ~is_session,
    }
    reason = pl.coalesce(pl.when(broken).then(pl.lit(str(why))) for why, broken in rules.items())
    rows = rows.with_columns(reason=reason).sort("symbol", "opened_s", maintain_order=True)
    again = pl.struct("symbol", "opened_s", pl.col("reason").is_null()).is_first_distinct().not_()
    is_duplicate = pl.col("reason").is_null() & again
    return rows.select(
        *("symbol", "opened_s", *VALUES, ADJUSTED),
        reason=pl.when(is_duplicate).then(pl.lit(str(RowRefusal.DUPLICATE))).otherwise("reason"),
    )


def _at_session_opens(rows: pl.DataFrame, sessions: SessionTimes) -> pl.DataFrame:
    """Move daily bars from midnight of their exchange date to the open of that day's session."""
    midnights = rows["opened_s"].fill_null(0).to_numpy()
    index = sessions.index_of_days(midnights // DAY_S)
    opened_s = np.where(index >= 0, sessions.opens_s[index], midnights)
    return rows.with_columns(
        opened_s=pl.when(pl.col("opened_s").is_not_null()).then(pl.Series(opened_s)),
        is_session=pl.Series(index >= 0),
    )


def _refusals(judged: pl.DataFrame) -> tuple[Refusal, ...]:
    refused = judged.filter(pl.col("reason").is_not_null())
    return tuple(
        Refusal(
            reason=reason,
            count=len(rows),
            examples=tuple(
                f"{symbol or '?'} {'?' if opened_s is None else to_datetime(opened_s).isoformat()}"
                for symbol, opened_s in rows.select("symbol", "opened_s").head(_MAX_EXAMPLES).rows()
            ),
        )
        for reason in RowRefusal
        if len(rows := refused.filter(pl.col("reason") == str(reason)))
    )
