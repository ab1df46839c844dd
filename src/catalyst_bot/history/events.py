"""Catalysts of a history by symbol and time: at which bar each could be acted on, and as what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np
import polars as pl

from catalyst_bot.domain.news import Catalyst
from catalyst_bot.features import indicators
from catalyst_bot.features.catalyst import catalyst_features
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import DAY_S, to_datetime
from catalyst_bot.ports.market_data import VIEW_BARS
from catalyst_bot.signals.gates import direction_after
from catalyst_bot.signals.measures import RVOL_BARS

MAX_WAIT_S = 5 * DAY_S  # a weekend and a holiday; a later bar is not the answer to this news
CATALYST = tuple(feature for feature in FEATURES if feature.group == "catalyst")
NO_EVENTS = pl.DataFrame(
    schema={"symbol": pl.String, "category": pl.String, "received_s": pl.Float64, "row": pl.Int64}
    | {feature.name: pl.Float64 for feature in CATALYST}
)


def place_events(
    catalysts: Iterable[Catalyst], panel: Panel
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return a row a catalyst that met a bar, and how many became what.

    `row` is that of the first bar closed at or after the receipt: the decision is made at its
    close, knows all of it and fills later. The features are of that moment, on adjusted prices. The
    worth of a category is left unknown: the one that detection ships was measured on years that,
    seen from most events of a history, were still to come.
    """
    benchmark = panel.adjusted(panel.card.benchmark)
    windows: dict[str, BarWindow] = {}
    rows, counts = list[dict[str, object]](), Counter[str]()
    for shipped in catalysts:
        catalyst, symbol = replace(shipped, edge_bps=None, edge_high_bps=None), shipped.symbol
        if symbol not in panel.symbols:
            counts["of unknown symbols"] += 1
            continue
        window = windows.setdefault(symbol, panel.adjusted(symbol))
        received_s = catalyst.received_at.timestamp()
        bar = int(np.searchsorted(window.closed_at, received_s))
        if bar == len(window) or window.closed_at[bar] - received_s > MAX_WAIT_S:
            counts["without a bar in time"] += 1
            continue
        counts["placed"] += 1
        rows.append(
            {
                "symbol": symbol,
                "category": catalyst.category,
                "received_s": received_s,
                "row": panel.span(symbol).first_row + bar,
            }
            | _features(catalyst, _until(window, bar + 1), benchmark)
        )
    return pl.DataFrame(rows, schema=NO_EVENTS.schema), dict(counts)


def _features(catalyst: Catalyst, seen: BarWindow, benchmark: BarWindow) -> dict[str, float]:
    now_s, since = float(seen.closed_at[-1]), catalyst.published_at.timestamp()
    market = _until(benchmark, int(np.searchsorted(benchmark.closed_at, now_s, side="right")))
    market_bps = indicators.return_bps(market, since) if len(market) else 0.0
    reaction_bps = indicators.return_bps(seen, since) - market_bps
    values = catalyst_features(
        catalyst,
        direction=direction_after(catalyst, reaction_bps),
        reaction_bps=reaction_bps,
        rvol=indicators.relative_volume(seen, RVOL_BARS),
        at=to_datetime(int(now_s)),
    )
    return {f.name: min(max(values[f.name], f.low), f.high) for f in CATALYST}


def _until(window: BarWindow, end: int) -> BarWindow:
    """The bars a running bot would be shown before an index."""
    part = slice(max(0, end - VIEW_BARS), end)
    return BarWindow(*(getattr(window, column.name)[part] for column in fields(BarWindow)))
