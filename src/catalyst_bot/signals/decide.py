"""Decide when a catalyst may look at the market, and whether it becomes a signal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain.enums import (
    CategoryAction,
    SessionPhase,
    Side,
    StoryRelation,
)
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.messages.commands import RequestMarketView, SetTimer, UnwatchSymbol
from catalyst_bot.domain.messages.decisions import (
    CatalystDetected,
    SignalFormed,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    MarketViewUnavailable,
    OperatorTradeRequested,
    SymbolRenamed,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Catalyst, TradeWish
from catalyst_bot.ports.desk import Desk
from catalyst_bot.signals import gates as g
from catalyst_bot.signals import reviews
from catalyst_bot.signals.enrich import read_market
from catalyst_bot.signals.forming import MANUAL, drop, form
from catalyst_bot.signals.measures import measured
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State

TIMER_PREFIX = "view:"


def _look(catalyst: Catalyst) -> RequestMarketView:
    return RequestMarketView(
        request_id=f"{TIMER_PREFIX}{catalyst.catalyst_id}",
        catalyst_id=catalyst.catalyst_id,
        symbol=catalyst.symbol,
    )


def look_at(catalyst: Catalyst, desk: Desk, rules: Rules, *, bar_interval_s: int) -> datetime:
    """When the catalyst should meet the market.

    Where a decision bar is a whole session, at the next close: before it, that bar is not known.
    Else at once in the session when its sign is known; else after the reaction was watched: in the
    session if enough of it is left, or after the next open. Never before the opening itself was
    watched: until then there are only yesterday's prices.
    """
    if catalyst.wish is not None:
        return desk.now
    if bar_interval_s >= DAY_S:
        return desk.calendar.close_from(desk.now)
    reaction = timedelta(seconds=rules.gates.reaction_s)
    session = desk.calendar.session_at(desk.now)
    if session is None and is_own_hour(desk, rules):
        return _look_in_own_hour(catalyst, desk, reaction)
    if session is None or desk.now + reaction >= session.closes_at:
        return desk.calendar.next_session(desk.now).opens_at + reaction
    earliest = desk.now if catalyst.direction != 0 else desk.now + reaction
    return max(earliest, session.opens_at + reaction)


def is_own_hour(desk: Desk, rules: Rules) -> bool:
    """True before the open and after the close, where trading there is switched on."""
    phase = desk.calendar.phase_or_closed(desk.now)
    return rules.extended_hours and phase in {SessionPhase.PRE, SessionPhase.POST}


def _look_in_own_hour(catalyst: Catalyst, desk: Desk, reaction: timedelta) -> datetime:
    """At once when the sign is known; else after the reaction, or after that to the open."""
    if catalyst.direction != 0:
        return desk.now
    is_still = desk.calendar.phase_or_closed(desk.now + reaction) is not SessionPhase.CLOSED
    following = desk.calendar.next_session(desk.now).opens_at
    if is_still and not desk.now + reaction >= following:
        return desk.now + reaction
    return following + reaction


def expires_at(catalyst: Catalyst, desk: Desk, rules: Rules, *, bar_interval_s: int) -> datetime:
    """Session time after which the catalyst is old news (CONVENTIONS: out of session); of bars of a
    session, so long after the close it was to be looked at.
    """
    life = timedelta(seconds=rules.gates.expire_after_s)
    if bar_interval_s >= DAY_S:
        return desk.calendar.close_from(catalyst.received_at) + life
    session = desk.calendar.session_at(catalyst.received_at)
    if session is None or catalyst.received_at + life > session.closes_at:
        return desk.calendar.next_session(catalyst.received_at).opens_at + life
    return catalyst.received_at + life


def _closed_door(state: State, catalyst: Catalyst, desk: Desk) -> str | None:
    """Why the catalyst cannot lead to a trade whatever the market says, or None."""
    is_held = catalyst.symbol in desk.positions
    is_bad = catalyst.direction < 0 or catalyst.action is not CategoryAction.TRADE
    if is_bad and not is_held:
        return "avoid_category" if catalyst.action is not CategoryAction.TRADE else "short_side"
    until = state.avoid_until.get(catalyst.symbol)
    if not is_bad and until is not None and desk.now < until:
        return "symbol_avoided"
    return None


def on_catalyst(state: State, message: CatalystDetected, desk: Desk, rules: Rules) -> list[Message]:
    """Gate on what needs no market, then ask for the market now or set a timer for it."""
    catalyst = message.catalyst
    confidence = g.confidence_gate(catalyst, rules.gates)
    if not confidence.passed:
        return [drop(catalyst, "low_confidence", (confidence,))]
    reason = _closed_door(state, catalyst, desk)
    if reason is not None:
        return [drop(catalyst, reason, (confidence,))]
    due_at = look_at(catalyst, desk, rules, bar_interval_s=state.bar_interval_s)
    if due_at <= desk.now:
        return [_look(catalyst)]
    return [SetTimer(timer_id=f"{TIMER_PREFIX}{catalyst.catalyst_id}", due_at=due_at)]


def on_request(
    state: State, message: OperatorTradeRequested, desk: Desk, rules: Rules
) -> list[Message]:
    """A person wants to buy: the wish meets the market like news does, and passes the same gates.

    A wish to sell needs no market: risk judges it at once.
    """
    if message.side is not Side.BUY or message.request_id in state.requests:
        return []
    return [CatalystDetected(catalyst=_wish(message))]


def _wish(message: OperatorTradeRequested) -> Catalyst:
    amount = f"{message.quantity:f}" if message.quantity is not None else f"${message.usd:f} of"
    return Catalyst(
        catalyst_id=message.request_id,
        item_id=message.request_id,
        symbol=message.symbol,
        category=MANUAL,
        action=CategoryAction.TRADE,
        direction=1,
        sentiment=0.0,
        score=0.0,
        confidence=1.0,
        factors=(),
        evidence=(f"asked for by {message.by}",),
        horizon_s=0.0,
        title=f"buy {amount} {message.symbol}",
        source=message.by,
        published_at=message.at,
        received_at=message.at,
        classifier_id=MANUAL,
        wish=TradeWish(usd=message.usd, quantity=message.quantity),
    )


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """The wait is over: look at the market."""
    if message.timer_id.startswith(reviews.TIMER_PREFIX):
        return reviews.due(state, message.timer_id, desk.now)
    catalyst = state.waiting.get(message.timer_id.removeprefix(TIMER_PREFIX))
    return [_look(catalyst)] if catalyst is not None else []


def on_story(state: State, message: StoryTold, desk: Desk, rules: Rules) -> list[Message]:
    """A story was taken back: its catalysts that still wait are dropped."""
    if message.relation is not StoryRelation.RETRACTION:
        return []
    return [
        drop(catalyst, "story_retracted")
        for catalyst in state.waiting.values()
        if catalyst.story_id == message.story_id and catalyst.catalyst_id != message.catalyst_id
    ]


def on_unavailable(
    state: State, message: MarketViewUnavailable, desk: Desk, rules: Rules
) -> list[Message]:
    """No market data, no signal."""
    catalyst = state.waiting.get(message.catalyst_id)
    return [drop(catalyst, message.reason)] if catalyst is not None else []


def on_market_view(
    state: State, message: MarketViewReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """Run every gate on what the market shows; form the signal when all pass."""
    if message.request_id.startswith(reviews.REQUEST_PREFIX):
        return reviews.judge(state, message.catalyst_id, message.view, desk.now, rules)
    catalyst = state.waiting.get(message.catalyst_id)
    if catalyst is None:
        return []
    confidence = g.confidence_gate(catalyst, rules.gates)
    history = g.history_gate(len(message.view.bars), rules)
    if not history.passed:
        return [drop(catalyst, history.name, (confidence, history))]
    seen = measured(message.view, atr_length=rules.stops.atr_length)
    reading = read_market(catalyst, seen)
    dies_at = expires_at(catalyst, desk, rules, bar_interval_s=state.bar_interval_s)
    checks = (
        confidence,
        history,
        g.halt_gate(is_halted=catalyst.symbol in state.halted, rules=rules),
        *g.market_gates(
            catalyst,
            reading,
            rules.gates,
            bar_interval_s=message.view.bar_interval_s,
            now=desk.now,
            expires_at=dies_at,
        ),
    )
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None:
        return [drop(catalyst, failed.name, checks)]
    signal = form(state, catalyst, reading, seen, checks=checks, now=desk.now, rules=rules)
    if signal.direction < 0 and catalyst.symbol not in desk.positions:
        return [drop(catalyst, "short_side", checks)]
    return [SignalFormed(signal=signal)]


def on_signal(state: State, message: SignalFormed, desk: Desk, rules: Rules) -> list[Message]:
    """The policy may be asked about it again."""
    return reviews.opened(message.signal, rules)


def on_bar(state: State, message: BarClosed, desk: Desk, rules: Rules) -> list[Message]:
    """A review is due, if the symbol is on watch."""
    return reviews.at_close(state, message.bar, desk)


def on_unwatch(state: State, message: UnwatchSymbol, desk: Desk, rules: Rules) -> list[Message]:
    """A position or an order that needed prices is gone; the watch of a case may go on."""
    return reviews.after_unwatch(state, message.symbol, desk.now)


def on_renamed(state: State, message: SymbolRenamed, desk: Desk, rules: Rules) -> list[Message]:
    """The case goes on under the new symbol."""
    return reviews.renamed(state, message.symbol, message.new_symbol, desk)


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    CatalystDetected: on_catalyst,
    StoryTold: on_story,
    OperatorTradeRequested: on_request,
    SignalFormed: on_signal,
    BarClosed: on_bar,
    UnwatchSymbol: on_unwatch,
    SymbolRenamed: on_renamed,
    TimerFired: on_timer,
    MarketViewReceived: on_market_view,
    MarketViewUnavailable: on_unavailable,
}
