"""Headlines classified per second on one core: invented ones, and real ones where there are any."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from benchmarks.line import Line, median_of, shared_data, skipped
from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.detection.classify import Classifier, classify
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.generated import generate_session

BODY_CHARACTERS = 150
HEADLINES = 20_000
TARGET_PER_S = 50_000
Text = tuple[str, str]


def lines() -> list[Line]:
    """Measure titles, and titles with the beginning of their body."""
    classifier = detection_rules().classifier
    sets = {"invented": _invented(), **_recorded()}
    measured = [
        Line(
            job=f"classification, {name}",
            unit="titles/s",
            value=_per_second([(title, "") for title, _ in texts], classifier),
            target=TARGET_PER_S,
            note=f"with body {_per_second(texts, classifier):,.0f}/s ({len(texts):,} texts)",
        )
        for name, texts in sets.items()
    ]
    if shared_data() is None:
        measured.append(skipped("classification, real headlines", "no shared data"))
    return measured


def _per_second(texts: Sequence[Text], classifier: Classifier) -> float:
    def measure() -> float:
        start = time.process_time()
        for title, body in texts:
            classify(title, body, classifier)
        return len(texts) / (time.process_time() - start)

    return median_of(measure)


def _invented() -> list[Text]:
    headlines = generate_session(7, 1.0).headlines
    texts = [(headline.title, headline.body[:BODY_CHARACTERS]) for headline in headlines]
    return (texts * (HEADLINES // len(texts) + 1))[:HEADLINES]


def _recorded() -> dict[str, list[Text]]:
    data = shared_data()
    if data is None:
        return {}
    start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    sets = {}
    for name in ("stocknewsapi_2025-10", "benzinga_headlines_2009_2020"):
        path = data / "news" / f"{name}.jsonl.zst"
        if path.exists():
            news = read_news([path], calendar=load_calendar(), start=start, end=end)
            sets[name] = [
                (fact.headline.title, fact.headline.body[:BODY_CHARACTERS])
                for fact in islice(news, HEADLINES)
                if isinstance(fact, HeadlineReceived)
            ]
    return sets
