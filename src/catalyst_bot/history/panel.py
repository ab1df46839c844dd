"""A history on disk: one memory-mapped array a column, all symbols one after the other."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.card import Card, Span, card_from
from catalyst_bot.history.gates import SymbolBars

Integers = NDArray[np.int64]
CARD = "card.json"
EVENTS = "events.parquet"
FEATURES = "features.npy"
ASKS = ("ask_row", "ask_event", "ask_values")
COLUMNS = ("opened_s", "closed_s", "open", "high", "low", "close", "volume", "factor")


@dataclass(frozen=True)
class Panel:
    """Bars of many symbols with their card; `columns` hold prices and volume as traded.

    `features` are the market features at each bar's close, as 32-bit numbers; None before they were
    computed. `events` are the catalysts, and the three arrays say who is asked when (see
    `cases.py`): the row of the bars, the row of the events, the catalyst features.
    """

    card: Card
    columns: Mapping[str, Floats]
    features: NDArray[np.float32] | None
    events: pl.DataFrame
    ask_row: Integers
    ask_event: Integers
    ask_values: Floats

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order of their rows."""
        return tuple(span.symbol for span in self.card.spans)

    def span(self, symbol: str) -> Span:
        """Return where a symbol's bars lie. Raises `BadData` for one that is not in it."""
        for span in self.card.spans:
            if span.symbol == symbol:
                return span
        raise BadData(f"{symbol} is not in this history")

    def as_traded(self, symbol: str) -> BarWindow:
        """Return what could be bought and sold at: the prices for fills."""
        rows = self._rows(symbol)
        return BarWindow(*(self.columns[name][rows] for name in COLUMNS[:-1]))

    def adjusted(self, symbol: str) -> BarWindow:
        """Return what decisions look at: without the jumps of splits and dividends.

        Money traded stays what it was: volume is divided by what prices are multiplied with.
        """
        traded, factor = self.as_traded(symbol), self.columns["factor"][self._rows(symbol)]
        return replace(
            traded,
            open=traded.open * factor,
            high=traded.high * factor,
            low=traded.low * factor,
            close=traded.close * factor,
            volume=traded.volume / factor,
        )

    def days(self) -> tuple[date, ...]:
        """Return the days on which the benchmark traded: the sessions that splits count."""
        return tuple(np.unique(_days_of(self.as_traded(self.card.benchmark))).tolist())

    def session_of(self, symbol: str) -> Integers:
        """Return the number of each bar's session in `days`; of one not in it, that of the next."""
        days = np.unique(_days_of(self.as_traded(self.card.benchmark)))
        return np.searchsorted(days, _days_of(self.as_traded(symbol)))

    def sessions(self) -> Integers:
        """Return the number of the session of every row, as `session_of` gives it."""
        return np.concatenate([self.session_of(symbol) for symbol in self.symbols])

    def session_closes(self, symbol: str) -> tuple[Integers, Floats]:
        """Return the sessions in which a symbol traded, and its adjusted close in each."""
        session, close = self.session_of(symbol), self.adjusted(symbol).close
        last = np.append(session[1:] != session[:-1], [True])
        return session[last], close[last]

    def let_go(self) -> None:
        """Give back the memory of files that were read through: what is looked at comes back."""
        for column in (*self.columns.values(), self.features, self.ask_values):
            mapped = getattr(column, "_mmap", None)
            if mapped is not None:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _rows(self, symbol: str) -> slice:
        span = self.span(symbol)
        return slice(span.first_row, span.first_row + span.rows)


def _days_of(window: BarWindow) -> NDArray[np.datetime64]:
    """The exchange's date of each bar: sessions in New York lie within one date of UTC."""
    return window.opened_at.astype("datetime64[s]").astype("datetime64[D]")


def open_panel(folder: Path) -> Panel:
    """Open a history. Raises `BadData` when there is none or it is damaged."""
    path = folder / CARD
    if not path.is_file():
        raise BadData(f"{folder}: no history (no {CARD} in it); make it with `data history`")
    try:
        card = card_from(json.loads(path.read_text(encoding="utf-8")))
        columns = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in COLUMNS}
        features = folder / FEATURES
        asks = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ASKS}
        panel = Panel(
            card=card,
            columns=columns,
            features=np.load(features, mmap_mode="r") if features.is_file() else None,
            events=pl.read_parquet(folder / EVENTS),
            **asks,
        )
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BadData(f"{folder}: is damaged ({error}); make it again") from error
    lengths = {name: len(column) for name, column in columns.items()}
    if set(lengths.values()) != {card.rows}:
        raise BadData(f"{folder}: is damaged ({card.rows} rows, but {lengths}); make it again")
    if panel.features is not None and panel.features.shape != (card.rows, len(MARKET)):
        raise BadData(f"{folder}: {FEATURES} does not fit the bars; make it again")
    if len({len(column) for column in asks.values()}) != 1:
        raise BadData(f"{folder}: is damaged (asks of different lengths); make it again")
    return panel


def columns_of(taken: Sequence[SymbolBars]) -> dict[str, Floats]:
    """Lay the symbols one after the other, a column an array."""
    return {name: np.concatenate([getattr(bars, name) for bars in taken]) for name in COLUMNS}


def hash_of(columns: Mapping[str, Floats], symbols: Sequence[str]) -> str:
    """Return the SHA-256 of everything in the arrays, and whose it is."""
    digest = sha256(" ".join(symbols).encode())
    for name in COLUMNS:
        digest.update(np.ascontiguousarray(columns[name]).tobytes())
    return digest.hexdigest()


def write_panel(folder: Path, panel: Panel) -> None:
    """Write a history where there is none; a reader sees all of it or nothing.

    Raises `BadData` when something is there already.
    """
    with whole_folder(folder) as part:
        for name, column in panel.columns.items():
            np.save(part / f"{name}.npy", column, allow_pickle=False)
        if panel.features is not None:
            np.save(part / FEATURES, panel.features, allow_pickle=False)
        for name in ASKS:
            np.save(part / f"{name}.npy", getattr(panel, name), allow_pickle=False)
        panel.events.write_parquet(part / EVENTS)
        text = json.dumps(panel.card.to_json(), indent=1)
        (part / CARD).write_text(text + "\n", encoding="utf-8")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder beside the wanted one that takes its name when everything went well.

    Raises `BadData` when the wanted one exists.
    """
    if folder.exists():
        raise BadData(f"{folder}: is there already; delete it, or give another --out")
    part = folder.with_name(f".{folder.name}.part")
    rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        part.replace(folder)
    finally:
        rmtree(part, ignore_errors=True)
