"""yfinance itself against a server on this machine: its table, its errors, its absence."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yfinance
from yfinance.scrapers import history

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.patience import Busy, Patience
from catalyst_bot.downloads.wanted import Fetched, NothingThere
from catalyst_bot.downloads.yahoo_bars import YahooBars
from catalyst_bot.feeds.turns import Turns
from tests.feed_server import Reply, Server, serving
from tests.unit.downloads.desk import period

FIRST_OPEN_S = 1_759_757_400  # Monday, 2025-10-06 09:30 in New York
META = {
    "symbol": "ACME",
    "currency": "USD",
    "exchangeName": "NMS",
    "instrumentType": "EQUITY",
    "exchangeTimezoneName": "America/New_York",
    "timezone": "EDT",
    "gmtoffset": -14_400,
    "dataGranularity": "1d",
    "validRanges": ["1d"],
    "tradingPeriods": [
        [
            {
                "timezone": "EDT",
                "start": FIRST_OPEN_S,
                "end": FIRST_OPEN_S + 23_400,
                "gmtoffset": -14_400,
            }
        ]
    ],
    "currentTradingPeriod": {
        part: {"timezone": "EDT", "start": 1, "end": 2, "gmtoffset": -14_400}
        for part in ("pre", "regular", "post")
    },
}


def chart(*, step_s: int = 86_400, bars: int = 3) -> bytes:
    closes = [50.0 + number for number in range(bars)]
    result: dict[str, Any] = {"meta": META, "indicators": {"quote": [{}]}}
    if bars:
        prices = dict.fromkeys(("open", "high", "low", "close"), closes)
        result["timestamp"] = [FIRST_OPEN_S + step_s * number for number in range(bars)]
        result["indicators"] = {
            "quote": [{**prices, "volume": [10 * (number + 1) for number in range(bars)]}],
            "adjclose": [{"adjclose": [close / 2 for close in closes]}],
        }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as running:
        for module in (yfinance.base, history):
            monkeypatch.setattr(module, "_BASE_URL_", running.origin)
        # The cookie that Yahoo wants comes from another host.
        nothing = (None, "basic")
        monkeypatch.setattr(yfinance.data.YfData, "_get_cookie_and_crumb", lambda *_, **__: nothing)
        yield running


def fetch(cache: Path, symbol: str, interval: Interval = Interval.DAY) -> Fetched | None:
    """Symbols differ from test to test: yfinance remembers answers for the whole process."""
    source = YahooBars(Patience(lambda _: None), interval=interval, cache=cache, turns=Turns(()))
    return asyncio.run(source.fetch(symbol, period(), None))


def test_its_table_becomes_bars(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=chart())
    fetched = fetch(tmp_path, "AAA")
    assert fetched is not None
    rows = fetched.rows
    assert rows["date"].to_list() == [date(2025, 10, 6), date(2025, 10, 7), date(2025, 10, 8)]
    assert rows.select("symbol", "close", "adj_close", "volume").row(1) == ("AAA", 51.0, 25.5, 20.0)


def test_bars_within_a_day_have_their_time_in_utc(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=chart(step_s=300))
    fetched = fetch(tmp_path, "BBB", Interval.FIVE_MINUTES)
    assert fetched is not None
    assert fetched.rows["timestamp"][0] == datetime(2025, 10, 6, 13, 30, tzinfo=UTC)


def test_too_many_requests_is_busy(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(status=429, body=b"Too Many Requests")
    with pytest.raises(Busy, match="too many requests"):
        fetch(tmp_path, "CCC")


def test_no_bars_is_nothing(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=chart(bars=0))
    with pytest.raises(NothingThere, match="DDD"):
        fetch(tmp_path, "DDD")


def test_a_page_instead_of_an_answer_is_refused(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=b"<html>")
    with pytest.raises(BadData, match="EEE: yfinance cannot read the answer"):
        fetch(tmp_path, "EEE")


def test_nobody_there_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as gone:
        origin = gone.origin
    for module in (yfinance.base, history):
        monkeypatch.setattr(module, "_BASE_URL_", origin)
    monkeypatch.setattr(
        yfinance.data.YfData, "_get_cookie_and_crumb", lambda *_, **__: (None, "basic")
    )
    with pytest.raises(Busy, match="Yahoo: "):
        fetch(tmp_path, "FFF")


def test_without_the_extra_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(ConfigError, match="make setup-yahoo"):
        fetch(tmp_path, "GGG")
