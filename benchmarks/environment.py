"""Steps a second of the environment through the interface of Stable-Baselines3, on one core.

A step of ours is a question: often several bars of an account with costs, stops, breakers and 33
features. A step of the peer is a bar of two numbers, without any of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.line import Line, median_of, skipped
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import Panel
from catalyst_bot.settings import Settings
from tests.panels import Case, panel_of

SYMBOLS, BARS, APART = 200, 2_500, 40
ACCOUNTS = (64, 256)
STEPS = 100_000
TARGET_PER_S = 5_000_000
PEER_BARS = 2_000


def lines() -> list[Line]:
    """Measure ours for some numbers of accounts, the peer beside them where it is installed."""
    job = "environment, {} accounts"
    try:
        from catalyst_bot.ml.env.vec_env import CatalystVecEnv  # noqa: PLC0415  # extras
        from catalyst_bot.ml.terms import terms_of  # noqa: PLC0415

        tape, sessions, normalisation = market()
    except (ImportError, ConfigError) as error:
        return [skipped(job.format(ACCOUNTS[0]), str(error))]
    peer = _peer()
    return [
        Line(
            job=job.format(count),
            unit="steps/s",
            value=_per_second(
                CatalystVecEnv(
                    tape,
                    terms_of(Settings()),
                    sessions=sessions,
                    n_envs=count,
                    seed=1,
                    normalisation=normalisation,
                )
            ),
            target=TARGET_PER_S,
            peer=peer,
            note=f"{SYMBOLS} symbols x {BARS:,} bars, random actions",
        )
        for count in ACCOUNTS
    ]


def market() -> tuple[Any, range, Any]:
    """Return a drawn market as a tape, the sessions played, and their normalisation."""
    from catalyst_bot.ml.env.fitting import fit_on  # noqa: PLC0415  # extras
    from catalyst_bot.ml.tape import tape_of  # noqa: PLC0415

    sessions = range(50, BARS)
    tape = tape_of(drawn_panel(), atr_length=Settings().stops.atr_length)
    return tape, sessions, fit_on(tape, sessions)


def drawn_panel() -> Panel:
    """Return random walks of all symbols with a case now and then."""
    symbols = [f"S{number:03}" for number in range(SYMBOLS)]
    cases = [
        Case(symbol=symbol, bar=bar, bars=6)
        for place, symbol in enumerate(symbols)
        for bar in range(60 + place % APART, BARS - 60, APART)
    ]
    return panel_of(cases, symbols=symbols, count=BARS)


def _per_second(env: object) -> float:
    """Steps of all accounts a second, with random actions; `env` is a `VecEnv`."""
    step: Callable[[object], object] = env.step  # type: ignore[attr-defined]
    count: int = env.num_envs  # type: ignore[attr-defined]
    env.reset()  # type: ignore[attr-defined]
    rounds = STEPS // count
    actions = np.random.default_rng(1).uniform(-1, 1, (64, count, 1)).astype(np.float32)
    for each in actions:
        step(each)

    def measure() -> float:
        start = time.perf_counter()
        for number in range(rounds):
            step(actions[number % 64])
        return rounds * count / (time.perf_counter() - start)

    return median_of(measure, rounds=7)


def _peer() -> str:
    """The fastest peer that we found (2026), measured where somebody installed it."""
    try:
        from gym_anytrading.datasets import STOCKS_GOOGL  # noqa: PLC0415  # no extra of ours
        from gym_anytrading.envs import StocksEnv  # noqa: PLC0415
    except ImportError:
        return "gym-anytrading, single: about 295,000 (pip install gym-anytrading measures it)"
    env = StocksEnv(df=STOCKS_GOOGL, frame_bound=(10, PEER_BARS), window_size=10)

    def measure() -> float:
        env.reset()
        start, steps, is_over = time.perf_counter(), 0, False
        while not is_over:
            *_, terminated, truncated, _ = env.step(steps % 2)
            is_over = terminated or truncated
            steps += 1
        return steps / (time.perf_counter() - start)

    return f"gym-anytrading, single: {median_of(measure, rounds=7):,.0f}"
