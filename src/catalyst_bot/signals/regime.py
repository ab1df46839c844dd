"""Market regime from the benchmark's bars."""

from __future__ import annotations

from catalyst_bot.domain.enums import Regime
from catalyst_bot.features.indicators import realised_volatility
from catalyst_bot.features.window import BarWindow

TREND_FRACTION = 0.005  # distance from the window's mean close that counts as a trend
STRESS_RATIO = 2.5  # recent volatility over the window's that counts as stress
RECENT_BARS = 12
MIN_BARS = 30


def regime_of(benchmark: BarWindow) -> Regime:
    """Return the regime: stressed by a burst of volatility, else by distance from the mean close.

    Too short a window is neutral: nothing is claimed without data.
    """
    if len(benchmark) < MIN_BARS:
        return Regime.NEUTRAL
    recent = BarWindow(
        *(getattr(benchmark, name)[-RECENT_BARS:] for name in BarWindow.__dataclass_fields__)
    )
    usual = realised_volatility(benchmark)
    if usual > 0 and realised_volatility(recent) > STRESS_RATIO * usual:
        return Regime.STRESSED
    distance = float(benchmark.close[-1] / benchmark.close.mean() - 1.0)
    if distance > TREND_FRACTION:
        return Regime.BULL
    return Regime.BEAR if distance < -TREND_FRACTION else Regime.NEUTRAL
