"""Headlines classified per second on one core: invented ones, and real ones where there are any.

Run: python -m benchmarks.classification
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.detection.classify import Classifier, classify
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.generated import generate_session

BODY_CHARACTERS = 150
HEADLINES = 20_000
ROUNDS = 5
Text = tuple[str, str]


def main() -> None:
    """Print one line per set of texts."""
    classifier = detection_rules().classifier
    sets = {"invented": _invented(), **_recorded()}
    for name, texts in sets.items():
        titles = [(title, "") for title, _ in texts]
        print(f"{name:28} titles {_per_second(titles, classifier):9,.0f}/s", end="   ")
        print(f"title + body {_per_second(texts, classifier):9,.0f}/s   ({len(texts):,} texts)")


def _per_second(texts: Sequence[Text], classifier: Classifier) -> float:
    def run() -> None:
        for title, body in texts:
            classify(title, body, classifier)

    return len(texts) / min(_seconds(run) for _ in range(ROUNDS))


def _seconds(run: Callable[[], None]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _invented() -> list[Text]:
    headlines = generate_session(7, 1.0).headlines
    texts = [(headline.title, headline.body[:BODY_CHARACTERS]) for headline in headlines]
    return (texts * (HEADLINES // len(texts) + 1))[:HEADLINES]


def _recorded() -> dict[str, list[Text]]:
    root = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CATALYST_SHARED_DATA") or root) / "news"
    start, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    sets = {}
    for name in ("stocknewsapi_2025-10", "benzinga_headlines_2009_2020"):
        path = folder / f"{name}.jsonl.zst"
        if path.exists():
            news = read_news([path], calendar=load_calendar(), start=start, end=end)
            sets[name] = [
                (fact.headline.title, fact.headline.body[:BODY_CHARACTERS])
                for fact in islice(news, HEADLINES)
                if isinstance(fact, HeadlineReceived)
            ]
    return sets


if __name__ == "__main__":
    main()
