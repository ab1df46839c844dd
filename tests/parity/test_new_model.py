"""One account, another model from a day on: as a walk forward plays its folds, so the bot trades
when it is started again with the next model on the same account.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.modes import mode_row
from catalyst_bot.bootstrap.parts import run_started
from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.domain.messages.facts import SessionOpened
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.news import Worth
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.walk_forward import chain
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.policies.model_files import Model, write_model
from tests.models import agent, model
from tests.parity.both_ways import (
    assert_equal,
    history_of,
    through_the_engine,
    trades_in,
    trades_of,
)
from tests.parity.test_portfolio import START, write_market

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
TAKES_OVER = date(2024, 12, 2)
SETTINGS = """
[stops]
atr_multiple = 2.0
[sizing]
prior_trades = 30
[risk]
max_daily_loss_fraction = 0.05
min_sharpe = -10
[detection]
min_horizon_s = 864000
"""
MODELS = (
    model(
        agent("ppo-0", seed=1, weight=0.5, bias=0.05),
        agent("sac-0", seed=2, bias=0.025, activation="relu", squash="tanh"),
        name="first",
        edges={"fda_approval": Worth(edge_bps=60.0, high_bps=90.9, events=60)},
    ),
    model(
        agent("ppo-0", seed=1, weight=0.8, bias=0.08),
        agent("sac-0", seed=2, bias=0.04, activation="relu", squash="tanh"),
        name="second",
        edges={"contract_win": Worth(edge_bps=-40.0, high_bps=30.1, events=50)},
    ),
)


def take_over(patch: pytest.MonkeyPatch) -> None:
    """Let a run go on with the second model from the open of a session on."""
    told = run.story

    def story(request: run.ReplayRequest, parts: run.Assembly) -> Iterator[Sequence[Fact]]:
        settings = request.loaded.settings
        named = settings.run.model_copy(update={"model": "second"})
        loaded = replace(request.loaded, settings=settings.model_copy(update={"run": named}))
        recording = request.recording
        interval_s = recording.store.interval_s
        for facts in told(request, parts):
            opened = [fact for fact in facts if isinstance(fact, SessionOpened)]
            if any(fact.day == TAKES_OVER for fact in opened):
                parts.engine.rules = engine_rules(
                    loaded.settings,
                    recording.calendar,
                    recording.companies,
                    bar_interval_s=interval_s,
                )
                yield [
                    run_started(
                        loaded,
                        mode=request.mode,
                        row=mode_row(request.mode, is_dry_run=False),
                        journal=request.journal,
                        inputs_hash=recording.inputs_hash,
                        at=parts.clock.now(),
                        bar_interval_s=interval_s,
                    )
                ]
            yield facts

    patch.setattr(run, "story", story)


def fold_of(number: int, drawn: Model, test: range) -> Fold:
    nothing = range(0)
    return Fold(
        number=number,
        train=nothing,
        validation=nothing,
        test=test,
        model=drawn,
        agents=(),
        in_sample_sharpe=0.0,
        seconds=0.0,
    )


def test_the_next_model_trades_on_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "catalyst.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    for drawn in MODELS:
        write_model(tmp_path / "data" / "models" / drawn.name, drawn)
    flags = write_market(tmp_path, seed=3, volume=(20_000, 3_000_000), noise=0.012)
    take_over(monkeypatch)
    engine = through_the_engine(tmp_path, flags, config, "first")
    panel, terms = history_of(tmp_path, flags, config)
    days = panel.days()
    first, second = days.index(date.fromisoformat(START)), days.index(TAKES_OVER)
    tests = (range(first, second), range(second, len(days)))
    folds = [fold_of(number, *each) for number, each in enumerate(zip(MODELS, tests, strict=True))]
    kernel = run_portfolio(
        chain.chain_tape(panel, folds, terms),
        terms,
        sessions=chain.tested(folds),
        policy=chain.policy_of(folds),
    )
    trades = trades_in(kernel)
    assert trades == trades_of(engine)
    assert_equal(engine, kernel)
    moment = datetime.fromisoformat(f"{TAKES_OVER}T14:30:00+00:00").timestamp()
    entered = [(float(trade[1]) >= moment, float(trade[2]) >= moment) for trade in trades]
    assert {(False, False), (False, True), (True, True)} <= set(entered)
    by_strategy = kernel.outcomes_by_strategy
    assert all(counts["entries"] > 5 for counts in by_strategy), by_strategy
