"""Confidence held against labels: is what is said with 80 % right in 80 of 100 cases?

What counts as right must be seen, not felt. A headline read as an event with a sign is right when
an independent reader gave the same sign and wrong when that reader gave the opposite. Where the
reader saw neither (neutral), the claim of a sign is worth a coin toss: half right. The market's
reaction is no label, because a true reading of old news moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np

from catalyst_bot.detection.calibration import PLAIN, Calibration, Curve
from catalyst_bot.detection.normalise import normalise_title
from catalyst_bot.detection.reading import Finding, factors_of, read_headline
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import raw_confidence
from catalyst_bot.domain.news import Headline
from catalyst_bot.study.statistics import Flags, Floats, share_band

SIGNS = {"positive": 1, "negative": -1, "neutral": 0, "mixed": 0}
PRIOR_EVENTS = 20.0  # what a hand-set precision is worth against labels
MIN_LABELS = 10  # a category with fewer keeps its hand-set precision
GATE = 0.7
BINS = 10
_PARTS = 10
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)
_TRUSTED = "newswire of the label set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A text with the sign that an independent reader gave it."""

    text: str
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One signed reading: what was read, how sure before calibration, and how right it was.

    `right` is 1 where the reader agreed, 0.5 where they saw no sign, 0 where they disagreed.
    """

    category: str
    raw: float
    right: float


def is_held_out(text: str, parts: int = 4) -> bool:
    """Tell by the words alone whether a text is for testing: the last `parts` tenths.

    Repetitions of a text fall on the same side, whatever links they carry.
    """
    words = normalise_title(text)
    digest = blake2b(words.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _PARTS >= _PARTS - parts


def examples(rows: Iterable[Labelled], rules: Rules) -> list[Example]:
    """Read every text; those without a signed category make no claim and are left out."""
    found = []
    for row in rows:
        headline = Headline(
            item_id="label",
            source=_TRUSTED,
            title=row.text,
            published_at=_WHEN,
            received_at=_WHEN,
        )
        finding = read_headline(headline, rules)
        if isinstance(finding, Finding) and finding.category.polarity:
            factors = [
                each for each in factors_of(headline, finding, rules) if each.name != "source"
            ]
            found.append(
                Example(
                    category=finding.category.name,
                    raw=raw_confidence(factors),
                    right=(1 + row.sign * finding.category.polarity) / 2,
                )
            )
    return found


def fit_precisions(sample: Sequence[Example], priors: Mapping[str, float]) -> dict[str, float]:
    """Return the precision of each category with enough labels: its share of right readings,
    drawn towards the hand-set prior by `PRIOR_EVENTS`.
    """
    by_name: dict[str, list[float]] = {}
    for example in sample:
        by_name.setdefault(example.category, []).append(example.right)
    return {
        name: round((sum(right) + PRIOR_EVENTS * priors[name]) / (len(right) + PRIOR_EVENTS), 3)
        for name, right in sorted(by_name.items())
        if len(right) >= MIN_LABELS
    }


def fit_curve(sample: Sequence[Example]) -> Curve:
    """Return Platt's curve through the sample by Newton's method, its slope kept above zero.

    Targets are Platt's, a little inside 0 and 1, so that a perfect sample gives no infinite slope.
    Raises `ValueError` unless the sample holds right and wrong readings.
    """
    right = np.array([example.right for example in sample])
    hits, misses = right.sum(), (1 - right).sum()
    if not hits or not misses:
        raise ValueError("a curve needs right and wrong readings")
    target = right * (hits + 1) / (hits + 2) + (1 - right) / (misses + 2)
    x = np.array([_logit(example.raw) for example in sample])
    design = np.column_stack([np.ones_like(x), x])
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        said = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (target - said)
        bend = (design * (said * (1 - said))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return Curve(offset=round(float(weights[0]), 4), slope=max(round(float(weights[1]), 4), 0.01))


def _logit(p: float) -> float:
    clipped = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Readings whose confidence lies in [low, high): what was said and what was right."""

    low: float
    high: float
    n: int
    said: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How confidence did on a sample. `brier_base` is that of always saying how right it is.

    `kept` readings reach the gate: of them readers agreed with the share `kept_agreed` and
    disagreed with the share `kept_wrong`; the rest they found neutral.
    """

    name: str
    n: int
    right: float
    brier: float
    brier_base: float
    kept: int
    kept_right: float
    kept_agreed: float
    kept_wrong: float
    bins: tuple[Bin, ...]


def reliability(name: str, confidence: Floats, right: Floats) -> Reliability:
    """Measure confidences against what was right. Raises `ValueError` for an empty sample."""
    if not len(right):
        raise ValueError(f"{name}: no reading to measure")
    share = float(right.mean())
    kept = confidence >= GATE
    return Reliability(
        name=name,
        n=len(right),
        right=share,
        brier=float(((confidence - right) ** 2).mean()),
        brier_base=float(((share - right) ** 2).mean()),
        kept=int(kept.sum()),
        kept_right=_share(right[kept]),
        kept_agreed=_share(right[kept] == 1),
        kept_wrong=_share(right[kept] == 0),
        bins=tuple(_bins(confidence, right)),
    )


def _share(values: Floats | Flags) -> float:
    return float(values.mean()) if len(values) else math.nan


def _bins(confidence: Floats, right: Floats) -> Iterable[Bin]:
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    for each in range(BINS):
        inside = number == each
        if inside.any():
            n, mean = int(inside.sum()), float(right[inside].mean())
            low, high = share_band(mean * n, n)
            yield Bin(
                low=each / BINS,
                high=(each + 1) / BINS,
                n=n,
                said=float(confidence[inside].mean()),
                right=mean,
                right_low=low,
                right_high=high,
            )


def measure(name: str, sample: Sequence[Example], curve: Curve) -> Reliability:
    """Hold a sample against a curve."""
    said = np.array([curve.of(example.raw) for example in sample])
    return reliability(name, said, np.array([example.right for example in sample]))


def fit(
    train: Sequence[Labelled],
    held_out: Sequence[Labelled],
    rules_with: Callable[[Calibration], Rules],
) -> Calibration:
    """Fit precisions from hand-set ones, then the curve over readings with those precisions.

    The curve has to prove itself: unless it has the lower Brier score on texts that neither was
    fitted on, it is left plain. Raises `ValueError` for too few readings.
    """
    hand_set = rules_with(Calibration())
    priors = {
        name: each.precision for name, each in hand_set.classifier.taxonomy.categories.items()
    }
    precisions = fit_precisions(examples(train, hand_set), priors)
    tuned = rules_with(Calibration(precisions=precisions))
    curve, unseen = fit_curve(examples(train, tuned)), examples(held_out, tuned)
    proves_itself = measure("", unseen, curve).brier < measure("", unseen, PLAIN).brier
    return Calibration(precisions=precisions, words=curve if proves_itself else PLAIN)
