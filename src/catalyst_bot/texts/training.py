"""Fit a linear text model: hashed words and pieces of words, a linear support vector machine.

Needs scikit-learn (the extra `train`). What is told about its accuracy comes from texts that the
fit had not seen: five folds, and texts that say nearly the same are never in two of them.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.detection.grams import VERSION
from catalyst_bot.detection.linear import counted
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.texts.duplicates import groups_of_alike
from catalyst_bot.texts.labels import LABELS, Task
from catalyst_bot.texts.measuring import measure
from catalyst_bot.texts.model_files import save
from catalyst_bot.texts.rows import Labelled, joined

MIN_TEXTS_OF_A_LABEL = 10
GREATEST_WEIGHT = 127
_NO_EXTRA = "training needs scikit-learn: run `make setup-train`"

Matrix = Any  # scipy publishes no types: a sparse matrix of texts by buckets
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceRecipe:
    """How a model of sentences is fitted: its penalty, how much rare labels count (as in
    `Recipe`), and how much a vector counts beside the score of a word.
    """

    penalty: float = 6e-4
    balance: float = 0.3
    vector_scale: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is fitted; the defaults of each task were chosen by cross-validation.

    A feature must occur in `min_texts` texts. `strength` is the inverse of the regularisation.
    `balance` raises the weight of rare labels: 0 leaves them as they are, 1 makes all labels
    count the same.
    """

    word_buckets: int = 1 << 18
    piece_buckets: int = 1 << 18
    min_texts: int = 2
    strength: float = 0.4
    balance: float = 0.8
    folds: int = 5
    seed: int = 7
    sentences: SentenceRecipe = SentenceRecipe()


