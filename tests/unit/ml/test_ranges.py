"""Average true ranges of a whole history: at each bar what its window alone would say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.features import indicators
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.window import BarWindow
from catalyst_bot.ml.ranges import write_average_ranges
from tests.windows import random_window


def of_all_bars(ranges: Floats, length: int, window: int) -> tuple[Floats, Floats]:
    atr, average = np.zeros(len(ranges) + 1), np.zeros(len(ranges) + 1)
    write_average_ranges(ranges, length, window, atr, average)
    return atr, average


def seen_at(window: BarWindow, bar: int, count: int) -> BarWindow:
    rows = slice(max(bar + 1 - count, 0), bar + 1)
    return BarWindow(*(getattr(window, name)[rows] for name in BarWindow.__dataclass_fields__))


@given(st.integers(0, 99), st.integers(2, 60), st.integers(1, 30), st.integers(2, 40))
def test_every_bar_has_what_its_window_says(seed: int, bars: int, length: int, window: int) -> None:
    history = random_window(seed, bars)
    atr, average = of_all_bars(history.true_range, length, window)
    for bar in range(bars):
        seen = seen_at(history, bar, window)
        if len(seen) <= length:
            assert np.isnan(atr[bar])
            assert np.isnan(average[bar])
            continue
        wilder = indicators.average_true_range(seen, length)
        assert atr[bar] == pytest.approx(wilder, rel=1e-12)
        assert average[bar] == pytest.approx(indicators.mean_true_range(seen), rel=1e-12)


def test_prices_that_fell_a_millionfold_leave_no_trace() -> None:
    ranges = np.concatenate([np.full(500, 1e6), np.full(1_500, 0.1)])
    ranges *= np.random.default_rng(0).uniform(0.5, 1.5, len(ranges))
    atr, average = of_all_bars(ranges, 14, 400)
    for bar in range(900, 2_001):
        assert average[bar] == pytest.approx(ranges[bar - 399 : bar].mean(), rel=1e-12)
    assert atr[-1] < 0.15
