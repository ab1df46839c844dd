"""The sweep by vectorbt 1.2.0, in an environment of its own: `PYTHON benchmarks/sweep_peer.py`.

A parameter set is a stop, a target and a size; its twenty symbols share their cash.
"""

from __future__ import annotations

import json
import resource
import time
from itertools import product

import numpy as np
import vectorbt as vbt
from sweep_market import BARS, SIZES, STOPS, SYMBOLS, TARGETS, entries, prices


def run(stops, targets, sizes):  # untyped, as the peer is
    """Return the seconds until the total return is known, and until four measures are."""
    sets = np.array(list(product(stops, targets, sizes)))
    wanted = np.zeros((BARS, SYMBOLS), dtype=bool)
    for symbol, bars in enumerate(entries()):
        wanted[bars, symbol] = True
    open_, high, low, close, _ = (np.tile(each, (1, len(sets))) for each in prices())
    wide = np.tile(wanted, (1, len(sets)))
    each = np.repeat(sets, SYMBOLS, axis=0)
    started = time.perf_counter()
    portfolio = vbt.Portfolio.from_signals(
        close,
        wide,
        np.zeros_like(wide),
        open=open_,
        high=high,
        low=low,
        sl_stop=each[:, 0],
        tp_stop=each[:, 1],
        size=np.tile(each[:, 2], (BARS, 1)),
        size_type="percent",
        fees=0.001,
        slippage=0.001,
        group_by=np.repeat(np.arange(len(sets)), SYMBOLS),
        cash_sharing=True,
        init_cash=100_000,
        freq="1D",
    )
    portfolio.total_return()
    first = time.perf_counter() - started
    portfolio.sharpe_ratio()
    portfolio.max_drawdown()
    portfolio.trades.win_rate()
    return first, time.perf_counter() - started


run(STOPS[:2], TARGETS[:2], SIZES[:2])  # compile
returns_s, measures_s = run(STOPS, TARGETS, SIZES)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
print(json.dumps({"returns_s": returns_s, "measures_s": measures_s, "peak_mb": peak_mb}))
