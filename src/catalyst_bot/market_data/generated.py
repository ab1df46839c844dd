"""A whole market made from a seed: prices, news and halts of companies that do not exist.

It lets a stranger see the bot trade without a key, a download or somebody's licence, and lets
tests ask what real data cannot answer: does the bot find effects that are there, and none where
there are none?
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import (
    HeadlineUnreadable,
    SymbolHalted,
    SymbolResumed,
)
from catalyst_bot.domain.news import Headline
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.generated_news import PlantedEvent, write_news
from catalyst_bot.market_data.generated_prices import Shock, generate_bars
from catalyst_bot.market_data.invented_companies import BENCHMARK, COMPANIES, cik_of

TRADING_DAYS = 2
_FIRST_DAY = datetime(2025, 3, 3, tzinfo=UTC)
_LAST_DAY = datetime(2025, 3, 15, tzinfo=UTC)
_MAX_EFFECTS = 5.0
_BEFORE_OPEN = timedelta(hours=4)
_AFTER_CLOSE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class GeneratedMarket:
    """Everything the generated outside will say, and what was planted in it.

    `symbol_by_cik` and `name_by_symbol` identify the companies; `events` is the answer key (never
    shown to the bot) with effects as they were applied; replay from `starts_at` to `ends_at`.
    """

    seed: int
    effects: float
    starts_at: datetime
    ends_at: datetime
    sessions: tuple[Session, ...]
    bars: BarStore
    headlines: tuple[Headline, ...]
    unreadable: tuple[HeadlineUnreadable, ...]
    halts: tuple[SymbolHalted | SymbolResumed, ...]
    events: tuple[PlantedEvent, ...]
    night_gap: Shock
    benchmark: str
    symbol_by_cik: dict[int, str]
    name_by_symbol: dict[str, str]

    def describe(self) -> tuple[str, ...]:
        """Return lines that say what this is: invented, and how much of what."""
        fakes = sum(event.is_fake for event in self.events)
        by_source = Counter(headline.source for headline in self.headlines)
        sources = ", ".join(f"{name} {count}" for name, count in sorted(by_source.items()))
        history, days = self.sessions[:-TRADING_DAYS], self.sessions[-TRADING_DAYS:]
        halted, resumed = self.halts
        gap = self.night_gap
        return (
            f"GENERATED market, seed {self.seed}: its companies, prices and news are invented.",
            (
                f"{len(COMPANIES)} companies and the benchmark {self.benchmark}, 5-minute bars of "
                f"{len(history)} days before and of the trading days {days[0].day}, {days[1].day}."
            ),
            f"{len(self.headlines)} headlines: {sources}; {len(self.unreadable)} unreadable entry.",
            (
                f"{len(self.events) - fakes} planted catalysts at {self.effects:g} times their "
                f"usual effect, {fakes} fakes without any."
            ),
            f"{halted.symbol} is halted from {halted.at:%Y-%m-%d %H:%M} to {resumed.at:%H:%M} UTC.",
            f"{gap.symbol} opens {np.expm1(gap.effect):+.0%} on {days[1].day} without news.",
        )


def generate_session(seed: int, effects: float) -> GeneratedMarket:
    """Make the market of a seed; the same arguments give the same market, to the bit.

    `effects` scales what planted news does to prices: 1 is the usual strength, 0 leaves pure
    noise. Raises `BadData` for a negative seed or effects outside 0 to 5.
    """
    if seed < 0:
        raise BadData(f"the seed is {seed}: a whole number from 0 up is needed")
    if not 0.0 <= effects <= _MAX_EFFECTS:
        raise BadData(f"effects is {effects!r}: a number from 0 to {_MAX_EFFECTS:g} is needed")
    sessions = load_calendar().between(_FIRST_DAY, _LAST_DAY)
    trading = sessions[-TRADING_DAYS:]
    price_rng, news_rng = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    news = write_news(news_rng, trading)
    events = tuple(_scaled(event, effects) for event in news.events)
    bars = generate_bars(
        price_rng,
        sessions,
        shocks=[news.night_gap, *(event.shock for event in events)],
        pauses=news.pauses,
    )
    return GeneratedMarket(
        seed=seed,
        effects=effects,
        starts_at=trading[0].opens_at - _BEFORE_OPEN,
        ends_at=trading[-1].closes_at + _AFTER_CLOSE,
        sessions=sessions,
        bars=bars,
        headlines=news.headlines,
        unreadable=news.unreadable,
        halts=news.halts,
        events=events,
        night_gap=news.night_gap,
        benchmark=BENCHMARK.symbol,
        symbol_by_cik={cik_of(company): company.symbol for company in COMPANIES},
        name_by_symbol={company.symbol: company.name for company in COMPANIES},
    )


def _scaled(event: PlantedEvent, effects: float) -> PlantedEvent:
    return replace(event, shock=replace(event.shock, effect=event.shock.effect * effects))
