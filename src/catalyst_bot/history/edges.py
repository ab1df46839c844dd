"""What categories of news were worth, measured on some sessions of a history only.

The estimator of the event study: mean abnormal return in the direction of the news from the next
open over the category's horizon, with a band from drawing days, less costs, shrunk towards 0.
Nothing that was known only after the sessions ended is in it, so each fold of a walk forward fits
its own on its training part.
"""

from __future__ import annotations

import math
from dataclasses import replace
from zlib import crc32

import numpy as np

from catalyst_bot.domain.news import Worth
from catalyst_bot.features.catalyst import Edges
from catalyst_bot.history.events import CATALYST
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.study.event_study import BPS, MIN_EVENTS, PRIOR_SPREAD_BPS
from catalyst_bot.study.prices import MAX_RETURN
from catalyst_bot.study.statistics import Floats, Integers, clustered_mean, shrunk

_NAMES = tuple(feature.name for feature in CATALYST)
_EDGE, _HIGH = _NAMES.index("edge_bps"), _NAMES.index("edge_high_bps")
_BAND = 1.96
_HELD = (1, 2, 5, 10, 20, 40)  # sessions that are measured; the longest for a `min_horizon_s`


def edges_of(panel: Panel, sessions: range, *, cost_bps: float, seed: int = 1) -> dict[str, Worth]:
    """Return the worth of every category with enough events that were over within the sessions.

    `cost_bps` is what a round trip costs.
    """
    events = panel.events
    if events.is_empty():
        return {}
    held = np.array([_nearest(float(each)) for each in events["horizon_s"].to_list()])
    signed_bps, entered = _returns(panel, held, sessions)
    category = events["category"].to_numpy()
    edges = dict[str, Worth]()
    for name in sorted(set(category.tolist())):
        known = (category == name) & np.isfinite(signed_bps)
        if int(known.sum()) < MIN_EVENTS:
            continue
        # Positions of ten days overlap with those entered a week later: one cluster is that long.
        clusters = entered[known] // int(held[known].max())
        # by the name, not by its place in the list: later categories must not move the draws
        own_seed = (seed, crc32(name.encode()))
        mean = clustered_mean(signed_bps[known], clusters, seed=own_seed)
        edge, spread = shrunk(mean.value - cost_bps, mean.error, PRIOR_SPREAD_BPS)
        edges[name] = Worth(edge_bps=edge, high_bps=edge + _BAND * spread, events=mean.n)
    return edges


def with_edges(panel: Panel, edges: Edges) -> Panel:
    """Return the history whose asks say what their category was worth; others stay unmeasured."""
    values = np.array(panel.ask_values)
    category = panel.events["category"].to_numpy()[panel.ask_event]
    for name, edge in edges.items():
        of_name = category == name
        for column, value in ((_EDGE, edge.edge_bps), (_HIGH, edge.high_bps)):
            values[of_name, column] = np.clip(value, CATALYST[column].low, CATALYST[column].high)
    return replace(panel, ask_values=values)


def _nearest(horizon_s: float) -> int:
    """The measured number of sessions that is nearest to a horizon."""
    wanted = horizon_s / DAY_S
    return min(_HELD, key=lambda n: abs(math.log(n / wanted)))


def _returns(panel: Panel, held: Integers, sessions: range) -> tuple[Floats, Integers]:
    """Signed abnormal return of each event (NaN: not known within the sessions), entry session."""
    events = panel.events
    result = np.full(len(events), np.nan)
    entered = np.zeros(len(events), dtype=np.int64)
    market, market_session = (
        panel.adjusted(panel.card.benchmark),
        panel.session_of(panel.card.benchmark),
    )
    symbols, rows = events["symbol"].to_numpy(), events["row"].to_numpy()
    sign = np.sign(events["direction"].to_numpy())
    for symbol in sorted(set(symbols.tolist())):
        of_symbol = np.flatnonzero(symbols == symbol)
        window, session = panel.adjusted(symbol), panel.session_of(symbol)
        first = rows[of_symbol] - panel.span(symbol).first_row + 1
        of_symbol, first = of_symbol[first < len(window)], first[first < len(window)]
        start, end = session[first], session[first] + held[of_symbol] - 1
        known = (session[first - 1] >= sessions.start) & (end < sessions.stop)
        of_symbol, first, start, end = (column[known] for column in (of_symbol, first, start, end))
        last = np.searchsorted(session, end, side="right") - 1
        own = window.close[last] / window.open[first] - 1
        market_last = np.searchsorted(market_session, end, side="right") - 1
        market_first = np.searchsorted(market_session, start)
        benchmark = market.close[market_last] / market.open[market_first] - 1
        abnormal = np.clip(own - benchmark, -MAX_RETURN, MAX_RETURN)
        result[of_symbol] = np.where(sign[of_symbol] == 0, np.nan, sign[of_symbol] * abnormal * BPS)
        entered[of_symbol] = start
    return result, entered
