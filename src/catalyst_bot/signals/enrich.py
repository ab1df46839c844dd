"""Enrichment: what the market says about a catalyst, from the window seen at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.market import MarketView
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.features import indicators
from catalyst_bot.features.window import bar_window
from catalyst_bot.signals.regime import regime_of

RVOL_BARS = 3  # a quarter of an hour of 5-minute bars


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketReading:
    """The numbers a signal carries. Prices in dollars, moves in basis points."""

    bars: int
    price: float
    quote_age_s: float
    atr: float
    atr_average: float
    rvol: float
    vwap: float
    spread_bps: float
    reaction_bps: float
    regime: Regime


def read_market(catalyst: Catalyst, view: MarketView, *, atr_length: int) -> MarketReading:
    """Measure the view; needs at least atr_length + 1 bars (the caller checks).

    The reaction is the move since the item was published over the benchmark's in the same time.
    """
    window = bar_window(view.bars)
    benchmark = bar_window(view.benchmark_bars)
    since = catalyst.published_at.timestamp()
    market_bps = indicators.return_bps(benchmark, since) if len(benchmark) else 0.0
    middle = (view.quote.bid + view.quote.ask) / 2.0
    return MarketReading(
        bars=len(window),
        price=float(window.close[-1]),
        quote_age_s=(view.as_of - view.quote.at).total_seconds(),
        atr=indicators.average_true_range(window, atr_length),
        atr_average=indicators.mean_true_range(window),
        rvol=indicators.relative_volume(window, RVOL_BARS),
        vwap=indicators.vwap(window),
        spread_bps=(view.quote.ask - view.quote.bid) / middle * indicators.BPS,
        reaction_bps=indicators.return_bps(window, since) - market_bps,
        regime=regime_of(benchmark),
    )
