"""What an administrator did to the market, kept so that a restarted exchange does it again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from catalyst_bot.exchange.ticks import CorporateAction, Halt
from catalyst_bot.exchange.world import World


class MarketChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: a halt, the end of one, or a corporate action."""

    halt: Halt | None = None
    resumed: str | None = None
    at: datetime | None = None
    action: CorporateAction | None = None


def write_changes(changes: Iterable[MarketChange]) -> str:
    """Return the changes as text."""
    return msgspec.json.encode(list(changes)).decode()


def read_changes(written: str | None) -> list[MarketChange]:
    """Return the changes that `write_changes` wrote."""
    return [] if written is None else msgspec.json.decode(written, type=list[MarketChange])


def apply_changes(changes: Iterable[MarketChange], world: World) -> None:
    """Do to a fresh world what was done to the one before; raises `BadData` where it differs."""
    for change in changes:
        if change.halt is not None:
            world.add_halt(change.halt)
        elif change.action is not None:
            world.add_corporate_action(change.action)
        elif change.resumed is not None and change.at is not None:
            world.end_halt(change.resumed, change.at)
