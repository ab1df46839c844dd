"""The market features at every bar of a history: the functions of one decision, compiled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from catalyst_bot.features import kernels
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow, closes_of, columns_of
from catalyst_bot.history.compiled import compiled
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import DAY_S

Features = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def market_matrix(window: BarWindow, benchmark: BarWindow, *, bar_interval_s: int) -> Features:
    """Return a row of market features at the close of every bar, as `market_features` gives them.

    At each bar the benchmark is known as far as it had closed. Raises `ConfigError` without numba.
    """
    has_nights = bar_interval_s >= DAY_S
    rows = np.empty((len(window), len(MARKET)))
    known = np.searchsorted(benchmark.closed_at, window.closed_at, side="right")
    compiled(kernels)["write_rows"](
        columns_of(window, has_nights=has_nights),
        closes_of(benchmark, has_nights=has_nights),
        known.astype(np.int64),
        rows,
    )
    return rows


def panel_features(
    panel: Panel, *, workers: int = 2
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the market features of every bar of a history, on adjusted prices.

    As 32-bit numbers, as networks take them. Raises `ConfigError` without numba.
    """
    benchmark = panel.adjusted(panel.card.benchmark)
    features = np.empty((panel.card.rows, len(MARKET)), dtype=np.float32)
    compiled(kernels)  # before the threads: they share what is compiled

    def fill(symbol: str) -> None:
        span = panel.span(symbol)
        features[span.first_row : span.first_row + span.rows] = market_matrix(
            panel.adjusted(symbol), benchmark, bar_interval_s=panel.card.interval_s
        )

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fill, panel.symbols))
    return features
