"""Measure story clustering: `python -m tools.stories FOLDER` writes `docs/evidence/stories.md`.

FOLDER holds `news/` and `reference/`. `tests/data/story_labels.json` says of pairs of headlines
whether they tell the same event; the headlines run through detection in their order, and a pair is
found the same when both went into one story.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from catalyst_bot.bootstrap.rules import Companies, detection_rules
from catalyst_bot.detection.classify import Unread
from catalyst_bot.detection.follow import follow
from catalyst_bot.detection.reading import read_headline
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.stories import Stories, remember
from catalyst_bot.domain.messages.decisions import StoryTold
from catalyst_bot.domain.news import Headline
from catalyst_bot.engine.state import EngineState, StateDesk
from catalyst_bot.feeds.tickers import load_companies
from catalyst_bot.market_data.calendar_table import load_calendar
from tools.identity import COMPANIES, items

ROOT = Path(__file__).parents[1]
LABELS = "tests/data/story_labels.json"
PAGE = "docs/evidence/stories.md"
RESAMPLES = 2_000
DELIVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items of one symbol, and whether they tell the same event."""

    first: str
    second: str
    symbol: str
    is_same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Precision, recall and F1 of the pairs found the same, with the 95 % interval of F1."""

    pairs: int
    same: int
    precision: float
    recall: float
    f1: float
    f1_low: float
    f1_high: float


def read_labels(path: Path) -> tuple[tuple[str, ...], list[Pair]]:
    """Return the files the labels are of, and the pairs."""
    labels = json.loads(path.read_text(encoding="utf-8"))
    return tuple(labels["files"]), [Pair(*row) for row in labels["pairs"]]


def stories_of(
    headlines: Iterable[Headline], symbols: Mapping[str, Sequence[str]], rules: Rules
) -> dict[tuple[str, str], str]:
    """Run headlines in the order of receipt; return story by (item, symbol).

    `symbols` are those whose stories an item is asked about. Items that tell no event have none.
    """
    state, calendar = EngineState(), load_calendar()
    memory: Stories = state.detection.stories
    found: dict[tuple[str, str], str] = {}
    for item in sorted(headlines, key=lambda headline: headline.received_at):
        finding = read_headline(item, rules)
        desk = StateDesk(state, calendar, item.received_at)
        for symbol in symbols[item.item_id]:
            known = memory.by_symbol.get(symbol, ())
            for message in follow(known, item, symbol, finding, desk=desk, rules=rules):
                if isinstance(message, StoryTold):
                    remember(memory, message, item.received_at)
                    found[item.item_id, symbol] = message.story_id
    return found


def score(pairs: Sequence[Pair], found: Mapping[tuple[str, str], str]) -> Score:
    """Compare; the interval is a bootstrap over pairs with a fixed seed."""
    truth = np.array([pair.is_same for pair in pairs])
    said = np.array([_is_found(pair, found) for pair in pairs])
    draws = np.random.default_rng(0).integers(0, len(pairs), (RESAMPLES, len(pairs)))
    resampled = [_f1(truth[draw], said[draw]) for draw in draws]
    hits = float(np.sum(truth & said))
    return Score(
        pairs=len(pairs),
        same=int(truth.sum()),
        precision=hits / max(float(said.sum()), 1.0),
        recall=hits / max(float(truth.sum()), 1.0),
        f1=_f1(truth, said),
        f1_low=float(np.quantile(resampled, 0.025)),
        f1_high=float(np.quantile(resampled, 0.975)),
    )


def _is_found(pair: Pair, found: Mapping[tuple[str, str], str]) -> bool:
    story = found.get((pair.first, pair.symbol))
    return story is not None and story == found.get((pair.second, pair.symbol))


def _f1(truth: np.ndarray, said: np.ndarray) -> float:
    wrong = float(np.sum(truth != said))
    hits = 2.0 * float(np.sum(truth & said))
    return hits / (hits + wrong) if hits else 0.0


def measure(folder: Path) -> tuple[Score, Score]:
    """Return the score on the pairs of events, and on all labelled pairs."""
    told = load_companies(folder / COMPANIES)
    rules = detection_rules(
        Companies(symbols_by_cik=told.symbols_by_cik, registered_names=told.registered_names)
    )
    files, pairs = read_labels(ROOT / LABELS)
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        asked[pair.first].add(pair.symbol)
        asked[pair.second].add(pair.symbol)
    headlines = [
        replace(item, received_at=item.published_at + DELIVERY)
        for file in files
        for item in items(folder / "news" / f"{file}.jsonl.zst")
    ]
    watched = {pair.symbol for pair in pairs}
    symbols = {
        item.item_id: sorted(asked[item.item_id] | (set(item.symbols) & watched))
        for item in headlines
    }
    found = stories_of(headlines, symbols, rules)
    events = {
        item.item_id for item in headlines if not isinstance(read_headline(item, rules), Unread)
    }
    told_pairs = [pair for pair in pairs if {pair.first, pair.second} <= events]
    return score(told_pairs, found), score(pairs, found)


def page(events: Score, everything: Score) -> str:
    """The page as Markdown."""
    rows = [("both headlines tell an event", events), ("all labelled pairs", everything)]
    table = "\n".join(
        f"| {name} | {s.pairs} | {s.same} | {s.precision:.3f} | {s.recall:.3f} | "
        f"{s.f1:.3f} [{s.f1_low:.3f}, {s.f1_high:.3f}] |"
        for name, s in rows
    )
    return f"""<!-- Written by `python -m tools.stories FOLDER`. -->

# One event, one story: measured

Pairs of real headlines about one company, at most three days apart, were drawn by how much their
words agree (few, some, many); in half of the draw most were read as the same kind of event, so
that many pairs are hard: "cuts 30,000 jobs" and "cuts 14,000 jobs", two brokers with the same
rating, two products of one show. They were read and labelled by hand before the rules were tuned:
same if both report, continue or react to the same event. Left out: pairs that can be argued about
(comments, previews, market reports that mention the event) and pairs that a vendor filed under a
wrong symbol. The labels (`tests/data/story_labels.json`) hold ids, no texts.

All headlines of the files run through detection in their order, so stories grow as they would in a
run, and a pair counts as the same when both headlines went into one story.

| pairs | n | same event | precision | recall | F1 [95 %] |
| --- | --- | --- | --- | --- | --- |
{table}

The first row is what stories are for: what tells no event (opinion, previews, titles without a
phrase of any category) enters none, so its pairs can only be missed; the second row counts them.
The weights and thresholds of `stories.toml` and `stories.py` were set by looking at these pairs:
expect somewhat less on others.
"""


def main(arguments: list[str]) -> int:
    """Write the page; return the exit code."""
    if len(arguments) != 1 or not (Path(arguments[0]) / COMPANIES).is_file():
        print("usage: python -m tools.stories FOLDER (with news/ and reference/)", file=sys.stderr)
        return 2
    text = page(*measure(Path(arguments[0])))
    (ROOT / PAGE).write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
