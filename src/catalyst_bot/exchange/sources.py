"""Where a market comes from: recorded files, or the generated days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived, SymbolHalted, SymbolResumed
from catalyst_bot.exchange import bar_columns
from catalyst_bot.exchange.market_events import read_events
from catalyst_bot.exchange.news import NewsItem, news_item
from catalyst_bot.exchange.ticks import Halt
from catalyst_bot.exchange.world import MarketSource
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data import catalog
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import NEW_YORK, load_calendar
from catalyst_bot.market_data.generated import TRADING_DAYS, generate_session
from catalyst_bot.market_data.generated_news import News, write_news
from catalyst_bot.market_data.generated_prices import Shock, generate_bars
from catalyst_bot.market_data.invented_companies import BENCHMARK, COMPANIES
from catalyst_bot.market_data.load import BarSelection, LoadedBars, Refusal, load_bars, make_store
from catalyst_bot.market_data.session_times import SessionTimes

HISTORY_DAYS = 8  # sessions before the first generated trading day
GENERATED_AHEAD = 20  # trading days that are generated for a wall clock
USUAL_EFFECTS = 1.0
_ALL_HOURS = BarSelection(regular_hours=False)
_MARGIN_SESSIONS = 20  # at both ends of the calendar, where a date has no next session


def recorded_market(
    bars: Sequence[Path],
    news: Sequence[Path] = (),
    *,
    news_delay: timedelta,
    events: Path | None = None,
) -> MarketSource:
    """Open recordings: files, or catalog folders. Raises `BadData` naming what cannot be read.

    Bars of several intervals may be mixed; of each symbol the finest are its prices. `events` is a
    TOML file of halts and corporate actions.
    """
    calendar = load_calendar()
    sessions = SessionTimes.of(calendar)
    loaded: dict[int, list[LoadedBars]] = defaultdict(list)
    notes: list[str] = []
    for path in _bar_files(bars):
        part = load_bars(path, sessions, _ALL_HOURS)
        loaded[part.interval_s].append(part)
        notes += [_note(part.source, refusal) for refusal in part.refused]
    stores = tuple(make_store(parts) for _, parts in sorted(loaded.items()))
    if not any(len(store) for store in stores):
        raise BadData(f"no bars in {', '.join(map(str, bars)) or 'no path at all'}")
    first, _ = stores[0].range()
    halts, actions = read_events(events) if events else ((), ())
    return MarketSource(
        stores=stores,
        default_start=(calendar.session_at(first) or calendar.next_session(first)).opens_at,
        news=tuple(_recorded_news(news, news_delay)),
        halts=halts,
        actions=actions,
        notes=tuple(notes),
    )


def generated_market(
    seed: int, *, news_delay: timedelta, effects: float = USUAL_EFFECTS
) -> MarketSource:
    """Return the generated session of `catalyst-bot demo`; a replay starts at its first open."""
    market = generate_session(seed, effects)
    return MarketSource(
        stores=(market.bars,),
        default_start=market.sessions[-TRADING_DAYS].opens_at,
        names={BENCHMARK.symbol: BENCHMARK.name, **market.name_by_symbol},
        news=tuple(news_item(headline, news_delay) for headline in market.headlines),
        halts=_paired(market.halts),
        notes=market.describe(),
    )


def generated_now(seed: int, *, now: datetime, news_delay: timedelta) -> MarketSource:
    """Return a generated market for a wall clock: today's session, those before and after it.

    Prices go on for twenty trading days, each with its news; then they stand still.
    """
    calendar = load_calendar()
    opens = [session.opens_at for session in calendar.sessions]
    current = calendar.session_at(now) or calendar.next_session(now)
    day = now.astimezone(NEW_YORK).date()
    index = opens.index(current.opens_at)
    if index and calendar.sessions[index - 1].day == day:
        index -= 1  # today's session is over; its prices are the last ones
    sessions = calendar.sessions[max(0, index - HISTORY_DAYS) : index + GENERATED_AHEAD]
    trading = calendar.sessions[index : index + GENERATED_AHEAD]
    price_rng, news_rng = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    pairs = [
        write_news(news_rng, trading[first : first + TRADING_DAYS])
        for first in range(0, len(trading) - TRADING_DAYS + 1, TRADING_DAYS)
    ]
    store = generate_bars(
        price_rng,
        sessions,
        shocks=[shock for news in pairs for shock in _shocks(news)],
        pauses=[pause for news in pairs for pause in news.pauses],
    )
    return MarketSource(
        stores=(_within_hours(store, SessionTimes.of(calendar)),),
        default_start=current.opens_at,
        names={company.symbol: company.name for company in (BENCHMARK, *COMPANIES)},
        news=tuple(
            news_item(headline, news_delay) for news in pairs for headline in news.headlines
        ),
        halts=tuple(halt for news in pairs for halt in _paired(news.halts)),
        notes=(f"GENERATED market, seed {seed}: its companies, prices and news are invented.",),
    )


def _bar_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves; a folder is a catalog."""
    for path in paths:
        if path.is_dir():
            if not (path / catalog.MANIFEST).is_file():
                raise BadData(f"{path}: no catalog (it has no {catalog.MANIFEST}); give files")
            yield from (path / d.file for d in catalog.read_catalog(path) if d.kind == "bars")
        else:
            yield path


def _recorded_news(paths: Iterable[Path], delay: timedelta) -> Iterator[NewsItem]:
    calendar = load_calendar()
    files: list[Path] = []
    for path in paths:
        files += catalog.news_files(path) if path.is_dir() else [path]
    facts = read_news(
        files,
        calendar=calendar,
        start=calendar.sessions[_MARGIN_SESSIONS].opens_at,
        end=calendar.sessions[-_MARGIN_SESSIONS].opens_at,
    )
    return (news_item(f.headline, delay) for f in facts if isinstance(f, HeadlineReceived))


def _note(source: str, refusal: Refusal) -> str:
    example = f", such as {refusal.examples[0]}" if refusal.examples else ""
    return f"{source}: {refusal.count} bar rows refused: {refusal.reason}{example}"


def _paired(facts: Sequence[SymbolHalted | SymbolResumed]) -> tuple[Halt, ...]:
    """Each halt with the resume that ends it."""
    halts: list[Halt] = []
    for fact in facts:
        if isinstance(fact, SymbolHalted):
            later = (
                r.at for r in facts if isinstance(r, SymbolResumed) and r.symbol == fact.symbol
            )
            ends_at = min((at for at in later if at > fact.at), default=None)
            halts.append(
                Halt(symbol=fact.symbol, starts_at=fact.at, ends_at=ends_at, code=fact.code)
            )
    return tuple(halts)


def _shocks(news: News) -> Iterator[Shock]:
    yield news.night_gap
    yield from (event.shock for event in news.events)


def _within_hours(store: BarStore, sessions: SessionTimes) -> BarStore:
    """Leave out what was generated after an early close."""
    return BarStore(
        {
            symbol: bar_columns.kept(
                store.columns(symbol), sessions.index_at(store.columns(symbol).opened_s) >= 0
            )
            for symbol in store.symbols
        },
        interval_s=store.interval_s,
    )
