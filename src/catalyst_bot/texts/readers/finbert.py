"""FinBERT (or any such classifier) on this machine, from a folder. Nothing is ever downloaded.

The folder holds `model.onnx`, `tokenizer.json` and a `config.json` with `id2label`, as Hugging
Face exports them. Needs the extra `finbert` (onnxruntime, tokenizers).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.news import TextOpinion
from catalyst_bot.texts.labels import SENTIMENTS, Task, label_map

NAME = "finbert"
MODEL, TOKENIZER, CONFIG = "model.onnx", "tokenizer.json", "config.json"
MAX_TOKENS = 128


class FinBert:
    """Reads titles with a classifier of three tones."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        """Load the folder. Raises `ConfigError` naming what is missing and the remedy."""
        missing = [name for name in (MODEL, TOKENIZER, CONFIG) if not (folder / name).is_file()]
        if missing:
            raise ConfigError(
                f"detection.finbert_dir = {folder}: {', '.join(missing)} is missing; export the "
                "model to ONNX first, the bot downloads nothing"
            )
        runtime, tokenizers = _extra("onnxruntime"), _extra("tokenizers")
        self._labels = _labels(folder / CONFIG)
        self._model = folder.name
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
            self._tokenizer.enable_truncation(MAX_TOKENS)
            options = runtime.SessionOptions()
            options.intra_op_num_threads = 1
            self._session = runtime.InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(
                f"detection.finbert_dir = {folder}: cannot be read: {error}"
            ) from error

    def read(self, command: RequestTextOpinion, within_s: float) -> TextOpinion:  # noqa: ARG002
        """Return the opinion on the title. Raises `BadData` for an answer that is no number."""
        chances = self.chances(command.title)
        return TextOpinion(
            reader=NAME,
            model=self._model,
            value=chances["positive"] - chances["negative"],
            confidence=max(chances.values()),
        )

    def chances(self, text: str) -> dict[str, float]:
        """Return the probability of each tone."""
        encoded = self._tokenizer.encode(text)
        known = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        wanted = [item.name for item in self._session.get_inputs()]
        feed = {name: np.array([known[name]], dtype=np.int64) for name in wanted if name in known}
        scores = np.asarray(self._session.run(None, feed)[0], dtype=np.float64).ravel()
        if scores.shape != (len(self._labels),) or not np.isfinite(scores).all():
            raise BadData("the model's answer is not one finite number a label")
        powers = np.exp(scores - scores.max())
        shares = (powers / powers.sum()).tolist()
        return {label: round(share, 6) for label, share in zip(self._labels, shares, strict=True)}


def _labels(path: Path) -> tuple[str, ...]:
    """Return our names of the model's labels in the order of its outputs."""
    try:
        id2label = json.loads(path.read_text(encoding="utf-8"))["id2label"]
        given = [str(id2label[str(number)]) for number in range(len(id2label))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: has no id2label of the kind {{'0': 'positive'}}") from error
    names: Mapping[str, str] = label_map(Task.SENTIMENT, frozenset(given)).names
    labels = tuple(names.get(label.lower(), label) for label in given)
    if sorted(labels) != sorted(SENTIMENTS):
        raise ConfigError(f"{path}: id2label: {', '.join(given)} are not the three tones")
    return labels


def _extra(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"detection.finbert_dir needs {name}: pip install 'catalyst-bot[finbert]' ({error})"
        ) from error
