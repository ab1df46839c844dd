"""Market regime, as the market features name it by number."""

from __future__ import annotations

from catalyst_bot.domain.enums import Regime
from catalyst_bot.features import kernels
from catalyst_bot.features.spec import MARKET

MIN_BARS = next(feature.needs for feature in MARKET if feature.name == "regime")
_ROW = next(row for row, feature in enumerate(MARKET) if feature.name == "regime")
_REGIMES = {
    kernels.BULL: Regime.BULL,
    kernels.NEUTRAL: Regime.NEUTRAL,
    kernels.BEAR: Regime.BEAR,
    kernels.STRESSED: Regime.STRESSED,
}


def regime_of(market: tuple[float, ...]) -> Regime:
    """Return the regime that the market features say."""
    return _REGIMES[market[_ROW]]
