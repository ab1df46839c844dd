"""What the market of the exchange consists of: trades, quotes, bars, halts, corporate actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Tape(StrEnum):
    """Which consolidated tape a symbol's prices are told on: NYSE, the regionals, NASDAQ."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade. `exchange` is the one-letter code, `conditions` those of the tape."""

    symbol: str
    at: datetime
    price: float
    size: int
    trade_id: int
    exchange: str
    tape: Tape
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopOfBook:
    """Best bid and ask, made around the last trade; sizes in shares."""

    symbol: str
    at: datetime
    bid: float
    ask: float
    bid_size: int
    ask_size: int
    exchange: str
    tape: Tape


@dataclass(frozen=True, slots=True, kw_only=True)
class TradedBar:
    """A bar as the data API shows it; `at` is its start, volume in shares."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int
    trade_count: int
    average_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """No trading in [starts_at, ends_at); `ends_at` None: until somebody resumes it.

    `code` is the reason in NASDAQ's words (T1 news pending, LUDP a limit-up limit-down pause).
    """

    symbol: str
    starts_at: datetime
    ends_at: datetime | None = None
    code: str = "T1"


class ActionKind(StrEnum):
    """What a company does to its shares."""

    SPLIT = "split"
    REVERSE_SPLIT = "reverse_split"
    SYMBOL_CHANGE = "symbol_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateAction:
    """A split (`new_rate` shares for each `old_rate`) or a new symbol, before trading on `on`.

    `is_in_prices`: the recorded prices know of it already. If not, the market makes them follow:
    prices of a split symbol are scaled from that day on, and a new symbol inherits the old one's.
    """

    kind: ActionKind
    symbol: str
    on: date
    new_rate: Decimal = Decimal(1)
    old_rate: Decimal = Decimal(1)
    new_symbol: str = ""
    is_in_prices: bool = False

    @property
    def shares_per_share(self) -> Decimal:
        """How many new shares one old share becomes."""
        return self.new_rate / self.old_rate
