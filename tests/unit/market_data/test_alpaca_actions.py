"""Splits and new names: told once, to who held before they counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import SplitApplied, SymbolRenamed
from catalyst_bot.market_data.alpaca_actions import CorporateActions, read_actions
from tests.alpaca_desk import client_for
from tests.builders import NOON, OPEN, calendar
from tests.fake_alpaca import FakeAlpaca

MONDAY = date(2025, 10, 6)
YESTERDAY = OPEN - timedelta(days=1)
BEFORE_TRADING = OPEN - timedelta(hours=5, minutes=31)  # 03:59 in New York
SPLIT = {"symbol": "ACME", "old_rate": 1, "new_rate": 10, "ex_date": "2025-10-06"}
REVERSE = {"symbol": "ACME", "old_rate": 20, "new_rate": 1, "ex_date": "2025-10-06"}
RENAMED = {"old_symbol": "ACME", "new_symbol": "ACME.B", "process_date": "2025-10-06"}


@dataclass
class Desk:
    actions: dict[str, list[dict[str, Any]]]
    service: FakeAlpaca = field(init=False)

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(now=lambda: NOON, actions=self.actions)
        self.told = CorporateActions(client_for(self.service), calendar())

    def look(self, since: Mapping[str, datetime], now: datetime = BEFORE_TRADING) -> list[Any]:
        return asyncio.run(self.told.look(since, now))


@pytest.mark.parametrize(
    ("group", "row", "factor"),
    [("forward_splits", SPLIT, "10"), ("reverse_splits", REVERSE, "0.05")],
)
def test_a_split_is_told_once_before_trading_begins(group: str, row: Any, factor: str):
    desk = Desk({group: [row]})
    (split,) = desk.look({"ACME": YESTERDAY})
    assert isinstance(split, SplitApplied)
    assert (split.symbol, split.effective_on) == ("ACME", MONDAY)
    assert split.shares_per_share == Decimal(factor)
    assert desk.look({"ACME": YESTERDAY}) == []


def test_a_new_name_is_told_as_we_spell_it():
    (renamed,) = Desk({"name_changes": [RENAMED]}).look({"ACME": YESTERDAY})
    assert isinstance(renamed, SymbolRenamed)
    assert (renamed.symbol, renamed.new_symbol) == ("ACME", "ACME-B")


def test_not_before_its_day():
    desk = Desk({"forward_splits": [SPLIT | {"ex_date": "2025-10-07"}]})
    assert desk.look({"ACME": YESTERDAY}, NOON) == []
    assert len(desk.look({"ACME": YESTERDAY}, BEFORE_TRADING + timedelta(days=1))) == 1


@pytest.mark.parametrize("since", [NOON, OPEN - timedelta(hours=5)])
def test_who_bought_after_it_bought_new_shares(since: datetime):
    assert Desk({"forward_splits": [SPLIT]}).look({"ACME": since}, NOON) == []


def test_other_symbols_are_nobodys_business():
    assert Desk({"forward_splits": [SPLIT]}).look({"OTHER": YESTERDAY}) == []
    desk = Desk({"forward_splits": [SPLIT]})
    assert desk.look({}) == []
    assert desk.service.asked == []


def test_a_restart_knows_what_was_told_and_finds_what_was_missed():
    desk = Desk({"forward_splits": [SPLIT, SPLIT | {"ex_date": "2025-09-29"}]})
    desk.told.learn(
        [SplitApplied(at=OPEN, symbol="ACME", shares_per_share=Decimal(10), effective_on=MONDAY)]
    )
    (missed,) = desk.look({"ACME": datetime(2025, 9, 25, tzinfo=UTC)}, NOON)
    assert missed.effective_on == date(2025, 9, 29)


def test_looks_are_before_trading_begins_and_before_the_open():
    told = Desk({}).told
    assert told.next_look(BEFORE_TRADING - timedelta(hours=5)) == BEFORE_TRADING
    assert told.next_look(BEFORE_TRADING) == OPEN - timedelta(minutes=10)
    after = told.next_look(OPEN - timedelta(minutes=5))
    assert after == BEFORE_TRADING + timedelta(days=1)
    assert told.next_look(NOON) == BEFORE_TRADING + timedelta(days=1)


@pytest.mark.parametrize(
    "groups",
    [
        None,
        {"forward_splits": [SPLIT | {"old_rate": 0}]},
        {"forward_splits": [SPLIT | {"new_rate": "NaN"}]},
        {"forward_splits": [SPLIT | {"ex_date": "soon"}]},
    ],
)
def test_what_makes_no_sense_is_refused(groups: Any):
    with pytest.raises(BadData):
        list(read_actions({"corporate_actions": groups}, NOON))
