"""Compiled over a history, the features have the bits of one decision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.features import kernels
from catalyst_bot.features.market import DAY_S, market_features
from catalyst_bot.features.spec import BENCHMARK_WINDOW, MARKET
from catalyst_bot.features.window import BarWindow
from catalyst_bot.ports.market_data import VIEW_BARS
from tests.windows import random_window

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")

from catalyst_bot.history import compiled as compilation
from catalyst_bot.history.batch import market_matrix
from catalyst_bot.history.compiled import compiled
from catalyst_bot.ml.kernels import likeness

LENGTH = 600


def until(window: BarWindow, end: int, count: int) -> BarWindow:
    names = BarWindow.__dataclass_fields__
    return BarWindow(*(getattr(window, name)[max(0, end - count) : end] for name in names))


def without(window: BarWindow, kept: np.ndarray) -> BarWindow:
    return BarWindow(*(getattr(window, name)[kept] for name in BarWindow.__dataclass_fields__))


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([300, DAY_S]),
    st.booleans(),
    st.sampled_from([0.97, 0.5]),  # half of the bars: its window is longer than the benchmark's
)
def test_batch_equals_live_bit_for_bit(
    seed: int, interval_s: int, is_coarse: bool, traded: float
) -> None:
    rng = np.random.default_rng(seed)
    window, benchmark = (
        without(
            random_window(seed + k, LENGTH, interval_s=interval_s, is_coarse=is_coarse),
            rng.random(LENGTH) < kept,  # each misses bars that the other has
        )
        for k, kept in ((0, traded), (1, 0.97))
    )
    rows = market_matrix(window, benchmark, bar_interval_s=interval_s)
    for end in rng.integers(1, len(window) + 1, 60).tolist():
        known = int(np.searchsorted(benchmark.closed_at, window.closed_at[end - 1], side="right"))
        live = market_features(
            until(window, end, VIEW_BARS),
            until(benchmark, known, BENCHMARK_WINDOW),
            bar_interval_s=interval_s,
        )
        assert np.array(live).tobytes() == rows[end - 1].tobytes()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, LENGTH - 1))
def test_no_later_bar_moves_a_bit(seed: int, cut: int) -> None:
    window, benchmark = random_window(seed, LENGTH), random_window(seed + 1, LENGTH)
    before = market_matrix(window, benchmark, bar_interval_s=DAY_S)
    for each in (window, benchmark):
        for name in ("open", "high", "low", "close", "volume"):
            getattr(each, name)[cut:] *= 1.5
    after = market_matrix(window, benchmark, bar_interval_s=DAY_S)
    assert before[:cut].tobytes() == after[:cut].tobytes()
    assert before[cut:].tobytes() != after[cut:].tobytes()


def test_machine_code_is_not_kept_for_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is imported is not in the module's text, but it is in its machine code."""
    before = compiled(likeness)["likeness"].py_func.__qualname__
    monkeypatch.setattr(likeness, "MIN_COMMON_BARS", likeness.MIN_COMMON_BARS + 1)
    monkeypatch.setattr(compilation, "_version", compilation._version.__wrapped__)
    assert compiled.__wrapped__(likeness)["likeness"].py_func.__qualname__ != before


def test_every_function_of_the_kernels_is_compiled() -> None:
    names = compiled(kernels)
    assert all(hasattr(names[f], "py_func") for f in ("write_rows", "measure", "regime", "beta"))
    assert names["account_features"](50.0, 25.0, 10.0, 100.0) == (0.5, 0.25, 0.1)
    assert not hasattr(kernels.write_rows, "py_func"), "the trading process runs plain functions"
    assert len(MARKET) == 20
