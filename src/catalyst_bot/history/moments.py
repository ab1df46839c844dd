"""What a running bot would read at the close of a bar, for every bar of a history."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.features import indicators
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.panel import Panel
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS
from catalyst_bot.signals.enrich import MarketReading
from catalyst_bot.signals.measures import RVOL_BARS
from catalyst_bot.simulation.spread_model import half_spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One look: price (USD, as traded), spread, age of the quote, how the market took the news."""

    now_s: float
    quote_age_s: float
    bars: int
    price: float
    spread_bps: float
    reaction_bps: float
    rvol: float

    def reading(self) -> MarketReading:
        """What the gates of a signal go by; they look at nothing that is not measured here."""
        return MarketReading(
            bars=self.bars,
            price=self.price,
            quote_age_s=self.quote_age_s,
            spread_bps=self.spread_bps,
            reaction_bps=self.reaction_bps,
            rvol=self.rvol,
            atr=np.nan,
            atr_average=np.nan,
            vwap=np.nan,
            regime=Regime.NEUTRAL,
        )


class Moments:
    """The closes of one symbol: moves on adjusted prices, price and quote as traded."""

    def __init__(self, panel: Panel, symbol: str, benchmark: BarWindow, costs: CostRules) -> None:
        self.window = panel.adjusted(symbol)
        self.first_row = panel.span(symbol).first_row
        self._traded = panel.as_traded(symbol)
        self._benchmark = benchmark
        self._costs = costs
        self._rvol = lru_cache(maxsize=None)(self._rvol_at)

    def __len__(self) -> int:
        return len(self.window)

    def at(self, bar: int, published_s: float, *, now_s: float | None = None) -> Moment:
        """Return what was known of news published at a time when a bar closed, or at a time before
        the next one did.
        """
        closed_s, price = float(self.window.closed_at[bar]), float(self._traded.close[bar])
        now_s = closed_s if now_s is None else now_s
        traded_usd = price * float(self._traded.volume[bar])
        half = half_spread(price, traded_usd=traded_usd, costs=self._costs)
        known = int(np.searchsorted(self._benchmark.closed_at, now_s, side="right"))
        market = _until(self._benchmark, known, BENCHMARK_VIEW_BARS)
        market_bps = indicators.return_bps(market, published_s) if known else 0.0
        own_bps = indicators.return_bps(_until(self.window, bar + 1), published_s)
        return Moment(
            now_s=now_s,
            quote_age_s=now_s - closed_s,
            bars=min(bar + 1, VIEW_BARS),
            price=price,
            spread_bps=2 * half / price * indicators.BPS,
            reaction_bps=own_bps - market_bps,
            rvol=self._rvol(bar),
        )

    def _rvol_at(self, bar: int) -> float:
        return indicators.relative_volume(_until(self.window, bar + 1), RVOL_BARS)


def _until(window: BarWindow, end: int, count: int = VIEW_BARS) -> BarWindow:
    """The bars a running bot would be shown before an index."""
    part = slice(max(0, end - count), end)
    return BarWindow(*(getattr(window, column.name)[part] for column in fields(BarWindow)))
