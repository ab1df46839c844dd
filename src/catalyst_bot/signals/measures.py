"""What a market view shows, measured: each indicator once, however many ask for it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

import numpy as np

from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.market import BarSeries, MarketView
from catalyst_bot.features import indicators
from catalyst_bot.features.market import market_features
from catalyst_bot.features.window import BarWindow, bar_window
from catalyst_bot.signals.regime import regime_of

RVOL_BARS = 3  # a quarter of an hour of 5-minute bars


@dataclass(frozen=True)  # without slots: what was measured is kept in the instance
class Measures:
    """Indicators of one window, each computed when it is first asked for; see `indicators`."""

    window: BarWindow
    atr_length: int

    def __len__(self) -> int:
        return len(self.window)

    @cached_property
    def atr(self) -> float:
        """ATR in price units; needs atr_length + 1 bars."""
        return indicators.average_true_range(self.window, self.atr_length)

    @cached_property
    def atr_average(self) -> float:
        """What ATR is held against, in price units."""
        return indicators.mean_true_range(self.window)

    @cached_property
    def rvol(self) -> float:
        """Volume of the last quarter of an hour over its usual at that time of day."""
        return indicators.relative_volume(self.window, RVOL_BARS)

    @cached_property
    def vwap(self) -> float:
        """Volume-weighted average price of the session, in price units."""
        return indicators.vwap(self.window)

    @cached_property
    def volatility(self) -> float:
        """Realised volatility as a fraction per bar."""
        return indicators.realised_volatility(self.window)

    @cached_property
    def trend(self) -> float:
        """Distance of the last close from the mean close, as a fraction; needs a bar."""
        return indicators.distance_from_mean(self.window)


@dataclass(frozen=True, kw_only=True)  # without slots: what was measured is kept in the instance
class MeasuredView:
    """The windows of a view, without bars that closed after its `as_of`."""

    view: MarketView
    symbol: Measures
    benchmark: Measures

    @cached_property
    def market(self) -> tuple[float, ...]:
        """The market features, in the order of `features/spec.py`."""
        return market_features(
            self.symbol.window,
            self.benchmark.window,
            bar_interval_s=self.view.bar_interval_s,
        )

    @cached_property
    def regime(self) -> Regime:
        """The regime that the benchmark is in."""
        return regime_of(self.market)


def measured(view: MarketView, *, atr_length: int) -> MeasuredView:
    """Make a view ready to be measured. Raises `BadData` on a value that is not finite."""
    return MeasuredView(
        view=view,
        symbol=Measures(_closed_by(view.bars, view.as_of), atr_length),
        benchmark=Measures(_closed_by(view.benchmark_bars, view.as_of), atr_length),
    )


def _closed_by(bars: BarSeries, at: datetime) -> BarWindow:
    window, at_s = bar_window(bars), at.timestamp()
    if not len(window) or window.closed_at[-1] <= at_s:
        return window
    count = int(np.searchsorted(window.closed_at, at_s, side="right"))
    return BarWindow(*(getattr(window, column.name)[:count] for column in fields(BarWindow)))
