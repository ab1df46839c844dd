"""Opinions on headlines per second on one core: the word list, and the linear model."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.line import Line, median_of
from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.detection.linear import predict
from catalyst_bot.detection.sentiment import sentiment
from catalyst_bot.market_data.generated import generate_session
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import shipped

TITLES = 500
TARGET_PER_S = 10_000  # 0.1 ms each; only headlines that became a catalyst are read


def lines() -> list[Line]:
    """Measure both readers on invented titles."""
    lexicon, model = detection_rules().lexicon, shipped(Task.SENTIMENT)
    readers: dict[str, Callable[[str], object]] = {
        "word list": lambda title: sentiment(title, "", lexicon),
        "linear model": lambda title: predict(model, title),
    }
    return [
        Line(
            job=f"tone by the {name}",
            unit="titles/s",
            value=_per_second(read),
            target=TARGET_PER_S,
        )
        for name, read in readers.items()
    ]


def _per_second(read: Callable[[str], object]) -> float:
    titles = [headline.title for headline in generate_session(7, 1.0).headlines][:TITLES]

    def measure() -> float:
        start = time.process_time()
        for title in titles:
            read(title)
        return len(titles) / (time.process_time() - start)

    return median_of(measure)
