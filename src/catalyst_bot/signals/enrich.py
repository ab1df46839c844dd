"""Enrichment: what the market says about a catalyst, from the window seen at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.features import indicators
from catalyst_bot.signals.measures import MeasuredView


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


def read_market(catalyst: Catalyst, seen: MeasuredView) -> MarketReading:
    """Read the view; needs at least atr_length + 1 bars (the caller checks).

    The reaction is the move since the item was published over the benchmark's in the same time.
    """
    view, symbol, benchmark = seen.view, seen.symbol, seen.benchmark
    since = catalyst.published_at.timestamp()
    market_bps = indicators.return_bps(benchmark.window, since) if len(benchmark) else 0.0
    middle = (view.quote.bid + view.quote.ask) / 2.0
    return MarketReading(
        bars=len(symbol),
        price=float(symbol.window.close[-1]),
        quote_age_s=(view.as_of - view.quote.at).total_seconds(),
        atr=symbol.atr,
        atr_average=symbol.atr_average,
        rvol=symbol.rvol,
        vwap=symbol.vwap,
        spread_bps=(view.quote.ask - view.quote.bid) / middle * indicators.BPS,
        reaction_bps=indicators.return_bps(symbol.window, since) - market_bps,
        regime=seen.regime,
    )
