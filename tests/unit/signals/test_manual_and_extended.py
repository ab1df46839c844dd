"""Catalysts around the session, and trades that a person asks for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import CategoryAction, HaltedSymbols, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.signals import decide, evolve
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State
from tests.builders import CLOSE, NOON, OPEN, FakeDesk, catalyst, position
from tests.unit.signals.test_signals import view

EXTENDED = Rules(extended_hours=True)
REACTION = timedelta(seconds=EXTENDED.gates.reaction_s)
EARLY = OPEN - timedelta(hours=2)


def when(rules: Rules, at: datetime, direction: int = 1) -> datetime:
    """When a catalyst of this moment looks at the market."""
    found = d.CatalystDetected(catalyst=catalyst(direction=direction, received_at=at))
    (said,) = decide.on_catalyst(State(), found, FakeDesk(now=at), rules)
    return said.due_at if isinstance(said, c.SetTimer) else at


@pytest.mark.parametrize("at", [EARLY, CLOSE + timedelta(hours=1)])
def test_around_the_session_a_known_sign_meets_the_market_at_once(at: datetime):
    assert when(EXTENDED, at) == at
    assert when(EXTENDED, at, direction=0) == at + REACTION
    assert when(Rules(), at) > at + REACTION  # without the switch it waits for the open


def test_a_reaction_that_runs_into_the_open_is_watched_after_it():
    assert when(EXTENDED, OPEN - timedelta(minutes=5), direction=0) == OPEN + REACTION


def test_by_night_everything_waits():
    at = CLOSE + timedelta(hours=6)
    assert when(EXTENDED, at) == OPEN + timedelta(days=1) + REACTION


def request(**given: Any) -> f.OperatorTradeRequested:
    values: dict[str, Any] = {
        "at": NOON,
        "request_id": "op-1",
        "by": "me",
        "side": Side.BUY,
        "symbol": "ACME",
        "usd": Decimal(1000),
    }
    return f.OperatorTradeRequested(**(values | given))


def test_a_wish_to_buy_meets_the_market_like_news_under_its_own_trail():
    (found,) = decide.on_request(State(), request(), FakeDesk(), Rules())
    assert isinstance(found, d.CatalystDetected)
    wish = found.catalyst
    assert (wish.catalyst_id, wish.category, wish.direction) == ("op-1", "manual", 1)
    assert wish.wish == TradeWish(usd=Decimal(1000))
    assert (wish.action, wish.confidence) == (CategoryAction.TRADE, 1.0)


@pytest.mark.parametrize("at", [NOON, EARLY, CLOSE + timedelta(hours=6)])
def test_it_looks_at_the_market_now_whatever_the_hour(at: datetime):
    (found,) = decide.on_request(State(), request(at=at), FakeDesk(now=at), Rules())
    (asked,) = decide.on_catalyst(State(), found, FakeDesk(now=at), Rules())
    assert asked == c.RequestMarketView(request_id="view:op-1", catalyst_id="op-1", symbol="ACME")


def test_the_same_request_is_taken_once_and_a_sale_is_for_risk():
    state = State()
    evolve.note_request(state, request(), NOON)
    assert decide.on_request(state, request(), FakeDesk(), Rules()) == []
    assert decide.on_request(State(), request(side=Side.SELL), FakeDesk(), Rules()) == []


def test_a_symbol_to_keep_away_from_is_kept_away_from_by_a_person_too():
    state = State(avoid_until={"ACME": NOON + timedelta(hours=1)})
    (found,) = decide.on_request(state, request(), FakeDesk(), Rules())
    (dropped,) = decide.on_catalyst(state, found, FakeDesk(), Rules())
    assert isinstance(dropped, d.SignalDropped)
    assert dropped.reason == "symbol_avoided"
    assert "person" in dropped.checks[0].note


def test_a_halted_symbol_passes_the_gate_only_where_orders_may_wait():
    for rules, kind in (
        (Rules(), d.SignalDropped),
        (Rules(halted_symbols=HaltedSymbols.QUEUE), d.SignalFormed),
    ):
        state = State(halted={"ACME"})
        one = catalyst(published_at=NOON, received_at=NOON)
        evolve.remember_catalyst(state, d.CatalystDetected(catalyst=one), NOON)
        met = f.MarketViewReceived(
            at=NOON, request_id="r", catalyst_id=one.catalyst_id, view=view()
        )
        desk = FakeDesk(positions={"ELSE": position(symbol="ELSE")})
        (said,) = decide.on_market_view(state, met, desk, rules)
        assert isinstance(said, kind)


def test_a_new_name_is_avoided_and_halted_like_the_old_one():
    state = State(avoid_until={"ACME": NOON}, halted={"ACME"})
    renamed = f.SymbolRenamed(at=NOON, symbol="ACME", new_symbol="NEWA", effective_on=NOON.date())
    evolve.rename_symbol(state, renamed, NOON)
    assert (state.avoid_until, state.halted) == ({"NEWA": NOON}, {"NEWA"})
