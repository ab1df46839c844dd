"""The labels of each task, and the ways in which data sets write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Task(StrEnum):
    """What a text model tells of a text."""

    SENTIMENT = "sentiment"
    TOPIC = "topic"


SENTIMENTS = ("negative", "neutral", "positive")
TOPICS = (  # in the order of the numbers that the labelled set uses
    "Analyst Update",
    "Fed | Central Banks",
    "Company | Product News",
    "Treasuries | Corporate Debt",
    "Dividend",
    "Earnings",
    "Energy | Oil",
    "Financials",
    "Currencies",
    "General News | Opinion",
    "Gold | Metals | Materials",
    "IPO",
    "Legal | Regulation",
    "M&A | Investments",
    "Macro",
    "Markets",
    "Politics",
    "Personnel Change",
    "Stock Commentary",
    "Stock Movement",
)
LABELS: Mapping[Task, tuple[str, ...]] = {Task.SENTIMENT: SENTIMENTS, Task.TOPIC: TOPICS}
LEFT_OUT = frozenset({"mixed"})  # several signs in one text: no single answer is right

_SENTIMENT_WORDS = {
    **dict.fromkeys(("negative", "neg", "bearish", "bear"), "negative"),
    **dict.fromkeys(("neutral", "neu", "none"), "neutral"),
    **dict.fromkeys(("positive", "pos", "bullish", "bull"), "positive"),
}
_AROUND_ZERO = {"-1": "negative", "0": "neutral", "1": "positive"}
_TWITTER_NUMBERS = {"0": "negative", "1": "positive", "2": "neutral"}  # bearish, bullish, neutral


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Names of a file's labels, and a sentence that says how its numbers were read."""

    names: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def name(self, label: str) -> str | None:
        """Return our name of a label as a file writes it, None when there is none."""
        return self.names.get(_key(label))


def label_map(task: Task, seen: frozenset[str]) -> LabelMap:
    """Return how to read the labels `seen` in a file.

    Words are read in any case. Numbers of sentiment are ambiguous between sets: with a -1 they
    are read around zero, without as in the labelled tweets (0 bearish, 1 bullish, 2 neutral).
    """
    keys = {_key(label) for label in seen}
    numbers = {key for key in keys if key.lstrip("-").isdigit()}
    if task is Task.TOPIC:
        names = {_key(name): name for name in TOPICS}
        names |= {str(number): name for number, name in enumerate(TOPICS)}
        return LabelMap(names=names, note=_note({n: names[n] for n in numbers & set(names)}))
    numbered = _AROUND_ZERO if "-1" in numbers else _TWITTER_NUMBERS
    used = {number: numbered[number] for number in numbers & set(numbered)}
    return LabelMap(names=_SENTIMENT_WORDS | numbered, note=_note(used))


def _key(label: str) -> str:
    """The spelling that labels are compared by; LABEL_2 is 2 and 1.0 is 1."""
    text = " ".join(label.strip().lower().split())
    number = text.removeprefix("label_").removesuffix(".0")
    return number if number.lstrip("-").isdigit() else text


def _note(used: Mapping[str, str]) -> str:
    parts = [f"{number} = {name}" for number, name in sorted(used.items())]
    return f"numbers read as {', '.join(parts)}" if parts else ""
