"""Prices and volumes of the generated market: a random walk with known news effects on top.

The walk is drawn before any effect is added, so the same seed with and without effects differs by
exactly the effects. What is realistic: a market factor, fat tails, nights, busy opens and closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.calendar import Session
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.invented_companies import BENCHMARK, COMPANIES, Company, Sector
from catalyst_bot.market_data.session_times import to_seconds

Array = NDArray[np.float64]

INTERVAL_S = 300
HALF_LIFE_MINUTES = 60.0  # half of a drift is over after this much session time
_BAR_MINUTES = 5
_DAY_MINUTES = 390
_DAY_POINTS = _DAY_MINUTES + 1  # a price at the open, then one at the end of each minute
_DAY_BARS = _DAY_MINUTES // _BAR_MINUTES
_MARKET_DAILY_VOLATILITY = 0.009
_NIGHT_SHARE = 0.5  # a night's volatility, relative to the session's
_TAIL_FREEDOM = 5  # degrees of freedom of Student's t: fat tails, finite variance
_VOLUME_NOISE = 0.45
_BURST_PER_EFFECT = 75.0  # an 8 % effect multiplies volume by 7 at first
_MAX_BURST = 9.0
_DAILY_VOLATILITY = {
    Sector.BIOTECH: 0.038,
    Sector.DEVICES: 0.028,
    Sector.SOFTWARE: 0.027,
    Sector.CHIPS: 0.026,
    Sector.AEROSPACE: 0.024,
    Sector.RESOURCES: 0.032,
    Sector.CONSUMER: 0.021,
    Sector.INDUSTRY: 0.018,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """What news does to a price: `effect` is the final log return, `gap_share` of it at once.

    The rest drifts in from `starts_at` with `HALF_LIFE_MINUTES`. Out of session it starts at the
    next open.
    """

    symbol: str
    starts_at: datetime
    effect: float
    gap_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingPause:
    """No trading in a symbol, and so no bars, in [starts_at, ends_at)."""

    symbol: str
    starts_at: datetime
    ends_at: datetime


def generate_bars(
    rng: np.random.Generator,
    sessions: Sequence[Session],
    *,
    shocks: Sequence[Shock],
    pauses: Sequence[TradingPause],
) -> BarStore:
    """Draw five-minute bars of full sessions for every company and the benchmark."""
    companies = (BENCHMARK, *COMPANIES)
    levels = _walk(rng, companies, days=len(sessions))
    volumes = _volumes(rng, companies, days=len(sessions))
    for shock in shocks:
        row = next(n for n, company in enumerate(companies) if company.symbol == shock.symbol)
        day, minute = _session_minute(sessions, shock.starts_at)
        levels[row] += _drift(levels[row].shape, shock, day=day, minute=minute)
        volumes[row] *= _burst(volumes[row].shape, shock, day=day, minute=minute)
    opened_s = np.concatenate([_bar_opens(session) for session in sessions])
    bars = {}
    for row, company in enumerate(companies):
        prices = company.price * np.exp(levels[row])
        columns = _columns(prices, volumes[row], opened_s)
        bars[company.symbol] = _without(
            columns, [pause for pause in pauses if pause.symbol == company.symbol]
        )
    return BarStore(bars, interval_s=INTERVAL_S)


def _walk(rng: np.random.Generator, companies: Sequence[Company], *, days: int) -> Array:
    """Log prices relative to the start: (company, day, point); row 0 is the market itself."""
    profile = _volatility_profile()
    market = _MARKET_DAILY_VOLATILITY * profile * rng.standard_normal((days, _DAY_POINTS))
    tails = rng.standard_t(_TAIL_FREEDOM, (len(companies), days, _DAY_POINTS))
    tails *= np.sqrt((_TAIL_FREEDOM - 2) / _TAIL_FREEDOM)
    own = np.array([_DAILY_VOLATILITY[company.sector] for company in companies])
    beta = rng.uniform(0.7, 1.5, len(companies))
    own[0], beta[0] = 0.0, 1.0
    steps = beta[:, None, None] * market + own[:, None, None] * profile * tails
    return steps.reshape(len(companies), -1).cumsum(axis=1).reshape(steps.shape)


def _volatility_profile() -> Array:
    """Share of a day's volatility per step: the night first, then minutes, busiest at the ends."""
    minutes = np.arange(_DAY_MINUTES)
    shape = 1.0 + 1.2 * np.exp(-minutes / 30) + 0.3 * np.exp(-minutes[::-1] / 30)
    shape /= np.sqrt((shape**2).sum())
    return np.concatenate([[_NIGHT_SHARE], shape])


