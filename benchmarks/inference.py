"""One decision of a trained ensemble: the vote alone, and with the features it is asked on.

The peer is what the agents were trained with: Stable-Baselines3's own `predict`, one call per
agent, on networks of the same shape.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from benchmarks.line import Line, quantile
from catalyst_bot.domain.market import DAY_S, Bar, MarketView, series_of
from catalyst_bot.domain.trading import Observation
from catalyst_bot.engine.voting import tally
from catalyst_bot.features.observation import build
from catalyst_bot.features.spec import FEATURES, NAMES, SPEC_HASH
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.network import Network, network_of
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS
from catalyst_bot.signals.measures import measured
from tests.builders import NOON, account, bar, quote, signal
from tests.models import agent, model

AGENTS, WIDTH, HIDDEN, CALLS, WARM_UP = 3, len(FEATURES), 64, 2_000, 200
SHAPE = f"{AGENTS} agents of {WIDTH}-{HIDDEN}-{HIDDEN}-1"


def lines() -> list[Line]:
    """Measure both; the numbers are the slowest of a hundred calls."""
    policy = EnsemblePolicy(
        model(
            *(
                replace(agent(f"ppo-{seed}", seed=seed), network=_network(seed))
                for seed in range(AGENTS)
            )
        )
    )
    seen = Observation(
        spec_hash=SPEC_HASH,
        bar_interval_s=DAY_S,
        names=NAMES,
        values=tuple(np.random.default_rng(0).normal(size=WIDTH).tolist()),
        as_of=NOON,
    )
    view, formed, books = _view(), signal(bar_interval_s=DAY_S), account()

    def decide() -> None:
        market = measured(view, atr_length=14).market
        tally(policy.act(build(replace(formed, market=market), books, None, NOON)))

    return [
        Line(
            job="ensemble vote, p99",
            unit="us",
            value=_p99_us(lambda: tally(policy.act(seen))),
            target=100.0,
            is_less_better=True,
            peer=_peer(seen),
            note=SHAPE,
        ),
        Line(
            job="observation and vote, p99",
            unit="us",
            value=_p99_us(decide),
            target=1_000.0,
            is_less_better=True,
            note=f"{VIEW_BARS} bars, {BENCHMARK_VIEW_BARS} of the benchmark",
        ),
    ]


def _p99_us(call: Callable[[], object]) -> float:
    taken_us = []
    for _ in range(WARM_UP + CALLS):
        started = time.perf_counter()
        call()
        taken_us.append((time.perf_counter() - started) * 1e6)
    return quantile(taken_us[WARM_UP:], 0.99)


def _network(seed: int) -> Network:
    draw = np.random.default_rng(seed)
    sizes = (WIDTH, HIDDEN, HIDDEN, 1)
    layers = [
        (draw.normal(0, 0.2, (out, width)), draw.normal(0, 0.1, out))
        for width, out in pairwise(sizes)
    ]
    return network_of(layers, activation="tanh", squash="clip")


def _peer(seen: Observation) -> str:
    try:
        import torch  # noqa: PLC0415  # the extra `ml`
        from gymnasium.spaces import Box  # noqa: PLC0415
        from stable_baselines3.common.policies import ActorCriticPolicy  # noqa: PLC0415
    except ImportError:
        return "Stable-Baselines3: not installed"
    torch.set_num_threads(1)
    inputs, wishes = Box(-5.0, 5.0, (WIDTH,), np.float32), Box(-1.0, 1.0, (1,), np.float32)
    policies = [ActorCriticPolicy(inputs, wishes, lambda _: 0.0) for _ in range(AGENTS)]
    features = np.array(seen.values, np.float32)

    def predict() -> None:
        for policy in policies:
            policy.predict(features, deterministic=True)

    return f"Stable-Baselines3 predict: {_p99_us(predict):,.0f} us"


def _view() -> MarketView:
    draw = np.random.default_rng(3)
    closes = 100.0 * np.exp(np.cumsum(draw.normal(0, 0.01, VIEW_BARS)))
    step_s = float(DAY_S)
    first = NOON.timestamp() - VIEW_BARS * step_s

    def series(symbol: str, count: int) -> list[Bar]:
        return [
            bar(
                symbol,
                opened_at=datetime.fromtimestamp(first + n * step_s, UTC),
                closed_at=datetime.fromtimestamp(first + n * step_s + 23_400.0, UTC),
                open=float(close),
                high=float(close) * 1.01,
                low=float(close) * 0.99,
                close=float(close),
            )
            for n, close in enumerate(closes[:count])
        ]

    return MarketView(
        symbol="ACME",
        as_of=NOON,
        bar_interval_s=DAY_S,
        bars=series_of("ACME", series("ACME", VIEW_BARS)),
        benchmark_bars=series_of("SPY", series("SPY", BENCHMARK_VIEW_BARS)),
        quote=quote(at=NOON),
    )
