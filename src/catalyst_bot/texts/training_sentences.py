"""Fit a model of sentences beside a linear one: logistic regression on its scores and a vector.

Both are scaled before the fit so that one penalty suits both, and the scales become part of the
weights. The word scores it learns from are held out, as those of a new text are: scores of texts
that the linear model had learned from would look better than they are.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.texts.encoder import SentenceEncoder
from catalyst_bot.texts.measuring import measure
from catalyst_bot.texts.model_files import model_id_of, save_sentences
from catalyst_bot.texts.sentences import AT_ONCE
from catalyst_bot.texts.training import (
    Note,
    Recipe,
    SentenceRecipe,
    Trained,
    folds_of,
    held_out_scores,
    importance_of,
    module,
    scores_by,
    sharpness_of,
    versions,
)

_LEAST_SPREAD = 1e-3  # numbers of a vector that are nearly constant are not blown up
_STEPS = 500
Scores = NDArray[np.float64]
Weights = dict[str, NDArray[np.float64]]


def train_sentences(
    trained: Trained, encoder: SentenceEncoder, out: Path, *, recipe: Recipe, note: Note
) -> dict[str, Any]:
    """Fit, measure, and write the model beside the linear one in `out`; return its card.

    What is told of its accuracy is held out twice: a text is scored by a fit that saw neither it
    nor its like, on word scores by fits that did not, either.
    """
    vectors = _vectors(encoder, trained.texts, note)
    held_out = _held_out(trained, vectors, recipe, note)
    sharpness = sharpness_of(held_out, trained.truth)
    labels = trained.labels
    figures = measure(
        [labels[place] for place in trained.truth],
        [labels[best] for best in held_out.argmax(axis=1)],
        labels,
    )
    note(f"held out: accuracy {figures['accuracy']}, macro-F1 {figures['macro_f1']}")
    weights = _fit(trained.held_out, vectors, trained.truth, recipe.sentences)
    words = trained.card
    return save_sentences(
        out,
        arrays={name: each * sharpness for name, each in weights.items()},
        card={
            "task": words["task"],
            "labels": labels,
            "words": model_id_of(words),
            "encoder": {
                "name": encoder.name,
                "sha256": encoder.sha256,
                "width": encoder.width,
            },
            "features": "scores of the linear model; sentence vectors of three layers",
            "data": words["data"],
            "rows": words["rows"],
            "held_out_by": f"{words['held_out_by']}, word scores by {recipe.folds} within them",
            "held_out": figures,
            "recipe": asdict(recipe.sentences),
            "libraries": versions(),
            "licence_note": words["licence_note"],
        },
    )


def _vectors(encoder: SentenceEncoder, texts: list[str], note: Note) -> Scores:
    rows = np.empty((len(texts), encoder.width))
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        rows[start : start + len(part)] = encoder.vectors(part)
        note(f"{start + len(part):,} of {len(texts):,} sentences read")
    return rows


def _held_out(trained: Trained, vectors: Scores, recipe: Recipe, note: Note) -> Scores:
    """Score every text by a fit that has not seen it nor its like."""
    counts, truth, groups = trained.counts, trained.truth, trained.groups
    scores = np.zeros_like(trained.held_out)
    for fold, (seen, unseen) in enumerate(folds_of(truth, groups, recipe), start=1):
        within = held_out_scores(counts[seen], truth[seen], groups[seen], recipe, lambda _: None)
        weights = _fit(within, vectors[seen], truth[seen], recipe.sentences)
        words = scores_by(counts[seen], truth[seen], counts[unseen], recipe)
        scores[unseen] = words @ weights["word_weights"] + weights["bias"]
        scores[unseen] += vectors[unseen] @ weights["vector_weights"]
        right = float((scores[unseen].argmax(axis=1) == truth[unseen]).mean())
        note(f"fold {fold} of {recipe.folds}, with sentences: accuracy {right:.4f}")
    return scores


def _fit(
    words: Scores, vectors: Scores, truth: NDArray[np.int64], recipe: SentenceRecipe
) -> Weights:
    """Return the weights for word scores and vectors as they are."""
    middle = vectors.mean(axis=0)
    spread = np.maximum(vectors.std(axis=0), _LEAST_SPREAD)
    scale = recipe.vector_scale / math.sqrt(vectors.shape[1]) / spread
    unit = 1.0 / max(float(words.std()), _LEAST_SPREAD)
    machine = module("sklearn.linear_model").LogisticRegression(
        C=1.0 / (2.0 * recipe.penalty * len(truth)), max_iter=_STEPS
    )
    machine.fit(
        np.hstack([words * unit, (vectors - middle) * scale]),
        truth,
        sample_weight=importance_of(truth, recipe.balance),
    )
    weights, bias = machine.coef_.T, machine.intercept_
    if weights.shape[1] == 1:  # of two labels only the difference is fitted
        weights = np.hstack([-weights, weights]) / 2.0
        bias = np.concatenate([-bias, bias]) / 2.0
    k = words.shape[1]
    by_vector = weights[k:] * scale[:, None]
    return {
        "word_weights": weights[:k] * unit,
        "vector_weights": by_vector,
        "bias": bias - middle @ by_vector,
    }
