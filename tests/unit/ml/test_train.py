from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.edges import Edge, edges_of
from catalyst_bot.history.panel import Panel, open_panel
from catalyst_bot.ml.tape import tape_of
from catalyst_bot.ml.terms import at_costs
from catalyst_bot.ml.training import train as training
from catalyst_bot.ml.training.judging import FULL_TRADES, Judged
from catalyst_bot.ml.training.parallel import mapped
from catalyst_bot.ml.training.train import (
    TrainedAgent,
    grounds_of,
    hash_of,
    train,
    train_aloud,
)
from tests.unit.ml.histories import SMALL, job_of, terms, write_history
from tests.unit.ml.test_rounds import is_same

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("train") / "history")


def is_same_agent(one: TrainedAgent, other: TrainedAgent) -> bool:
    return (
        is_same(one.agent.network, other.agent.network)
        and one.curve == other.curve
        and one.returns_hash == other.returns_hash
        and one.training_hash == other.training_hash
    )


def test_the_same_job_is_the_same_agent_here_and_in_another_process(history: Path) -> None:
    jobs = [job_of(history), job_of(history, seed=2)]
    here = [train(job) for job in jobs]
    elsewhere = mapped(train_aloud, jobs, workers=2)
    assert all(map(is_same_agent, here, elsewhere))
    assert not is_same_agent(*here)


def test_says_what_it_made(history: Path, tmp_path: Path) -> None:
    job = job_of(history, folder=tmp_path)
    trained = train(job)
    assert trained.agent.name == "a2c-1"
    assert trained.steps == job.steps
    assert len(trained.validation_returns) == len(job.validation)
    assert trained.agent.weight == max(*trained.curve, 0.0)
    assert list((tmp_path / "tensorboard" / "a2c-1").glob("events.out.tfevents.*"))


def test_goes_on_after_a_kill_to_the_same_agent(history: Path, tmp_path: Path) -> None:
    long = {**SMALL, "rounds": 150, "patience": 150}
    job = job_of(history, steps=150 * 256, hyperparameters=long, folder=tmp_path)
    kept = tmp_path / f"{job.name}.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.ml.killed", str(history), str(tmp_path)], cwd=ROOT
    )
    try:
        until = time.monotonic() + 300
        while not kept.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert process.poll() is None, "it ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert kept.exists()
    rounds = list[int]()

    def hears(number: int, _: float) -> bool:
        rounds.append(number)
        return True

    resumed = train(job, report=hears)
    assert rounds[0] > 1
    assert rounds[-1] == 150
    assert is_same_agent(resumed, train(replace(job, folder=None)))


def test_a_checkpoint_of_other_data_is_refused(history: Path, tmp_path: Path) -> None:
    job = job_of(history, folder=tmp_path / "kept")
    train(job)
    other = write_history(tmp_path / "other", seed=2)
    with pytest.raises(BadData, match="other data, hyperparameters or program"):
        train(replace(job, history=other))


def test_all_that_decides_is_in_the_hash(history: Path) -> None:
    job = job_of(history)
    others = [
        replace(job, seed=2),
        replace(job, algorithm="ppo"),
        replace(job, train=range(21, 180)),
        replace(job, validation=range(190, 289)),
        replace(job, steps=4_096),
        replace(job, terms=job.terms._replace(commission_fraction=0.002)),
        replace(job, hyperparameters={**SMALL, "keywords.gamma": 0.9}),
    ]
    hashes = {hash_of(each, "data") for each in (job, *others)} | {hash_of(job, "other data")}
    assert len(hashes) == len(others) + 2
    assert hash_of(job, "data") == hash_of(replace(job, folder=Path("elsewhere")), "data")


def test_what_cannot_be_trained_is_refused(history: Path, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no history"):
        train(job_of(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="no such algorithm"):
        train(job_of(history, algorithm="dqn"))
    with pytest.raises(BadData, match="no question falls into sessions"):
        train(job_of(history, train=range(3)))


def test_what_is_learned_from_has_the_atr_of_the_terms(history: Path) -> None:
    job = job_of(history)
    short = job.terms._replace(atr_length=5)
    for each in (job.terms, short):
        tape = grounds_of(history, job.train, each).tape
        asked = tape_of(open_panel(history), atr_length=each.atr_length)
        assert np.array_equal(tape.bars.atr, asked.bars.atr, equal_nan=True)


def test_what_categories_were_worth_is_after_the_costs_of_the_terms(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs_bps = list[float]()

    def heard(panel: Panel, sessions: range, *, cost_bps: float) -> dict[str, Edge]:
        costs_bps.append(cost_bps)
        return edges_of(panel, sessions, cost_bps=cost_bps)

    monkeypatch.setattr(training, "edges_of", heard)
    for factor in (1.0, 2.0, 3.0):
        grounds_of(history, range(25, 180), at_costs(terms(), factor))
    assert costs_bps == pytest.approx([40.0, 80.0, 120.0])


def judged_of(returns: list[float], trades: int) -> Judged:
    return Judged(
        returns=np.array(returns), pnl_usd=np.zeros(trades), exposure=np.zeros(4), by="a test"
    )


def test_few_trades_count_in_proportion_and_none_for_nothing() -> None:
    returns = [0.01, -0.005, 0.02, 0.0]
    whole = judged_of(returns, FULL_TRADES).score
    assert whole > 1
    assert judged_of(returns, FULL_TRADES * 2).score == whole
    assert judged_of(returns, 3).score == pytest.approx(whole * 3 / FULL_TRADES)
    assert judged_of([0.0] * 4, 0).score == 0.0
    lost = judged_of([-each for each in returns], 3)
    assert lost.score == lost.sharpe < 0
