"""Catalysts of a history by symbol and time: at which bar each met the market, and as what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.limits import CostRules, SignalRules, StopRules
from catalyst_bot.domain.news import SCAN_SOURCE, Catalyst
from catalyst_bot.domain.trading import Check
from catalyst_bot.features.catalyst import catalyst_features
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.moments import Moment, Moments
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import DAY_S, to_datetime
from catalyst_bot.signals import gates as g

MAX_WAIT_S = 5 * DAY_S  # a weekend and a holiday; a later bar is not the answer to this news
CATALYST = tuple(feature for feature in FEATURES if feature.group == "catalyst")
NEWS, SCANNER = "news", "scanner"
NO_EVENTS = pl.DataFrame(
    schema={
        "catalyst_id": pl.String,
        "symbol": pl.String,
        "kind": pl.String,
        "category": pl.String,
        "published_s": pl.Float64,
        "received_s": pl.Float64,
        "look_s": pl.Float64,
        "horizon_s": pl.Float64,
        "row": pl.Int64,
        "dropped": pl.String,
        "is_bad": pl.Boolean,
    }
    | {feature.name: pl.Float64 for feature in CATALYST}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """The gates, the bars that stops need, and what a quote made from bars costs to cross.

    `looks_at` says when news meets the market where that is not the first close after it.
    """

    gates: SignalRules
    stops: StopRules
    costs: CostRules
    looks_at: Callable[[Catalyst], datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A catalyst and the bar (counted within its symbol) in which, or at whose close, it met the
    market: then it knows the bar, else the one before. An order fills after it.

    `dropped` is the gate that refused it, empty for a signal. What `is_bad` is looked at only while
    its symbol is held.
    """

    catalyst: Catalyst
    bar: int
    moment: Moment
    dropped: str

    @property
    def is_bad(self) -> bool:
        """Bad news, or of a category that is never bought."""
        return is_bad(self.catalyst)


class EventReader:
    """Places catalysts in a history and judges them by the gates of the running bot."""

    def __init__(self, panel: Panel, rules: EventRules) -> None:
        self._panel = panel
        self._rules = rules
        self._benchmark = panel.adjusted(panel.card.benchmark)
        self._moments: dict[str, Moments] = {}
        self.counts = Counter[str]()

    def moments(self, symbol: str) -> Moments:
        """Return the closes of a symbol."""
        if symbol not in self._moments:
            self._moments[symbol] = Moments(self._panel, symbol, self._benchmark, self._rules.costs)
        return self._moments[symbol]

    def read(self, catalysts: Iterable[Catalyst]) -> Iterator[Event]:
        """Yield an event a catalyst that met a bar, in order; `counts` says what became of all.

        Its bar is the first that closed at or after the look: a decision at its close knows all of
        it, one before only the bars before, and either fills later. The worth of a category is left
        unknown: the one that detection ships was measured on years that, seen from most of a
        history, were still to come.
        """
        symbols, avoid_until = frozenset(self._panel.symbols), dict[str, datetime]()
        for shipped in catalysts:
            catalyst, symbol = replace(shipped, edge_bps=None, edge_high_bps=None), shipped.symbol
            if symbol not in symbols:
                self.counts["of unknown symbols"] += 1
                continue
            is_avoided = catalyst.received_at < avoid_until.get(symbol, catalyst.received_at)
            _avoid(avoid_until, catalyst)
            moments = self.moments(symbol)
            received_s, closed_at = catalyst.received_at.timestamp(), moments.window.closed_at
            looks_at = self._rules.looks_at
            look_s = looks_at(catalyst).timestamp() if looks_at is not None else received_s
            bar = int(np.searchsorted(closed_at, look_s))
            if bar == len(moments) or closed_at[bar] - received_s > MAX_WAIT_S:
                self.counts["without a bar in time"] += 1
                continue
            published_s = catalyst.published_at.timestamp()
            if looks_at is None or closed_at[bar] == look_s:
                moment = moments.at(bar, published_s)
            elif bar > 0:
                moment = moments.at(bar - 1, published_s, now_s=look_s)
            else:
                self.counts["dropped: too_few_bars"] += 1
                continue
            dropped = self._dropped(catalyst, moment, is_avoided=is_avoided)
            self.counts[f"dropped: {dropped}" if dropped else "signals"] += 1
            yield Event(catalyst=catalyst, bar=bar, moment=moment, dropped=dropped)

    def _dropped(self, catalyst: Catalyst, moment: Moment, *, is_avoided: bool) -> str:
        """The first gate that fails in the order of the running bot, or nothing."""
        gates = self._rules.gates
        if not g.confidence_gate(catalyst, gates).passed:
            return "low_confidence"
        if is_avoided and not is_bad(catalyst):
            return "symbol_avoided"
        if moment.bars < max(gates.min_bars, self._rules.stops.atr_length + 1):
            return "too_few_bars"
        return next((each.name for each in self.checks(catalyst, moment) if not each.passed), "")

    def checks(self, catalyst: Catalyst, moment: Moment) -> tuple[Check, ...]:
        """Return the gates that need the market, run at a moment; its news is never too old."""
        now = to_datetime(int(moment.now_s))
        return g.market_gates(
            catalyst,
            moment.reading(),
            self._rules.gates,
            bar_interval_s=self._panel.card.interval_s,
            now=now,
            expires_at=now,
        )


def is_bad(catalyst: Catalyst) -> bool:
    """Bad news, or of a category that is never bought."""
    return catalyst.direction < 0 or catalyst.action is not CategoryAction.TRADE


def frame_of(events: Iterable[Event], reader: EventReader) -> pl.DataFrame:
    """Return a row an event, with the features of its moment."""
    rows = [
        {
            "catalyst_id": event.catalyst.catalyst_id,
            "symbol": event.catalyst.symbol,
            "kind": SCANNER if event.catalyst.source == SCAN_SOURCE else NEWS,
            "category": event.catalyst.category,
            "published_s": event.catalyst.published_at.timestamp(),
            "received_s": event.catalyst.received_at.timestamp(),
            "look_s": event.moment.now_s,
            "horizon_s": event.catalyst.horizon_s,
            "row": reader.moments(event.catalyst.symbol).first_row + event.bar,
            "dropped": event.dropped,
            "is_bad": event.is_bad,
        }
        | features_at(event.catalyst, event.moment)
        for event in events
    ]
    return pl.DataFrame(rows, schema=NO_EVENTS.schema)


def features_at(catalyst: Catalyst, moment: Moment) -> dict[str, float]:
    """Return the catalyst features at a moment by name, clipped to the table's ranges."""
    values = catalyst_features(
        catalyst,
        direction=g.direction_after(catalyst, moment.reaction_bps),
        reaction_bps=moment.reaction_bps,
        rvol=moment.rvol,
        at=to_datetime(int(moment.now_s)),
    )
    return {f.name: min(max(values[f.name], f.low), f.high) for f in CATALYST}


def _avoid(avoid_until: dict[str, datetime], catalyst: Catalyst) -> None:
    """A category that is never bought closes its symbol for its horizon."""
    if catalyst.action is not CategoryAction.TRADE:
        until = catalyst.received_at + timedelta(seconds=catalyst.horizon_s)
        avoid_until[catalyst.symbol] = max(until, avoid_until.get(catalyst.symbol, until))
