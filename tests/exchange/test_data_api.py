"""Market Data v2 and News v1beta1: bodies, pages, feeds and refusals."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.exchange.api.data_query import page_token
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.ticks import ActionKind, CorporateAction
from catalyst_bot.exchange.wire.replies import rfc3339
from catalyst_bot.feeds.readers.json_lines import parse_json_lines
from tests.exchange.data_client import DataClient
from tests.exchange.markets import CLOSE, MINUTE, NEXT_OPEN, OPEN, market_of, news, walk

SYMBOLS = ("AAPL", "MSFT", "SPY")
AT = NEXT_OPEN + timedelta(minutes=42, seconds=17, microseconds=5)
START = "2025-10-22T00:00:00Z"
RENAME = CorporateAction(
    kind=ActionKind.SYMBOL_CHANGE, symbol="FB", on=date(2025, 10, 23), new_symbol="META"
)
SPLITS = (
    CorporateAction(
        kind=ActionKind.SPLIT, symbol="NVDA", on=date(2025, 10, 23), new_rate=Decimal(10)
    ),
    CorporateAction(
        kind=ActionKind.REVERSE_SPLIT, symbol="TINY", on=date(2025, 10, 23), old_rate=Decimal("1.5")
    ),
    CorporateAction(
        kind=ActionKind.SPLIT, symbol="AAPL", on=date(2025, 10, 24), new_rate=Decimal(2)
    ),
)
MARKET: Market = market_of({symbol: walk(number) for number, symbol in enumerate(SYMBOLS)})
ITEMS = tuple(
    news(1000 + n, OPEN + n * MINUTE, *symbols, content="" if n % 3 == 0 else f"Body {n}.")
    for n, symbols in enumerate((("AAPL",), ("MSFT",), ("AAPL", "MSFT"), ()) * 15)
)
NEWS = market_of({"AAPL": walk(1)}, news=ITEMS)


@pytest.fixture
def client() -> DataClient:
    return DataClient(MARKET, AT)


# Bodies


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes", "auctions"])
def test_history_of_one_is_that_of_many(client: DataClient, kind: str) -> None:
    params = {"start": START, "limit": 500} | ({"timeframe": "5Min"} if kind == "bars" else {})
    many = client.get(f"/v2/stocks/{kind}", symbols="MSFT", **params)
    one = client.get(f"/v2/stocks/MSFT/{kind}", **params)
    assert one["symbol"] == "MSFT"
    assert one[kind] == many[kind]["MSFT"]
    assert one["next_page_token"] == many["next_page_token"]
    assert one[kind]


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes"])
def test_latest_of_one_is_that_of_many(client: DataClient, kind: str) -> None:
    many = client.get(f"/v2/stocks/{kind}/latest", symbols="SPY,AAPL,NONE")
    assert sorted(many[kind]) == ["AAPL", "SPY"]
    one = client.get(f"/v2/stocks/AAPL/{kind}/latest")
    assert one == {kind[:-1]: many[kind]["AAPL"], "symbol": "AAPL"}


def test_the_latest_is_the_last_of_history(client: DataClient) -> None:
    for kind in ("trades", "quotes"):
        (last,) = client.get(f"/v2/stocks/AAPL/{kind}", start=START, sort="desc", limit=1)[kind]
        assert client.get(f"/v2/stocks/AAPL/{kind}/latest")[kind[:-1]] == last
    bars = client.get("/v2/stocks/AAPL/bars", start=START, timeframe="1Min", sort="desc", limit=1)
    assert client.get("/v2/stocks/AAPL/bars/latest")["bar"] == bars["bars"][0]


def test_a_snapshot_puts_it_together(client: DataClient) -> None:
    body = client.get("/v2/stocks/snapshots", symbols="AAPL,NONE")
    assert sorted(body) == ["AAPL"]
    one = client.get("/v2/stocks/AAPL/snapshot")
    assert one == {"symbol": "AAPL", **body["AAPL"]}
    assert one["latestTrade"] == client.get("/v2/stocks/AAPL/trades/latest")["trade"]
    assert one["minuteBar"] == client.get("/v2/stocks/AAPL/bars/latest")["bar"]
    days = client.get("/v2/stocks/AAPL/bars", start=START, timeframe="1Day")["bars"]
    assert [one["prevDailyBar"], one["dailyBar"]] == days
    assert one["dailyBar"]["t"] == "2025-10-23T04:00:00Z"


def test_numbers_are_numbers_and_times_are_rfc3339(client: DataClient) -> None:
    (bar,) = client.get("/v2/stocks/AAPL/bars", start=START, timeframe="5Min", limit=1)["bars"]
    assert bar["t"] == "2025-10-22T13:30:00Z"
    assert isinstance(bar["v"], int)
    assert isinstance(bar["o"], float)
    (trade,) = client.get("/v2/stocks/AAPL/trades", start=START, limit=1)["trades"]
    assert trade["t"] == "2025-10-22T13:30:00Z"
    assert (trade["x"], trade["z"], trade["c"]) == ("Q", "C", ["@"])


def test_trades_out_of_hours_say_so() -> None:
    rows = [(CLOSE + MINUTE * 5, 10.0, 10.0, 10.0, 10.0, 100.0)]
    client = DataClient(market_of({"GE": rows}), CLOSE + MINUTE * 30)
    trade = client.get("/v2/stocks/GE/trades/latest")["trade"]
    assert (trade["c"], trade["z"], trade["x"]) == ([" ", "T"], "A", "N")
    assert client.get("/v2/stocks/GE/trades/latest", feed="iex")["trade"]["x"] == "V"


def test_auctions_open_and_close_a_session(client: DataClient) -> None:
    first, second = client.get("/v2/stocks/AAPL/auctions", start=START, feed="sip")["auctions"]
    days = client.get("/v2/stocks/AAPL/bars", start=START, timeframe="1Day")["bars"]
    assert (first["d"], second["d"]) == ("2025-10-22", "2025-10-23")
    assert {auction["p"] for auction in first["o"]} == {days[0]["o"]}
    assert {auction["p"] for auction in first["c"]} == {days[0]["c"]}
    assert second["c"] == []  # not over yet


def test_codes_are_explained(client: DataClient) -> None:
    assert client.get("/v2/stocks/meta/exchanges")["V"] == "IEX"
    assert client.get("/v2/stocks/meta/conditions/trade", tape="C")["@"] == "Regular Sale"
    assert "R" in client.get("/v2/stocks/meta/conditions/quote", tape="A")


def test_the_screener_ranks(client: DataClient) -> None:
    body = client.get("/v1beta1/screener/stocks/most-actives", top=2)
    volumes = [row["volume"] for row in body["most_actives"]]
    assert len(volumes) == 2
    assert volumes == sorted(volumes, reverse=True)
    by_trades = client.get("/v1beta1/screener/stocks/most-actives", by="trades")["most_actives"]
    counts = [row["trade_count"] for row in by_trades]
    assert counts == sorted(counts, reverse=True)
    movers = client.get("/v1beta1/screener/stocks/movers")
    moved = [*movers["gainers"], *reversed(movers["losers"])]
    assert len(moved) == 3
    for row in moved:
        snapshot = client.get(f"/v2/stocks/{row['symbol']}/snapshot")
        base = snapshot["prevDailyBar"]["c"]
        assert row["price"] == snapshot["dailyBar"]["c"]
        assert row["change"] == pytest.approx(row["price"] - base, abs=1e-4)
        assert row["percent_change"] == pytest.approx(100 * (row["price"] - base) / base, abs=1e-3)
    changes = [row["percent_change"] for row in moved]
    assert changes == sorted(changes, reverse=True)
    assert client.get("/v1beta1/screener/crypto/movers")["gainers"] == []


def test_before_the_open_the_screener_shows_the_day_before() -> None:
    client = DataClient(MARKET, NEXT_OPEN - MINUTE)
    before = DataClient(MARKET, CLOSE)
    assert (
        client.get("/v1beta1/screener/stocks/most-actives")["most_actives"]
        == before.get("/v1beta1/screener/stocks/most-actives")["most_actives"]
    )


def test_corporate_actions_are_told_when_they_happened() -> None:
    market = market_of(
        {symbol: walk(1) for symbol in ("AAPL", "FB", "NVDA", "TINY")}, actions=(RENAME, *SPLITS)
    )
    client = DataClient(market, AT)
    path = "/v1/corporate-actions"
    body = client.get(path)["corporate_actions"]
    assert sorted(body) == ["forward_splits", "name_changes", "reverse_splits"]
    (split,) = body["forward_splits"]  # that of the day after is not known yet
    assert (split["symbol"], split["new_rate"], split["old_rate"]) == ("NVDA", 10, 1)
    assert split["process_date"] == "2025-10-23"
    assert body["reverse_splits"][0]["old_rate"] == 1.5
    assert (body["name_changes"][0]["old_symbol"], body["name_changes"][0]["new_symbol"]) == (
        "FB",
        "META",
    )
    assert client.get(path, symbols="META")["corporate_actions"].keys() == {"name_changes"}
    assert client.get(path, types="reverse_split")["corporate_actions"].keys() == {"reverse_splits"}
    assert client.get(path, ids=split["id"])["corporate_actions"] == {"forward_splits": [split]}
    assert client.get(path, cusips=split["cusip"])["corporate_actions"] == {
        "forward_splits": [split]
    }
    assert client.get(path, end="2025-10-22", start="2025-10-01")["corporate_actions"] == {}
    assert client.get(path, region="non_us")["corporate_actions"] == {}
    for sort in ("asc", "desc"):
        pages = client.pages(path, limit=1, sort=sort)
        kinds = [kind for page in pages for kind in page["corporate_actions"]]
        assert sorted(kinds) == sorted(body)
        assert len(pages) == 3


# Symbols that changed


def test_asof_says_which_company_a_symbol_means() -> None:
    client = DataClient(market_of({"FB": walk(3)}, actions=(RENAME,)), AT)

    def days(symbol: str, **more: Any) -> list[str]:
        body = client.get("/v2/stocks/bars", symbols=symbol, start=START, timeframe="1Day", **more)
        return [bar["t"][:10] for bar in body["bars"].get(symbol, [])]

    assert days("META") == ["2025-10-22", "2025-10-23"]
    assert days("META", asof="-") == ["2025-10-23"]
    assert days("FB") == ["2025-10-22"]
    assert days("FB", asof="2025-10-22") == ["2025-10-22", "2025-10-23"]


# Pages


@settings(max_examples=25)
@given(
    limit=st.integers(1, 40),
    kind=st.sampled_from(["bars", "trades", "quotes"]),
    sort=st.sampled_from(["asc", "desc"]),
    minutes=st.integers(1, 45),
)
def test_pages_are_complete_and_in_order(limit: int, kind: str, sort: str, minutes: int) -> None:
    client = DataClient(MARKET, OPEN + minutes * MINUTE)
    params: dict[str, Any] = {"symbols": "SPY,AAPL,MSFT", "start": START, "sort": sort}
    if kind == "bars":
        params["timeframe"] = "1Min"
    whole = client.get(f"/v2/stocks/{kind}", **params, limit=10_000)
    assert whole["next_page_token"] is None
    wanted = [(s, row) for s in sorted(whole[kind]) for row in whole[kind][s]]
    pages = client.pages(f"/v2/stocks/{kind}", **params, limit=limit)
    sizes = [sum(map(len, page[kind].values())) for page in pages]
    assert all(size == limit for size in sizes[:-1])
    assert 0 < sizes[-1] <= limit
    found = [(s, row) for page in pages for s in page[kind] for row in page[kind][s]]
    assert found == wanted
    for symbol in whole[kind]:
        times = [row["t"] for row in whole[kind][symbol]]
        moments = [datetime.fromisoformat(t) for t in times]
        assert moments == sorted(moments, reverse=sort == "desc")


@pytest.mark.parametrize("short", [0, 1, 2])
def test_the_last_item_is_not_lost(short: int) -> None:
    client = DataClient(MARKET, OPEN + 10 * MINUTE)
    params = {"symbols": "AAPL,MSFT", "start": START}
    whole = client.get("/v2/stocks/trades", **params)["trades"]
    count = sum(map(len, whole.values()))
    pages = client.pages("/v2/stocks/trades", **params, limit=count - short)
    assert len(pages) == (2 if short else 1)
    assert sum(len(rows) for page in pages for rows in page["trades"].values()) == count


def test_a_range_includes_both_ends(client: DataClient) -> None:
    body = client.get(
        "/v2/stocks/AAPL/bars",
        timeframe="5Min",
        start="2025-10-22T13:35:00Z",
        end="2025-10-22T09:45:00-04:00",
    )
    assert [bar["t"][11:16] for bar in body["bars"]] == ["13:35", "13:40", "13:45"]


def test_without_a_start_it_is_today(client: DataClient) -> None:
    bars = client.get("/v2/stocks/AAPL/bars", timeframe="5Min")["bars"]
    assert bars[0]["t"] == "2025-10-23T13:30:00Z"


def test_nothing_of_a_symbol_is_an_empty_page(client: DataClient) -> None:
    assert client.get("/v2/stocks/bars", symbols="NONE", timeframe="1Day") == {
        "bars": {},
        "next_page_token": None,
    }
    assert client.get("/v2/stocks/NONE/trades")["trades"] == []


# Feeds


def test_recent_sip_prices_are_not_in_the_basic_plan() -> None:
    client = DataClient(MARKET, AT, has_sip=False)
    refused = (403, "subscription does not permit querying recent SIP data")
    assert client.refusal("/v2/stocks/AAPL/trades/latest", feed="sip") == refused
    assert client.refusal("/v2/stocks/AAPL/snapshot", feed="sip") == refused
    end = (AT - timedelta(minutes=14)).isoformat()
    params = {"timeframe": "1Min", "feed": "sip", "start": START}
    assert client.refusal("/v2/stocks/AAPL/bars", end=end, **params) == refused
    bars = client.get("/v2/stocks/AAPL/bars", **params, sort="desc", limit=1)["bars"]
    assert datetime.fromisoformat(bars[0]["t"]) <= AT - timedelta(minutes=15)
    latest = client.get("/v2/stocks/AAPL/trades/latest")["trade"]
    assert latest["x"] == "V"  # the best feed of the plan
    delayed = client.get("/v2/stocks/AAPL/trades/latest", feed="delayed_sip")["trade"]
    assert datetime.fromisoformat(delayed["t"]) <= AT - timedelta(minutes=15)
    assert client.get("/v2/stocks/AAPL/bars", timeframe="1Min", feed="boats")["bars"] == []


# Refusals

BARS = "/v2/stocks/bars"
GOOD = {"symbols": "AAPL", "timeframe": "1Min"}


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        (BARS, {"timeframe": "1Min"}, "symbols is required"),
        (BARS, {"symbols": "AAPL"}, "timeframe is required"),
        (BARS, GOOD | {"symbols": "AAPL,CSP1"}, "invalid symbol: CSP1"),
        (BARS, GOOD | {"symbols": "aapl"}, "invalid symbol: aapl"),
        (BARS, GOOD | {"symbols": "BRK/B"}, "invalid symbol: BRK/B"),
        (
            BARS,
            GOOD | {"timeframe": "151Min"},
            "timeframe period number is larger than the allowed maximum of 59",
        ),
        (BARS, GOOD | {"timeframe": "fast"}, "invalid timeframe: fast"),
        (BARS, GOOD | {"limit": "0"}, "invalid limit: limit must be between 1 and 10000"),
        (BARS, GOOD | {"limit": "10001"}, "invalid limit: limit must be between 1 and 10000"),
        (BARS, GOOD | {"limit": "ten"}, "invalid limit: ten"),
        (BARS, GOOD | {"start": "yesterday"}, "invalid start: yesterday"),
        (BARS, GOOD | {"start": "2025-10-22T13:30:00"}, "invalid start: 2025-10-22T13:30:00"),
        (BARS, GOOD | {"start": "0001-01-01T00:00:00Z"}, "invalid start: 0001-01-01T00:00:00Z"),
        (BARS, GOOD | {"start": "0001-01-01"}, "invalid start: 0001-01-01"),
        (BARS, GOOD | {"end": "9999-12-31"}, "invalid end: 9999-12-31"),
        (BARS, GOOD | {"asof": "0001-01-01"}, "invalid asof: 0001-01-01"),
        (BARS, GOOD | {"timeframe": "٣Min"}, "invalid timeframe: ٣Min"),
        (
            BARS,
            GOOD | {"timeframe": "1" * 5_000 + "Min"},
            "invalid timeframe: " + "1" * 5_000 + "Min",
        ),
        (
            BARS,
            GOOD | {"page_token": page_token("AAPL", "M", "0001-01-01T00:00:00Z")},
            f"invalid page_token: {page_token('AAPL', 'M', '0001-01-01T00:00:00Z')}",
        ),
        (
            BARS,
            GOOD | {"start": "2025-10-23", "end": "2025-10-22"},
            "end should not be before start",
        ),
        (BARS, GOOD | {"sort": "up"}, "invalid sort: up"),
        (BARS, GOOD | {"feed": "nyse"}, "invalid feed: nyse"),
        (BARS, GOOD | {"adjustment": "half"}, "invalid adjustment: half"),
        (BARS, GOOD | {"currency": "EUR"}, "invalid currency: EUR"),
        (BARS, GOOD | {"asof": "then"}, "invalid asof: then"),
        (BARS, GOOD | {"page_token": "%%%"}, "invalid page_token: %%%"),
        (BARS, GOOD | {"page_token": "QUFQTA=="}, "invalid page_token: QUFQTA=="),
        (BARS, GOOD | {"page_token": "Zé"}, "invalid page_token: Zé"),
        (BARS, GOOD | {"since": "1"}, "unexpected query parameter(s): since"),
        (
            "/v2/stocks/trades/latest",
            {"symbols": "AAPL", "limit": "1"},
            "unexpected query parameter(s): limit",
        ),
        ("/v2/stocks/CSP1/bars", {"timeframe": "1Min"}, "invalid symbol: CSP1"),
        ("/v2/stocks/meta/conditions/bar", {"tape": "A"}, "invalid ticktype: bar"),
        ("/v2/stocks/meta/conditions/trade", {}, "tape is required"),
        ("/v2/stocks/meta/conditions/trade", {"tape": "X"}, "invalid tape: X"),
        ("/v1beta1/screener/stocks/most-actives", {"by": "luck"}, "invalid by: luck"),
        (
            "/v1beta1/screener/stocks/movers",
            {"top": "51"},
            "invalid top: top must be between 1 and 50",
        ),
        ("/v1beta1/screener/bonds/movers", {}, "invalid market type: bonds"),
        ("/v1/corporate-actions", {"types": "party"}, "invalid types: party"),
        ("/v1/corporate-actions", {"start": "then"}, "invalid start: then"),
        ("/v1/corporate-actions", {"page_token": "QQ=="}, "invalid page_token: QQ=="),
        ("/v1beta1/news", {"limit": "51"}, "invalid limit: limit must be between 1 and 50"),
        ("/v1beta1/news", {"include_content": "perhaps"}, "invalid include_content: perhaps"),
        ("/v1beta1/news", {"page_token": "QXxC"}, "invalid page_token: QXxC"),
        ("/v1beta1/news", {"from": "x"}, "unexpected query parameter(s): from"),
    ],
)
def test_what_is_wrong_is_named(
    client: DataClient, path: str, params: dict[str, str], message: str
) -> None:
    assert client.refusal(path, **params) == (400, message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("trades/latest", "no trade found for NONE"),
        ("quotes/latest", "no quote found for NONE"),
        ("bars/latest", "no bar found for NONE"),
        ("snapshot", "no snapshot found for NONE"),
    ],
)
def test_what_is_not_there_is_not_found(client: DataClient, path: str, message: str) -> None:
    assert client.refusal(f"/v2/stocks/NONE/{path}") == (404, message)


# News


def ids(body: dict[str, Any]) -> list[int]:
    return [item["id"] for item in body["news"]]


def test_news_is_shown_a_minute_after_it_was_published() -> None:
    client = DataClient(NEWS, OPEN + 5 * MINUTE)
    assert ids(client.get("/v1beta1/news")) == [1004, 1003, 1002, 1001, 1000]
    client.at -= timedelta(microseconds=1)
    assert ids(client.get("/v1beta1/news")) == [1003, 1002, 1001, 1000]


def test_news_by_symbol_time_and_content() -> None:
    client = DataClient(NEWS, AT)
    path = "/v1beta1/news"
    body = client.get(path, symbols="MSFT", limit=50)
    assert all("MSFT" in item["symbols"] for item in body["news"])
    assert len(body["news"]) == 30
    start, end = (OPEN + n * MINUTE for n in (3, 6))
    body = client.get(path, start=start.isoformat(), end=end.isoformat(), sort="asc")
    assert ids(body) == [1003, 1004, 1005, 1006]
    body = client.get(path, exclude_contentless="True", include_content="true", limit=5)
    assert ids(body) == [1059 - n for n in (0, 1, 3, 4, 6)]
    assert body["news"][0]["content"] == "Body 59."
    first = client.get(path, limit=1)["news"][0]
    assert first["content"] == first["summary"] == "Summary 1059"


@settings(max_examples=25)
@given(limit=st.integers(1, 50), sort=st.sampled_from(["asc", "desc"]))
def test_news_pages_are_complete(limit: int, sort: str) -> None:
    client = DataClient(NEWS, AT)
    pages = client.pages("/v1beta1/news", limit=limit, sort=sort)
    found = [item for page in pages for item in ids(page)]
    assert found == sorted((item.news_id for item in ITEMS), reverse=sort == "desc")
    assert all(len(page["news"]) == limit for page in pages[:-1])


@pytest.mark.proves("GET /feeds/news.jsonl")
def test_the_feed_of_lines_is_read_like_a_recording() -> None:
    client = DataClient(NEWS, OPEN + 4 * MINUTE)
    reply = client.http.get("/feeds/news.jsonl")
    page = parse_json_lines(reply.content, source="JSON lines", received_at=client.at)
    assert [item.title for item in page.headlines] == [f"Headline {n}" for n in range(1000, 1004)]
    first = ITEMS[0].origin
    assert (page.headlines[0].form, page.headlines[0].items) == (first.form, first.items)
    assert page.headlines[0].published_at == first.published_at
    again = {"If-None-Match": reply.headers["ETag"]}
    assert client.http.get("/feeds/news.jsonl", headers=again).status_code == 304
    client.at += MINUTE
    assert len(client.http.get("/feeds/news.jsonl", headers=again).content.splitlines()) == 5
    later = client.http.get("/feeds/news.jsonl", params={"since": rfc3339(OPEN + 3 * MINUTE)})
    assert b"Headline 1002" in later.content
    assert b"Headline 1001" not in later.content
