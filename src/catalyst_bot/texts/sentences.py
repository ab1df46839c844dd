"""A second look at a text: what its words score, and what the whole sentence means.

scores = bias + word scores x word_weights + sentence vector x vector_weights

The word scores are those of the linear model of the core; the vector is that of an encoder on this
machine. It reads a hundred texts a second, so it is asked about few: it is a reader outside
the core, and a command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection.linear import LinearModel, Prediction, of_scores, score
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts.encoder import SentenceEncoder

AT_ONCE = 512  # texts


@dataclass(frozen=True, kw_only=True)
class SentenceModel:
    """Weights for k labels and vectors of `width` numbers: (k, k), (width, k) and k.

    It belongs to one encoder, known by the hash of its files.
    """

    model_id: str
    words: LinearModel
    word_weights: NDArray[np.float64]
    vector_weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    encoder_name: str
    encoder_sha256: str

    def __post_init__(self) -> None:
        k = len(self.words.labels)
        is_matrix = self.vector_weights.ndim == 2 and self.vector_weights.shape[1] == k
        if not is_matrix or self.word_weights.shape != (k, k) or self.bias.shape != (k,):
            raise BadData(f"{self.model_id}: the shapes of its arrays do not fit its labels")
        parts = (self.word_weights, self.vector_weights, self.bias)
        if not all(np.isfinite(part).all() for part in parts):
            raise BadData(f"{self.model_id}: a number in it is not finite")


def refuse_stranger(model: SentenceModel, encoder: SentenceEncoder) -> None:
    """Raise `ConfigError` for another encoder than the one that the model was made with."""
    if encoder.sha256 != model.encoder_sha256 or encoder.width != len(model.vector_weights):
        raise ConfigError(
            f"{model.model_id} was made with the encoder {model.encoder_name} "
            f"({model.encoder_sha256[:12]}), this one is {encoder.sha256[:12]}: name the folder of "
            "the other, read words only (`--encoder none`), or train with this one"
        )


def predict_all(
    model: SentenceModel,
    encoder: SentenceEncoder,
    texts: Sequence[str],
    note: Callable[[str], None] = lambda _: None,
) -> list[Prediction]:
    """Read texts; `note` is told how far it is."""
    found: list[Prediction] = []
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        said = np.array([score(model.words, text) for text in part]) @ model.word_weights
        said += encoder.vectors(part) @ model.vector_weights + model.bias
        found += [of_scores(model.words.labels, row) for row in said.tolist()]
        note(f"{len(found):,} of {len(texts):,} texts read")
    return found
