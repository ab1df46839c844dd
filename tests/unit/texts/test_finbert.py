"""FinBERT from a folder: what it says, and what is said when it cannot be loaded."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from catalyst_bot.bootstrap.texts import asking, readers_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.settings import Settings
from catalyst_bot.texts.readers import finbert
from catalyst_bot.texts.readers.finbert import FinBert
from tests.unit.texts.test_attacks import asked

LABELS = {"0": "positive", "1": "negative", "2": "neutral"}


def folder(path: Path, labels: Any = LABELS) -> Path:
    for name in (finbert.MODEL, finbert.TOKENIZER):
        (path / name).write_bytes(b"x")
    (path / finbert.CONFIG).write_text(json.dumps({"id2label": labels}))
    return path


class Session:
    """A session of onnxruntime whose answer is fixed; keeps what it was fed."""

    scores: Any = (2.0, 0.0, 0.0)
    fed: dict[str, Any]

    def __init__(self, path: str, options: Any, providers: list[str]) -> None:
        assert providers == ["CPUExecutionProvider"]

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in ("input_ids", "attention_mask")]

    def run(self, outputs: None, feed: dict[str, Any]) -> list[Any]:
        Session.fed = feed
        return [np.array([Session.scores], dtype=np.float32)]


class Tokenizer:
    """A tokenizer that cuts at spaces."""

    @staticmethod
    def from_file(path: str) -> Tokenizer:
        return Tokenizer()

    def enable_truncation(self, length: int) -> None:
        assert length == finbert.MAX_TOKENS

    def encode(self, text: str) -> Any:
        ids = list(range(len(text.split())))
        return SimpleNamespace(ids=ids, attention_mask=[1] * len(ids), type_ids=[0] * len(ids))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {
        "onnxruntime": SimpleNamespace(InferenceSession=Session, SessionOptions=SimpleNamespace),
        "tokenizers": SimpleNamespace(Tokenizer=Tokenizer),
    }
    monkeypatch.setattr(finbert, "import_module", modules.__getitem__)
    monkeypatch.setattr(Session, "scores", (2.0, 0.0, 0.0))


@pytest.mark.usefixtures("installed")
def test_its_opinion_is_the_difference_of_good_and_bad(tmp_path: Path):
    reader = FinBert(folder(tmp_path))
    said = reader.read(asked("Acme profit surges"), 2.0)
    chances = reader.chances("Acme profit surges")
    assert sum(chances.values()) == pytest.approx(1)
    assert said.value == pytest.approx(chances["positive"] - chances["negative"])
    assert said.confidence == chances["positive"] > 0.7
    assert said.reader == "finbert"
    assert Session.fed["input_ids"].shape == (1, 3)
    assert set(Session.fed) == {"input_ids", "attention_mask"}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("scores", [(np.nan, 0, 0), (1.0, 2.0)])
def test_an_answer_that_is_no_number_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: Any
):
    reader = FinBert(folder(tmp_path))
    monkeypatch.setattr(Session, "scores", scores)
    with pytest.raises(BadData, match="finite number a label"):
        reader.read(asked(), 2.0)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("labels", [{"0": "up", "1": "down"}, None, {"1": "positive"}])
def test_labels_that_are_no_tones_are_refused(tmp_path: Path, labels: Any):
    with pytest.raises(ConfigError, match="id2label"):
        FinBert(folder(tmp_path, labels))


def test_a_folder_without_a_model_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"model\.onnx, tokenizer\.json, config\.json is missing"):
        FinBert(tmp_path)


def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(finbert, "import_module", missing)
    with pytest.raises(ConfigError, match=r"pip install 'catalyst-bot\[finbert\]'"):
        FinBert(folder(tmp_path))


@pytest.mark.usefixtures("installed")
def test_the_setting_makes_the_core_ask(tmp_path: Path):
    off = Settings()
    assert asking(off).wait_s == 0
    assert readers_of(off, events=()) == []
    on = Settings.model_validate({"detection": {"finbert_dir": folder(tmp_path)}})
    assert asking(on).wait_s == 2.0
    assert [reader.name for reader in readers_of(on, events=())] == ["finbert"]
