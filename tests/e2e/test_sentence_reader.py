"""The running bot with a sentence encoder beside it: the journal, the explanation, the replay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import journal_tools
from catalyst_bot.domain.messages.decisions import CatalystHeld
from catalyst_bot.domain.messages.facts import TextOpinionsReceived
from catalyst_bot.monitoring.explain import explain
from catalyst_bot.texts.encoder import is_installed
from tests.e2e.commands import catalyst_bot
from tests.e2e.test_second_reading import records, run_demo, told, trades
from tests.encoders import tiny_encoder
from tests.unit.texts.test_training import rows


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A bot with a model of its own, made by the command that a person would use."""
    pytest.importorskip("sklearn", reason="needs make setup-train")
    data, model, encoder = tmp_path / "rows.jsonl", tmp_path / "model", tmp_path / "tiny"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    tiny_encoder(encoder)
    made = catalyst_bot(
        *("detect", "train", "--task", "sentiment", "--data", str(data), "--out", str(model)),
        *("--encoder", str(encoder)),
    )
    assert made.code == 0, made.err
    assert "model, sentences" in made.out
    path = tmp_path / "catalyst.toml"
    path.write_text(
        f"[detection]\nsentiment_model = '{model}'\nencoder = '{encoder}'\n"
        "[dashboard]\nenabled = false\n"
    )
    return path


def test_its_opinions_are_facts_and_a_replay_needs_no_encoder(tmp_path: Path, config: Path) -> None:
    journal = run_demo(tmp_path, config)
    found = records(journal)
    held, answers = told(found, CatalystHeld), told(found, TextOpinionsReceived)
    assert len(held) == len(answers) > 5
    assert {answer.opinions[0].reader for answer in answers} == {"sentences"}
    assert len({answer.opinions[0].value for answer in answers}) > 5  # it does read
    assert trades(journal) > 0
    shutil.rmtree(tmp_path / "tiny")
    assert journal_tools.verify(journal, decides_again=True).divergence is None
    catalyst_id = held[0].catalyst.catalyst_id
    trail = [record for record in found if record.trail_id == catalyst_id]
    text = explain(catalyst_id, trail).as_text()
    assert "sentences (sentiment-sentences-" in text
    assert "Held for a second reading" in text


def test_an_encoder_that_is_gone_stops_the_start(tmp_path: Path, config: Path) -> None:
    doctor = ("doctor", "--config", str(config), "--data-dir", str(tmp_path / "data"))
    assert "second readers: sentences" in catalyst_bot(*doctor).out
    shutil.rmtree(tmp_path / "tiny")
    gone = "is no sentence encoder: config.json, vocab.txt, model.safetensors"
    said = catalyst_bot("detect", "text", "Acme wins a large order", "--config", str(config))
    assert said.code != 0
    assert gone in said.err
    told = catalyst_bot(*doctor)
    assert told.code != 0
    assert gone in told.out


def test_the_shipped_model_reads_sentences_with_the_installed_encoder(tmp_path: Path) -> None:
    if not is_installed():
        pytest.skip("no encoder here: make setup-sentences")
    path = tmp_path / "catalyst.toml"
    path.write_text("[detection]\nencoder = 'installed'\n")
    text = "Acme wins FDA approval for its heart pump"
    said = catalyst_bot(
        "detect", "text", text, "--symbol", "ACME", "--config", str(path), "--json", "-"
    )
    assert said.code == 0, said.err
    (catalyst,) = json.loads(said.out)["catalysts"]
    assert "sentences" in [opinion["name"] for opinion in catalyst["opinions"]]
