"""Make a history of a catalog: read, adjust, judge, lay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.adjustment import forward_factor
from catalyst_bot.history.card import Card, Source, Span
from catalyst_bot.history.events import CATALYST, NO_EVENTS
from catalyst_bot.history.gates import Exclusion, GateRules, SymbolBars, judge
from catalyst_bot.history.joining import GONE_AFTER_S, joined
from catalyst_bot.history.panel import Panel, columns_of, hash_of
from catalyst_bot.market_data.catalog import Dataset, read_catalog
from catalyst_bot.market_data.load import ADJUSTED, BarSelection, load_bars
from catalyst_bot.market_data.missing import missing_sessions
from catalyst_bot.market_data.session_times import DAY_S, Seconds, SessionTimes, to_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRules:
    """Which bars to take, held against which benchmark, and what is good enough."""

    benchmark: str
    interval_s: int = DAY_S
    gates: GateRules = field(default_factory=GateRules)


def build_panel(catalog: Path, sessions: SessionTimes, rules: HistoryRules) -> Panel:
    """Return the bars of a catalog as a history without features and events.

    Of several files with a symbol the first imported counts; a later one goes on where it ends (see
    `joined`). Raises `BadData` when there are no bars of the interval, when the benchmark is
    missing or fails a gate, or when nothing is left.
    """
    datasets = read_catalog(catalog)
    of_interval = [each for each in datasets if each.interval_s == rules.interval_s]
    if not of_interval:
        raise BadData(_no_bars(catalog, datasets, rules.interval_s))
    held, sources = dict[str, SymbolBars](), list[Source]()
    for dataset in of_interval:
        used = 0
        for bars in _symbols_of(catalog, dataset, _wanted(dataset, held), sessions):
            before = held.get(bars.symbol)
            now = bars if before is None else _joined(before, bars, sessions, rules.interval_s)
            used += now is not before
            held[bars.symbol] = now
        sources.append(_source(dataset, used))
    judged = {symbol: judge(bars, rules.gates) for symbol, bars in held.items()}
    excluded = [why for why in judged.values() if why is not None]
    taken = [bars for symbol, bars in held.items() if judged[symbol] is None]
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
            missing=missing_sessions(
                {bars.symbol: bars.opened_s for bars in taken}, sessions, benchmark=rules.benchmark
            ),
        ),
        columns=columns,
        features=None,
        events=NO_EVENTS,
        ask_row=np.empty(0, dtype=np.int64),
        ask_event=np.empty(0, dtype=np.int64),
        ask_values=np.empty((0, len(CATALYST))),
    )


def _no_bars(catalog: Path, datasets: Sequence[Dataset], interval_s: int) -> str:
    others = sorted({each.interval_s for each in datasets if each.interval_s is not None})
    if not others:
        return f"{catalog}: no bars of {interval_s} s; import some: catalyst-bot data import"
    held = ", ".join(f"{each} s" for each in others)
    return f"{catalog}: no bars of {interval_s} s, but of {held}: --interval {others[-1]}"


def _wanted(dataset: Dataset, held: Mapping[str, SymbolBars]) -> set[str]:
    """Symbols that nobody told of yet, or that this file may tell more of."""
    assert dataset.first_at is not None, "of bars"
    assert dataset.last_at is not None, "of bars"
    first_s, last_s = (
        datetime.fromisoformat(at).timestamp() for at in (dataset.first_at, dataset.last_at)
    )
    return {
        symbol
        for symbol in dataset.symbols
        if symbol not in held
        or first_s < held[symbol].opened_s[0]
        or last_s > held[symbol].closed_s[-1]
    }


def _joined(
    held: SymbolBars, more: SymbolBars, sessions: SessionTimes, interval_s: int
) -> SymbolBars:
    found = joined(held, more)
    if found is held:
        return held
    grid = sessions.bar_opens(int(found.opened_s[0]), int(found.opened_s[-1]), interval_s)
    return replace(found, expected=len(grid))


def _must_hold(benchmark: str, taken: Sequence[SymbolBars], excluded: Sequence[Exclusion]) -> None:
    """Raise `BadData` unless the benchmark and something to hold against it are there."""
    for why in excluded:
        if why.symbol == benchmark:
            raise BadData(f"the benchmark {benchmark} cannot be used: {why.gate} ({why.detail})")
    names = {bars.symbol for bars in taken}
    if benchmark not in names:
        raise BadData(
            f"no bars of the benchmark {benchmark}; import a file that holds it, or name another "
            "with run.benchmark"
        )
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
            is_gone=bool(last_s - bars.closed_s[-1] > GONE_AFTER_S),
        )
        row += len(bars)


def _day(seconds: float) -> str:
    return to_datetime(int(seconds)).date().isoformat()
