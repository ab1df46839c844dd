"""A linear model of texts: integer weights by hashed feature, the same answer on every machine.

score of a label = bias + scale x sum over features of (weight x value)

Values are scaled to integers before they meet the integer weights, so the sum is exact in any
order; what remains of floating point (the logarithms, the soft maximum) is rounded off.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection.grams import bucket, grams
from catalyst_bot.domain.errors import BadData

VALUE_UNIT = 4096  # a value of 1.0 as an integer
DIGITS = 6  # of a probability


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """Weights of a task. `rarity` (one number a bucket) is 0 for what training never saw.

    The first `word_buckets` rows belong to word features, the others to pieces of words.
    `scale` and `bias` are one number a label; `accuracy` is what the model reached on texts it
    had not seen, from its card; `tones` the weights of the words it was trained with.
    """

    model_id: str
    task: str
    labels: tuple[str, ...]
    word_buckets: int
    rarity: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    accuracy: float
    tones: Mapping[str, float]

    def __post_init__(self) -> None:
        buckets, labels = self.weights.shape if self.weights.ndim == 2 else (0, 0)
        pieces = buckets - self.word_buckets
        shapes = (self.rarity.shape, self.scale.shape, self.bias.shape)
        if labels < 2 or labels != len(self.labels) or shapes != ((buckets,), (labels,), (labels,)):
            raise BadData(f"{self.model_id}: the shapes of its arrays do not fit its labels")
        if not all(size > 0 and size & (size - 1) == 0 for size in (self.word_buckets, pieces)):
            raise BadData(f"{self.model_id}: the numbers of buckets must be powers of two")
        if self.weights.dtype != np.int8:
            raise BadData(f"{self.model_id}: weights must be 8-bit integers")
        if not all(np.isfinite(part).all() for part in (self.rarity, self.scale, self.bias)):
            raise BadData(f"{self.model_id}: a number in it is not finite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The likeliest label, and the probability of each label in the model's order."""

    label: str
    probabilities: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """Probability of the likeliest label."""
        return max(self.probabilities)


def predict(model: LinearModel, text: str) -> Prediction:
    """Read a text; one without any known feature gets what the biases say. Never raises."""
    scores = score(model, text)
    top = max(scores)
    powers = [math.exp(value - top) for value in scores]
    total = math.fsum(powers)
    probabilities = tuple(round(power / total, DIGITS) for power in powers)
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return Prediction(label=model.labels[best], probabilities=probabilities)


def score(model: LinearModel, text: str) -> list[float]:
    """Return the score of each label before it becomes a probability."""
    rows, values = features(text, model.rarity, model.word_buckets, model.tones)
    sums = values @ model.weights[rows].astype(np.int64)
    return [
        float(bias + scale * total / VALUE_UNIT)
        for bias, scale, total in zip(model.bias, model.scale, sums.tolist(), strict=True)
    ]


def features(
    text: str,
    rarity: NDArray[np.float32],
    word_buckets: int,
    tones: Mapping[str, float],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and integer values of the features of a text that training has seen.

    value = (1 + ln count) x rarity, the words and the pieces each scaled to length 1.
    """
    by_words, by_pieces = grams(text, tones)
    parts = (
        _part(by_words, rarity[:word_buckets], 0),
        _part(by_pieces, rarity[word_buckets:], word_buckets),
    )
    rows = [row for part in parts for row in part]
    values = [value for part in parts for value in part.values()]
    return np.array(rows, dtype=np.int64), np.array(values, dtype=np.int64)


def _part(counts: Counter[str], rarity: NDArray[Any], offset: int) -> dict[int, int]:
    """Return the integer values of one kind of features by row."""
    by_row: dict[int, float] = {}
    for gram, count in counts.items():
        row = bucket(gram, len(rarity))
        by_row[row] = by_row.get(row, 0.0) + (1.0 + math.log(count))
    known = {row: value * float(rarity[row]) for row, value in by_row.items() if rarity[row] > 0}
    length = math.sqrt(math.fsum(value * value for value in known.values()))
    return {row + offset: round(value / length * VALUE_UNIT) for row, value in known.items()}
