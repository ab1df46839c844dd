"""What kind of market a session falls in, by what was known of the benchmark the evening before."""

from __future__ import annotations

import numpy as np

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Panel

BULL, BEAR, SIDEWAYS, CRISIS = "bull", "bear", "sideways", "crisis"
_MEAN_DAYS, _LEAST_DAYS = 200, 60
_CALM_DAYS = 20
_AWAY = 0.02  # of the mean: nearer is neither up nor down
# Annual. From 2008 to 2021 SPY was above it in 2008-09, 2010, 2011, 2015 and 2020 only, in 2010 and
# 2015 for a week.
_CRISIS_VOLATILITY = 0.32
_YEAR = 252


def regimes_of(panel: Panel, sessions: range) -> tuple[str, ...]:
    """Return the word of each session: crisis (twenty days of wild moves), else bull or bear (far
    from the mean of two hundred days), else sideways; also where too little was known.
    """
    _sessions, close = panel.session_closes(panel.card.benchmark)
    return regimes_of_closes(close)[sessions.start : sessions.stop]


def regimes_of_closes(close: Floats) -> tuple[str, ...]:
    """Return the word of each session of a series of adjusted closes."""
    return tuple(_word(close[max(day - _MEAN_DAYS, 0) : day]) for day in range(len(close)))


def _word(known: Floats) -> str:
    if len(known) < _LEAST_DAYS:
        return SIDEWAYS
    last = known[-_CALM_DAYS - 1 :]
    moves = last[1:] / last[:-1] - 1
    if moves.std(ddof=1) * np.sqrt(_YEAR) > _CRISIS_VOLATILITY:
        return CRISIS
    away = known[-1] / known.mean() - 1
    if abs(away) <= _AWAY:
        return SIDEWAYS
    return BULL if away > 0 else BEAR
