"""Alpaca's bars: pages, both adjustments, days and times, and what its refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.alpaca_bars import AlpacaBars
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.patience import Busy, Patience
from catalyst_bot.downloads.wanted import Fetched, NothingThere
from tests.unit.downloads.desk import period


def row(at: str, close: float, **more: Any) -> dict[str, Any]:
    return {"t": at, "o": close, "h": close, "l": close, "c": close, "v": 100, **more}


FIRST, SECOND = row("2025-10-06T04:00:00Z", 100.0), row("2025-10-07T04:00:00Z", 102.0)


@dataclass
class Told:
    """A client whose answers are pages of rows by adjustment, or one refusal."""

    pages: Mapping[str, list[list[Any]]] = field(default_factory=dict)
    refusal: Exception | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    access: Any = field(default_factory=lambda: SimpleNamespace(data_url="https://data.example"))

    async def data(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append({"path": path, **query})
        if self.refusal is not None:
            raise self.refusal
        number = int(query.get("page_token", "0"))
        pages = self.pages[query["adjustment"]]
        token = str(number + 1) if number + 1 < len(pages) else None
        return {"bars": {query["symbols"]: pages[number]}, "next_page_token": token}


def fetch(told: Told, symbol: str = "ACME", interval: Interval = Interval.DAY) -> Fetched:
    client = cast(AlpacaClient, told)
    source = AlpacaBars(client, Patience(lambda _: None), feed="iex", interval=interval)
    fetched = asyncio.run(source.fetch(symbol, period(), None))
    assert fetched is not None
    return fetched


def test_all_pages_of_both_adjustments_are_one_table() -> None:
    halved = [row("2025-10-06T04:00:00Z", 50.0), SECOND]
    told = Told({"raw": [[FIRST], [SECOND]], "all": [halved]})
    rows = fetch(told).rows
    assert rows["date"].to_list() == [date(2025, 10, 6), date(2025, 10, 7)]
    assert rows["close"].to_list() == [100.0, 102.0]
    assert rows["adj_close"].to_list() == [50.0, 102.0]
    assert [asked.get("page_token") for asked in told.asked] == [None, "1", None]
    assert (told.asked[0]["start"], told.asked[0]["end"]) == (
        "2025-10-06T04:00:00Z",
        "2025-10-11T03:59:59Z",
    )


def test_symbols_are_spelled_as_alpaca_does_and_back() -> None:
    told = Told({"raw": [[FIRST]], "all": [[FIRST]]})
    assert fetch(told, "BRK-B").rows["symbol"].to_list() == ["BRK-B"]
    assert told.asked[0]["symbols"] == "BRK.B"


def test_bars_within_a_day_have_their_time() -> None:
    bar = row("2025-10-06T13:30:00Z", 100.0)
    rows = fetch(Told({"raw": [[bar]], "all": [[bar]]}), interval=Interval.FIVE_MINUTES).rows
    assert rows["timestamp"].to_list() == [datetime(2025, 10, 6, 13, 30, tzinfo=UTC)]
    assert rows["day"].to_list() == [date(2025, 10, 6)]


def test_a_bar_that_was_not_adjusted_has_no_adjusted_close() -> None:
    rows = fetch(Told({"raw": [[FIRST, SECOND]], "all": [[FIRST]]})).rows
    assert rows["adj_close"].to_list() == [100.0, None]


def test_what_is_no_number_is_left_to_the_import_to_refuse() -> None:
    rows = fetch(Told({"raw": [[FIRST | {"c": "x", "v": None}]], "all": [[FIRST]]})).rows
    assert rows.select("close", "volume").row(0) == (None, None)


@pytest.mark.parametrize("bad", ["x", {"o": 1.0}, {"t": "soon"}])
def test_a_bar_without_a_time_refuses_the_symbol(bad: Any) -> None:
    with pytest.raises(BadData):
        fetch(Told({"raw": [[bad]], "all": [[]]}))


def test_no_bars_is_nothing() -> None:
    with pytest.raises(NothingThere, match="ACME: Alpaca has no bars"):
        fetch(Told({"raw": [[]], "all": [[]]}))


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (AlpacaSilent("HTTP 503"), Busy),
        (AlpacaRefused("too many", status=429, code=0), Busy),
        (AlpacaRefused("unauthorized", status=401, code=0), ConfigError),
        (AlpacaRefused("no recent sip", status=403, code=42210000), ConfigError),
        (AlpacaRefused("invalid symbol", status=400, code=0), BadData),
    ],
)
def test_refusals_mean_what_they_say(refusal: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        fetch(Told(refusal=refusal))


def test_pages_without_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalyst_bot.downloads.alpaca_bars.MAX_PAGES", 2)
    with pytest.raises(BadData, match="more than 2 pages"):
        fetch(Told({"raw": [[FIRST]] * 3, "all": [[FIRST]]}))
