"""How good predictions are: accuracy, macro-F1, confusion, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSTAINED = "abstained"
CI_METHOD = (
    "95 %: Wilson for accuracy; for macro-F1 the 2.5th and 97.5th percentile of 2,000 bootstrap "
    "samples (seed 7), null for fewer than 30 texts"
)
MIN_TEXTS = 30
_Z = 1.959964
_SAMPLES, _SEED = 2_000, 7


def measure(truth: Sequence[str], said: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Return the figures of predictions as plain values for JSON.

    A text on which nothing was said (`ABSTAINED`) counts as wrong; `coverage` is the share of the
    others. macro-F1 is the mean over the labels that occur in truth or predictions.
    """
    columns = [*labels, ABSTAINED]
    confusion = np.zeros((len(labels), len(columns)), dtype=np.int64)
    for right, guess in zip(truth, said, strict=True):
        confusion[labels.index(right), columns.index(guess)] += 1
    n, hits = len(truth), int(np.trace(confusion))
    covered = n - int(confusion[:, -1].sum())
    band = _macro_f1_interval(confusion)
    return {
        "n": n,
        "accuracy": _rounded(hits / n),
        "accuracy_ci95": [_rounded(end) for end in wilson(hits, n)],
        "macro_f1": _rounded(_macro_f1(confusion)),
        "macro_f1_ci95": [_rounded(end) for end in band] if band else None,
        "ci_method": CI_METHOD,
        "coverage": _rounded(covered / n),
        "accuracy_where_covered": _rounded(hits / covered) if covered else None,
        "majority_share": _rounded(int(confusion.sum(axis=1).max()) / n),
        "labels": _by_label(confusion, labels),
        "confusion": {
            "rows": "truth",
            "columns": columns,
            "counts": {
                label: row
                for label, row in zip(labels, confusion.tolist(), strict=True)
                if any(row)
            },
        },
    }


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    share, z2 = hits / n, _Z * _Z
    middle = share + z2 / (2 * n)
    reach = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (middle - reach) / (1 + z2 / n), (middle + reach) / (1 + z2 / n)


def _by_label(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    found = {}
    for index, label in enumerate(labels):
        hits = int(confusion[index, index])
        support, told = int(confusion[index].sum()), int(confusion[:, index].sum())
        if support or told:
            found[label] = {
                "support": support,
                "precision": _rounded(hits / told) if told else None,
                "recall": _rounded(hits / support) if support else None,
                "f1": _rounded(2 * hits / (support + told)),
            }
    return found


def _macro_f1(confusion: NDArray[np.int64]) -> float:
    square = confusion[:, : confusion.shape[0]]
    hits = np.diag(square)
    sums = confusion.sum(axis=1) + square.sum(axis=0)
    occurs = sums > 0
    return float(np.mean(2 * hits[occurs] / sums[occurs]))


def _macro_f1_interval(confusion: NDArray[np.int64]) -> tuple[float, float] | None:
    """Draw the cells of the confusion again: the same as drawing the texts again.

    None for too few texts: drawn again, two that are right are always right, and the band has no
    width.
    """
    cells = confusion.ravel()
    if int(cells.sum()) < MIN_TEXTS:
        return None
    generator = np.random.default_rng(_SEED)
    draws = generator.multinomial(int(cells.sum()), cells / cells.sum(), size=_SAMPLES)
    values = [_macro_f1(draw.reshape(confusion.shape)) for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _rounded(value: float) -> float:
    return round(value, 4)
