"""THE MODE TABLE: the only difference between backtest, dry run, paper and live."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError


class Loop(StrEnum):
    """What moves the facts."""

    SYNCHRONOUS = "synchronous"
    ASYNCIO = "asyncio"


class BrokerKind(StrEnum):
    """Who takes the orders."""

    EMBEDDED = "embedded"
    ALPACA = "alpaca"
    DRY_RUN = "dry_run"


class LivePrices(StrEnum):
    """Where prices come from when the wall clock drives; a replay has those of its tape."""

    NONE = "none"
    ALPACA = "alpaca"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRow:
    """The parts of one mode. `is_durable` waits for the disk before any order leaves;
    `tells_people` delivers alerts when live feeds are followed (a replay only records them);
    `compares_books` sends nothing after a start before the broker's books, which outlive ours, are
    compared (a venue in this process is made again from the journal); `asks_approval` refuses to
    start with limits that nobody approved.
    """

    loop: Loop
    broker: BrokerKind
    live_prices: LivePrices = LivePrices.NONE
    is_durable: bool
    has_dashboard: bool
    tells_people: bool = False
    compares_books: bool = False
    asks_approval: bool = False


@dataclass(frozen=True, slots=True)
class ModeKey:
    """What selects a row: `venue` is the setting broker.kind."""

    mode: Mode
    venue: str
    is_dry_run: bool


_EMBEDDED, _ALPACA, _DRY_RUN = BrokerKind.EMBEDDED, BrokerKind.ALPACA, BrokerKind.DRY_RUN
MODE_TABLE: dict[ModeKey, ModeRow] = {
    ModeKey(Mode.BACKTEST, "embedded", is_dry_run=False): ModeRow(
        loop=Loop.SYNCHRONOUS, broker=_EMBEDDED, is_durable=False, has_dashboard=False
    ),
    ModeKey(Mode.BACKTEST, "embedded", is_dry_run=True): ModeRow(
        loop=Loop.SYNCHRONOUS, broker=_DRY_RUN, is_durable=False, has_dashboard=False
    ),
    ModeKey(Mode.PAPER, "embedded", is_dry_run=False): ModeRow(
        loop=Loop.ASYNCIO,
        broker=_EMBEDDED,
        is_durable=True,
        has_dashboard=True,
        tells_people=True,
        asks_approval=True,
    ),
    ModeKey(Mode.PAPER, "embedded", is_dry_run=True): ModeRow(
        loop=Loop.ASYNCIO, broker=_DRY_RUN, is_durable=True, has_dashboard=True
    ),
    ModeKey(Mode.PAPER, "alpaca", is_dry_run=False): ModeRow(
        loop=Loop.ASYNCIO,
        broker=_ALPACA,
        live_prices=LivePrices.ALPACA,
        is_durable=True,
        has_dashboard=True,
        tells_people=True,
        compares_books=True,
        asks_approval=True,
    ),
    ModeKey(Mode.PAPER, "alpaca", is_dry_run=True): ModeRow(
        loop=Loop.ASYNCIO,
        broker=_DRY_RUN,
        live_prices=LivePrices.ALPACA,
        is_durable=True,
        has_dashboard=True,
    ),
    ModeKey(Mode.LIVE, "alpaca", is_dry_run=False): ModeRow(
        loop=Loop.ASYNCIO,
        broker=_ALPACA,
        live_prices=LivePrices.ALPACA,
        is_durable=True,
        has_dashboard=True,
        tells_people=True,
        compares_books=True,
        asks_approval=True,
    ),
    ModeKey(Mode.LIVE, "alpaca", is_dry_run=True): ModeRow(
        loop=Loop.ASYNCIO,
        broker=_DRY_RUN,
        live_prices=LivePrices.ALPACA,
        is_durable=True,
        has_dashboard=True,
    ),
}


def mode_row(mode: Mode, *, is_dry_run: bool, venue: str = "embedded") -> ModeRow:
    """Return the row of a mode. Raises `ConfigError` for a combination that does not exist."""
    row = MODE_TABLE.get(ModeKey(mode, venue, is_dry_run=is_dry_run))
    if row is None and mode is Mode.LIVE:
        raise ConfigError(
            f"run.mode = {mode} trades real money at a broker and broker.kind = {venue} is none: "
            "use paper-trading or backtest, or broker.kind = alpaca with alpaca.allow_live"
        )
    if row is None:
        raise ConfigError(
            f"broker.kind = {venue} trades by the wall clock: use run.mode = paper-trading, or "
            "broker.kind = embedded to replay"
        )
    return row
