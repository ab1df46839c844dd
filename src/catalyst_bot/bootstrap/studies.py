"""What a study is made of: recorded headlines, bars, the rules of detection, the costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from catalyst_bot.bootstrap.rules import changes_of, companies_of, detection_rules
from catalyst_bot.detection.rules import Rules
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import open_bars
from catalyst_bot.market_data.load import BarSelection, Refusal
from catalyst_bot.market_data.missing import missing_told
from catalyst_bot.market_data.scanner import scan_store
from catalyst_bot.market_data.session_times import SessionTimes
from catalyst_bot.settings import Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.study.event_report import Sample
from catalyst_bot.study.event_study import Study, StudyRules, round_trip_bps, study_events
from catalyst_bot.study.events import Events, read_events
from catalyst_bot.study.outcome_report import Record
from catalyst_bot.study.outcomes import outcomes
from catalyst_bot.study.prices import Prices
from catalyst_bot.study.record import MESSAGES, fates

BEFORE = timedelta(days=400)  # a year of sessions for beta
AFTER = timedelta(days=21)  # ten sessions with holidays
_FIRST, _LAST = date(1990, 1, 3), date(2030, 12, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """First and last day, both included."""

    first_day: date
    last_day: date

    @property
    def start(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.first_day, time(), tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return datetime.combine(self.last_day, time(), tzinfo=UTC) + timedelta(days=1)


def period(first_day: date | None, last_day: date | None) -> Period:
    """Return the days asked for; what is not given is as far as anything is recorded.

    Raises `ConfigError` when the last day lies before the first.
    """
    chosen = Period(first_day=first_day or _FIRST, last_day=last_day or _LAST)
    if chosen.last_day < chosen.first_day:
        raise ConfigError(f"--from {chosen.first_day} is after --to {chosen.last_day}")
    return chosen


def cost_bps(costs: CostRules) -> float:
    """Return what a round trip costs by the settings."""
    return round_trip_bps(costs.commission_fraction, costs.slippage_fraction)


def open_prices(
    settings: Settings,
    bars: Sequence[Path],
    days: Period,
    notes: list[str],
    calendar: TradingCalendar,
) -> Prices:
    """Open the bars around the days; what was refused of the files is told in `notes`, and which
    sessions they lack.
    """

    def refused(source: str, refusal: Refusal) -> None:
        notes.append(f"{source}: {refusal.count} bar rows refused: {refusal.reason}")

    store = open_bars(
        bars,
        calendar=calendar,
        selection=BarSelection(start=days.start - BEFORE, end=days.end + AFTER),
        on_refused=refused,
    )
    sessions, benchmark = SessionTimes.of(calendar), settings.run.benchmark
    notes += missing_told(store, sessions, paths=bars, benchmark=benchmark)
    return Prices(store, benchmark, sessions)


def rules_for(settings: Settings, store: BarStore) -> Rules:
    """Detection as a run has it; who has prices is listed, even if gone by now."""
    return detection_rules(
        companies_of(settings),
        traded_symbols=frozenset(store.symbols),
        changes=changes_of(settings),
        min_horizon_s=settings.detection.min_horizon_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """The study, the sample it was made of, and what of the input was refused."""

    study: Study
    sample: Sample
    notes: tuple[str, ...]


def event_study(
    settings: Settings,
    *,
    news: Sequence[Path],
    bars: Sequence[Path],
    days: Period,
    rules: StudyRules,
    with_scanner: bool = False,
) -> EventStudy:
    """Read the headlines (and hits of the scanner), measure what followed.

    Raises `ConfigError` or `BadData`.
    """
    if not news and not with_scanner:
        raise ConfigError("nothing to study: give --news FILE, or --scan for what prices tell")
    notes: list[str] = []
    calendar = load_calendar()
    prices = open_prices(settings, bars, days, notes, calendar)
    if rules.model == "market" and not prices.is_daily:
        raise ConfigError("--model market needs daily bars: beta is fitted on daily closes")
    facts = [*read_news(news, calendar=calendar, start=days.start, end=days.end)]
    if with_scanner:
        facts += _hits(settings, prices, days)
        facts.sort(key=lambda fact: fact.at)
    events = read_events(facts, rules_for(settings, prices.store), calendar)
    return EventStudy(
        study=study_events(events.catalysts, prices, rules),
        sample=_sample(events, prices, settings.run.benchmark),
        notes=tuple(notes),
    )


def scan_bars(
    settings: Settings, *, bars: Sequence[Path], days: Period, notes: list[str]
) -> list[HeadlineReceived]:
    """Return what the scanner finds in recorded bars, in order of time; the rest is in `notes`."""
    prices = open_prices(settings, bars, days, notes, load_calendar())
    return _hits(settings, prices, days)


def _hits(settings: Settings, prices: Prices, days: Period) -> list[HeadlineReceived]:
    return scan_store(
        prices.store,
        prices.sessions,
        settings.scanner,
        benchmark=settings.run.benchmark,
        start=days.start,
        end=days.end,
    )


def _sample(events: Events, prices: Prices, benchmark: str) -> Sample:
    days = [catalyst.received_at.date().isoformat() for catalyst in events.catalysts]
    return Sample(
        first_day=min(days, default="none"),
        last_day=max(days, default="none"),
        headlines=events.headlines,
        unreadable=events.unreadable,
        benchmark=benchmark,
        bars=len(prices.store),
        symbols=len(prices.store.symbols),
        interval_s=prices.store.interval_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeStudy:
    """The record of a run, and what of the bars was refused."""

    record: Record
    notes: tuple[str, ...]


def outcome_study(settings: Settings, *, journal: Place, bars: Sequence[Path]) -> OutcomeStudy:
    """Price everything a run saw, from its journal and recorded bars, now or years later.

    Raises `BadData` when the journal saw no headline, or there are no bars of that time.
    """
    with ReadModel(journal) as model:
        found = fates(model.records(*(kind.__name__ for kind in MESSAGES)))
    if not found:
        raise BadData(f"{journal}: no headline in it, so there is nothing to follow up")
    days = [fate.received_at.date() for fate in found]
    notes: list[str] = []
    prices = open_prices(settings, bars, period(min(days), max(days)), notes, load_calendar())
    return OutcomeStudy(
        record=Record(outcomes(found, prices), prices.horizons, cost_bps=cost_bps(settings.costs)),
        notes=tuple(notes),
    )
