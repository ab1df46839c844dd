"""Labelled texts from JSON lines: `text` and `label`, everything else is ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.lines import json_of, read_lines
from catalyst_bot.texts.labels import LABELS, LEFT_OUT, Task, label_map


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a file holds: texts with their labels, and what of it could not be used.

    `left_out` counts rows by a label that has no single answer; `bad_rows` say line and reason.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    left_out: Mapping[str, int]
    bad_rows: tuple[str, ...]
    note: str
    sha256: str


def read_labelled(path: Path, task: Task) -> Labelled:
    """Read a .jsonl or .jsonl.zst file.

    A row that is no labelled text is named and left out. Raises `BadData` for a file without any,
    and for a label the task does not have.
    """
    found: list[tuple[int, str, str]] = []
    bad_rows: list[str] = []
    digest = sha256()
    for number, line in read_lines(path):
        digest.update(line.strip() + b"\n")
        try:
            found.append((number, *_row(line)))
        except ValueError as error:
            bad_rows.append(f"{path.name}:{number}: {error}")
    if not found:
        first = bad_rows[0] if bad_rows else f"{path}: is empty"
        raise BadData(f"{first}; expected one JSON object a line with text and label")
    left_out = Counter(label.lower() for _, _, label in found if label.lower() in LEFT_OUT)
    kept = [row for row in found if row[2].lower() not in LEFT_OUT]
    names = label_map(task, frozenset(label for _, _, label in kept))
    labels = []
    for number, _, label in kept:
        name = names.name(label)
        if name is None:
            known = ", ".join(LABELS[task])
            raise BadData(f"{path}:{number}: {label!r} is no {task} label; known are {known}")
        labels.append(name)
    return Labelled(
        texts=tuple(text for _, text, _ in kept),
        labels=tuple(labels),
        left_out=dict(left_out),
        bad_rows=tuple(bad_rows),
        note=names.note,
        sha256=digest.hexdigest(),
    )


def joined(files: Sequence[Labelled]) -> tuple[list[str], list[str]]:
    """Return the texts and labels of several files one after the other."""
    texts = [text for file in files for text in file.texts]
    return texts, [label for file in files for label in file.labels]


def _row(line: bytes) -> tuple[str, str]:
    row = json_of(line)
    if not isinstance(row, dict):
        raise ValueError("is not a JSON object")
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("has no text")
    if isinstance(label, bool) or not isinstance(label, str | int | float):
        raise ValueError("has no label")
    # JSON can hold half a character pair, which is no text that can be hashed.
    return text.encode("utf-8", "replace").decode("utf-8"), str(label)
