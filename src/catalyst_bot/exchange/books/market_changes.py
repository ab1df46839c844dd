"""What an administrator did to the market, kept so that a restarted exchange does it again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.market.assets import Asset, AssetBook
from catalyst_bot.exchange.market.ticks import CorporateAction, Halt
from catalyst_bot.exchange.market.world import World


class AssetChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of an asset; None leaves it as it is. Names are those of the API."""

    symbol: str
    attributes: tuple[str, ...] | None = None
    easy_to_borrow: bool | None = None
    fractionable: bool | None = None
    marginable: bool | None = None
    shortable: bool | None = None
    status: Literal["active", "inactive"] | None = None
    tradable: bool | None = None

    def apply(self, assets: AssetBook) -> Asset:
        """Change the asset and return it; raises `BadData` for an unknown symbol."""
        if assets.of_symbol(self.symbol) is None:
            raise BadData(f"there is no asset {self.symbol}")
        given = {
            "attributes": self.attributes,
            "is_active": None if self.status is None else self.status == "active",
            "is_easy_to_borrow": self.easy_to_borrow,
            "is_fractionable": self.fractionable,
            "is_marginable": self.marginable,
            "is_shortable": self.shortable,
            "is_tradable": self.tradable,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        return assets.change(self.symbol, **changes)


class MarketChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: a halt, the end of one, a corporate action, or what is said of an asset."""

    halt: Halt | None = None
    resumed: str | None = None
    at: datetime | None = None
    action: CorporateAction | None = None
    asset: AssetChange | None = None


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
        elif change.asset is not None:
            change.asset.apply(world.assets)
        elif change.action is not None:
            world.add_corporate_action(change.action)
        elif change.resumed is not None and change.at is not None:
            world.end_halt(change.resumed, change.at)
