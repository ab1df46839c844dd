"""A linear model of texts: integer weights by hashed feature, the same answer on every machine.

score of a label = bias + scale x sum over features of (weight x value)

Values are scaled to integers before they meet the integer weights, so the sum is exact in any
order; what remains of floating point (the logarithms, the soft maximum) is rounded off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection.grams import CHARACTERS, NUMBER_BITS, Numbers, grams
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
    return of_scores(model.labels, score(model, text))


def of_scores(labels: Sequence[str], scores: Sequence[float]) -> Prediction:
    """Return the soft maximum of scores, one a label."""
    top = max(scores)
    powers = [math.exp(value - top) for value in scores]
    total = math.fsum(powers)
    probabilities = tuple(round(power / total, DIGITS) for power in powers)
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return Prediction(label=labels[best], probabilities=probabilities)


def score(model: LinearModel, text: str) -> list[float]:
    """Return the score of each label before it becomes a probability."""
    rows, values = features(text, model.rarity, model.word_buckets, model.tones)
    sums = values @ model.weights.take(rows, axis=0)  # of whole numbers far below 2**53: exact
    parts = zip(model.bias.tolist(), model.scale.tolist(), sums.tolist(), strict=True)
    return [bias + scale * total / VALUE_UNIT for bias, scale, total in parts]


def features(
    text: str,
    rarity: NDArray[np.float32],
    word_buckets: int,
    tones: Mapping[str, float],
) -> tuple[Numbers, NDArray[np.float64]]:
    """Return the rows of the features of a text with their values, which are whole numbers.

    value = (1 + ln count) x rarity, the words and the pieces each scaled to length 1. What training
    has not seen has the value 0.
    """
    rows, values = counted(text, word_buckets, len(rarity) - word_buckets, tones)
    values *= rarity.take(rows)
    words = rows.searchsorted(word_buckets)
    for part in (values[:words], values[words:]):
        length = math.sqrt(math.fsum((part * part).tolist()))  # an exact sum, so in any order
        np.divide(part, length / VALUE_UNIT or 1.0, out=part)
    return rows, np.rint(values, out=values)


def counted(
    text: str, word_buckets: int, piece_buckets: int, tones: Mapping[str, float]
) -> tuple[Numbers, NDArray[np.float64]]:
    """Return the rows of the features of a text in rising order, with 1 + ln count of each.

    Where several features share a row, it has the sum.
    """
    places = grams(text, tones, word_buckets, piece_buckets)
    places.sort()
    ends = (places[1:] != places[:-1]).nonzero()[0]  # where the outermost places end, too
    rows = places.take(ends[1:]) >> NUMBER_BITS
    values = _VALUES.take(ends[1:] - ends[:-1])
    if np.count_nonzero(rows[1:] == rows[:-1]):
        rows, where = np.unique(rows, return_inverse=True)
        return rows, np.bincount(where, weights=values).astype(np.float64)
    return rows, values
