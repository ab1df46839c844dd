"""Moments: what happens in the market, in the order in which it happens.

At one instant the order is: corporate actions, a session that begins, halts and resumes, bars that
close, the closing auction, a session that ends, news, bars that open, the opening auction, trades.
That is the order of our own replays (`runtime/replay.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.exchange.market.news import NewsItem
from catalyst_bot.exchange.market.ticks import CorporateAction, Trade
from catalyst_bot.simulation.market_now import AuctionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How far a market was played: every instant until then.

    With `is_to_open` the bars that begin at that very instant are still to print their open.
    """

    until: datetime
    is_to_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTaken:
    """A corporate action takes effect, before the day's first trade."""

    at: datetime
    action: CorporateAction


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanged:
    """Another part of the trading day begins; `day` is its date in New York."""

    at: datetime
    phase: SessionPhase
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Trading in a symbol stops."""

    at: datetime
    symbol: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Trading in a halted symbol goes on; `code` is why it was halted."""

    at: datetime
    symbol: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Recorded bars are complete, in order of symbol."""

    at: datetime
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Auctioned:
    """The opening or closing auction of a regular session: one price a symbol.

    A symbol whose first trade of the session comes later has its opening auction then.
    """

    at: datetime
    kind: AuctionKind
    prices: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPublished:
    """A news item is shown to the world."""

    at: datetime
    item: NewsItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Recorded bars begin with these first prices, in order of symbol."""

    at: datetime
    prints: tuple[OpenPrint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """Trades of one instant, in order of symbol."""

    at: datetime
    trades: tuple[Trade, ...]


Moment = (
    ActionTaken
    | SessionChanged
    | Halted
    | Resumed
    | Closing
    | Auctioned
    | NewsPublished
    | Opening
    | Traded
)
