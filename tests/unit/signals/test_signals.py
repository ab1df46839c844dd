"""A catalyst waits for the market, meets it, and passes the gates or is dropped."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.market import MarketView, series_of
from catalyst_bot.domain.messages.commands import RequestMarketView, SetTimer
from catalyst_bot.domain.messages.decisions import CatalystDetected, SignalDropped, SignalFormed
from catalyst_bot.domain.messages.facts import (
    MarketViewReceived,
    MarketViewUnavailable,
    SymbolHalted,
    TimerFired,
)
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.signals import decide, evolve
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State
from tests.builders import (
    CLOSE,
    NOON,
    OPEN,
    FakeDesk,
    bar,
    catalyst,
    headline,
    position,
    quote,
)

RULES = Rules()


def waiting(*catalysts: Catalyst) -> State:
    """A state in which the catalysts wait."""
    state = State()
    for each in catalysts:
        evolve.remember_catalyst(state, CatalystDetected(catalyst=each), NOON)
    return state


def view(*, count: int = 60, last_volume: float = 100_000.0, move: float = 0.0) -> MarketView:
    """Quiet bars up to noon whose last close has moved by a fraction."""
    bars = []
    for index in range(count):
        opened_at = NOON - timedelta(minutes=5 * (count - index))
        last = index == count - 1
        close = 100.0 * (1 + move) if last else 100.0
        bars.append(
            bar(
                opened_at=opened_at,
                open=100.0,
                high=max(close, 100.0) + 0.2,
                low=min(close, 100.0) - 0.2,
                close=close,
                volume=last_volume if last else 100_000.0,
            )
        )
    return MarketView(
        symbol="ACME",
        as_of=NOON,
        bar_interval_s=300,
        bars=series_of("ACME", bars),
        benchmark_bars=series_of("SPY", ()),
        quote=quote(at=NOON),
    )


def meet(state: State, of: Catalyst, market: MarketView, **desk: Any) -> Any:
    """The one message that follows from the market view."""
    message = MarketViewReceived(
        at=NOON, request_id="view:" + of.catalyst_id, catalyst_id=of.catalyst_id, view=market
    )
    before = copy.deepcopy(state)
    said = decide.on_market_view(state, message, FakeDesk(**desk), RULES)
    assert state == before, "decide must not change the state"
    assert len(said) == 1
    return said[0]


def at(published_at: datetime, **given: Any) -> Catalyst:
    """A catalyst published at a time."""
    return catalyst(headline=headline(published_at=published_at), **given)


def test_a_signed_catalyst_in_the_session_asks_for_the_market_at_once() -> None:
    found = catalyst()
    said = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(), RULES)
    assert [type(m) for m in said] == [RequestMarketView]


def test_an_unsigned_catalyst_waits_for_the_reaction() -> None:
    found = catalyst(direction=0)
    (said,) = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(), RULES)
    assert said == SetTimer(
        timer_id=f"view:{found.catalyst_id}", due_at=NOON + timedelta(seconds=600)
    )


@pytest.mark.parametrize("now", [CLOSE, CLOSE - timedelta(minutes=5), OPEN - timedelta(hours=2)])
def test_out_of_session_waits_for_the_reaction_after_the_open(now: datetime) -> None:
    found = catalyst()
    (said,) = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(now), RULES)
    open_at = OPEN if now < OPEN else OPEN + timedelta(days=1)
    assert isinstance(said, SetTimer)
    assert said.due_at == open_at + timedelta(seconds=600)


def test_news_just_after_the_open_waits_for_the_opening_reaction() -> None:
    now = OPEN + timedelta(minutes=3)
    found = at(now - timedelta(minutes=1))
    (said,) = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(now), RULES)
    assert isinstance(said, SetTimer)
    assert said.due_at == OPEN + timedelta(seconds=600)


def test_low_confidence_is_dropped_with_limit_and_observed() -> None:
    found = catalyst(confidence=0.62)
    (said,) = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(), RULES)
    assert isinstance(said, SignalDropped)
    assert said.reason == "low_confidence"
    assert (said.checks[0].limit, said.checks[0].observed) == (0.70, 0.62)


def test_confidence_that_is_not_a_number_never_passes() -> None:
    found = catalyst(confidence=float("nan"))
    (said,) = decide.on_catalyst(State(), CatalystDetected(catalyst=found), FakeDesk(), RULES)
    assert isinstance(said, SignalDropped)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"direction": -1}, "short_side"),
        ({"action": CategoryAction.AVOID, "direction": -1}, "avoid_category"),
    ],
)
def test_bad_news_about_a_symbol_not_held_leads_nowhere(given: Any, reason: str) -> None:
    message = CatalystDetected(catalyst=catalyst(**given))
    (said,) = decide.on_catalyst(State(), message, FakeDesk(), RULES)
    assert isinstance(said, SignalDropped)
    assert said.reason == reason


def test_bad_news_about_a_held_symbol_goes_on() -> None:
    message = CatalystDetected(catalyst=catalyst(direction=-1))
    desk = FakeDesk(positions={"ACME": position()})
    (said,) = decide.on_catalyst(State(), message, desk, RULES)
    assert isinstance(said, RequestMarketView)


def test_an_offering_closes_the_symbol_for_its_horizon() -> None:
    state = waiting(catalyst(action=CategoryAction.AVOID, direction=-1))
    good = CatalystDetected(catalyst=catalyst(headline=headline(title="Acme wins contract")))
    (said,) = decide.on_catalyst(state, good, FakeDesk(), RULES)
    assert isinstance(said, SignalDropped)
    assert said.reason == "symbol_avoided"
    later = FakeDesk(now=NOON + timedelta(days=2))
    (said,) = decide.on_catalyst(state, good, later, RULES)
    assert not isinstance(said, SignalDropped)


def test_a_good_market_forms_a_signal_with_every_gate() -> None:
    found = at(NOON - timedelta(minutes=2))
    said = meet(waiting(found), found, view(move=0.002))
    assert isinstance(said, SignalFormed)
    assert said.signal.direction == 1
    assert all(check.passed for check in said.signal.checks)
    assert {"confidence", "spread", "stale_quote", "expired"} <= {
        check.name for check in said.signal.checks
    }


@pytest.mark.parametrize("move", [0.01, -0.01])
def test_the_reaction_gives_the_sign_of_a_filing_without_one(move: float) -> None:
    found = at(NOON - timedelta(minutes=12), direction=0)
    desk = {"positions": {"ACME": position()}}
    said = meet(waiting(found), found, view(move=move, last_volume=900_000.0), **desk)
    if isinstance(said, SignalDropped):
        assert said.reason == "volume_too_low"
    else:
        assert said.signal.direction == (1 if move > 0 else -1)


def test_a_small_reaction_gives_no_sign() -> None:
    found = at(NOON - timedelta(minutes=12), direction=0)
    said = meet(waiting(found), found, view(move=0.0005))
    assert isinstance(said, SignalDropped)
    assert said.reason == "reaction_too_small"


@pytest.mark.parametrize(
    ("market", "reason"),
    [
        (view(count=20), "too_few_bars"),
        (view(move=0.08), "already_ran"),
    ],
)
def test_market_gates_name_the_reason(market: MarketView, reason: str) -> None:
    found = at(NOON - timedelta(minutes=2))
    said = meet(waiting(found), found, market)
    assert isinstance(said, SignalDropped)
    assert said.reason == reason


def test_old_news_expires_in_session_time() -> None:
    found = at(NOON - timedelta(minutes=40))
    said = meet(waiting(found), found, view())
    assert isinstance(said, SignalDropped)
    assert said.reason == "expired"


def test_a_halted_symbol_forms_no_signal() -> None:
    found = at(NOON - timedelta(minutes=2))
    state = waiting(found)
    evolve.halt_symbol(state, SymbolHalted(at=NOON, symbol="ACME", code="T1"), NOON)
    said = meet(state, found, view())
    assert isinstance(said, SignalDropped)
    assert said.reason == "symbol_halted"


def test_no_data_no_signal() -> None:
    found = catalyst()
    message = MarketViewUnavailable(
        at=NOON,
        request_id="view:x",
        catalyst_id=found.catalyst_id,
        symbol="ACME",
        reason="unknown_symbol",
    )
    (said,) = decide.on_unavailable(waiting(found), message, FakeDesk(), RULES)
    assert isinstance(said, SignalDropped)
    assert said.reason == "unknown_symbol"


def test_a_timer_of_another_stage_is_ignored() -> None:
    message = TimerFired(at=NOON, timer_id="timeout:cb-1")
    assert decide.on_timer(waiting(catalyst()), message, FakeDesk(), RULES) == []


def test_formed_and_dropped_catalysts_wait_no_more() -> None:
    found = at(NOON - timedelta(minutes=2))
    state = waiting(found)
    evolve.forget_formed(state, meet(state, found, view()), NOON)
    assert state.waiting == {}
