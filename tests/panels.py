"""Small histories in memory: random bars of a few symbols, with cases where a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.card import Card, Span
from catalyst_bot.history.events import CATALYST, NO_EVENTS
from catalyst_bot.history.panel import COLUMNS, Panel
from tests.windows import DAY_S, random_window

BENCHMARK = "SPY"


@dataclass(frozen=True, kw_only=True)
class Case:
    """News about a symbol that meets its bar number `bar` and is asked about for `bars` bars.

    The first look is `early_s` before that bar closes.
    """

    symbol: str
    bar: int
    bars: int = 5
    is_bad: bool = False
    confidence: float = 0.9
    direction: float = 1.0
    early_s: float = 0.0


def panel_of(
    cases: Sequence[Case] = (),
    *,
    symbols: Sequence[str] = ("ACME", "BOLT"),
    count: int = 300,
    seed: int = 1,
    windows: Mapping[str, BarWindow] | None = None,
    factors: Mapping[str, Floats] | None = None,
) -> Panel:
    """Return a history of daily bars with random features, the benchmark last."""
    names = (*symbols, BENCHMARK)
    given = windows or {}
    bars = {
        name: given.get(name) or random_window(seed + number, count)
        for number, name in enumerate(names)
    }
    rng = np.random.default_rng(seed)
    columns = {
        name: np.concatenate([getattr(bars[symbol], _FIELDS.get(name, name)) for symbol in names])
        for name in COLUMNS[:-1]
    }
    ones = {name: np.ones(len(bars[name])) for name in names}
    columns["factor"] = np.concatenate([(factors or {}).get(name, ones[name]) for name in names])
    spans, row = [], 0
    for name in names:
        spans.append(_span(name, row, len(bars[name])))
        row += len(bars[name])
    starts = {span.symbol: span.first_row for span in spans}
    asks = [
        (starts[case.symbol] + case.bar + age, number, _values(case, age))
        for number, case in enumerate(cases)
        for age in range(case.bars)
    ]
    rows = [
        dict.fromkeys(NO_EVENTS.columns, 0.0)
        | {"catalyst_id": f"cat-{number:04}", "symbol": c.symbol, "kind": "news"}
        | {"category": "earnings", "dropped": ""}
        | {"row": starts[c.symbol] + c.bar, "is_bad": c.is_bad}
        | {"horizon_s": float((c.bars - 1) * DAY_S)}
        | {"received_s": float(bars[c.symbol].closed_at[c.bar]) - 3600.0}
        | {"look_s": float(bars[c.symbol].closed_at[c.bar]) - c.early_s}
        for number, c in enumerate(cases)
    ]
    return Panel(
        card=_card(spans, row),
        columns=columns,
        features=rng.normal(0, 0.1, (row, len(MARKET))).astype(np.float32),
        events=pl.DataFrame(rows, schema=NO_EVENTS.schema),
        ask_row=np.array([ask[0] for ask in asks], dtype=np.int64),
        ask_event=np.array([ask[1] for ask in asks], dtype=np.int64),
        ask_values=np.array([ask[2] for ask in asks], dtype=np.float64).reshape(-1, len(CATALYST)),
    )


_FIELDS = {"opened_s": "opened_at", "closed_s": "closed_at"}


def _values(case: Case, age: int) -> list[float]:
    told = {
        "direction": -1.0 if case.is_bad else case.direction,
        "confidence": case.confidence,
        "age_hours": 24.0 * age,
        "rvol": 1.0,
    }
    return [told.get(feature.name, feature.neutral) for feature in CATALYST]


def _span(symbol: str, row: int, rows: int) -> Span:
    return Span(
        symbol=symbol,
        source="random",
        first_row=row,
        rows=rows,
        first_day="2020-09-14",
        last_day="2021-09-14",
        is_gone=False,
    )


def _card(spans: Sequence[Span], rows: int) -> Card:
    return Card(
        interval_s=DAY_S,
        benchmark=BENCHMARK,
        first_day="2020-09-14",
        last_day="2021-09-14",
        rows=rows,
        data_hash="of-random-bars",
        spans=tuple(spans),
        excluded=(),
        sources=(),
        events={},
        events_hash="",
    )
