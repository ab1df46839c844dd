"""`detect`: the reasoning on texts, models made and measured, with the configured parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import changes_of, companies_of, detection_rules
from catalyst_bot.bootstrap.texts import readers_of, tone_model
from catalyst_bot.detection.linear import predict
from catalyst_bot.detection.sentiment import FILE as LEXICON_FILE
from catalyst_bot.detection.sentiment import Lexicon, parse_lexicon, sentiment
from catalyst_bot.detection.state import State
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.page import MAX_TITLE_CHARACTERS, one_line
from catalyst_bot.feeds.recorded import DELIVERY
from catalyst_bot.feeds.rows import day_of, headline_of, published_at_of, row_of
from catalyst_bot.feeds.times import believable
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings
from catalyst_bot.texts import model_files
from catalyst_bot.texts.labels import LABELS, Task
from catalyst_bot.texts.measuring import ABSTAINED, measure
from catalyst_bot.texts.reasoning import Reasoner
from catalyst_bot.texts.rows import read_labelled
from catalyst_bot.texts.training import RECIPES, Note, Recipe, train

LEXICON = "lexicon"
SOURCE = "command line"
TONE_DEAD_ZONE = 0.15  # of the word list: below it says neutral


def reasoner(settings: Settings) -> Reasoner:
    """Build the reasoning with the configured models and readers."""
    rules = detection_rules(
        companies_of(settings),
        changes=changes_of(settings),
        model=tone_model(settings),
        min_horizon_s=settings.detection.min_horizon_s,
    )
    events = tuple(rules.classifier.taxonomy.categories)
    return Reasoner(
        rules=rules,
        calendar=load_calendar(),
        topics=model_files.shipped(Task.TOPIC),
        readers=readers_of(settings, events=events),
        min_confidence=settings.signals.min_confidence,
        state=State(),
    )


def headline_from(text: str, symbol: str | None) -> Headline:
    """A headline that arrives now. Raises `BadData` for an empty text."""
    title = one_line(text)
    if not title:
        raise BadData("TEXT is empty; give a headline")
    now = SystemClock().now()
    return Headline(
        item_id=item_id(SOURCE, title),
        source=SOURCE,
        title=title[:MAX_TITLE_CHARACTERS],
        symbols=(symbol.upper(),) if symbol else (),
        published_at=now,
        received_at=now,
    )


def reason_on_file(settings: Settings, path: Path) -> dict[str, Any]:
    """Reason on every line of a file of news (`title`) or texts (`text`), as one after the other.

    A line without `published_at` arrives now. Lines that cannot be read are named; a file without
    any that can raises `BadData`.
    """
    whole = reasoner(settings)
    items: list[dict[str, Any]] = []
    unreadable: list[str] = []
    for number, line in read_lines(path):
        try:
            headline = _headline(row_of(line), SystemClock().now())
        except ValueError as error:
            unreadable.append(f"{path.name}:{number}: {error}")
            continue
        items.append({"line": number, **whole.reason(headline)})
    if not items:
        why = unreadable[0] if unreadable else f"{path}: it is empty"
        raise BadData(f"{why}; no line is a headline: expected JSON objects with title or text")
    reasons = Counter(refused["reason"] for item in items for refused in item["refused"])
    found = Counter(found["category"] for item in items for found in item["catalysts"])
    return {
        "file": path.name,
        "n": len(items),
        "with_catalyst": sum(bool(item["catalysts"]) for item in items),
        "categories": dict(found.most_common()),
        "refused": dict(reasons.most_common()),
        "unreadable": unreadable,
        "items": items,
    }


def evaluate(
    path: Path, task: Task, model: str | None, *, min_confidence: float = 0.0
) -> dict[str, Any]:
    """Measure a model on a labelled file: the shipped one, a folder, or `lexicon`.

    A model less sure than `min_confidence` abstains, which counts as wrong. Raises `BadData` for a
    file without labelled texts or with an unknown label.
    """
    name, guess = _guesser(task, model, min_confidence)
    given = read_labelled(path, task)
    said = [guess(text) for text in given.texts]
    return {
        "task": str(task),
        "model": name,
        "file": path.name,
        **measure(given.labels, said, LABELS[task]),
        "labels_read": given.note or "by name",
        "left_out": dict(given.left_out),
        "bad_rows": list(given.bad_rows),
    }


def make_model(
    paths: Sequence[Path], task: Task, out: Path, *, licence_note: str, note: Note
) -> dict[str, Any]:
    """Train a model on labelled files and return its card."""
    recipe: Recipe = RECIPES[task]
    return train(
        {path.name: read_labelled(path, task) for path in paths},
        task,
        out,
        tones=_lexicon().weights,
        recipe=recipe,
        licence_note=licence_note,
        note=note,
    )


def _guesser(
    task: Task, model: str | None, min_confidence: float
) -> tuple[str, Callable[[str], str]]:
    if model == LEXICON:
        if task is not Task.SENTIMENT:
            raise ConfigError(f"--model {LEXICON} knows no {task}: it is a list of tones")
        return LEXICON, _tone_of_words
    linear = model_files.shipped(task) if model is None else model_files.load(Path(model), task)

    def guess(text: str) -> str:
        found = predict(linear, text)
        return found.label if found.confidence >= min_confidence else ABSTAINED

    return linear.model_id, guess


def _tone_of_words(text: str) -> str:
    """What the word list says; neutral about a text without any of its words."""
    tone = sentiment(text, "", _lexicon())
    if abs(tone) < TONE_DEAD_ZONE:
        return "neutral"
    return "positive" if tone > 0 else "negative"


@cache
def _lexicon() -> Lexicon:
    return parse_lexicon((files("catalyst_bot.detection") / LEXICON_FILE).read_text("utf-8"))


def _headline(row: dict[str, Any], now: datetime) -> Headline:
    """Read a row of news, received a minute after its publication, or a bare text of now.

    Raises `ValueError` for a time that cannot be one, as feeds do.
    """
    titled = {**row, "title": row.get("title", row.get("text"))}
    if row.get("published_at") is None:
        return headline_of({**titled, "published_at": now.isoformat()}, now)
    day = day_of(titled)
    at = datetime.combine(day, time.min, tzinfo=UTC) if day else published_at_of(titled)
    believable(at, now)
    return headline_of(titled, now if day else at + DELIVERY)
