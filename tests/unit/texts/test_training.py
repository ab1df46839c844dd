"""Training on small invented sets: the model file, its card, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.detection.linear import predict, score
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts import training
from catalyst_bot.texts.labels import SENTIMENTS, Task
from catalyst_bot.texts.model_files import load
from catalyst_bot.texts.rows import Labelled, read_labelled
from catalyst_bot.texts.training import Recipe, train

SMALL = Recipe(word_buckets=1 << 12, piece_buckets=1 << 12, folds=3)
SUBJECTS = ("Acme", "Zeta", "Orion", "Quill", "Vesta", "Tarn", "Lumen", "Brook", "Cedar", "Dune")
SAYINGS = {
    "positive": ("{} shares surge on strong results", "{} wins a large order from a utility"),
    "negative": ("{} shares plunge after weak quarter", "{} loses a lawsuit over its pumps"),
    "neutral": ("{} to hold its annual meeting in May", "{} names the city of its new office"),
}
TONES = {"surge": 2.0, "plunge": -2.0, "weak": -1.0}


def rows() -> list[dict[str, str]]:
    return [
        {"text": saying.format(f"{subject} {word}"), "label": label}
        for label, sayings in SAYINGS.items()
        for saying in sayings
        for subject in SUBJECTS
        for word in ("Corp", "Holdings of the north", "Partners and their sons")
    ]


@pytest.fixture
def files(tmp_path: Path) -> Mapping[str, Labelled]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    return {path.name: read_labelled(path, Task.SENTIMENT)}


def made(files: Mapping[str, Labelled], out: Path, recipe: Recipe = SMALL) -> dict[str, Any]:
    return train(
        files,
        Task.SENTIMENT,
        out,
        tones=TONES,
        recipe=recipe,
        licence_note="invented",
        note=lambda text: None,
    ).card


def test_a_model_learns_and_its_card_says_from_what(files: Mapping[str, Labelled], tmp_path: Path):
    card = made(files, tmp_path / "m")
    model = load(tmp_path / "m", Task.SENTIMENT)
    assert predict(model, "Nobody Inc shares surge on strong results").label == "positive"
    assert predict(model, "Nobody Inc shares plunge after weak quarter").label == "negative"
    assert predict(model, "Nobody Inc to hold its annual meeting").label == "neutral"
    assert card["rows"] == 180
    assert card["label_counts"] == dict.fromkeys(("positive", "negative", "neutral"), 60)
    assert card["data"][0]["sha256"] == files["rows.jsonl"].sha256
    assert card["held_out"]["n"] == 180
    assert set(card["libraries"]) == {"python", "numpy", "scipy", "sklearn"}
    assert card["licence_note"] == "invented"
    assert model.tones == TONES


def test_the_same_texts_give_the_same_bytes(files: Mapping[str, Labelled], tmp_path: Path):
    one, two = made(files, tmp_path / "a"), made(files, tmp_path / "b")
    assert one == two
    assert (tmp_path / "a" / "model.npz").read_bytes() == (
        tmp_path / "b" / "model.npz"
    ).read_bytes()


def test_trading_reads_a_text_as_training_did(files: Mapping[str, Labelled], tmp_path: Path):
    made(files, tmp_path)
    model = load(tmp_path, Task.SENTIMENT)
    texts = files["rows.jsonl"].texts
    counts = training.count_matrix(texts, TONES, SMALL)
    values = training._scaled(counts, model.rarity.astype(float), SMALL)
    expected = values @ (model.weights * model.scale) + model.bias
    for text, scores in zip(texts[::17], expected[::17], strict=True):
        assert score(model, text) == pytest.approx(scores.tolist(), abs=0.01)


def test_two_labels_are_enough(tmp_path: Path):
    path = tmp_path / "two.jsonl"
    kept = [row for row in rows() if row["label"] != "neutral"]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in kept))
    made({"two": read_labelled(path, Task.SENTIMENT)}, tmp_path / "m")
    model = load(tmp_path / "m", Task.SENTIMENT)
    assert model.labels == ("negative", "positive")
    assert predict(model, "Nobody Inc shares surge on strong results").label == "positive"


def test_too_few_texts_are_refused(files: Mapping[str, Labelled], tmp_path: Path):
    given = files["rows.jsonl"]
    few = replace(given, texts=given.texts[:65], labels=given.labels[:65])
    with pytest.raises(BadData, match="negative 5"):
        made({"few": few}, tmp_path / "m")
    one = replace(given, texts=given.texts[:60], labels=given.labels[:60])
    with pytest.raises(BadData, match="only one label"):
        made({"one": one}, tmp_path / "m")


def test_copies_of_one_text_are_too_few(files: Mapping[str, Labelled], tmp_path: Path):
    given = files["rows.jsonl"]
    labels = [label if label != "positive" else "neutral" for label in given.labels]
    copies = [f"Acme beats all estimates with its pumps again {'!' * n}" for n in range(15)]
    whole = replace(given, texts=(*given.texts, *copies), labels=(*labels, *["positive"] * 15))
    with pytest.raises(BadData, match=r"texts that differ \(positive 1\)"):
        made({"copies": whole}, tmp_path / "m")


def test_without_the_extra_the_remedy_is_named(
    files: Mapping[str, Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(training, "import_module", missing)
    with pytest.raises(ConfigError, match=r"make setup-train"):
        made(files, tmp_path / "m")


def test_labels_keep_their_order():
    assert SENTIMENTS == ("negative", "neutral", "positive")
