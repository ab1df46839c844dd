"""The context of a signal: numbers around it, each with source, time and a neutral value.

They are shown and recorded, and change no decision: what gates go by is in `gates.py`, what the
policy sees in `features/spec.py`. Nothing later than the view's `as_of` is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from catalyst_bot.domain.enums import Regime
from catalyst_bot.domain.trading import ContextFactor
from catalyst_bot.features import indicators
from catalyst_bot.features.window import SESSION_GAP_S, BarWindow
from catalyst_bot.signals.measures import MeasuredView, Measures
from catalyst_bot.signals.reference import ReferenceRow, figure
from catalyst_bot.signals.regime import MIN_BARS
from catalyst_bot.signals.state import InsiderNote

INSIDER_DAYS = 30
_SECONDS_A_YEAR = 252 * 6.5 * 3600.0  # of sessions: volatility is said per year, as VIX is
_NERVOUS, _STRESSED = 20.0, 30.0  # percent a year; as VIX is commonly read
_PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was known at `as_of`: bars of the symbol and the benchmark, reference, insiders."""

    as_of: datetime
    bar_interval_s: int
    symbol: Measures
    benchmark: Measures
    regime: Regime
    reference: tuple[ReferenceRow, ...]
    insiders: tuple[InsiderNote, ...]


class Measured(NamedTuple):
    """A value with the time it is of."""

    value: float
    as_of: datetime
    note: str = ""


class Factor(NamedTuple):
    """A row of the table: how a factor is measured, and what stands where it cannot be."""

    name: str
    unit: str
    neutral: float
    source: str
    measure: Callable[[Seen], Measured | None]


def seen_at(
    measured: MeasuredView,
    *,
    reference: Iterable[ReferenceRow] = (),
    insiders: Iterable[InsiderNote] = (),
) -> Seen:
    """Take from a view, a reference table and insiders' filings what was known at its `as_of`."""
    view = measured.view
    since = view.as_of - timedelta(days=INSIDER_DAYS)
    return Seen(
        as_of=view.as_of,
        bar_interval_s=view.bar_interval_s,
        symbol=measured.symbol,
        benchmark=measured.benchmark,
        regime=measured.regime,
        reference=tuple(reference),
        insiders=tuple(note for note in insiders if since < note.at <= view.as_of),
    )


def context_of(seen: Seen) -> tuple[ContextFactor, ...]:
    """Return every factor of the table; one that is unknown stands at its neutral value."""
    return tuple(_factor(factor, seen) for factor in FACTORS)


def _factor(factor: Factor, seen: Seen) -> ContextFactor:
    measured = factor.measure(seen)
    is_known = measured is not None and math.isfinite(measured.value)
    shown = measured if measured is not None and is_known else Measured(factor.neutral, seen.as_of)
    return ContextFactor(
        name=factor.name,
        value=shown.value,
        unit=factor.unit,
        source=factor.source,
        as_of=shown.as_of,
        is_known=is_known,
        note=shown.note,
    )


def _end_of(window: BarWindow, row: int = -1) -> datetime:
    return datetime.fromtimestamp(float(window.closed_at[row]), UTC)


def _rvol(seen: Seen) -> Measured | None:
    window = seen.symbol.window
    if not len(window) or window.session_start == 0:
        return None  # no earlier session to compare the time of day with
    return Measured(seen.symbol.rvol, _end_of(window))


def _vwap_distance(seen: Seen) -> Measured | None:
    window = seen.symbol.window
    if not len(window):
        return None
    distance = float(window.close[-1]) / seen.symbol.vwap - 1.0
    return Measured(distance * indicators.BPS, _end_of(window))


def _atr(seen: Seen) -> Measured | None:
    window = seen.symbol.window
    if len(window) <= seen.symbol.atr_length:
        return None
    atr_fraction = seen.symbol.atr / float(window.close[-1])
    return Measured(atr_fraction * indicators.BPS, _end_of(window))


def _gap(seen: Seen) -> Measured | None:
    """The open of the session that is on against the last close of the one before."""
    window = seen.symbol.window
    start = window.session_start if len(window) else 0
    if start == 0 or seen.as_of.timestamp() - window.closed_at[-1] > SESSION_GAP_S:
        return None
    gap = float(window.open[start]) / float(window.close[start - 1]) - 1.0
    return Measured(gap * indicators.BPS, _end_of(window, start))


def _insiders(seen: Seen) -> Measured | None:
    """How many filings said that insiders bought, less those that said they sold."""
    if not seen.insiders:
        return None
    net = sum(note.sign for note in seen.insiders)
    newest = max(note.at for note in seen.insiders)
    return Measured(float(net), newest, f"{len(seen.insiders)} filings in {INSIDER_DAYS} days")


def _volatility(seen: Seen) -> Measured | None:
    """What VIX is read for, measured from the benchmark's own bars."""
    if len(seen.benchmark) < MIN_BARS:
        return None
    per_bar = seen.benchmark.volatility
    if per_bar <= 0:
        return None
    percent = per_bar * math.sqrt(_SECONDS_A_YEAR / seen.bar_interval_s) * _PERCENT
    word = "calm" if percent < _NERVOUS else "nervous" if percent < _STRESSED else "stressed"
    return Measured(percent, _end_of(seen.benchmark.window), word)


def _trend(seen: Seen) -> Measured | None:
    if len(seen.benchmark) < MIN_BARS:
        return None
    end, regime = _end_of(seen.benchmark.window), str(seen.regime)
    return Measured(seen.benchmark.trend * indicators.BPS, end, regime)


def _from_reference(name: str) -> Callable[[Seen], Measured | None]:
    def measure(seen: Seen) -> Measured | None:
        found = figure(seen.reference, name, seen.as_of)
        if found is None:
            return None
        value, at = found
        if isinstance(value, str):
            return Measured(1.0, at, value)  # words have no number; 1 says that there is one
        return Measured(value, at)

    return measure


_BARS, _BENCHMARK, _FILE, _FILINGS = "bars", "benchmark bars", "reference file", "Form 4 headlines"
FACTORS: tuple[Factor, ...] = (
    Factor("relative_volume", "count", 1.0, _BARS, _rvol),
    Factor("vwap_distance", "bps", 0.0, _BARS, _vwap_distance),
    Factor("atr", "bps", 0.0, _BARS, _atr),
    Factor("gap", "bps", 0.0, _BARS, _gap),
    Factor("float", "shares", 0.0, _FILE, _from_reference("float_shares")),
    Factor("shares_outstanding", "shares", 0.0, _FILE, _from_reference("shares_outstanding")),
    Factor("short_interest", "fraction", 0.0, _FILE, _from_reference("short_interest_fraction")),
    Factor("insiders", "count", 0.0, _FILINGS, _insiders),
    Factor("volatility", "percent", _NERVOUS, _BENCHMARK, _volatility),
    Factor("trend", "bps", 0.0, _BENCHMARK, _trend),
    Factor("sector", "state", 0.0, _FILE, _from_reference("sector")),
)
