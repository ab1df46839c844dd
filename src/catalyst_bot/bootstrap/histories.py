"""What a history is made of: a catalog, the calendar, detection with its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import catalyst_bot
from catalyst_bot.bootstrap.decision_bars import catalog_of
from catalyst_bot.bootstrap.looks import looks_at
from catalyst_bot.bootstrap.rules import (
    changes_of,
    companies_of,
    detection_rules,
)
from catalyst_bot.bootstrap.texts import tone_model
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.history.batch import panel_features
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.card import Card
from catalyst_bot.history.cases import with_events
from catalyst_bot.history.events import EventRules
from catalyst_bot.history.hits import scan_panel
from catalyst_bot.history.panel import Panel, write_panel
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import news_files, read_catalog
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes
from catalyst_bot.ml.walk_forward.plan import must_be_complete
from catalyst_bot.settings import Settings
from catalyst_bot.signals.rules import Rules
from catalyst_bot.study.events import read_events

HISTORIES = "histories"
# What a history is made with; when one of them changes it is made again.
_MAKERS = (
    *("bootstrap/histories.py", "bootstrap/looks.py", "detection", "domain", "features", "history"),
    *("market_data", "ports", "signals", "simulation", "study", "texts"),
)
_SECTIONS = ("detection", "signals", "stops", "costs", "scanner", "execution")

Note = Callable[[str], None]


def make_history(
    settings: Settings,
    *,
    catalog: Path,
    out: Path,
    interval_s: int,
    with_features: bool,
    with_scanner: bool,
) -> Card:
    """Build the history of a catalog into a folder that is not there yet; return its card.

    Its events are the catalog's news and, with the scanner, what prices alone told.
    Raises `BadData` for a catalog that will not do, `ConfigError` when features are wanted and
    numba is not installed; then nothing is written.
    """
    if out.exists():
        raise BadData(f"{out}: is there already; delete it, or give another --out")
    calendar = load_calendar()
    rules = HistoryRules(benchmark=settings.run.benchmark, interval_s=interval_s)
    panel = build_panel(catalog, SessionTimes.of(calendar), rules)
    panel = _with_events(panel, settings, catalog, calendar, with_scanner=with_scanner)
    if with_features:
        panel = replace(panel, features=panel_features(panel))
    write_panel(out, panel)
    return panel.card


def kept_history(settings: Settings, catalog: Path | None, *, interval_s: int, note: Note) -> Path:
    """Return the history of a catalog's bars of an interval: the one kept, or one made now.

    Raises `BadData` for a catalog that will not do.
    """
    source = catalog_of(settings.run.data_dir, catalog)
    datasets = read_catalog(source)
    if not datasets:
        raise BadData(
            f"{source}: holds nothing; fill it: catalyst-bot data import PATH… --catalog {source}"
        )
    made_of = sorted(f"{each.kind} {each.sha256}" for each in datasets)
    made_with = [_program(), settings.run.benchmark, str(interval_s)]
    made_with += [repr(getattr(settings, name)) for name in _SECTIONS]
    key = sha256("\n".join([*made_of, *made_with]).encode()).hexdigest()[:16]
    folder = settings.run.data_dir / HISTORIES / key
    if not folder.is_dir():
        note(f"making the history of {source}: once for this data and these settings")
        make_history(
            settings,
            catalog=source,
            out=folder,
            interval_s=interval_s,
            with_features=True,
            with_scanner=True,
        )
    return folder


def check_days(panel: Panel, first: date, last: date, note: Note) -> None:
    """Say which sessions the bars of a history lack, of which symbols and files.

    Raises `BadData` when the benchmark lacks one between two days: sessions are counted by it.
    """
    for line in panel.card.missing_told:
        note(line)
    sessions = [session.day for session in load_calendar().sessions]
    must_be_complete(panel.days(), sessions, first, last)


def _with_events(
    panel: Panel,
    settings: Settings,
    catalog: Path,
    calendar: TradingCalendar,
    *,
    with_scanner: bool,
) -> Panel:
    """Read news and hits as the bot would, place what it finds and say who is asked when."""
    detection = detection_rules(
        companies_of(settings),
        traded_symbols=frozenset(panel.symbols),
        changes=changes_of(settings),
        model=tone_model(settings),
        min_horizon_s=settings.detection.min_horizon_s,
    )
    first, last = (
        datetime.fromisoformat(day).replace(tzinfo=UTC)
        for day in (panel.card.first_day, panel.card.last_day)
    )
    facts = [
        *read_news(
            news_files(catalog), calendar=calendar, start=first, end=last + timedelta(days=1)
        )
    ]
    if with_scanner:
        facts += scan_panel(panel, SessionTimes.of(calendar), settings.scanner)
        facts.sort(key=lambda fact: fact.at)
    rules = EventRules(
        gates=settings.signals,
        stops=settings.stops,
        costs=settings.costs,
        looks_at=_looks_within_days(settings, calendar, panel.card.interval_s),
    )
    return with_events(panel, read_events(facts, detection, calendar).catalysts, rules)


def _looks_within_days(
    settings: Settings, calendar: TradingCalendar, interval_s: int
) -> Callable[[Catalyst], datetime] | None:
    """When the bot would look at the market for news, where that is not the close of a session."""
    if interval_s >= DAY_S:
        return None
    rules = Rules(gates=settings.signals, extended_hours=settings.execution.extended_hours)
    return lambda catalyst: looks_at(
        catalyst, catalyst.received_at, calendar=calendar, rules=rules, bar_interval_s=interval_s
    )


def _program() -> str:
    """SHA-256 of the code and tables that histories are made with."""
    root, digest = Path(catalyst_bot.__file__).parent, sha256()
    for maker in _MAKERS:
        place = root / maker
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()
