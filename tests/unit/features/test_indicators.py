"""Indicators against TA-Lib and against their own definitions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, series_of
from catalyst_bot.features import indicators
from catalyst_bot.features.window import BarWindow, bar_window
from tests.builders import OPEN, bar


def walk(closes: list[float], *, per_day: int = 1_000, volume: float = 1_000.0) -> list[Bar]:
    """Bars of five minutes through the closes, `per_day` bars a session."""
    bars = []
    for index, close in enumerate(closes):
        day, slot = divmod(index, per_day)
        opened_at = OPEN + timedelta(days=day, minutes=5 * slot)
        before = closes[index - 1] if index else close
        bars.append(
            bar(
                opened_at=opened_at,
                open=before,
                high=max(before, close) * 1.001,
                low=min(before, close) * 0.999,
                close=close,
                volume=volume,
            )
        )
    return bars


def window_of(bars: list[Bar]) -> BarWindow:
    return bar_window(series_of("ACME", bars))


prices = st.lists(st.floats(1.0, 500.0), min_size=20, max_size=80)


@given(prices)
def test_atr_equals_ta_lib(closes: list[float]) -> None:
    window = window_of(walk(closes))
    expected = talib.ATR(window.high, window.low, window.close, timeperiod=14)[-1]
    assert indicators.average_true_range(window, 14) == pytest.approx(expected, abs=1e-9)


def test_atr_needs_one_bar_more_than_its_length() -> None:
    window = window_of(walk([100.0] * 14))
    with pytest.raises(ValueError, match="needs 15 bars"):
        indicators.average_true_range(window, 14)


def test_a_bar_that_is_not_finite_is_refused_by_name() -> None:
    with pytest.raises(BadData, match="ACME"):
        window_of([bar(close=float("nan"))])


def test_session_starts_after_the_night() -> None:
    window = window_of(walk([100.0] * 9, per_day=4))
    assert window.session_start == 8


def test_relative_volume_compares_equal_times_of_day() -> None:
    bars = walk([100.0] * 8, per_day=4, volume=1_000.0)
    loud = [*bars[:7], bar(opened_at=bars[7].opened_at, volume=3_000.0)]
    assert indicators.relative_volume(window_of(bars), 1) == pytest.approx(1.0)
    assert indicators.relative_volume(window_of(loud), 1) == pytest.approx(3.0)


def test_relative_volume_without_history_claims_nothing() -> None:
    assert indicators.relative_volume(window_of(walk([100.0] * 3)), 3) == 1.0


def test_vwap_counts_only_the_last_session() -> None:
    window = window_of(walk([50.0] * 4 + [100.0] * 2, per_day=4))
    last = window.close[4:]
    assert window.low[4:].min() <= indicators.vwap(window) <= window.high[4:].max()
    assert indicators.vwap(window) > 60.0
    assert len(last) == 2


def test_return_since_the_news_starts_at_the_last_known_close() -> None:
    bars = walk([100.0, 100.0, 102.0])
    since = bars[1].closed_at.timestamp()
    assert indicators.return_bps(window_of(bars), since) == pytest.approx(200.0)


@given(prices, st.floats(0.5, 2.0))
def test_nothing_after_the_window_can_matter(closes: list[float], factor: float) -> None:
    bars = walk(closes)
    cut = len(bars) - 3
    changed = [
        *bars[:cut],
        *(bar(opened_at=b.opened_at, close=b.close * factor) for b in bars[cut:]),
    ]
    before, after = window_of(bars[:cut]), window_of(changed[:cut])
    assert np.array_equal(before.close, after.close)
    assert indicators.average_true_range(before, 14) == indicators.average_true_range(after, 14)
