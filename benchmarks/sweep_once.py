"""The sweep by our kernels, in a process of its own for its memory: `-m benchmarks.sweep_once`."""

from __future__ import annotations

import json
import resource
import time

import numpy as np

from benchmarks.line import median_of
from benchmarks.sweep_market import BARS, SIZES, STOPS, SYMBOLS, TARGETS, entries, prices
from catalyst_bot.features.window import BarWindow
from catalyst_bot.ml.sweep import sweep
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.settings import Settings
from tests.panels import BENCHMARK, Case, panel_of
from tests.windows import DAY_S

WORKERS = 2


def market() -> Tape:
    """The same prices and entries as the peer's."""
    names = tuple(f"S{number:02}" for number in range(SYMBOLS))
    opened_at = 1_300_000_000.0 + np.arange(BARS) * float(DAY_S)
    windows = {
        name: BarWindow(opened_at, opened_at + 23_400.0, *(each[:, number] for each in prices()))
        for number, name in enumerate(names)
    }
    windows[BENCHMARK] = windows[names[0]]
    cases = [
        Case(symbol=name, bar=int(bar), bars=12)
        for name, bars in zip(names, entries(), strict=True)
        for bar in bars
    ]
    panel = panel_of(cases, symbols=names, count=BARS, windows=windows)
    return tape_of(panel, atr_length=Settings().stops.atr_length)


def main() -> None:
    """Print seconds, threads, trades a set and the peak of the memory."""
    tape, terms = market(), terms_of(Settings())
    terms = terms._replace(  # a record of trades that grows changes no size, as at the peer
        prior_trades=10_000.0, max_correlation=1.0, max_drawdown_fraction=1.0, min_sharpe=-10.0
    )
    varied = {
        "max_stop_fraction": STOPS.tolist(),
        "min_take_profit_fraction": TARGETS.tolist(),
        "max_position_fraction": SIZES.tolist(),
    }
    trades = 0.0

    def seconds() -> float:
        nonlocal trades
        started = time.perf_counter()
        trades = float(
            sweep(tape, terms, varied, sessions=range(BARS), workers=WORKERS).trades.mean()
        )
        return time.perf_counter() - started

    seconds()  # compile
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
    print(json.dumps({"seconds": median_of(seconds), "trades": trades, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
