"""A linear model of texts: integer weights by hashed feature, the same answer on every machine.

score of a label = bias + scale x sum over features of (weight x value)

Values are scaled to integers before they meet the integer weights, so the sum is exact in any
order; what remains of floating point (the logarithms, the soft maximum) is rounded off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection.grams import CHARACTERS, grams, rows_of
from catalyst_bot.domain.errors import BadData

VALUE_UNIT = 4096  # a value of 1.0 as an integer
DIGITS = 6  # of a probability
# Of how often a feature can occur: a cashtag of two characters becomes a word of eight.
_VALUES = np.array([0.0, *(1.0 + math.log(count) for count in range(1, 8 * CHARACTERS))])


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
    sums = values @ model.weights.take(rows, axis=0).astype(np.int64)
    parts = zip(model.bias.tolist(), model.scale.tolist(), sums.tolist(), strict=True)
    return [bias + scale * total / VALUE_UNIT for bias, scale, total in parts]


def features(
    text: str,
    rarity: NDArray[np.float32],
    word_buckets: int,
    tones: Mapping[str, float],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and integer values of the features of a text that training has seen.

    value = (1 + ln count) x rarity, the words and the pieces each scaled to length 1.
    """
    rows, values = counted(text, word_buckets, len(rarity) - word_buckets, tones)
    values *= rarity.take(rows)
    known = (values > 0).nonzero()[0]
    rows, values = rows.take(known), values.take(known)
    words = np.count_nonzero(rows < word_buckets)
    scaled = np.concatenate((_to_length_one(values[:words]), _to_length_one(values[words:])))
    return rows, np.rint(scaled * VALUE_UNIT).astype(np.int64)


def _to_length_one(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale values; their squares are summed exactly, so in any order."""
    return values / math.sqrt(math.fsum((values * values).tolist()))


def counted(
    text: str, word_buckets: int, piece_buckets: int, tones: Mapping[str, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of the features of a text, words first, with 1 + ln count of each.

    Where several features share a row, it has the sum.
    """
    numbers = grams(text, tones)
    numbers.sort()
    is_edge = np.ones(len(numbers) + 1, dtype=np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=is_edge[1:-1])
    edges = is_edge.nonzero()[0]
    rows = rows_of(numbers.take(edges[:-1]), word_buckets, piece_buckets)
    values = _VALUES.take(edges[1:] - edges[:-1])
    ordered = np.sort(rows)
    if (ordered[1:] == ordered[:-1]).any():
        rows, where = np.unique(rows, return_inverse=True)
        return rows, np.bincount(where, weights=values).astype(np.float64)
    return rows, values
