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
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRow:
    """The parts of one mode. `is_durable` waits for the disk before any order leaves."""

    loop: Loop
    broker: BrokerKind
    is_durable: bool
    has_dashboard: bool


@dataclass(frozen=True, slots=True)
class ModeKey:
    """What selects a row."""

    mode: Mode
    is_dry_run: bool


_EMBEDDED, _DRY_RUN = BrokerKind.EMBEDDED, BrokerKind.DRY_RUN
MODE_TABLE: dict[ModeKey, ModeRow] = {
    ModeKey(Mode.BACKTEST, is_dry_run=False): ModeRow(
        loop=Loop.SYNCHRONOUS, broker=_EMBEDDED, is_durable=False, has_dashboard=False
    ),
    ModeKey(Mode.BACKTEST, is_dry_run=True): ModeRow(
        loop=Loop.SYNCHRONOUS, broker=_DRY_RUN, is_durable=False, has_dashboard=False
    ),
    ModeKey(Mode.PAPER, is_dry_run=False): ModeRow(
        loop=Loop.ASYNCIO, broker=_EMBEDDED, is_durable=True, has_dashboard=True
    ),
    ModeKey(Mode.PAPER, is_dry_run=True): ModeRow(
        loop=Loop.ASYNCIO, broker=_DRY_RUN, is_durable=True, has_dashboard=True
    ),
}


def mode_row(mode: Mode, *, is_dry_run: bool) -> ModeRow:
    """Return the row of a mode. Raises `ConfigError` for a combination that does not exist."""
    row = MODE_TABLE.get(ModeKey(mode, is_dry_run=is_dry_run))
    if row is None:
        raise ConfigError(
            f"run.mode = {mode}: there is no live broker in this version; "
            "use paper-trading or backtest"
        )
    return row
