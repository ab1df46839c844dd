"""Make a history of a catalog: read, adjust, judge, lay out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.adjustment import forward_factor
from catalyst_bot.history.card import Card, Source, Span
from catalyst_bot.history.events import CATALYST, NO_EVENTS
from catalyst_bot.history.gates import Exclusion, GateRules, SymbolBars, judge
from catalyst_bot.history.panel import Panel, columns_of, hash_of
from catalyst_bot.market_data.catalog import Dataset, read_catalog
from catalyst_bot.market_data.load import ADJUSTED, BarSelection, load_bars
from catalyst_bot.market_data.session_times import DAY_S, Seconds, SessionTimes, to_datetime

_GONE_AFTER_S = 15 * DAY_S  # without a bar this long before the end of all, a symbol is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRules:
    """Which bars to take, held against which benchmark, and what is good enough."""

    benchmark: str
    interval_s: int = DAY_S
    gates: GateRules = field(default_factory=GateRules)


def build_panel(catalog: Path, sessions: SessionTimes, rules: HistoryRules) -> Panel:
    """Return the bars of a catalog as a history without features and events.

    A symbol comes from the first file that holds it, never from two. Raises `BadData` when there
    are no bars of the interval, when the benchmark is missing or fails a gate, or when nothing is
    left.
    """
    datasets = [
        each
        for each in read_catalog(catalog)
        if each.kind == "bars" and each.interval_s == rules.interval_s
    ]
    if not datasets:
        raise BadData(
            f"{catalog}: no bars of {rules.interval_s} s; import some: catalyst-bot data import"
        )
    taken, excluded, sources = list[SymbolBars](), list[Exclusion](), list[Source]()
    seen = set[str]()
    for dataset in datasets:
        new = set(dataset.symbols) - seen
        seen |= new
        for bars in _symbols_of(catalog, dataset, new, sessions):
            why = judge(bars, rules.gates)
            if why is None:
                taken.append(bars)
            else:
                excluded.append(why)
        sources.append(_source(dataset, len(new)))
    _must_hold(rules.benchmark, taken, excluded)
    taken.sort(key=lambda bars: bars.symbol)
    columns = columns_of(taken)
    last_s = float(columns["closed_s"].max())
    spans = tuple(_spans(taken, last_s))
    return Panel(
        card=Card(
            interval_s=rules.interval_s,
            benchmark=rules.benchmark,
            first_day=min(span.first_day for span in spans),
            last_day=max(span.last_day for span in spans),
            rows=len(columns["close"]),
            data_hash=hash_of(columns, [bars.symbol for bars in taken]),
            spans=spans,
            excluded=tuple(sorted(excluded, key=lambda each: each.symbol)),
            sources=tuple(sources),
            events={},
        ),
        columns=columns,
        features=None,
        events=NO_EVENTS,
        ask_row=np.empty(0, dtype=np.int64),
        ask_event=np.empty(0, dtype=np.int64),
        ask_values=np.empty((0, len(CATALYST))),
    )


def _must_hold(benchmark: str, taken: Sequence[SymbolBars], excluded: Sequence[Exclusion]) -> None:
    """Raise `BadData` unless the benchmark and something to hold against it are there."""
    for why in excluded:
        if why.symbol == benchmark:
            raise BadData(f"the benchmark {benchmark} cannot be used: {why.gate} ({why.detail})")
    names = {bars.symbol for bars in taken}
    if benchmark not in names:
        raise BadData(f"no bars of the benchmark {benchmark}; import a file that holds it")
    if len(names) == 1:
        counted = ", ".join(f"{why.symbol} {why.gate}" for why in excluded[:5]) or "nothing else"
        raise BadData(f"no symbol is good enough besides the benchmark: {counted}")


def _symbols_of(
    catalog: Path, dataset: Dataset, symbols: set[str], sessions: SessionTimes
) -> Iterator[SymbolBars]:
    chosen = BarSelection(symbols=symbols, interval_s=dataset.interval_s)
    loaded = load_bars(catalog / dataset.file, sessions, chosen)
    if loaded.frame.is_empty():
        return
    grid = sessions.bar_opens(*loaded.span_s(), loaded.interval_s)
    for (symbol,), frame in loaded.frame.partition_by("symbol", as_dict=True).items():
        yield _symbol_bars(str(symbol), frame, dataset, grid)


def _symbol_bars(symbol: str, frame: pl.DataFrame, dataset: Dataset, grid: Seconds) -> SymbolBars:
    opened_s = frame["opened_s"].to_numpy()
    first, end = np.searchsorted(grid, opened_s[0]), np.searchsorted(grid, opened_s[-1], "right")
    close = frame["close"].to_numpy()
    adjusted = frame[ADJUSTED].fill_null(float("nan")).to_numpy()
    return SymbolBars(
        symbol=symbol,
        source=dataset.source,
        expected=int(end - first),
        opened_s=opened_s.astype(np.float64),
        closed_s=frame["closed_s"].to_numpy().astype(np.float64),
        open=frame["open"].to_numpy(),
        high=frame["high"].to_numpy(),
        low=frame["low"].to_numpy(),
        close=close,
        volume=frame["volume"].to_numpy(),
        factor=forward_factor(close, adjusted) if dataset.is_adjusted else np.ones(len(close)),
    )


def _source(dataset: Dataset, used: int) -> Source:
    return Source(
        source=dataset.source,
        sha256=dataset.sha256,
        is_adjusted=dataset.is_adjusted,
        symbols=used,
        unused=len(dataset.symbols) - used,
        origin=dataset.origin.describe() if dataset.origin else "",
    )


def _spans(taken: Sequence[SymbolBars], last_s: float) -> Iterator[Span]:
    row = 0
    for bars in taken:
        yield Span(
            symbol=bars.symbol,
            source=bars.source,
            first_row=row,
            rows=len(bars),
            first_day=_day(bars.opened_s[0]),
            last_day=_day(bars.opened_s[-1]),
            is_gone=bool(last_s - bars.closed_s[-1] > _GONE_AFTER_S),
        )
        row += len(bars)


def _day(seconds: float) -> str:
    return to_datetime(int(seconds)).date().isoformat()
