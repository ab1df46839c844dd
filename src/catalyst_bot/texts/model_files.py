"""A text model as a folder: `model.npz` (plain arrays, never pickled) and `card.json`.

The same of a second model beside it, which reads whole sentences: `sentences.npz` and
`sentences.json`.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection import grams
from catalyst_bot.detection.linear import LinearModel
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts.labels import LABELS, Task
from catalyst_bot.texts.sentences import SentenceModel

WEIGHTS, CARD = "model.npz", "card.json"
SENTENCE_WEIGHTS, SENTENCE_CARD = "sentences.npz", "sentences.json"
MAX_FILE_BYTES = 16 << 20
MAX_ARRAY_BYTES = 64 << 20
_ARRAYS = ("rarity", "weights", "scale", "bias")
_SENTENCE_ARRAYS = ("word_weights", "vector_weights", "bias")


@cache
def shipped(task: Task) -> LinearModel:
    """Return the model that comes with the package."""
    with folder_of(None, task) as folder:
        return load(folder, task)


@contextmanager
def folder_of(model: str | Path | None, task: Task) -> Iterator[Path]:
    """The folder of a model, or of the one that comes with the package, while it is needed."""
    if model is not None:
        yield Path(model)
        return
    with as_file(files("catalyst_bot.detection") / "models" / str(task)) as folder:
        yield folder


def shipped_card(task: Task) -> dict[str, Any]:
    """Return the card of the model that comes with the package."""
    with folder_of(None, task) as folder:
        return _card(folder, CARD)


@contextmanager
def made_whole(out: Path) -> Iterator[Path]:
    """A folder to write a model to, whose files take their places in `out` when all are written.

    What `out` held of a model before is left as it is until then. Raises `ConfigError` before any
    work when it cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        made = TemporaryDirectory(dir=out, prefix=".new-")
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written: {error}") from error
    with made as name:
        yield Path(name)
        for each in (SENTENCE_CARD, SENTENCE_WEIGHTS):
            (out / each).unlink(missing_ok=True)
        for each in (WEIGHTS, CARD, SENTENCE_WEIGHTS, SENTENCE_CARD):
            if (Path(name) / each).exists():
                (Path(name) / each).replace(out / each)


def load(folder: Path, task: Task) -> LinearModel:
    """Read a model and hold it against its card.

    Raises `ConfigError` for a folder that holds no model of the task, `BadData` for a model that
    is damaged, too large, pickled or made for other features.
    """
    card = _card(folder, CARD)
    if card.get("task") != task:
        raise ConfigError(f"{folder}: is a model of {card.get('task')}, {task} is asked for")
    if card.get("features_version") != grams.VERSION:
        raise BadData(
            f"{folder}: was made for features {card.get('features_version')}, this version reads "
            f"{grams.VERSION}: train it again with `catalyst-bot detect train`"
        )
    arrays = _arrays(folder / WEIGHTS, card, _ARRAYS)
    labels, tones = card.get("labels"), card.get("tones")
    if not isinstance(labels, list) or not set(labels) <= set(LABELS[task]):
        raise BadData(f"{folder / CARD}: labels: are not those of the task")
    if not isinstance(tones, dict) or not all(_is_number(tone) for tone in tones.values()):
        raise BadData(f"{folder / CARD}: tones: must be a number for each word")
    return LinearModel(
        model_id=model_id_of(card),
        task=str(task),
        labels=tuple(labels),
        word_buckets=_integer(card, "word_buckets", folder),
        rarity=arrays["rarity"].astype(np.float32),
        weights=arrays["weights"],
        scale=arrays["scale"].astype(np.float64),
        bias=arrays["bias"].astype(np.float64),
        accuracy=_accuracy(card, folder / CARD),
        tones=tones,
    )


def model_id_of(card: Mapping[str, Any]) -> str:
    """Return the name of a model of words: its task and the hash of its weights."""
    return f"{card['task']}-{card['weights_sha256'][:12]}"


def has_sentences(folder: Path) -> bool:
    """Tell whether a model's folder holds a model of sentences, too."""
    return (folder / SENTENCE_CARD).is_file()


def load_sentences(folder: Path, task: Task) -> SentenceModel:
    """Read a model and the model of sentences beside it; raises as `load` does."""
    if not has_sentences(folder):
        raise ConfigError(
            f"{folder}: holds no model of sentences ({SENTENCE_CARD}); make one with `catalyst-bot "
            "detect train --encoder`"
        )
    words = load(folder, task)
    path, card = folder / SENTENCE_CARD, _card(folder, SENTENCE_CARD)
    encoder = card.get("encoder")
    if not isinstance(encoder, dict) or not isinstance(encoder.get("sha256"), str):
        raise BadData(f"{path}: encoder: sha256: is missing")
    if card.get("words") != words.model_id:
        raise BadData(f"{path}: was made beside {card.get('words')}, not {words.model_id}")
    arrays = _arrays(folder / SENTENCE_WEIGHTS, card, _SENTENCE_ARRAYS)
    return SentenceModel(
        model_id=f"{task}-sentences-{card['weights_sha256'][:12]}",
        words=words,
        word_weights=arrays["word_weights"].astype(np.float64),
        vector_weights=arrays["vector_weights"].astype(np.float64),
        bias=arrays["bias"].astype(np.float64),
        encoder_name=str(encoder.get("name", "")),
        encoder_sha256=encoder["sha256"],
    )


def save_sentences(
    folder: Path, *, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a model of sentences beside the one of words, and return its card."""
    chosen = {name: arrays[name].astype(np.float32) for name in _SENTENCE_ARRAYS}
    return _save(folder / SENTENCE_WEIGHTS, folder / SENTENCE_CARD, chosen, card)


def save(
    folder: Path, *, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a model and its card, and return the card; equal arrays give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {name: arrays[name] for name in _ARRAYS}
    return _save(folder / WEIGHTS, folder / CARD, chosen, card)


def _save(
    weights: Path, path: Path, arrays: Mapping[str, Any], card: Mapping[str, Any]
) -> dict[str, Any]:
    np.savez_compressed(weights, **arrays)
    whole = {**card, "weights_sha256": sha256(weights.read_bytes()).hexdigest()}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return whole


def _card(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{folder}: holds no text model ({name} cannot be read); make one with `catalyst-bot "
            "detect train`"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: is no JSON: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("weights_sha256"), str):
        raise BadData(f"{path}: is no model card: weights_sha256 is missing")
    return card


def _arrays(path: Path, card: Mapping[str, Any], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays; their hash and their size are checked before they are unpacked."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadData(f"{path}: has more than {MAX_FILE_BYTES} bytes")
        if sha256(path.read_bytes()).hexdigest() != card["weights_sha256"]:
            raise BadData(f"{path}: is not the file its card describes (hash differs)")
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_ARRAY_BYTES:
                raise BadData(f"{path}: unpacks to more than {MAX_ARRAY_BYTES} bytes")
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadData(f"{path}: is no plain model file: {error}") from error


def _accuracy(card: Mapping[str, Any], path: Path) -> float:
    held_out = card.get("held_out")
    accuracy = held_out.get("accuracy") if isinstance(held_out, dict) else None
    if accuracy is None or not _is_number(accuracy) or not 0 <= accuracy <= 1:
        raise BadData(f"{path}: held_out: accuracy: must be from 0 to 1")
    return float(accuracy)


def _integer(card: Mapping[str, Any], key: str, folder: Path) -> int:
    value = card.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadData(f"{folder / CARD}: {key}: must be a whole number")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
