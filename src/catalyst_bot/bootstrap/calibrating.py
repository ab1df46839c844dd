"""Labelled texts -> a fitted calibration and how it does on texts that it has not seen."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import shipped_texts
from catalyst_bot.detection import calibration as tables
from catalyst_bot.detection.calibration import PLAIN, Calibration
from catalyst_bot.detection.rules import Rules, make_rules
from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.rows import headline_of, published_at_of, row_of
from catalyst_bot.study.calibration import (
    SIGNS,
    Labelled,
    Reliability,
    examples,
    fit,
    is_held_out,
    measure,
)
from catalyst_bot.study.calibration_report import (
    calibration_markdown,
    calibration_text,
    reliability_dict,
)
from catalyst_bot.study.versions import Proposal

# How label sets and a vendor name text and label.
_TEXTS, _LABELS = ("text", "title"), ("label", "label_sentiment")
_SUFFIXES = (".zst", ".jsonl", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """The fit, and every sample before it (hand-set numbers) and after it."""

    fitted: Calibration
    source: str
    before: tuple[Reliability, ...]
    after: tuple[Reliability, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "source": self.source,
            "words": {"offset": self.fitted.words.offset, "slope": self.fitted.words.slope},
            "precision": dict(self.fitted.precisions),
            "before": [reliability_dict(each) for each in self.before],
            "after": [reliability_dict(each) for each in self.after],
        }

    def as_markdown(self) -> str:
        """Return the page."""
        return (
            f"Fitted on {self.source}. Calibrated:\n\n{calibration_markdown(self.after)}\n"
            f"With the hand-set numbers:\n\n{calibration_markdown(self.before)}"
        )

    def proposal(self) -> Proposal:
        """Return the fit as changes to review."""
        changes: dict[str, float | bool] = {
            f"{name}.precision": value for name, value in self.fitted.precisions.items()
        }
        changes["words.offset"] = self.fitted.words.offset
        changes["words.slope"] = self.fitted.words.slope
        return Proposal(
            reason=f"calibration fitted on {self.source}",
            changes=changes,
            evidence={"held_out": [reliability_dict(each) for each in self.after]},
        )


def calibrate(
    labels: Sequence[Path], later: Sequence[Path], judged: Path | None = None
) -> Calibrated:
    """Fit on six tenths of `labels`, measure on the other four and on everything in `later`.

    `judged` are signs that a person gave to headlines in `later`, by the id of the item: they are
    measured apart. Raises `BadData` for a file without labelled texts, or too few readings to fit.
    """
    rows = [row for path in labels for row in read_labelled(path)]
    train = [row for row in rows if not is_held_out(row.text)]
    held_out = [row for row in rows if is_held_out(row.text)]
    try:
        fitted = fit(train, held_out, _rules_with)
    except ValueError as error:
        raise BadData(f"{', '.join(map(str, labels))}: {error}") from error
    samples = {"held out": held_out, **{_name(path): list(read_labelled(path)) for path in later}}
    if judged is not None:
        samples[_name(judged)] = read_judged(judged, later)
    plain, tuned = _rules_with(Calibration()), _rules_with(fitted)
    return Calibrated(
        fitted=fitted,
        source=f"{len(train):,} of {len(rows):,} texts of {', '.join(map(_name, labels))}",
        before=tuple(measure(name, examples(rows, plain), PLAIN) for name, rows in samples.items()),
        after=tuple(
            measure(name, examples(rows, tuned), fitted.words) for name, rows in samples.items()
        ),
    )


def read_labelled(path: Path) -> Iterator[Labelled]:
    """Read texts with positive, negative, neutral or mixed as label. Raises `BadData`."""
    for number, line in read_lines(path):
        try:
            row = json.loads(line)
            text = next(row[key] for key in _TEXTS if isinstance(row.get(key), str))
            label = next(row[key] for key in _LABELS if isinstance(row.get(key), str))
            yield Labelled(text=text, sign=SIGNS[label.lower()])
        except (ValueError, AttributeError, StopIteration, KeyError) as error:
            raise BadData(f"{path}:{number}: no text with a label of {', '.join(SIGNS)}") from error


def read_judged(judged: Path, news: Sequence[Path]) -> list[Labelled]:
    """Return the headlines of `news` that a person gave a sign, with that sign.

    `judged` is a CSV file of item_id and label, without any text. Raises `BadData`.
    """
    try:
        with judged.open(encoding="utf-8", newline="") as file:
            signs = {row["item_id"]: SIGNS[row["label"]] for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise BadData(f"{judged}: no CSV of item_id and label: {error}") from error
    found = {}
    for path in news:
        for _, line in read_lines(path):
            with suppress(ValueError):  # a label set without times is no news
                row = row_of(line)
                item = headline_of(row, published_at_of(row))
                found[item.item_id] = item.title
    missing = [item_id for item_id in signs if item_id not in found]
    if missing:
        raise BadData(f"{judged}: {missing[0]} is in no file of --check")
    return [Labelled(text=found[item_id], sign=sign) for item_id, sign in signs.items()]


def _rules_with(calibration: Calibration) -> Rules:
    texts = {**shipped_texts(), tables.FILE: calibration_text(calibration, "a fit under way")}
    return make_rules(texts, symbols_by_cik={}, registered_names={})


def _name(path: Path) -> str:
    name = path.name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name
