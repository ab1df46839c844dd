"""Assets are made of symbols, the same in every run, as Alpaca and its SDK want them."""

from __future__ import annotations

import warnings
from datetime import timedelta
from uuid import UUID

import pytest

from catalyst_bot.exchange.market.assets import AssetBook, asset_body, new_asset
from tests.exchange import openapi
from tests.exchange.markets import OPEN, market_of, walk

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.trading.models import Asset as SdkAsset


@pytest.mark.parametrize("symbol", ["AAPL", "GE", "SPY", "BRK.B", "A"])
def test_a_body_is_as_documented_and_as_the_sdk_wants_it(symbol: str) -> None:
    body = asset_body(new_asset(symbol))
    openapi.validate("get", "/v2/assets/{symbol_or_asset_id}", 200, body)
    assert str(SdkAsset(**body).id) == body["id"]
    assert UUID(body["id"]).version == 4


def test_ids_are_the_same_in_every_run() -> None:
    assert new_asset("AAPL") == new_asset("AAPL")
    assert new_asset("AAPL").asset_id == "ac248bff-2f55-4e72-9e88-6f851f7e8a36"
    symbols = ["AAPL", "GE", "SPY", "MSFT", "A", "AA"]
    assert len({new_asset(s).asset_id for s in symbols}) == len(symbols)
    assert len({new_asset(s).cusip for s in symbols}) == len(symbols)


def test_a_cusip_has_its_check_digit() -> None:
    for symbol in ("AAPL", "GE", "SPY"):
        cusip = new_asset(symbol).cusip
        total = 0
        for place, digit in enumerate(cusip[:8]):
            value = int(digit) * (1 + place % 2)
            total += value // 10 + value % 10
        assert (total + int(cusip[8])) % 10 == 0


def test_an_asset_is_found_by_each_of_its_names() -> None:
    book = AssetBook({"AAPL": "Apple Inc.", "GE": ""})
    asset = book.of_symbol("AAPL")
    assert asset is not None
    assert asset.name == "Apple Inc."
    for key in (
        "AAPL",
        "AAPL:NASDAQ",
        "AAPL:NASDAQ:us_equity",
        asset.asset_id,
        asset.cusip,
        asset.asset_id.upper(),
    ):
        assert book.find(key) == asset
    for key in ("aapl", "AAPL:NYSE", "AAPL:NASDAQ:crypto", "AAPL:", "NONE", "", "NONE:NYSE"):
        assert book.find(key) is None


def test_flags_can_be_set() -> None:
    market = market_of({"AAPL": walk(1)})
    market.change_asset("AAPL", is_fractionable=False, is_shortable=False, attributes=("ipo",))
    asset = market.asset("AAPL", OPEN + timedelta(hours=1))
    assert asset is not None
    body = asset_body(asset)
    openapi.validate("get", "/v2/assets/{symbol_or_asset_id}", 200, body)
    assert (body["fractionable"], body["shortable"], body["attributes"]) == (False, False, ["ipo"])
    with pytest.raises(KeyError):
        market.change_asset("NONE", is_shortable=False)


def test_assets_are_listed_by_exchange_and_symbol() -> None:
    market = market_of({symbol: walk(1) for symbol in ("SPY", "GE", "AAPL", "A")})
    names = [asset.symbol for asset in market.assets(OPEN)]
    assert names == ["SPY", "AAPL", "A", "GE"]  # ARCA, NASDAQ, NYSE
