"""A history as the kernels play it: flat arrays, all symbols one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import MARKET
from catalyst_bot.history.compiled import compiled
from catalyst_bot.history.events import CATALYST
from catalyst_bot.history.panel import Integers, Panel
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.ml import ranges
from catalyst_bot.ports.market_data import VIEW_BARS

Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
SPLIT_FRACTION = 0.1  # no dividend changes prices by more: from there on shares are other shares


class Bars(NamedTuple):
    """A row a bar; prices in dollars as traded, times in epoch seconds, none of it writable.

    `session` is the number of the bar's session (see `Tape.days`), `symbol` that of its symbol.
    Until the row `stretch_end` prices can be compared: there the symbol ends or its shares split.
    `atr` and `atr_average` are NaN where too few bars were known. `market` are the market features
    at the close.
    """

    opened_s: Floats
    closed_s: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    session: Integers
    atr: Floats
    atr_average: Floats
    symbol: Integers
    stretch_end: Integers
    market: Singles


class Asks(NamedTuple):
    """When a policy may be asked about which event, in the order of rows, then of events.

    `at_s` is when: at the close of `row`, or, of a first look that does not wait for one, before
    it; `seen` is the row that was known then, `values` are the catalyst features. `is_first` marks
    the look with which the event comes on watch, `is_bad` what is looked at only while its symbol
    is held. `catalyst` ranks the events by the ids of their catalysts: the turn of several first
    looks at one close.
    """

    row: Integers
    seen: Integers
    at_s: Floats
    event: Integers
    values: Floats
    is_first: Flags
    is_bad: Flags
    horizon_s: Floats
    received_s: Floats
    catalyst: Integers


@dataclass(frozen=True)
class Tape:
    """Bars and asks of all symbols, and what the numbers in them mean.

    The rows of symbol k are `first_row[k]` to `end_row[k] - 1`; the benchmark is one of them.
    """

    bars: Bars
    asks: Asks
    symbols: tuple[str, ...]
    first_row: Integers
    end_row: Integers
    benchmark: str
    days: tuple[date, ...]
    interval_s: int
    data_hash: str

    def rows_of(self, symbol: str) -> range:
        """Return the rows of a symbol. Raises `BadData` for one that is not in the history."""
        if symbol not in self.symbols:
            raise BadData(f"{symbol} is not in this history")
        number = self.symbols.index(symbol)
        return range(int(self.first_row[number]), int(self.end_row[number]))


def tape_of(panel: Panel, *, atr_length: int) -> Tape:
    """Lay a history out for the kernels; what is on disk stays there, mapped into memory.

    `atr_length` is that of the terms it is played by: their stops and sizes are in its ATR.
    Raises `BadData` where there are no features, where a number is none or a price not above zero,
    where the volume is below zero or a symbol never traded, and where a symbol has too few bars to
    set a stop; `ConfigError` without numba.
    """
    features = _checked(panel, atr_length)
    spans = panel.card.spans
    first_row = np.array([span.first_row for span in spans], dtype=np.int64)
    counts = np.array([span.rows for span in spans], dtype=np.int64)
    atr, atr_average = _average_ranges(panel, atr_length)
    columns = panel.columns
    bars = Bars(
        **{name: columns[name] for name in ("opened_s", "closed_s", *_PRICES, "volume")},
        atr=atr,
        atr_average=atr_average,
        session=panel.sessions(),
        symbol=np.repeat(np.arange(len(spans)), counts),
        stretch_end=_stretch_ends(columns["factor"], first_row + counts),
        market=features,
    )
    panel.let_go()
    return Tape(
        bars=Bars(*map(_read_only, bars)),
        asks=Asks(*map(_read_only, _asks_of(panel))),
        symbols=panel.symbols,
        first_row=first_row,
        end_row=first_row + counts,
        benchmark=panel.card.benchmark,
        days=panel.days(),
        interval_s=panel.card.interval_s,
        data_hash=panel.card.data_hash,
    )


_PARTS = 64  # looked at one after the other: what is on disk is large
_PRICES = ("open", "high", "low", "close")


def _checked(panel: Panel, atr_length: int) -> Singles:
    """Return the market features once nothing in the history speaks against playing it."""
    columns = panel.columns
    for span in panel.card.spans:
        rows = slice(span.first_row, span.first_row + span.rows)
        if span.rows <= atr_length:
            raise BadData(f"{span.symbol}: {span.rows} bars are too few for ATR({atr_length})")
        for name, column in columns.items():
            values = column[rows]
            if not np.isfinite(values).all():
                raise BadData(f"{span.symbol}: {name} holds a value that is not finite")
            if name in _PRICES and not (values > 0).all():
                raise BadData(f"{span.symbol}: {name} holds a price that is not above zero")
        volume = columns["volume"][rows]
        if (volume < 0).any() or not (volume > 0).any():
            raise BadData(f"{span.symbol}: its volume is below zero, or it never traded")
    told = ((panel.features, MARKET, "features"), (panel.ask_values, CATALYST, "asks"))
    for each, table, name in told:
        if each is None or each.shape[1:] != (len(table),):
            raise BadData(
                f"the history has no {name} for this table: `data history --features` makes it"
            )
        if not all(np.isfinite(part).all() for part in np.array_split(each, _PARTS)):
            raise BadData(f"the {name} of the history hold a value that is not finite")
    panel.let_go()
    assert panel.features is not None, "just checked"
    return panel.features


def _average_ranges(panel: Panel, length: int) -> tuple[Floats, Floats]:
    """In prices as traded at each bar, from ranges without the jumps of splits and dividends."""
    atr, atr_average = np.empty(panel.card.rows), np.empty(panel.card.rows)
    write = compiled(ranges)["write_average_ranges"]
    for span in panel.card.spans:
        rows = slice(span.first_row, span.first_row + span.rows)
        steps = panel.adjusted(span.symbol).true_range
        write(steps, length, VIEW_BARS, atr[rows], atr_average[rows])
        atr[rows] /= panel.columns["factor"][rows]
        atr_average[rows] /= panel.columns["factor"][rows]
    return atr, atr_average


def _stretch_ends(factor: Floats, ends: Integers) -> Integers:
    """For each row the first row after it whose prices cannot be held against its own."""
    splits = np.flatnonzero(np.abs(factor[1:] / factor[:-1] - 1.0) > SPLIT_FRACTION) + 1
    cuts = np.union1d(splits, ends).astype(np.int64)
    return np.repeat(cuts, np.diff(cuts, prepend=0))


def _asks_of(panel: Panel) -> Asks:
    """Sort them by time within each symbol, and say of each what its event says.

    Raises `BadData` for a history within days that does not say when its news met the market.
    """
    order = np.lexsort((panel.ask_event, panel.ask_row))
    row, event, closed_s = panel.ask_row[order], panel.ask_event[order], panel.columns["closed_s"]
    is_first = np.ones(len(event), dtype=bool)
    is_first[1:] = panel.ask_event[1:] != panel.ask_event[:-1]
    is_first, at_s = is_first[order], np.array(closed_s[row])
    if "look_s" in panel.events.columns:
        at_s[is_first] = panel.events["look_s"].to_numpy()[event[is_first]]
    elif panel.card.interval_s < DAY_S:
        raise BadData("the history does not say when news met the market: make it again")
    return Asks(
        row=row,
        seen=row - (at_s < closed_s[row]),
        at_s=at_s,
        event=event,
        values=panel.ask_values[order],
        is_first=is_first,
        is_bad=panel.events["is_bad"].to_numpy()[event],
        horizon_s=panel.events["horizon_s"].to_numpy()[event],
        received_s=panel.events["received_s"].to_numpy()[event],
        catalyst=panel.events["catalyst_id"].rank("ordinal").to_numpy().astype(np.int64)[event],
    )


def _read_only(column: Any) -> Any:
    """One kind of array for the compiler, whether in memory or mapped from a file."""
    plain = np.asarray(column).view()
    plain.flags.writeable = False
    return plain
