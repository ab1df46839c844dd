"""The model of sentences: learned beside that of words, kept, measured, refused, asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.bootstrap.detecting import evaluate, make_model
from catalyst_bot.bootstrap.texts import asking, readers_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.settings import Settings
from catalyst_bot.texts import training
from catalyst_bot.texts.encoder import SentenceEncoder
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import (
    CARD,
    SENTENCE_CARD,
    SENTENCE_WEIGHTS,
    WEIGHTS,
    folder_of,
    has_sentences,
    load,
    load_sentences,
)
from catalyst_bot.texts.sentences import predict_all
from tests.encoders import tiny_encoder
from tests.unit.texts.test_attacks import asked
from tests.unit.texts.test_training import SMALL, rows

TITLES = {
    "Quill Corp wins a large order from a utility": "positive",
    "Brook Corp loses a lawsuit over its pumps": "negative",
    "Acme Corp to hold its annual meeting in May": "neutral",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(training.RECIPES, Task.SENTIMENT, SMALL)  # type: ignore[arg-type]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
    return path


@pytest.fixture
def made(file: Path, tmp_path: Path) -> dict[str, Any]:
    """A folder with both models, and the card of both."""
    return make(file, tmp_path / "model", tiny_encoder(tmp_path / "tiny"))


def make(file: Path, out: Path, encoder: Path | None) -> dict[str, Any]:
    return make_model(
        [file],
        Task.SENTIMENT,
        out,
        licence_note="invented",
        note=lambda text: None,
        encoder=str(encoder) if encoder else None,
    )


def test_it_learns_and_its_card_says_with_what(made: dict[str, Any], tmp_path: Path) -> None:
    card = made["sentences"]
    assert card == json.loads((tmp_path / "model" / SENTENCE_CARD).read_text())
    assert card["held_out"]["accuracy"] > 0.9
    assert card["words"] == f"sentiment-{made['weights_sha256'][:12]}"
    assert card["encoder"]["name"] == "tiny"
    assert card["data"] == made["data"]
    model = load_sentences(tmp_path / "model", Task.SENTIMENT)
    encoder = SentenceEncoder(tmp_path / "tiny")
    assert [each.label for each in predict_all(model, encoder, list(TITLES))] == list(
        TITLES.values()
    )


def test_the_words_model_beside_it_is_the_same_without_it(
    made: dict[str, Any], file: Path, tmp_path: Path
) -> None:
    alone = make(file, tmp_path / "alone", None)
    assert "sentences" not in alone
    assert not has_sentences(tmp_path / "alone")
    assert alone == {name: each for name, each in made.items() if name != "sentences"}


def test_the_same_rows_give_the_same_weights(
    made: dict[str, Any], file: Path, tmp_path: Path
) -> None:
    again = make(file, tmp_path / "again", tmp_path / "tiny")
    assert again["sentences"] == made["sentences"]


def test_what_it_says_is_what_its_parts_say(made: dict[str, Any], tmp_path: Path) -> None:
    """Without the vector, or without the words, it says something else: both are read."""
    model = load_sentences(tmp_path / "model", Task.SENTIMENT)
    encoder = SentenceEncoder(tmp_path / "tiny")
    unclear = ["Acme lawsuit surge in May", "large order plunge over its new office"]
    both = [each.probabilities for each in predict_all(model, encoder, unclear)]
    for part in ("word_weights", "vector_weights"):
        deaf = replace(model, **{part: np.zeros_like(getattr(model, part))})
        assert [each.probabilities for each in predict_all(deaf, encoder, unclear)] != both


def test_measuring_reads_sentences_where_an_encoder_is(
    made: dict[str, Any], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(tmp_path / "model")

    def measured(encoder: str | None) -> str:
        return str(evaluate(file, Task.SENTIMENT, model, encoder=encoder)["model"])

    assert measured(str(tmp_path / "tiny")).startswith("sentiment-sentences-")
    assert measured("none") == made["sentences"]["words"]
    monkeypatch.setattr("catalyst_bot.bootstrap.detecting.is_installed", lambda: False)
    assert measured(None) == made["sentences"]["words"]
    monkeypatch.setattr("catalyst_bot.bootstrap.detecting.is_installed", lambda: True)
    monkeypatch.setattr("catalyst_bot.bootstrap.texts.folder_of", lambda name: tmp_path / "tiny")
    assert measured(None).startswith("sentiment-sentences-")


def test_another_encoder_is_refused(made: dict[str, Any], file: Path, tmp_path: Path) -> None:
    other = tiny_encoder(tmp_path / "other", seed=1)
    with pytest.raises(ConfigError, match="was made with the encoder tiny"):
        evaluate(file, Task.SENTIMENT, str(tmp_path / "model"), encoder=str(other))


def test_a_model_of_words_alone_reads_no_sentences(file: Path, tmp_path: Path) -> None:
    make(file, tmp_path / "alone", None)
    tiny = tiny_encoder(tmp_path / "tiny")
    with pytest.raises(ConfigError, match="holds no model of sentences"):
        evaluate(file, Task.SENTIMENT, str(tmp_path / "alone"), encoder=str(tiny))


def test_words_learned_anew_leave_the_sentences_behind(
    made: dict[str, Any], file: Path, tmp_path: Path
) -> None:
    """Trained again without an encoder, no folder keeps a model of sentences of other words."""
    make(file, tmp_path / "model", None)
    assert sorted(each.name for each in (tmp_path / "model").iterdir()) == [CARD, WEIGHTS]


def test_a_training_that_ends_early_leaves_the_model_as_it_was(
    made: dict[str, Any], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    before = {each.name: each.read_bytes() for each in (tmp_path / "model").iterdir()}
    monkeypatch.setattr("catalyst_bot.bootstrap.detecting.train_sentences", ends)
    with pytest.raises(KeyboardInterrupt):
        make(file, tmp_path / "model", tmp_path / "tiny")
    assert {each.name: each.read_bytes() for each in (tmp_path / "model").iterdir()} == before


def test_a_place_that_cannot_be_written_is_told_before_the_work(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        make(file, file, None)
    with pytest.raises(ConfigError, match="is empty"):
        make_model([file], Task.SENTIMENT, tmp_path / "m", licence_note="", note=print, encoder="")


@pytest.mark.parametrize("key", ["encoder", "words", "weights_sha256"])
def test_a_card_that_was_changed_is_refused(made: dict[str, Any], tmp_path: Path, key: str) -> None:
    path = tmp_path / "model" / SENTENCE_CARD
    path.write_text(json.dumps({**made["sentences"], key: "another"}))
    with pytest.raises(BadData, match=r"sentences\.(json|npz)"):
        load_sentences(tmp_path / "model", Task.SENTIMENT)


def test_weights_that_were_changed_are_refused(made: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "model" / SENTENCE_WEIGHTS
    path.write_bytes(path.read_bytes()[:-20] + bytes(20))
    with pytest.raises(BadData, match="hash differs"):
        load_sentences(tmp_path / "model", Task.SENTIMENT)
    assert load(tmp_path / "model", Task.SENTIMENT)  # the words are whole


def test_arrays_that_do_not_fit_are_refused(made: dict[str, Any], tmp_path: Path) -> None:
    model = load_sentences(tmp_path / "model", Task.SENTIMENT)
    with pytest.raises(BadData, match="shapes"):
        replace(model, bias=np.zeros(2))
    with pytest.raises(BadData, match="not finite"):
        replace(model, bias=np.array([0.0, np.nan, 0.0]))


def test_the_setting_makes_the_bot_ask_it(made: dict[str, Any], tmp_path: Path) -> None:
    chosen = {"sentiment_model": tmp_path / "model", "encoder": str(tmp_path / "tiny")}
    on = Settings.model_validate({"detection": chosen})
    assert asking(on).wait_s == 2.0
    (reader,) = readers_of(on, events=())
    good, bad = (reader.read(asked(title), 2.0) for title in list(TITLES)[:2])
    assert reader.name == good.reader == "sentences"
    assert good.value > 0.2 > -0.2 > bad.value
    assert 0.4 < good.confidence <= 1.0
    assert good.model.startswith("sentiment-sentences-")


def test_the_setting_needs_both_the_model_and_the_encoder(tmp_path: Path) -> None:
    off = Settings()
    assert asking(off).wait_s == 0
    nowhere = Settings.model_validate({"detection": {"encoder": str(tmp_path / "nowhere")}})
    with pytest.raises(ConfigError, match="is no sentence encoder"):
        readers_of(nowhere, events=())
    (tmp_path / "words").mkdir()
    for name in (CARD, WEIGHTS):
        with folder_of(None, Task.SENTIMENT) as shipped:
            (tmp_path / "words" / name).write_bytes((shipped / name).read_bytes())
    chosen = {"sentiment_model": tmp_path / "words", "encoder": str(tmp_path)}
    with pytest.raises(ConfigError, match="holds no model of sentences"):
        readers_of(Settings.model_validate({"detection": chosen}), events=())