def _volumes(rng: np.random.Generator, companies: Sequence[Company], *, days: int) -> Array:
    """Shares per bar: (company, day, bar), with the U shape of a day."""
    bars = np.arange(_DAY_BARS)
    shape = 1.0 + 2.6 * np.exp(-bars / 5) + 1.8 * np.exp(-bars[::-1] / 4)
    shape /= shape.mean()
    shares = np.array([company.bar_usd / company.price for company in companies])
    day_noise = rng.lognormal(0.0, 0.2, (len(companies), days, 1))
    bar_noise = rng.lognormal(0.0, _VOLUME_NOISE, (len(companies), days, _DAY_BARS))
    return shares[:, None, None] * shape * day_noise * bar_noise


def _session_minute(sessions: Sequence[Session], at: datetime) -> tuple[int, float]:
    """Return day and minute of the session open at `at`, or the start of the next one."""
    for day, session in enumerate(sessions):
        if at < session.closes_at:
            return day, max(0.0, (at - session.opens_at).total_seconds() / 60)
    return len(sessions), 0.0


def _drift(shape: tuple[int, ...], shock: Shock, *, day: int, minute: float) -> Array:
    """Log return added to every point of one company."""
    days, points = shape
    day_of, minute_of = np.divmod(np.arange(days * points), points)
    elapsed = (day_of - day) * _DAY_MINUTES + minute_of - minute
    # The close of a day and the next open have the same session time, but not the same day.
    has_begun = ((day_of > day) | ((day_of == day) & (minute_of >= minute))).astype(float)
    drifted = 1.0 - 0.5 ** (elapsed.clip(min=0.0) / HALF_LIFE_MINUTES)
    total = shock.effect * (shock.gap_share + (1.0 - shock.gap_share) * drifted) * has_begun
    return np.asarray(total.reshape(shape))


def _burst(shape: tuple[int, ...], shock: Shock, *, day: int, minute: float) -> Array:
    """Factor on the volume of every bar of one company: news brings traders for a while."""
    days, bars = shape
    elapsed = np.arange(days * bars) * _BAR_MINUTES - (day * _DAY_MINUTES + minute)
    has_begun = (elapsed > -_BAR_MINUTES).astype(float)
    excess = min(_MAX_BURST, _BURST_PER_EFFECT * abs(shock.effect))
    fading = 0.5 ** (elapsed.clip(min=0.0) / HALF_LIFE_MINUTES)
    return np.asarray((1.0 + excess * fading * has_begun).reshape(shape))


def _bar_opens(session: Session) -> NDArray[np.int64]:
    opens_s = to_seconds(session.opens_at)
    return opens_s + INTERVAL_S * np.arange(_DAY_BARS, dtype=np.int64)


def _columns(prices: Array, volumes: Array, opened_s: NDArray[np.int64]) -> BarColumns:
    """Cut the points of each day into bars: a bar begins where the one before it ended."""
    points = np.arange(_DAY_BARS)[:, None] * _BAR_MINUTES + np.arange(_BAR_MINUTES + 1)
    path = np.round(prices[:, points].reshape(-1, _BAR_MINUTES + 1), 2)
    return BarColumns(
        opened_s=opened_s,
        closed_s=opened_s + INTERVAL_S,
        open=path[:, 0].copy(),
        high=path.max(axis=1),
        low=path.min(axis=1),
        close=path[:, -1].copy(),
        volume=np.round(volumes.reshape(-1)),
    )


def _without(bars: BarColumns, pauses: Sequence[TradingPause]) -> BarColumns:
    kept = np.ones(len(bars.opened_s), dtype=np.bool_)
    for pause in pauses:
        starts_s, ends_s = to_seconds(pause.starts_at), to_seconds(pause.ends_at)
        kept &= (bars.opened_s < starts_s) | (bars.opened_s >= ends_s)
    return BarColumns(
        opened_s=bars.opened_s[kept],
        closed_s=bars.closed_s[kept],
        open=bars.open[kept],
        high=bars.high[kept],
        low=bars.low[kept],
        close=bars.close[kept],
        volume=bars.volume[kept],
    )
