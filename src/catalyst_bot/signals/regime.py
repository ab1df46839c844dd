"""Market regime from the benchmark's bars."""

from __future__ import annotations

from catalyst_bot.domain.enums import Regime
from catalyst_bot.features.indicators import realised_volatility
from catalyst_bot.features.window import BarWindow

TREND_FRACTION = 0.005  # distance from the window's mean close that counts as a trend
STRESS_RATIO = 2.5  # recent volatility over the window's that counts as stress
RECENT_BARS = 12
MIN_BARS = 30


def regime_of(benchmark: BarWindow, *, usual_volatility: float) -> Regime:
    """Return the regime: stressed by a burst of volatility, else by distance from the mean close.

    `usual_volatility` is that of the whole window, per bar. Too short a window is neutral: nothing
    is claimed without data.
    """
    if len(benchmark) < MIN_BARS:
        return Regime.NEUTRAL
    recent = BarWindow(
        *(getattr(benchmark, name)[-RECENT_BARS:] for name in BarWindow.__dataclass_fields__)
    )
    is_burst = realised_volatility(recent) > STRESS_RATIO * usual_volatility
    if usual_volatility > 0 and is_burst:
        return Regime.STRESSED
    distance = trend(benchmark)
    if distance > TREND_FRACTION:
        return Regime.BULL
    return Regime.BEAR if distance < -TREND_FRACTION else Regime.NEUTRAL


def trend(window: BarWindow) -> float:
    """Distance of the last close from the mean close, as a fraction."""
    return float(window.close[-1] / window.close.mean() - 1.0)
