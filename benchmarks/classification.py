"""Headlines read and scored per second on one core, and with whose they are; invented and real."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.line import Line, median_of, shared_data, skipped
from catalyst_bot.bootstrap.rules import Companies, detection_rules
from catalyst_bot.detection.decide import DECIDE
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.reading import Finding, factors_of, read_headline
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import assess
from catalyst_bot.detection.tickers import find_owners
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Headline
from catalyst_bot.engine.state import EngineState, StateDesk
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.feeds.tickers import load_companies
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.generated import generate_session
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import shipped

BODY_CHARACTERS = 150
HEADLINES = 20_000
TARGET_PER_S = 100_000
EDGAR_TARGET_S = 3.0
Detecting = Callable[[Headline, Rules], None]
_START, _END = datetime(1990, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def lines() -> list[Line]:
    """Measure titles, titles with the beginning of their body, and three days of EDGAR."""
    rules = _rules(shared_data())
    with_model = replace(rules, tone_model=shipped(Task.SENTIMENT))
    jobs: dict[str, tuple[Detecting, Rules]] = {
        "reading": (_read, rules),
        "reading and owners": (_read_with_owners, rules),
        "reading, catalysts by the linear model too": (_read, with_model),
    }
    measured = [
        Line(
            job=f"{job}, {name}",
            unit="titles/s",
            value=_per_second(detect, [replace(item, body="") for item in items], by),
            target=TARGET_PER_S,
            note=f"with body {_per_second(detect, items, by):,.0f}/s ({len(items):,} texts)",
        )
        for name, items in {"invented": _invented(), **_recorded()}.items()
        for job, (detect, by) in jobs.items()
    ]
    data = shared_data()
    if data is None:
        return [*measured, skipped("detection, real headlines", "no shared data")]
    return [*measured, _edgar(data / "news" / "edgar_getcurrent_2025-12.jsonl.zst", rules)]


def _rules(data: Path | None) -> Rules:
    """The shipped rules, with the real companies where there is a list of them."""
    file = data / "reference" / "sec_company_tickers.ndjson" if data is not None else None
    if file is None or not file.exists():
        return detection_rules()
    told = load_companies(file)
    return detection_rules(
        Companies(symbols_by_cik=told.symbols_by_cik, registered_names=told.registered_names)
    )


def _read(item: Headline, rules: Rules) -> None:
    """Full classification: category, negation, stage of an offering, tone, score."""
    found = read_headline(item, rules)
    if isinstance(found, Finding):
        assess(
            weight=found.weight,
            sentiment=found.sentiment,
            factors=factors_of(item, found, rules),
            curve=rules.calibration.words,
        )


def _read_with_owners(item: Headline, rules: Rules) -> None:
    """Whose it is, too, as the stage asks it of every headline."""
    find_owners(item, rules.companies)
    _read(item, rules)


def _per_second(detect: Detecting, items: Sequence[Headline], rules: Rules) -> float:
    def all_of_them() -> None:
        for item in items:
            detect(item, rules)

    return len(items) / median_of(lambda: _seconds(all_of_them))


def _seconds(job: Callable[[], None]) -> float:
    start = time.process_time()
    job()
    return time.process_time() - start


def _edgar(file: Path, rules: Rules) -> Line:
    """Every filing of three days read from its file, deduplicated, resolved, read, in stories."""

    def detect() -> None:
        state, calendar = EngineState(), load_calendar()
        for fact in read_news([file], calendar=calendar, start=_START, end=_END):
            if not isinstance(fact, HeadlineReceived):
                continue
            desk = StateDesk(state, calendar, fact.at)
            said = DECIDE[HeadlineReceived](state.detection, fact, desk, rules)
            for message in (fact, *said):
                EVOLVE[type(message)](state.detection, message, fact.at)

    return Line(
        job="detection of three days of EDGAR",
        unit="s",
        value=median_of(lambda: _seconds(detect)),
        target=EDGAR_TARGET_S,
        is_less_better=True,
        note="7,144 entries parsed, deduplicated, resolved, read",
    )


def _invented() -> list[Headline]:
    headlines = [_cut(headline) for headline in generate_session(7, 1.0).headlines]
    return (headlines * (HEADLINES // len(headlines) + 1))[:HEADLINES]


def _cut(headline: Headline) -> Headline:
    return replace(headline, body=headline.body[:BODY_CHARACTERS])


def _recorded() -> dict[str, list[Headline]]:
    data = shared_data()
    if data is None:
        return {}
    sets = {}
    for name in ("stocknewsapi_2025-10", "benzinga_headlines_2009_2020"):
        path = data / "news" / f"{name}.jsonl.zst"
        if path.exists():
            news = read_news([path], calendar=load_calendar(), start=_START, end=_END)
            sets[name] = [
                _cut(fact.headline)
                for fact in islice(news, HEADLINES)
                if isinstance(fact, HeadlineReceived)
            ]
    return sets
