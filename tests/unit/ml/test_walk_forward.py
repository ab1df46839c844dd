"""A walk forward over random bars with drawn networks: what is kept, counted, shown and refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.news import Worth
from catalyst_bot.features.spec import NAMES
from catalyst_bot.history.events import CATALYST
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.reports.page import page_of
from catalyst_bot.ml.reports.verdict import verdict_of
from catalyst_bot.ml.tape import tape_of
from catalyst_bot.ml.training.train import TrainedAgent, TrainingJob
from catalyst_bot.ml.validation.trials import TrialLedger
from catalyst_bot.ml.walk_forward import chain, run
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.ml.walk_forward.fold_jobs import train_fold
from catalyst_bot.ml.walk_forward.held_out import hold_out
from catalyst_bot.ml.walk_forward.plan import Span
from catalyst_bot.ml.walk_forward.report import Provenance, Wish
from catalyst_bot.ml.walk_forward.run import Walked, walk
from catalyst_bot.policies.model_files import Model
from tests import models
from tests.unit.ml.histories import terms, write_history

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
pytest.importorskip("torch", reason="training needs torch: make setup-ml")

MADE = Provenance(command="x", commit="c <&>", made_at=datetime(2026, 1, 2, tzinfo=UTC))
SPAN = Span(
    start=date(2020, 9, 14),
    oos_start=date(2021, 2, 1),
    end=date(2021, 6, 30),
    train_months=5,
    test_months=1,
)
# The issue names these; programs read them.
NAMED = {
    *("sharpe", "sortino", "calmar", "max_drawdown", "win_rate", "profit_factor", "trades"),
    *("exposure", "annual_return", "benchmark_sharpe", "benchmark_return", "baseline_sharpe"),
    *("oos_to_is", "deflated_sharpe", "trials", "pbo", "sharpe_ci", "seed_iqr"),
    *("sharpe_at_2x_costs", "verdict"),
}


class Trainer:
    """Draws a network where another would be trained; dies after as many as it is told."""

    def __init__(self, dies_after: int = 1_000) -> None:
        self.trained = list[str]()
        self._dies_after = dies_after

    def __call__(self, job: TrainingJob) -> TrainedAgent:
        if len(self.trained) >= self._dies_after:
            raise KeyboardInterrupt
        self.trained.append(f"{job.name} {job.train.start}")
        sharpe = (job.seed - 1.5) / 2
        agent = models.agent(job.name, seed=job.seed, weight=max(sharpe, 0.0), bias=0.3)
        return TrainedAgent(
            agent=agent,
            validation_sharpe=sharpe,
            validation_returns=np.zeros(len(job.validation)),
            validation_trades=3,
            seconds=1.5,
            steps=100,
            curve=(sharpe,),
            training_hash=job.name,
        )


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("walk") / "history")


class Desk:
    """A walk over a history with a ledger of its own; `go` walks with a trainer."""

    def __init__(self, history: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.ledger = TrialLedger(folder / "trials.jsonl", seals=folder / "seals")
        self.notes = list[str]()
        self._patch = patch
        self.wish = Wish(
            history=history,
            span=SPAN,
            terms=terms(),
            folder=folder / "walks",
            algorithms=("ppo", "a2c"),
            seeds=(1, 2, 3),
        )

    def go(self, trainer: Trainer) -> Walked:
        self._patch.setattr(run, "train_fold", partial(train_fold, trainer=trainer))
        return walk(self.wish, self.ledger, MADE, note=self.notes.append)


@pytest.fixture
def desk(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(history, tmp_path, monkeypatch)


def test_a_walk_is_measured_counted_and_kept(desk: Desk) -> None:
    trainer = Trainer()
    walked = desk.go(trainer)
    content = walked.report.content
    assert len(trainer.trained) == 5 * 6
    assert set(content["aggregate"]) >= NAMED
    assert [fold["number"] for fold in content["folds"]] == [0, 1, 2, 3, 4]
    assert content["folds"][0]["test"] == {"from": "2021-02-01", "to": "2021-02-28", "sessions": 28}
    tested = sum(fold["sessions"] for fold in content["folds"])
    assert len(content["evidence"]["returns"]) == tested == 150
    assert sum(fold["trades"] for fold in content["folds"]) == content["aggregate"]["trades"] > 0
    assert content["aggregate"]["verdict"] == "refused"
    # Counted: six agents, three seeds' ensembles, all together.
    trials, head = desk.ledger.read()
    assert [(trial.kind, trial.trials) for trial in trials] == [("walk-forward", 10)]
    assert content["trials"] == head.as_dict() == walked.model.card["trials"]
    assert content["aggregate"]["trials"] == 10
    assert walked.model.card["verdict"] == "refused"
    assert walked.model.card["metrics"] == content["aggregate"]

    again = Trainer()
    second = desk.go(again)
    assert again.trained == []
    assert second.report.evidence.returns_hash == walked.report.evidence.returns_hash
    assert desk.ledger.read()[1].trials == 20  # who looks twice has looked twice
    assert second.model.model_id == walked.model.model_id


def test_validate_takes_the_report_of_a_walk(desk: Desk) -> None:
    walked = desk.go(Trainer())
    verdict = verdict_of(walked.model, walked.report, desk.ledger)
    by_name = {gate.name: gate for gate in verdict.gates}
    assert by_name["provenance"].passes
    assert by_name["trial_ledger"].passes
    said = {gate["name"]: gate["value"] for gate in walked.report.content["gates"]}
    assert by_name["sharpe"].value == pytest.approx(said["sharpe"], abs=1e-4)
    assert not verdict.has_passed


def of_the_first_half(**changes: Any) -> Model:
    """A model that says it was made by the first 190 days of the history."""
    drawn = models.agent("ppo-1", bias=0.3)
    card = {
        "sessions": {
            "train": ["2020-10-14", "2021-02-01"],
            "validation": ["2021-02-12", "2021-03-22"],
        },
        "agents": [{"name": "ppo-1", "algorithm": "ppo", "seed": 1}],
        "procedure": "of-a-test",
        "trials": {"lines": 0, "trials": 0, "hash": "0" * 64},
    }
    return models.model(drawn, edges={}, card=card | changes)


def test_a_trained_model_is_judged_by_sessions_it_never_saw(desk: Desk) -> None:
    model = of_the_first_half()
    report = hold_out(
        model, desk.wish.history, terms(), desk.ledger, provenance=MADE, note=desk.notes.append
    )
    (fold,) = report.content["folds"]
    assert fold["validation"]["to"] == "2021-03-22"
    assert fold["test"]["from"] > "2021-03-27", "a gap is left free"
    assert fold["test"]["sessions"] == len(report.evidence.returns) > 60
    assert [trial.trials for trial in desk.ledger.read()[0]] == [3]
    gates = {gate.name: gate for gate in verdict_of(model, report, desk.ledger).gates}
    assert gates["provenance"].passes
    assert not gates["out_of_sample_periods"].passes


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (of_the_first_half(sessions={}), ConfigError, "does not say which sessions"),
        (of_the_first_half(procedure=""), ConfigError, "and how"),
        (of_the_first_half(agents=[]), ConfigError, "and how"),
        (
            of_the_first_half(sessions={"train": ["one", "two"], "validation": ["three", "four"]}),
            ConfigError,
            "does not say which sessions",
        ),
        (replace(of_the_first_half(), edges=None), ConfigError, "detection ships"),
        (
            of_the_first_half(
                sessions={
                    "train": ["2020-10-14", "2021-02-01"],
                    "validation": ["2021-02-12", "2021-07-05"],
                }
            ),
            BadData,
            "import more",
        ),
        (replace(of_the_first_half(), bar_interval_s=300), ConfigError, "bars of 300 s"),
    ],
)
def test_what_cannot_be_held_out_is_refused(
    desk: Desk, model: Model, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        hold_out(model, desk.wish.history, terms(), desk.ledger, provenance=MADE, note=print)
    assert desk.ledger.read()[1].trials == 0


def test_a_kill_loses_the_fold_in_work_and_no_other(desk: Desk) -> None:
    with pytest.raises(KeyboardInterrupt):
        desk.go(Trainer(dies_after=15))
    assert desk.ledger.read()[1].trials == 0  # nothing was measured
    after = Trainer()
    walked = desk.go(after)
    assert len(after.trained) == 30 - 12
    assert "5 folds, 2 finished before" in desk.notes
    assert len(walked.report.content["folds"]) == 5


def test_folds_of_another_program_are_not_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        desk.go(Trainer(dies_after=6))  # the first fold is finished
    monkeypatch.setattr(run, "PROGRAM", run.PROGRAM + 1)
    with pytest.raises(KeyboardInterrupt):
        desk.go(Trainer(dies_after=1))
    assert desk.notes[-1] == "5 folds, 0 finished before"


def test_a_damaged_fold_is_named(desk: Desk) -> None:
    desk.go(Trainer())
    weights = sorted(desk.wish.folder.rglob("weights.safetensors"))[2]
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BadData, match=r"fold-02: is no finished fold"):
        desk.go(Trainer())


def test_a_ledger_that_was_cut_is_refused_before_the_work(desk: Desk) -> None:
    desk.go(Trainer())
    desk.ledger.path.write_bytes(b"")
    trainer = Trainer()
    with pytest.raises(BadData, match="deleted"):
        desk.go(trainer)
    assert trainer.trained == []


def test_an_algorithm_that_is_none_is_refused_before_the_work(desk: Desk) -> None:
    object.__setattr__(desk.wish, "algorithms", ("ppo", "magic"))
    trainer = Trainer()
    with pytest.raises(ConfigError, match="magic"):
        desk.go(trainer)
    assert trainer.trained == []


def test_the_page_runs_nothing_and_escapes(desk: Desk) -> None:
    walked = desk.go(Trainer())
    page = page_of(walked.report)
    assert "default-src 'none'" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|javascript:|\son\w+=", page)
    assert "c &lt;&amp;&gt;" in page
    assert page.count('<svg class="plot"') == 4
    assert "refused" in page
    assert "None" not in page
    json.dumps(walked.report.content, allow_nan=False)


def test_a_quarter_knows_no_worth_that_was_learned_later(history: Path) -> None:
    panel = open_panel(history)
    folds = [_fold(number, range(150 + 50 * number, 200 + 50 * number)) for number in range(2)]
    tape = chain.chain_tape(panel, folds, terms())
    session = tape.bars.session[tape.asks.row]
    names = [name for name in _catalyst_names() if name.startswith("edge_bps")]
    column = _catalyst_names().index(names[0])
    for fold, worth in ((folds[0], 10.0), (folds[1], 20.0)):
        own = (session >= fold.test.start) & (session < fold.test.stop)
        assert own.any()
        assert set(tape.asks.values[own, column].tolist()) == {worth}
    before = session < 150
    assert not {10.0, 20.0} & set(tape.asks.values[before, column].tolist())


def test_the_tested_quarters_are_played_with_the_atr_of_the_terms(history: Path) -> None:
    panel, folds = open_panel(history), [_fold(0, range(150, 200))]
    tape = chain.chain_tape(panel, folds, terms()._replace(atr_length=5))
    assert np.array_equal(tape.bars.atr, tape_of(panel, atr_length=5).bars.atr, equal_nan=True)


def test_each_session_is_decided_by_its_own_fold(history: Path) -> None:
    folds = [_fold(number, range(150 + 50 * number, 200 + 50 * number)) for number in range(2)]
    policy = chain.policy_of(folds)
    assert policy.at(150) == policy.policies[0] == policy.at(199)
    assert policy.at(200) == policy.policies[1] == policy.at(249)


def test_what_they_are_held_against_begins_records_where_they_do() -> None:
    folds = [_fold(number, range(150 + 50 * number, 200 + 50 * number)) for number in range(2)]

    def always(rows: Any) -> Any:
        return np.ones(len(rows)), np.ones(len(rows))

    policy = chain.in_turn(folds, always)
    assert policy.at(150) is policy.at(199) is not policy.at(200)
    assert policy.at(200)(np.zeros((2, 3)))[0].tolist() == [1.0, 1.0]


def test_models_that_answer_alike_are_alike(history: Path) -> None:
    panel = open_panel(history)
    same = [_fold(number, range(150 + 50 * number, 200 + 50 * number)) for number in range(2)]
    tape = chain.chain_tape(panel, same, terms())
    assert chain.likeness(tape, same).tolist() == pytest.approx([1.0])
    other = _fold(1, range(200, 250), models.model(models.agent(seed=9)))
    (likeness,) = chain.likeness(tape, [same[0], other])
    assert -0.99 < likeness < 0.9


def test_models_are_compared_by_an_account_that_holds_nothing(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[Any]()

    class Hears(chain.EnsemblePolicy):
        def act_rows(self, rows: Any) -> Any:
            seen.append(rows)
            return super().act_rows(rows)

    monkeypatch.setattr(chain, "EnsemblePolicy", Hears)
    folds = [_fold(number, range(150 + 50 * number, 200 + 50 * number)) for number in range(2)]
    chain.likeness(chain.chain_tape(open_panel(history), folds, terms()), folds)
    for rows in seen:
        assert dict(zip(NAMES[:3], rows[:, :3].T.tolist(), strict=True)) == {
            "cash_fraction": [1.0] * len(rows),
            "exposure_fraction": [0.0] * len(rows),
            "position_fraction": [0.0] * len(rows),
        }
    assert len(seen) == 2


def _fold(number: int, test: range, model: Any = None) -> Fold:
    worth = Worth(edge_bps=10.0 * (number + 1), high_bps=30.0, events=50)
    return Fold(
        number=number,
        train=range(10, 100),
        validation=range(110, 140),
        test=test,
        model=replace(model or models.model(models.agent(seed=4)), edges={"earnings": worth}),
        agents=(),
        in_sample_sharpe=1.0,
        seconds=0.0,
    )


def _catalyst_names() -> list[str]:
    return [feature.name for feature in CATALYST]
