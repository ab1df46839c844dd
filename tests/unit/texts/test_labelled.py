"""Labelled files, measures and model files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection import grams
from catalyst_bot.detection.linear import predict
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts import model_files
from catalyst_bot.texts.duplicates import groups_of_alike
from catalyst_bot.texts.labels import SENTIMENTS, TOPICS, Task
from catalyst_bot.texts.measuring import ABSTAINED, measure, wilson
from catalyst_bot.texts.rows import read_labelled


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def labels_read(path: Path, *labels: Any, task: Task = Task.SENTIMENT) -> tuple[str, ...]:
    rows = [{"text": f"text {n}", "label": label, "source": "x"} for n, label in enumerate(labels)]
    return read_labelled(lines(path / "rows.jsonl", *rows), task).labels


def test_every_way_to_write_a_sentiment_is_read(tmp_path: Path):
    assert labels_read(tmp_path, "Positive", " BULLISH", "bearish", "neg", "Neutral") == (
        *("positive", "positive", "negative", "negative", "neutral"),
    )


def test_numbers_are_read_as_the_set_means_them_and_it_is_said(tmp_path: Path):
    assert labels_read(tmp_path, 0, 1, 2, "LABEL_1") == (
        *("negative", "positive", "neutral", "positive"),
    )
    assert labels_read(tmp_path, -1, 0, 1.0) == ("negative", "neutral", "positive")
    file = lines(tmp_path / "n.jsonl", {"text": "a", "label": 0}, {"text": "b", "label": 2})
    note = read_labelled(file, Task.SENTIMENT).note
    assert note == "numbers read as 0 = negative, 2 = neutral"


def test_topics_are_read_by_name_and_number(tmp_path: Path):
    assert labels_read(tmp_path, "IPO", "fed | central banks", 14, task=Task.TOPIC) == (
        *("IPO", "Fed | Central Banks", "Macro"),
    )
    assert len(TOPICS) == 20


def test_an_unknown_label_is_an_error_with_its_line(tmp_path: Path):
    with pytest.raises(BadData, match=r"rows\.jsonl:2: 'great' is no sentiment label; known are"):
        labels_read(tmp_path, "positive", "great")


def test_rows_without_a_single_sign_are_left_out_and_counted(tmp_path: Path):
    file = lines(
        tmp_path / "m.jsonl", {"text": "a", "label": "mixed"}, {"text": "b", "label": "neutral"}
    )
    found = read_labelled(file, Task.SENTIMENT)
    assert found.labels == ("neutral",)
    assert found.left_out == {"mixed": 1}


def test_bad_rows_are_named_and_the_others_count(tmp_path: Path):
    path = tmp_path / "bad.jsonl.zst"
    rows = [
        '{"text": "good", "label": "positive"}',
        "not json",
        "[1]",
        '{"text": "", "label": "positive"}',
        '{"label": "positive"}',
        '{"text": "x", "label": null}',
        '{"text": "x", "label": true}',
        "[" * 100_000,
    ]
    path.write_bytes(zstd.compress("\n".join(rows).encode()))
    found = read_labelled(path, Task.SENTIMENT)
    assert found.texts == ("good",)
    assert [row.split(":")[1] for row in found.bad_rows] == ["2", "3", "4", "5", "6", "7", "8"]


def test_a_file_without_labelled_texts_is_an_error(tmp_path: Path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    with pytest.raises(BadData, match="is empty"):
        read_labelled(empty, Task.SENTIMENT)
    with pytest.raises(BadData, match=r"x\.jsonl:1: has no text"):
        read_labelled(lines(tmp_path / "x.jsonl", {"title": "a"}), Task.SENTIMENT)
    with pytest.raises(BadData, match="cannot be read"):
        read_labelled(tmp_path / "nowhere.jsonl", Task.SENTIMENT)


def test_measures_are_those_of_the_book():
    truth = ["positive"] * 4 + ["negative"] * 3 + ["neutral"] * 3
    said = ["positive"] * 3 + ["neutral"] + ["negative"] * 3 + ["neutral", ABSTAINED, "positive"]
    found = measure(truth, said, SENTIMENTS)
    assert found["n"] == 10
    assert found["accuracy"] == 0.7
    assert found["coverage"] == 0.9
    assert found["accuracy_where_covered"] == round(7 / 9, 4)
    f1 = (2 * 3 / 8, 2 * 3 / 6, 2 * 1 / 5)
    assert found["macro_f1"] == round(sum(f1) / 3, 4)
    assert found["confusion"]["counts"]["neutral"] == [0, 1, 1, 1]
    assert found["macro_f1_ci95"] is None  # ten drawn again say nothing of others
    often = measure(truth * 3, said * 3, SENTIMENTS)
    low, high = often["macro_f1_ci95"]
    assert low < often["macro_f1"] == found["macro_f1"] < high
    assert often == measure(truth * 3, said * 3, SENTIMENTS)


def test_wilson_is_that_of_the_book():
    low, high = wilson(84, 100)
    assert (round(low, 4), round(high, 4)) == (0.7558, 0.8990)
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert wilson(10, 10)[1] <= 1 + 1e-12


@given(st.lists(st.tuples(st.sampled_from(SENTIMENTS), st.sampled_from(SENTIMENTS)), min_size=1))
def test_measures_stay_in_their_bounds(pairs: list[tuple[str, str]]):
    found = measure([t for t, _ in pairs], [s for _, s in pairs], SENTIMENTS)
    low, high = found["accuracy_ci95"]
    assert -1e-9 <= low <= found["accuracy"] <= high <= 1 + 1e-9
    assert 0 <= found["macro_f1"] <= 1
    assert sum(map(sum, found["confusion"]["counts"].values())) == len(pairs)


def test_a_group_is_named_by_its_first_text_whatever_is_found_first():
    """Two texts that a third joins: which of its words is looked at first depends on the run."""
    joins = "one two three four five six seven eight nine ten"
    texts = ["one two three four five six seven eight", "something else entirely here", joins]
    texts += ["three four five six seven eight nine ten"]
    assert groups_of_alike(texts) == [0, 1, 0, 0]
    assert groups_of_alike(texts[::-1]) == [0, 0, 2, 0]
    both = [texts[0], texts[3], joins]  # the third is alike to two that are not alike
    assert groups_of_alike(both) == [0, 0, 0]


def test_copies_share_a_group():
    texts = [
        "Acme beats estimates on strong pump sales https://t.co/a",
        "Zeta falls after weak results in Europe this week",
        "ACME beats estimates on strong pump sales! https://t.co/b",
        "Acme",
        "Zeta",
    ]
    groups = groups_of_alike(texts)
    assert groups[0] == groups[2]
    assert len(set(groups)) == 4


def test_models_are_refused_unless_they_are_what_their_card_says(tmp_path: Path):

    arrays = {
        "rarity": np.ones(8, dtype=np.float32),
        "weights": np.arange(24, dtype=np.int8).reshape(8, 3),
        "scale": np.ones(3),
        "bias": np.array([0.0, 1.0, 0.0]),
    }
    card = {
        "task": "sentiment",
        "labels": list(SENTIMENTS),
        "features_version": grams.VERSION,
        "word_buckets": 4,
        "held_out": {"accuracy": 0.8},
        "tones": {"good": 1.0},
    }
    first = model_files.save(tmp_path / "a", arrays=arrays, card=card)
    again = model_files.save(tmp_path / "b", arrays=arrays, card=card)
    assert first == again  # equal arrays, equal bytes
    model = model_files.load(tmp_path / "a", Task.SENTIMENT)
    assert model.labels == SENTIMENTS
    assert sum(predict(model, "good").probabilities) > 0.99

    def refused(reason: str, error: type[Exception] = BadData, **changes: Any) -> None:
        written = json.loads((tmp_path / "b" / "card.json").read_text())
        (tmp_path / "b" / "card.json").write_text(json.dumps(written | changes))
        with pytest.raises(error, match=reason):
            model_files.load(tmp_path / "b", Task.SENTIMENT)
        (tmp_path / "b" / "card.json").write_text(json.dumps(written))

    refused("is a model of topic", ConfigError, task="topic")
    refused("was made for features 0", features_version=0)
    refused("hash differs", weights_sha256="0" * 64)
    refused("labels: are not those", labels=["up", "down"])
    refused("tones: must be a number", tones={"good": "very"})
    refused("accuracy: must be from 0 to 1", held_out={"accuracy": 2})
    refused("accuracy: must be from 0 to 1", held_out={})
    refused("word_buckets: must be a whole number", word_buckets="4")
    refused("must be powers of two", word_buckets=3)
    with pytest.raises(ConfigError, match="holds no text model"):
        model_files.load(tmp_path, Task.SENTIMENT)
    (tmp_path / "b" / "model.npz").write_bytes(b"no archive")
    refused("hash differs")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("weights", np.zeros((8, 3)), "8-bit integers"),
        ("weights", np.zeros((8, 2), dtype=np.int8), "do not fit"),
        ("rarity", np.full(8, np.nan, dtype=np.float32), "not finite"),
        ("bias", np.array([0.0, np.inf, 0.0]), "not finite"),
        ("weights", np.array([{"pickled": 1}]), "no plain model file"),
    ],
)
def test_arrays_that_are_no_model_are_refused(tmp_path: Path, name: str, value: Any, reason: str):

    arrays: dict[str, Any] = {
        "rarity": np.ones(8, dtype=np.float32),
        "weights": np.zeros((8, 3), dtype=np.int8),
        "scale": np.ones(3),
        "bias": np.zeros(3),
    }
    model_files.save(
        tmp_path,
        arrays=arrays | {name: value},
        card={
            "task": "sentiment",
            "labels": list(SENTIMENTS),
            "features_version": grams.VERSION,
            "word_buckets": 4,
            "held_out": {"accuracy": 0.8},
            "tones": {},
        },
    )
    with pytest.raises(BadData, match=reason):
        model_files.load(tmp_path, Task.SENTIMENT)
