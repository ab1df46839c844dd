"""Assets: what can be traded, made from the symbols there are prices of.

Recordings say nothing about a company but its symbol, so exchange and name are made up the same way
every time: funds on ARCA, four letters and more on NASDAQ, the others on NYSE. Ids are UUIDs made
of the symbol, so they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from catalyst_bot.exchange.ticks import Tape

_FUNDS: Final = frozenset({"SPY", "QQQ", "IWM", "DIA", "MKT", "VOO", "VTI", "GLD", "TLT"})
_NASDAQ_FROM_LETTERS = 4


class Listing(StrEnum):
    """Where an asset is listed: the names Alpaca uses."""

    AMEX = "AMEX"
    ARCA = "ARCA"
    BATS = "BATS"
    NYSE = "NYSE"
    NASDAQ = "NASDAQ"
    OTC = "OTC"


_TAPES = {Listing.NYSE: Tape.A, Listing.NASDAQ: Tape.C}
_LETTERS = {
    Listing.AMEX: "A",
    Listing.ARCA: "P",
    Listing.BATS: "Z",
    Listing.NYSE: "N",
    Listing.NASDAQ: "Q",
    Listing.OTC: "E",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One asset; `listed_from` and `listed_until` bound the life of its symbol."""

    asset_id: str
    symbol: str
    name: str
    listing: Listing
    cusip: str
    is_tradable: bool = True
    is_active: bool = True
    is_marginable: bool = True
    is_shortable: bool = True
    is_easy_to_borrow: bool = True
    is_fractionable: bool = True
    attributes: tuple[str, ...] = ()
    listed_from: datetime | None = None
    listed_until: datetime | None = None

    @property
    def tape(self) -> Tape:
        """The consolidated tape its prices are told on."""
        return _TAPES.get(self.listing, Tape.B)

    @property
    def exchange_letter(self) -> str:
        """Its exchange in the market data."""
        return _LETTERS[self.listing]

    def is_listed(self, at: datetime) -> bool:
        """Whether the symbol existed at a time."""
        return not (self.listed_from is not None and at < self.listed_from) and not (
            self.listed_until is not None and at >= self.listed_until
        )


def new_asset(symbol: str, name: str = "") -> Asset:
    """Return the asset of a symbol."""
    return Asset(
        asset_id=_uuid(f"asset {symbol}"),
        symbol=symbol,
        name=name or f"{symbol} Common Stock",
        listing=_listing(symbol),
        cusip=_cusip(symbol),
    )


def asset_body(asset: Asset) -> dict[str, Any]:
    """Return the body of `GET /v2/assets/{symbol}`."""
    return {
        "attributes": list(asset.attributes),
        "borrow_status": "easy_to_borrow" if asset.is_easy_to_borrow else "hard_to_borrow",
        "class": "us_equity",
        "cusip": asset.cusip,
        "easy_to_borrow": asset.is_easy_to_borrow,
        "exchange": asset.listing.value,
        "fractionable": asset.is_fractionable,
        "id": asset.asset_id,
        "maintenance_margin_requirement": 30 if asset.is_marginable else 100,
        "margin_requirement_long": "30" if asset.is_marginable else "100",
        "margin_requirement_short": "30" if asset.is_marginable else "100",
        "marginable": asset.is_marginable,
        "name": asset.name,
        "shortable": asset.is_shortable,
        "status": "active" if asset.is_active else "inactive",
        "symbol": asset.symbol,
        "tradable": asset.is_tradable,
    }


class AssetBook:
    """All assets, found by symbol, id or CUSIP."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._by_symbol = {symbol: new_asset(symbol, name) for symbol, name in names.items()}
        self._symbol_by_key: dict[str, str] = {}
        for asset in self._by_symbol.values():
            self._index(asset)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def all(self) -> tuple[Asset, ...]:
        """Return every asset there ever is, by exchange and symbol."""
        return tuple(sorted(self._by_symbol.values(), key=lambda a: (a.listing, a.symbol)))

    def of_symbol(self, symbol: str) -> Asset | None:
        """Return the asset of exactly this symbol."""
        return self._by_symbol.get(symbol)

    def find(self, key: str) -> Asset | None:
        """Return the asset of SYMBOL, SYMBOL:EXCHANGE, SYMBOL:EXCHANGE:CLASS, an id or a CUSIP."""
        asset = self._by_symbol.get(key)
        if asset is not None:
            return asset
        symbol, *rest = key.split(":")
        if rest:
            asset = self._by_symbol.get(symbol)
            is_right = (
                asset is not None and rest[0] == asset.listing and rest[1:] in ([], ["us_equity"])
            )
            return asset if is_right else None
        return self._by_symbol.get(self._symbol_by_key.get(key.lower(), ""))

    def change(self, symbol: str, **changes: Any) -> Asset:
        """Set fields of an asset and return it; KeyError for an unknown symbol."""
        asset = replace(self._by_symbol[symbol], **changes)
        self._by_symbol[symbol] = asset
        return asset

    def rename(self, symbol: str, new_symbol: str, at: datetime) -> None:
        """Let an asset carry another symbol from a time on; its id stays with the company."""
        old = self._by_symbol[symbol]
        there = self._by_symbol.get(new_symbol)
        self._by_symbol[symbol] = replace(old, listed_until=at)
        self._by_symbol[new_symbol] = replace(
            old,
            symbol=new_symbol,
            name=there.name if there else old.name.replace(symbol, new_symbol),
            listing=there.listing if there else old.listing,
            listed_from=at,
        )
        self._index(self._by_symbol[new_symbol])

    def _index(self, asset: Asset) -> None:
        for key in (asset.asset_id, asset.cusip.lower()):
            self._symbol_by_key[key] = asset.symbol


def _listing(symbol: str) -> Listing:
    if symbol in _FUNDS:
        return Listing.ARCA
    return Listing.NASDAQ if len(symbol) >= _NASDAQ_FROM_LETTERS else Listing.NYSE


def _uuid(text: str) -> str:
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4))


def _cusip(symbol: str) -> str:
    """Eight digits and the check digit CUSIPs have."""
    digits = str(int.from_bytes(blake2b(f"cusip {symbol}".encode(), digest_size=8).digest()))[-8:]
    total = 0
    for place, digit in enumerate(digits.zfill(8)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value // 10 + value % 10
    return f"{digits.zfill(8)}{-total % 10}"
