"""The running bot with a language model beside it: a real server, the journal, the replay."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import journal_tools
from catalyst_bot.bootstrap.requests import Asked, generated_replay
from catalyst_bot.bootstrap.run import replay
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.decisions import CatalystDetected, CatalystHeld
from catalyst_bot.domain.messages.facts import TextOpinionsReceived
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.monitoring.explain import explain
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from tests.unit.texts.model_server import ModelServer, Reply, completion, says, serving

AGREES = json.dumps({"sentiment": 1.0, "confidence": 1.0})
DOUBTS = json.dumps({"sentiment": -1.0, "confidence": 1.0})


def config(folder: Path, server: ModelServer, **given: Any) -> Path:
    values = {
        "enabled": True,
        "base_url": server.url,
        "model": "test-model",
        "knowledge_cutoff": str(date(2020, 1, 1)),
    } | given
    rows = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path = folder / "catalyst.toml"
    path.write_text("\n".join(["[llm]", *rows, "[dashboard]", "enabled = false"]) + "\n")
    return path


def run_demo(folder: Path, settings: Path | None, mode: Mode = Mode.BACKTEST) -> Place:
    asked = Asked(mode=mode, is_dry_run=False, data_dir=folder / "data", config=settings)
    request, _ = generated_replay(asked, seed=7, effects=1.0)
    return replay(request).journal


def records(journal: Place) -> list[Recorded]:
    with ReadModel(journal) as model:
        return list(model.records())


def told(found: list[Recorded], kind: type) -> list[Any]:
    return [record.body for record in found if isinstance(record.body, kind)]


def trades(journal: Place) -> int:
    with ReadModel(journal) as model:
        return len(model.trades(limit=100))


@pytest.mark.parametrize("mode", [Mode.BACKTEST, Mode.PAPER])
def test_opinions_are_facts_of_the_journal_and_a_replay_needs_no_model(tmp_path: Path, mode: Mode):
    with serving(says(AGREES)) as server:
        journal = run_demo(tmp_path, config(tmp_path, server), mode)
        assert len(server.seen) > 5
    found = records(journal)
    held, answers = told(found, CatalystHeld), told(found, TextOpinionsReceived)
    assert len(held) == len(answers) > 5
    assert all(answer.opinions[0].knowledge_cutoff == date(2020, 1, 1) for answer in answers)
    assert trades(journal) > 0
    found_again = journal_tools.verify(journal, decides_again=True)  # the server is gone
    assert found_again.divergence is None


def test_doubt_stops_what_the_rules_alone_would_trade(tmp_path: Path):
    with serving(says(DOUBTS)) as server:
        doubted = run_demo(tmp_path / "doubted", config(_made(tmp_path / "doubted"), server))
    alone = run_demo(tmp_path / "alone", None)
    assert trades(alone) > trades(doubted)
    before = {c.catalyst.catalyst_id: c.catalyst for c in told(records(alone), CatalystDetected)}
    after = {c.catalyst.catalyst_id: c.catalyst for c in told(records(doubted), CatalystDetected)}
    for name in before.keys() & after.keys():
        assert after[name].confidence <= before[name].confidence
        assert after[name].score <= before[name].score
        assert after[name].symbol == before[name].symbol


def test_a_useless_model_changes_no_trade(tmp_path: Path):
    alone = run_demo(tmp_path / "alone", None)
    broken = Reply(body=completion("<html>buy</html>"))
    with serving(lambda request: broken) as server:
        journal = run_demo(tmp_path / "broken", config(_made(tmp_path / "broken"), server))
    answers = told(records(journal), TextOpinionsReceived)
    assert answers
    assert all("HTML" in answer.refusals[0] for answer in answers)
    assert trades(journal) == trades(alone) > 0


def test_the_explanation_shows_both_readings(tmp_path: Path):
    with serving(says(AGREES)) as server:
        journal = run_demo(tmp_path, config(tmp_path, server))
    found = records(journal)
    catalyst_id = told(found, CatalystHeld)[0].catalyst.catalyst_id
    trail = [record for record in found if record.trail_id == catalyst_id]
    text = explain(catalyst_id, trail).as_text()
    for part in (
        "Held for a second reading",
        "llm (test-model)",
        "opinion of linear",
        "rules alone",
    ):
        assert part in text


def test_a_model_that_knows_the_recorded_days_is_refused_or_marked(tmp_path: Path):
    with serving(says(AGREES)) as server:
        knowing = {"knowledge_cutoff": "2999-01-01"}
        with pytest.raises(ConfigError, match="may know what became of news"):
            run_demo(tmp_path, config(tmp_path, server, **knowing))
        marked = config(tmp_path, server, **knowing, allow_contaminated=True)
        journal = run_demo(tmp_path, marked)
    notes = [
        opinion.note
        for detected in told(records(journal), CatalystDetected)
        for opinion in detected.catalyst.opinions
        if opinion.name == "llm"
    ]
    assert notes
    assert set(notes) == {"test-model, knows the aftermath"}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
