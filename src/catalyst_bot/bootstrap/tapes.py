"""What is replayed: recorded files, the local catalog, or a generated market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from catalyst_bot.bootstrap.rules import Companies, companies_of
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.generated import GeneratedMarket, generate_session
from catalyst_bot.market_data.invented_companies import BENCHMARK
from catalyst_bot.market_data.missing import missing_told
from catalyst_bot.market_data.scanner import history_before, scan_store
from catalyst_bot.market_data.session_times import SessionTimes, to_seconds
from catalyst_bot.runtime.replay import Tape
from catalyst_bot.settings import Settings

if TYPE_CHECKING:
    from catalyst_bot.market_data.load import Refusal

GENERATED_BENCHMARK = BENCHMARK.symbol
HISTORY = timedelta(days=21)  # bars before the first day, for ATR and relative volume
DAILY_HISTORY = timedelta(days=600)  # the same of bars of a session: more than a view shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A tape with all that is needed to play it: bars, calendar, companies, and its name.

    `notes` are for people: what of the input was refused, and why; which sessions are missing.
    """

    label: str
    tape: Tape
    store: BarStore
    calendar: TradingCalendar
    companies: Companies
    inputs_hash: str
    notes: tuple[str, ...] = ()


def recorded(
    settings: Settings,
    *,
    first_day: date,
    last_day: date,
    bars: Sequence[Path],
    news: Sequence[Path],
) -> Recording:
    """Open recorded days (both included). Raises `ConfigError` or `BadData` naming the input."""
    if not first_day <= last_day:
        raise ConfigError(f"--from {first_day} is after --to {last_day}")
    calendar = load_calendar()
    start = datetime.combine(first_day, time(), tzinfo=UTC)
    end = datetime.combine(last_day, time(), tzinfo=UTC) + timedelta(days=1)
    notes: list[str] = []
    store = _open(bars, calendar, start - history(settings.scanner), end, notes)
    if store.interval_s >= DAY_S:
        notes.clear()
        store = _open(bars, calendar, start - DAILY_HISTORY, end, notes)
    benchmark, asked_s = settings.run.benchmark, (to_seconds(start), to_seconds(end))
    notes += missing_told(
        store, SessionTimes.of(calendar), paths=bars, benchmark=benchmark, asked_s=asked_s
    )
    tape = Tape(
        bars=store,
        news=tuple(
            sorted(
                [
                    *read_news(_news_files(news), calendar=calendar, start=start, end=end),
                    *_scanned(settings, store, calendar, start, end),
                ],
                key=lambda fact: fact.at,
            )
        ),
        halts=(),
        sessions=calendar.between(start, end),
        start=start,
        end=end,
    )
    return Recording(
        label=f"{first_day}_{last_day}",
        tape=tape,
        store=store,
        calendar=calendar,
        companies=companies_of(settings),
        inputs_hash=_inputs_hash(store, _news_files(news)),
        notes=tuple(notes),
    )


def _open(
    bars: Sequence[Path],
    calendar: TradingCalendar,
    start: datetime,
    end: datetime,
    notes: list[str],
) -> BarStore:
    from catalyst_bot.market_data.catalog import open_bars  # noqa: PLC0415 - loads Polars
    from catalyst_bot.market_data.load import BarSelection  # noqa: PLC0415

    return open_bars(
        bars,
        calendar=calendar,
        selection=BarSelection(start=start, end=end),
        on_refused=lambda source, refusal: notes.append(_refused(source, refusal)),
    )


def history(scanner: ScannerRules) -> timedelta:
    """Return how long before the first day bars are read; a scanner looks back a year."""
    return max(HISTORY, history_before(scanner)) if scanner.enabled else HISTORY


def _scanned(
    settings: Settings,
    store: BarStore,
    calendar: TradingCalendar,
    start: datetime,
    end: datetime,
) -> list[HeadlineReceived]:
    if not settings.scanner.enabled:
        return []
    return scan_store(
        store,
        SessionTimes.of(calendar),
        settings.scanner,
        benchmark=settings.run.benchmark,
        start=start,
        end=end,
    )


def generated(
    settings: Settings, *, seed: int, effects: float
) -> tuple[Recording, GeneratedMarket]:
    """The generated market: two trading days of invented companies, and what was planted in it."""
    market = generate_session(seed, effects)
    news: list[HeadlineReceived | HeadlineUnreadable] = [
        HeadlineReceived(at=headline.received_at, headline=headline)
        for headline in market.headlines
    ]
    recording = Recording(
        label=f"demo-{seed}",
        tape=Tape(
            bars=market.bars,
            news=tuple(sorted([*news, *market.unreadable], key=lambda fact: fact.at)),
            halts=market.halts,
            sessions=market.sessions,
            start=market.starts_at,
            end=market.ends_at,
        ),
        store=market.bars,
        calendar=load_calendar(),
        companies=companies_of(settings),
        inputs_hash=sha256(f"{market.bars.data_hash()}|{seed}|{effects}".encode()).hexdigest(),
    )
    return recording, market


def _news_files(paths: Sequence[Path]) -> list[Path]:
    """News files; a folder is a catalog."""
    from catalyst_bot.market_data.catalog import news_files  # noqa: PLC0415 - loads Polars

    files: list[Path] = []
    for path in paths:
        files += news_files(path) if path.is_dir() else [path]
    return files


def _refused(source: str, refusal: Refusal) -> str:
    example = f", such as {refusal.examples[0]}" if refusal.examples else ""
    return f"{source}: {refusal.count} bar rows refused: {refusal.reason}{example}"


def _inputs_hash(store: BarStore, news: Sequence[Path]) -> str:
    digest = sha256(store.data_hash().encode())
    for path in news:
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()