RECIPES: Mapping[Task, Recipe] = {
    Task.SENTIMENT: Recipe(),
    Task.TOPIC: Recipe(
        strength=0.8, sentences=SentenceRecipe(penalty=1e-3, balance=0.5, vector_scale=8.0)
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Weights (buckets by labels) with the rarity of each bucket."""

    rarity: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model with what it was made from: `counts` by text, and the scores of a text (one a label)
    by fits that had not seen it. `truth` are places in `labels`.
    """

    card: dict[str, Any]
    texts: list[str]
    labels: list[str]
    truth: NDArray[np.int64]
    groups: NDArray[np.int64]
    counts: Matrix
    held_out: NDArray[np.float64]


def train(
    files: Mapping[str, Labelled],
    task: Task,
    out: Path,
    *,
    tones: Mapping[str, float],
    recipe: Recipe,
    licence_note: str,
    note: Note,
) -> Trained:
    """Fit, measure, and write the model to `out`.

    `files` are by name. Raises `ConfigError` without scikit-learn, `BadData` for too few texts.
    """
    texts, given = joined(list(files.values()))
    groups = np.array(groups_of_alike(texts))
    labels = _labels(given, groups.tolist(), task, recipe)
    truth = np.array([labels.index(label) for label in given])
    note(f"{len(texts):,} texts in {len(set(groups.tolist())):,} groups of near-identical ones")
    counts = count_matrix(texts, tones, recipe)
    held_out = held_out_scores(counts, truth, groups, recipe, note)
    sharpness = sharpness_of(held_out, truth)
    said = [labels[best] for best in held_out.argmax(axis=1)]
    figures = measure(given, said, labels)
    note(f"held out: accuracy {figures['accuracy']}, macro-F1 {figures['macro_f1']}")
    fit = _fit(counts, truth, recipe)
    weights, scale = _as_integers(fit.weights)
    card = save(
        out,
        arrays={
            "rarity": fit.rarity.astype(np.float32),
            "weights": weights,
            "scale": scale * sharpness,
            "bias": fit.bias * sharpness,
        },
        card={
            "task": str(task),
            "labels": labels,
            "features_version": VERSION,
            "word_buckets": recipe.word_buckets,
            "features": "words, pairs, pairs across a word, beginning and end, tones of a word "
            "list; pieces of 2 to 5 characters; hashed, term frequency x rarity",
            "data": [_described(name, file) for name, file in files.items()],
            "rows": len(texts),
            "label_counts": dict(Counter(given)),
            "groups_of_near_identical_texts": len(set(groups.tolist())),
            "held_out_by": f"{recipe.folds} folds over groups of near-identical texts",
            "held_out": figures,
            "recipe": {key: each for key, each in asdict(recipe).items() if key != "sentences"},
            "libraries": versions(),
            "licence_note": licence_note,
            "tones": dict(sorted(tones.items())),
        },
    )
    return Trained(
        card=card,
        texts=texts,
        labels=labels,
        truth=truth,
        groups=groups,
        counts=counts,
        held_out=held_out * sharpness,
    )


def count_matrix(texts: Sequence[str], tones: Mapping[str, float], recipe: Recipe) -> Matrix:
    """Return 1 + ln(count) of every hashed feature, one row a text."""
    sparse = module("scipy.sparse")
    values: list[NDArray[np.float64]] = []
    columns: list[NDArray[np.int64]] = []
    ends = [0]
    for text in texts:
        rows, counts = counted(text, recipe.word_buckets, recipe.piece_buckets, tones)
        columns.append(rows)
        values.append(counts)
        ends.append(ends[-1] + len(rows))
    shape = (len(texts), recipe.word_buckets + recipe.piece_buckets)
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=shape)


def held_out_scores(
    counts: Matrix,
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    recipe: Recipe,
    note: Note,
) -> NDArray[np.float64]:
    """Score every text by a fit that has not seen it nor its like."""
    scores = np.zeros((len(truth), int(truth.max()) + 1))
    for fold, (seen, unseen) in enumerate(folds_of(truth, groups, recipe), start=1):
        scores[unseen] = scores_by(counts[seen], truth[seen], counts[unseen], recipe)
        right = float((scores[unseen].argmax(axis=1) == truth[unseen]).mean())
        note(f"fold {fold} of {recipe.folds}: accuracy {right:.4f}")
    return scores


def folds_of(
    truth: NDArray[np.int64], groups: NDArray[np.int64], recipe: Recipe
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the places of the texts to learn from, and of those to be held out; none of a group in
    both.
    """
    selection = module("sklearn.model_selection")
    splitter = selection.StratifiedGroupKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    yield from splitter.split(truth, truth, groups)


def scores_by(
    counts: Matrix, truth: NDArray[np.int64], unseen: Matrix, recipe: Recipe
) -> NDArray[np.float64]:
    """Fit on texts and score others, one column a label."""
    fit = _fit(counts, truth, recipe)
    weights, scale = _as_integers(fit.weights)
    scores: NDArray[np.float64] = _scaled(unseen, fit.rarity, recipe) @ (weights * scale)
    return scores + fit.bias


def importance_of(truth: NDArray[np.int64], balance: float) -> NDArray[np.float64]:
    """Return how much each text counts: rare labels more (0: as they are, 1: all labels alike)."""
    sizes = np.bincount(truth).astype(float)
    importance = ((sizes.max() / np.maximum(sizes, 1)) ** balance)[truth]
    shares: NDArray[np.float64] = importance / importance.mean()
    return shares


def _fit(counts: Matrix, truth: NDArray[np.int64], recipe: Recipe) -> Fit:
    """Fit one label against all others, for each label."""
    rarity = _rarity(counts, recipe.min_texts)
    machine = module("sklearn.svm").LinearSVC(C=recipe.strength, random_state=recipe.seed)
    machine.fit(
        _scaled(counts, rarity, recipe), truth, sample_weight=importance_of(truth, recipe.balance)
    )
    weights, bias = _two_sided(machine)
    return Fit(rarity=rarity, weights=weights, bias=bias)


def _two_sided(fitted: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and biases by label; of two labels only one side is fitted."""
    weights, bias = fitted.coef_.T, fitted.intercept_
    if weights.shape[1] == 1:
        return np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return weights, bias


def _rarity(counts: Matrix, min_texts: int) -> NDArray[np.float64]:
    texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity: NDArray[np.float64] = np.log((1 + counts.shape[0]) / (1 + texts_with)) + 1.0
    rarity[texts_with < min_texts] = 0.0
    return rarity


def _scaled(counts: Matrix, rarity: NDArray[np.float64], recipe: Recipe) -> Matrix:
    """Weigh by rarity and scale words and pieces to length 1, as `linear.features` does."""
    sparse, preprocessing = module("scipy.sparse"), module("sklearn.preprocessing")
    weighed = counts @ sparse.diags(rarity)
    parts = (weighed[:, : recipe.word_buckets], weighed[:, recipe.word_buckets :])
    return sparse.hstack([preprocessing.normalize(part) for part in parts]).tocsr()


def _as_integers(weights: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return 8-bit weights with the scale of each label."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-12) / GREATEST_WEIGHT
    return np.rint(weights / scale).astype(np.int8), scale


def sharpness_of(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the factor under which the scores give the likeliest probabilities."""

    def loss(factor: float) -> float:
        scaled = scores * factor
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(truth)), truth]).mean())

    factors: list[float] = np.geomspace(0.2, 20, 80).tolist()
    return min(factors, key=loss)


def _labels(given: Sequence[str], groups: Sequence[int], task: Task, recipe: Recipe) -> list[str]:
    """Return the labels that occur. Each must be in every fold: copies of a text are in one."""
    counts = Counter(given)
    apart = Counter(label for label, _ in set(zip(given, groups, strict=True)))
    labels = [label for label in LABELS[task] if counts[label]]
    rare = [label for label in labels if counts[label] < MIN_TEXTS_OF_A_LABEL]
    if len(labels) < 2 or rare:
        few = ", ".join(f"{label} {counts[label]}" for label in rare) or "only one label"
        raise BadData(
            f"too few texts to learn from ({few}): every label needs {MIN_TEXTS_OF_A_LABEL}"
        )
    alike = [label for label in labels if apart[label] <= recipe.folds]
    if alike:
        few = ", ".join(f"{label} {apart[label]}" for label in alike)
        raise BadData(
            f"too few texts that differ ({few}): every label needs more than {recipe.folds}, to be "
            "held out in turn"
        )
    return labels


def _described(name: str, file: Labelled) -> dict[str, Any]:
    return {
        "file": name,
        "sha256": file.sha256,
        "rows": len(file.texts),
        "left_out": dict(file.left_out),
        "bad_rows": len(file.bad_rows),
        "labels_read": file.note or "by name",
    }


def versions() -> dict[str, str]:
    """Return the versions of what a fit depends on."""
    found = {"python": platform.python_version(), "numpy": np.__version__}
    return found | {name: module(name).__version__ for name in ("scipy", "sklearn")}


def module(name: str) -> Any:
    """Import what only training needs. Raises `ConfigError` with the remedy."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"{_NO_EXTRA} ({error})") from error
