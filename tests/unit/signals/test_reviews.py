"""Decisions on bars of a session: the first look at the close, and the looks after it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import CategoryAction, Side, StoryRelation
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.signals.rules import Rules
from tests.watch_desk import SESSIONS, WatchDesk


@pytest.fixture
def desk() -> WatchDesk:
    return WatchDesk()


@pytest.mark.parametrize(
    ("received", "wait"),
    [
        (timedelta(hours=-2), 0),
        (timedelta(hours=1), 0),
        (timedelta(hours=6, minutes=30), 0),
        (timedelta(hours=6, minutes=31), 1),
    ],
)
def test_a_catalyst_meets_the_market_at_the_first_close_from_its_receipt_on(
    desk: WatchDesk, received: timedelta, wait: int
) -> None:
    first = desk.session
    desk.now = first.opens_at + received - timedelta(seconds=1)
    desk.news()
    for _ in range(2):
        desk.close()
    looked = desk.signals[0]
    assert looked.formed_at == SESSIONS[SESSIONS.index(first) + wait].closes_at
    assert not looked.is_review


def test_it_is_old_news_half_an_hour_after_that_close(desk: WatchDesk) -> None:
    desk.news()
    late, desk.timers = desk.session.closes_at + timedelta(minutes=31), {}
    (waiting,) = desk.state.waiting.values()
    desk.now = late
    desk.tell(f.TimerFired(at=late, timer_id=f"view:{waiting.catalyst_id}"))
    (dropped,) = (m for m in desk.said if isinstance(m, d.SignalDropped))
    assert dropped.reason == "expired"


def test_a_case_is_asked_about_at_every_close_up_to_its_horizon(desk: WatchDesk) -> None:
    found = desk.news(days=3)
    first = desk.session.closes_at
    for _ in range(7):
        desk.close()
    times = [signal.formed_at for signal in desk.signals]
    assert times == [first + timedelta(days=n) for n in range(4)]
    assert [signal.is_review for signal in desk.signals] == [False, True, True, True]
    assert [signal.signal_id for signal in desk.signals] == [
        ids.signal_id(found.catalyst_id),
        *(ids.review_id(found.catalyst_id, at) for at in times[1:]),
    ]
    assert desk.state.watch == {}
    assert desk.watched == set()


def test_a_policy_that_does_not_review_opens_no_case(desk: WatchDesk) -> None:
    desk.rules = Rules()
    desk.news()
    for _ in range(4):
        desk.close()
    assert len(desk.signals) == 1
    assert desk.watched == set()


def test_a_newer_case_takes_the_place_of_the_old_at_its_own_close(desk: WatchDesk) -> None:
    old = desk.news(days=9)
    desk.close()
    desk.close()
    new = desk.news(days=1)
    for _ in range(4):
        desk.close()
    asked = [signal.catalyst.catalyst_id for signal in desk.signals]
    assert asked == [old.catalyst_id] * 2 + [new.catalyst_id] * 2


def test_news_that_becomes_no_signal_leaves_the_case_on_watch(desk: WatchDesk) -> None:
    old = desk.news(days=9)
    desk.close()
    desk.news(direction=-1)
    desk.close()
    asked = [signal.catalyst.catalyst_id for signal in desk.signals]
    assert asked == [old.catalyst_id] * 2


def test_a_held_symbol_is_watched_after_its_case_and_then_let_go(desk: WatchDesk) -> None:
    desk.news(days=1)
    desk.close()
    desk.buy()
    for _ in range(4):
        desk.close()
    assert len(desk.signals) == 2
    assert desk.watched == {"ACME"}
    desk.sell()
    assert desk.watched == set()
    assert desk.state.watch == {}


def test_a_symbol_is_watched_on_when_its_position_ends_before_its_case(desk: WatchDesk) -> None:
    desk.news(days=5)
    desk.close()
    desk.buy()
    desk.close()
    desk.sell()
    assert desk.watched == {"ACME"}
    desk.close()
    assert len(desk.signals) == 3


def test_an_order_on_its_way_keeps_the_watch(desk: WatchDesk) -> None:
    desk.news(days=1)
    desk.ordered.add("ACME")
    for _ in range(4):
        desk.close()
    assert desk.watched == {"ACME"}


def test_a_review_asks_only_whether_the_symbol_can_be_traded_now(desk: WatchDesk) -> None:
    desk.news(days=9)
    desk.close()
    desk.close()
    names = [check.name for check in desk.signals[1].checks]
    assert names == ["too_few_bars", "symbol_halted", "stale_quote", "price_floor", "spread"]


def test_a_review_that_fails_a_gate_is_dropped_and_asked_again(desk: WatchDesk) -> None:
    desk.news(days=9)
    desk.close()
    desk.spread = 5.0
    desk.close()
    dropped = desk.said_since(0, d.SignalDropped)
    assert [(each.reason, each.is_review) for each in dropped] == [("spread", True)]
    desk.spread = 0.02
    desk.tell(f.SymbolHalted(at=desk.now, symbol="ACME", code="T1"))
    desk.close()
    assert desk.said_since(0, d.SignalDropped)[-1].reason == "symbol_halted"
    desk.tell(f.SymbolResumed(at=desk.now, symbol="ACME"))
    desk.close()
    assert len(desk.signals) == 2


def test_what_a_person_asks_for_is_no_case(desk: WatchDesk) -> None:
    desk.close()  # a Monday: on the day after, the last price is fresh enough
    request = f.OperatorTradeRequested(
        at=desk.now, request_id="op", by="me", side=Side.BUY, symbol="ACME", usd=Decimal(9)
    )
    desk.tell(request)
    assert [signal.catalyst.wish is not None for signal in desk.signals] == [True]
    assert desk.said_since(0, d.CaseOpened) == []


def test_a_story_that_is_taken_back_is_asked_about_no_more(desk: WatchDesk) -> None:
    found = desk.news(days=9, story_id="sty-1")
    desk.close()
    desk.tell(
        d.StoryTold(
            story_id="sty-1",
            symbol="ACME",
            item_id="news-9",
            source="test",
            relation=StoryRelation.RETRACTION,
            category=found.category,
            direction=0,
            action=CategoryAction.TRADE,
            confidence=0.9,
            words=(),
        )
    )
    desk.close()
    assert len(desk.signals) == 1
    assert desk.watched == set()


def test_a_symbol_is_watched_on_when_an_entry_ends_unfilled_before_its_case(
    desk: WatchDesk,
) -> None:
    desk.news(days=3)
    desk.close()
    desk.order()
    desk.end_unfilled()
    assert desk.watched == {"ACME"}
    desk.close()
    assert len(desk.signals) == 2
    desk.now = desk.session.closes_at + timedelta(days=9)
    desk.order()
    desk.end_unfilled()
    assert desk.watched == set(), "the case is over"
    assert desk.state.watch == {}


def test_a_case_goes_on_under_the_new_symbol(desk: WatchDesk) -> None:
    found = desk.news(days=9)
    desk.close()
    desk.rename("ACME", "APEX")
    assert desk.watched == {"APEX"}
    desk.close(("APEX",))
    assert desk.signals[-1].catalyst.symbol == "APEX"
    assert desk.signals[-1].catalyst.catalyst_id == found.catalyst_id


def test_a_run_says_how_long_its_bars_are(desk: WatchDesk) -> None:
    desk.state.bar_interval_s = 300
    desk.news()
    assert [signal.formed_at for signal in desk.signals] == []  # the opening is watched first
    assert next(iter(desk.timers.values())) == desk.session.opens_at + timedelta(minutes=10)
    assert DAY_S == 86_400
