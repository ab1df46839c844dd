"""The scanner as a source: recorded bars, an Alpaca account, and what detection makes of hits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from catalyst_bot.alpaca.client import AlpacaSilent
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.detection.decide import on_headline
from catalyst_bot.detection.state import State
from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored
from catalyst_bot.domain.messages.facts import AdapterFailed, AdapterRecovered, HeadlineReceived
from catalyst_bot.features.scanner import KINDS
from catalyst_bot.market_data.alpaca_scanner import AlpacaScanner
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.scanner import scan_store, scan_symbol
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes, to_datetime
from tests.builders import NOON, FakeDesk, calendar
from tests.detection_rules import rules as detection_rules

SESSIONS = SessionTimes.of(calendar())
DAYS = 25
TODAY = int(np.flatnonzero(SESSIONS.opens_s <= NOON.timestamp())[-1])
FIRST = TODAY - DAYS + 1
RULES = ScannerRules(
    enabled=True,
    symbols=("ACME", "BRK-B"),
    volume_sessions=5,
    atr_sessions=5,
    break_sessions=10,
    year_sessions=20,
    squeeze_sessions=20,
    min_day_usd=1_000.0,
)


def days_with_a_gap() -> BarColumns:
    """Quiet sessions up to today, which opens eight percent higher on five times the volume."""
    rows = slice(FIRST, TODAY + 1)
    bars = BarColumns(
        opened_s=SESSIONS.opens_s[rows],
        closed_s=SESSIONS.closes_s[rows],
        open=np.full(DAYS, 100.0),
        high=np.full(DAYS, 101.0),
        low=np.full(DAYS, 99.0),
        close=100.0 + 0.1 * (np.arange(DAYS) % 3),
        volume=np.full(DAYS, 1_000.0),
    )
    for column, value in ((bars.open, 108.0), (bars.high, 110.0), (bars.close, 109.0)):
        column[-1] = value
    bars.volume[-1] = 5_000.0
    return bars


def test_hits_of_a_store_are_facts_in_order_without_the_benchmark():
    store = BarStore(
        {name: days_with_a_gap() for name in ("ZETA", "ACME", "SPY")}, interval_s=DAY_S
    )
    end = to_datetime(int(SESSIONS.closes_s[TODAY]) + 1)
    facts = scan_store(
        store, SESSIONS, RULES, benchmark="SPY", start=end - timedelta(days=1), end=end
    )
    assert sorted(fact.headline.symbols[0] for fact in facts) == ["ACME", "ZETA"]
    assert {fact.at for fact in facts} == {to_datetime(int(SESSIONS.closes_s[TODAY]))}
    before = scan_store(
        store, SESSIONS, RULES, benchmark="SPY", start=end - timedelta(days=9), end=facts[0].at
    )
    assert before == []  # nothing is known before its bar has closed


def test_every_kind_of_hit_is_a_category_with_its_sign():
    (hit,) = scan_symbol("ACME", days_with_a_gap(), SESSIONS, RULES, interval_s=DAY_S)
    for up, down in KINDS.values():
        for kind, sign in ((up, 1), (down, -1)):
            fact = HeadlineReceived(at=hit.received_at, headline=replace(hit, items=(kind,)))
            said, _ = on_headline(State(), fact, FakeDesk(), detection_rules())
            assert isinstance(said, CatalystDetected)
            assert said.catalyst.category == f"scan_{kind}"
            assert said.catalyst.direction == sign
            assert said.catalyst.confidence >= 0.7
            assert said.catalyst.evidence == (f"prices: {kind}",)


def test_a_kind_nobody_knows_is_no_catalyst():
    (hit,) = scan_symbol("ACME", days_with_a_gap(), SESSIONS, RULES, interval_s=DAY_S)
    fact = HeadlineReceived(at=hit.received_at, headline=replace(hit, items=("moon",)))
    (said,) = on_headline(State(), fact, FakeDesk(), detection_rules())
    assert isinstance(said, HeadlineIgnored)
    assert said.reason == "no_category"


@dataclass
class Service:
    """Alpaca's two answers, made of the columns of `days_with_a_gap`."""

    bars: BarColumns = field(default_factory=days_with_a_gap)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    is_silent: bool = False
    pace: Pace = field(default_factory=Pace)

    async def data(self, path: str, query: Mapping[str, str]) -> Any:
        self.asked.append((path, dict(query)))
        if self.is_silent:
            raise AlpacaSilent("no answer")
        names = query["symbols"].split(",")
        if path == "/v2/stocks/snapshots":
            return {name: {"dailyBar": self._row(DAYS - 1)} for name in names} | {"ODD": None}
        half = DAYS // 2
        rows = range(half, DAYS) if "page_token" in query else range(half)
        token = None if "page_token" in query else "more"
        told = {name: [*map(self._row, rows), {"t": "never"}] for name in names}
        return {"bars": told, "next_page_token": token}

    def _row(self, number: int) -> dict[str, Any]:
        day = to_datetime(int(self.bars.opened_s[number])).date()
        values = {name[0]: float(getattr(self.bars, name)[number]) for name in (
            "open", "high", "low", "close", "volume"
        )}  # fmt: skip
        return {"t": f"{day}T04:00:00Z", **values}


@dataclass
class Desk:
    """The scanner over a service, its clock, and what it said."""

    time: datetime = NOON
    service: Service = field(default_factory=Service)
    said: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scanner = AlpacaScanner(
            self.service,
            calendar=calendar(),
            clock=self,
            sink=self.said.append,
            rules=RULES,
            feed="iex",
        )

    def now(self) -> datetime:
        return self.time

    def look(self, after_s: float = 0.0) -> list[Any]:
        self.time += timedelta(seconds=after_s)
        asyncio.run(self.scanner.look())
        said, self.said[:] = list(self.said), []
        return said


def test_todays_prices_are_held_against_the_days_before():
    desk = Desk()
    said = desk.look()
    assert [fact.headline.symbols for fact in said] == [("ACME",), ("BRK-B",)]
    assert all(fact.at == fact.headline.received_at == NOON for fact in said)
    assert said[0].headline.items[0] == "gap_up"
    paths = [path for path, _ in desk.service.asked]
    assert paths == ["/v2/stocks/bars", "/v2/stocks/bars", "/v2/stocks/snapshots"]
    assert desk.service.asked[0][1]["symbols"] == "ACME,BRK.B"


def test_a_live_hit_has_the_id_of_the_recorded_one():
    recorded = scan_symbol("ACME", days_with_a_gap(), SESSIONS, RULES, interval_s=DAY_S)
    assert Desk().look()[0].headline.item_id == recorded[0].item_id


def test_a_hit_is_told_once_a_day_and_the_past_is_asked_once():
    desk = Desk()
    assert len(desk.look()) == 2
    assert desk.look(after_s=1) == []  # not due
    assert desk.look(after_s=RULES.poll_s) == []  # told
    assert [path for path, _ in desk.service.asked].count("/v2/stocks/bars") == 2


def test_outside_the_session_nobody_is_asked():
    desk = Desk(time=NOON + timedelta(hours=8))
    assert desk.look() == []
    assert desk.service.asked == []


def test_failures_are_told_and_the_next_look_is_whole():
    desk = Desk()
    desk.service.is_silent = True
    assert isinstance(desk.look()[0], AdapterFailed)
    assert desk.look(after_s=RULES.poll_s) == []
    desk.service.is_silent = False
    recovered, *hits = desk.look(after_s=RULES.poll_s)
    assert isinstance(recovered, AdapterRecovered)
    assert len(hits) == 2
