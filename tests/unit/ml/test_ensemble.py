from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.history.splits import Gap, Parts
from catalyst_bot.ml.training.ensemble import (
    HEADER,
    Plan,
    model_of,
    parts_of,
    procedure_of,
    table_of,
)
from catalyst_bot.ml.training.judging import weighed
from catalyst_bot.ml.training.search import search
from catalyst_bot.ml.training.train import TrainedAgent, train
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import UNJUDGED, read_model, write_model
from tests.models import agent
from tests.unit.ml.histories import SMALL, job_of, terms, write_history

GAP = Gap(horizon=7, embargo=5)
DAYS = [date(2015, 1, 1) + timedelta(days=n) for n in range(200)]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_history(tmp_path_factory.mktemp("ensemble") / "history")


def plan_of(history: Path, **changes: Any) -> Plan:
    given: dict[str, Any] = {
        "history": history,
        "parts": Parts(train=range(20, 180), validation=range(190, 280), test=range(290, 300)),
        "algorithms": ("a2c", "sac"),
        "seeds": (0, 1),
        "terms": terms(),
        "steps": 640,
        "hyperparameters": {
            "a2c": SMALL,
            "sac": {"accounts": 16, "rounds": 2, "keywords.learning_starts": 64},
        },
    }
    return Plan(**given | changes)


def test_what_was_trained_becomes_a_model_that_votes(history: Path, tmp_path: Path) -> None:
    plan = plan_of(history)
    trained = [train(job) for job in plan.jobs()]
    model = model_of("small", plan, trained, {"commit": "abc"})
    write_model(tmp_path / "small", model)
    read = read_model(tmp_path / "small")
    assert read.model_id == model.model_id
    assert [each.name for each in read.agents] == ["a2c-0", "a2c-1", "sac-0", "sac-1"]
    assert sum(each.weight for each in read.agents) > 0
    assert not read.has_passed
    card = read.card
    assert (card["verdict"], card["commit"]) == (UNJUDGED, "abc")
    assert card["procedure"] == procedure_of(plan)
    assert card["sessions"]["train"] == [str(day) for day in _ends(history, plan.parts.train)]
    assert card["hyperparameters"]["a2c"]["accounts"] == 16
    assert card["validation"]["periods"] == len(plan.parts.validation)
    assert {"torch", "numpy", "stable-baselines3"} <= set(card["versions"])
    rows = np.zeros((4, 33), np.float32)
    actions, agreement = EnsemblePolicy(read).act_rows(rows)
    assert np.isfinite(actions).all()
    assert len(agreement) == 4
    table = table_of(model, trained)
    assert {len(row) for row in table} == {len(HEADER)}
    sharpes = [float(row[1]) for row in table]
    assert sharpes == sorted(sharpes, reverse=True)


def _ends(history: Path, sessions: range) -> tuple[date, date]:
    days = open_panel(history).days()
    return days[sessions.start], days[sessions.stop - 1]


def test_another_way_of_making_agents_is_another_procedure(history: Path) -> None:
    plan = plan_of(history)
    same = [
        replace(plan, seeds=(7,)),
        replace(plan, parts=replace(plan.parts, train=range(30, 180))),
        replace(plan, algorithms=("sac", "a2c"), seeds=(0,)),
    ]
    other = [
        replace(plan, steps=1_280),
        replace(plan, algorithms=("a2c",), hyperparameters={"a2c": SMALL}),
        replace(plan, terms=plan.terms._replace(slippage_fraction=0.01)),
    ]
    assert {procedure_of(each) for each in same} == {procedure_of(plan)}
    assert len({procedure_of(each) for each in (plan, *other)}) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"algorithms": ("a2c", "a2c")}, "name each once"),
        ({"algorithms": ()}, "name each once"),
        ({"algorithms": ("dqn",), "hyperparameters": {}}, "no such algorithm"),
        ({"hyperparameters": {"td3": {}}}, "td3, which is not trained"),
        ({"hyperparameters": {"a2c": {"speed": 3}}}, "no such hyperparameter"),
    ],
)
def test_a_plan_that_trains_nothing_is_refused(
    history: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        plan_of(history, **changes).jobs()


def test_parts_are_60_20_20_or_by_their_first_days() -> None:
    parts = parts_of(DAYS, GAP)
    assert (parts.train.stop, parts.validation.start) == (120 - GAP.sessions, 120)
    assert parts.test == range(160, 200)
    parts = parts_of(DAYS, GAP, start=DAYS[10], end=DAYS[189], validation=DAYS[100], test=DAYS[150])
    assert parts == Parts(
        train=range(10, 100 - GAP.sessions),
        validation=range(100, 150 - GAP.sessions),
        test=range(150, 190),
    )
    assert parts_of(DAYS, GAP, validation=DAYS[100]).validation == range(100, 200)


@pytest.mark.parametrize(
    "dates",
    [
        {"start": DAYS[190]},
        {"start": DAYS[100], "end": DAYS[50]},
        {"validation": DAYS[5]},
        {"validation": DAYS[150], "test": DAYS[155]},
        {"validation": DAYS[-1] + timedelta(days=9)},
    ],
)
def test_dates_that_leave_nothing_are_refused(dates: dict[str, date]) -> None:
    with pytest.raises(BadData, match="sessions"):
        parts_of(DAYS, GAP, **dates)


def test_a_test_part_needs_a_validation_part() -> None:
    with pytest.raises(ConfigError, match="beside that of test"):
        parts_of(DAYS, GAP, test=DAYS[150])


def test_weights_are_those_of_validation_and_alike_where_none_earned_anything() -> None:
    good, idle = agent("ppo-0", weight=1.5), agent("sac-0", weight=0.0)
    assert [each.weight for each in weighed([good, idle])] == [1.5, 0.0]
    assert [each.weight for each in weighed([idle, idle])] == [1.0, 1.0]


def test_a_search_counts_every_try_and_finds_the_same_again(history: Path) -> None:
    job = job_of(history, steps=512, hyperparameters={**SMALL, "rounds": 4, "patience": 4})
    tried = list[TrainedAgent]()
    found = search(job, tries=6, on_try=lambda trained, _: tried.append(trained))
    assert found.tries == len(tried) == 6
    assert found.given_up == sum(each.is_given_up for each in tried)
    assert len({each.training_hash for each in tried}) == 6
    whole = [each for each in tried if not each.is_given_up]
    assert found.score == max(max(each.curve) for each in whole)
    assert search(job, tries=6) == found
    again = train(replace(job, hyperparameters={**job.hyperparameters, **found.changes}))
    assert max(again.curve) == found.score
