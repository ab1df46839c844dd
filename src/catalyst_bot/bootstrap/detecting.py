"""`detect`: the reasoning on texts, models made and measured, with the configured parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import changes_of, companies_of, detection_rules
from catalyst_bot.bootstrap.texts import encoder_of, readers_of, tone_model
from catalyst_bot.detection.linear import Prediction, predict
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
from catalyst_bot.texts.encoder import INSTALLED, SentenceEncoder, folder_of, is_installed
from catalyst_bot.texts.labels import LABELS, Task
from catalyst_bot.texts.measuring import ABSTAINED, measure
from catalyst_bot.texts.reasoning import Reasoner
from catalyst_bot.texts.rows import read_labelled
from catalyst_bot.texts.sentences import predict_all
from catalyst_bot.texts.training import RECIPES, Note, Recipe, train
from catalyst_bot.texts.training_sentences import train_sentences

LEXICON, NO_ENCODER = "lexicon", "none"
Guess = Callable[[Sequence[str]], list[str]]
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
    path: Path,
    task: Task,
    model: str | None,
    *,
    min_confidence: float = 0.0,
    encoder: str | None = None,
    note: Note = lambda _: None,
) -> dict[str, Any]:
    """Measure a model on a labelled file: the shipped one, a folder, or `lexicon`.

    `encoder` is `installed`, a folder, or `none`: by the words alone. Left out, a model that also
    reads sentences does so where an encoder is installed. A model less sure than `min_confidence`
    abstains, which counts as wrong. Raises `BadData` for a file without labelled texts or with an
    unknown label.
    """
    name, guess = _guesser(task, model, encoder, min_confidence, note)
    given = read_labelled(path, task)
    said = guess(given.texts)
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
    paths: Sequence[Path],
    task: Task,
    out: Path,
    *,
    licence_note: str,
    note: Note,
    encoder: str | None = None,
) -> dict[str, Any]:
    """Train a model on labelled files and return its card.

    With an `encoder` (`installed`, or a folder) a model of sentences is made beside it, and the
    card is that of both: `sentences` is the second.
    """
    recipe: Recipe = RECIPES[task]
    reads = SentenceEncoder(folder_of(encoder)) if encoder is not None else None
    files = {path.name: read_labelled(path, task) for path in paths}
    with model_files.made_whole(out) as folder:
        trained = train(
            files,
            task,
            folder,
            tones=_lexicon().weights,
            recipe=recipe,
            licence_note=licence_note,
            note=note,
        )
        if reads is None:
            return trained.card
        second = train_sentences(trained, reads, folder, recipe=recipe, note=note)
        return {**trained.card, "sentences": second}


def _guesser(
    task: Task, model: str | None, encoder: str | None, min_confidence: float, note: Note
) -> tuple[str, Guess]:
    if model == LEXICON:
        if task is not Task.SENTIMENT:
            raise ConfigError(f"--model {LEXICON} knows no {task}: it is a list of tones")
        if encoder not in (None, NO_ENCODER):
            raise ConfigError(f"--model {LEXICON} reads no sentences: leave --encoder out")
        return LEXICON, lambda texts: [_tone_of_words(text) for text in texts]
    with model_files.folder_of(model, task) as folder:
        words = model_files.load(folder, task)
        second = (
            model_files.load_sentences(folder, task) if _reads_sentences(folder, encoder) else None
        )

    def labels(found: Iterable[Prediction]) -> list[str]:
        return [each.label if each.confidence >= min_confidence else ABSTAINED for each in found]

    if second is None:
        return words.model_id, lambda texts: labels(predict(words, text) for text in texts)
    reads = encoder_of(second, encoder or INSTALLED)
    return second.model_id, lambda texts: labels(predict_all(second, reads, texts, note))


def _reads_sentences(folder: Path, encoder: str | None) -> bool:
    """Where nothing is said, sentences are read if both a model and an encoder are there."""
    if encoder == NO_ENCODER:
        return False
    if encoder is None:
        return model_files.has_sentences(folder) and is_installed()
    return True


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
