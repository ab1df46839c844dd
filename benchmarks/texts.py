"""Opinions on headlines per second on one core: the word list, the linear model, and sentences."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.line import Line, median_of, skipped
from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.detection.linear import predict
from catalyst_bot.detection.sentiment import sentiment
from catalyst_bot.market_data.generated import generate_session
from catalyst_bot.texts.encoder import INSTALLED, SentenceEncoder, folder_of, is_installed
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import folder_of as folder_of_model
from catalyst_bot.texts.model_files import load_sentences, shipped
from catalyst_bot.texts.sentences import predict_all

TITLES, SENTENCES = 500, 100
TARGET_PER_S = 10_000  # 0.1 ms each; only headlines that became a catalyst are read


def lines() -> list[Line]:
    """Measure both readers on invented titles."""
    lexicon, model = detection_rules().lexicon, shipped(Task.SENTIMENT)
    readers: dict[str, Callable[[str], object]] = {
        "word list": lambda title: sentiment(title, "", lexicon),
        "linear model": lambda title: predict(model, title),
    }
    lists = [
        Line(
            job=f"tone by the {name}",
            unit="titles/s",
            value=_per_second(read),
            target=TARGET_PER_S,
        )
        for name, read in readers.items()
    ]
    return [*lists, _by_sentences()]


def _by_sentences() -> Line:
    """One at a time, as the bot asks; whole files are read in batches, twice as fast."""
    job = "tone by the model of sentences"
    if not is_installed():
        return skipped(job, "no encoder: make setup-sentences")
    with folder_of_model(None, Task.SENTIMENT) as folder:
        model = load_sentences(folder, Task.SENTIMENT)
    encoder = SentenceEncoder(folder_of(INSTALLED))
    speed = _per_second(lambda title: predict_all(model, encoder, [title]), SENTENCES)
    return Line(job=job, unit="titles/s", value=speed, note="a reader outside the core")


def _per_second(read: Callable[[str], object], count: int = TITLES) -> float:
    titles = [headline.title for headline in generate_session(7, 1.0).headlines][:count]

    def measure() -> float:
        start = time.process_time()
        for title in titles:
            read(title)
        return len(titles) / (time.process_time() - start)

    return median_of(measure)
