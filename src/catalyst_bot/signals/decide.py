"""Decide when a catalyst may look at the market, and whether it becomes a signal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    CategoryAction,
    HaltedSymbols,
    SessionPhase,
    Side,
    StoryRelation,
)
from catalyst_bot.domain.market import Quote
from catalyst_bot.domain.messages.commands import RequestMarketView, SetTimer
from catalyst_bot.domain.messages.decisions import (
    CatalystDetected,
    SignalDropped,
    SignalFormed,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import (
    MarketViewReceived,
    MarketViewUnavailable,
    OperatorTradeRequested,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Catalyst, TradeWish
from catalyst_bot.domain.trading import Check, ContextFactor, Signal
from catalyst_bot.ports.desk import Desk
from catalyst_bot.signals import gates as g
from catalyst_bot.signals.context import context_of, seen_at
from catalyst_bot.signals.enrich import MarketReading, read_market
from catalyst_bot.signals.measures import MeasuredView, measured
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State, cik_key

TIMER_PREFIX = "view:"
MANUAL = "manual"  # category and strategy of what a person asks for


def _drop(catalyst: Catalyst, reason: str, checks: tuple[Check, ...] = ()) -> SignalDropped:
    return SignalDropped(
        catalyst_id=catalyst.catalyst_id,
        item_id=catalyst.item_id,
        symbol=catalyst.symbol,
        reason=reason,
        checks=checks,
    )


def _look(catalyst: Catalyst) -> RequestMarketView:
    return RequestMarketView(
        request_id=f"{TIMER_PREFIX}{catalyst.catalyst_id}",
        catalyst_id=catalyst.catalyst_id,
        symbol=catalyst.symbol,
    )


def look_at(catalyst: Catalyst, desk: Desk, rules: Rules) -> datetime:
    """When the catalyst should meet the market.

    At once in the session when its sign is known; else after the reaction was watched: in the
    session if enough of it is left, or after the next open. Never before the opening itself was
    watched: until then there are only yesterday's prices.
    """
    if catalyst.wish is not None:
        return desk.now
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


def expires_at(catalyst: Catalyst, desk: Desk, rules: Rules) -> datetime:
    """Session time after which the catalyst is old news (CONVENTIONS: out of session)."""
    life = timedelta(seconds=rules.gates.expire_after_s)
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
        return [_drop(catalyst, "low_confidence", (confidence,))]
    reason = _closed_door(state, catalyst, desk)
    if reason is not None:
        return [_drop(catalyst, reason, (confidence,))]
    due_at = look_at(catalyst, desk, rules)
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
    catalyst = state.waiting.get(message.timer_id.removeprefix(TIMER_PREFIX))
    return [_look(catalyst)] if catalyst is not None else []


def on_story(state: State, message: StoryTold, desk: Desk, rules: Rules) -> list[Message]:
    """A story was taken back: its catalysts that still wait are dropped."""
    if message.relation is not StoryRelation.RETRACTION:
        return []
    return [
        _drop(catalyst, "story_retracted")
        for catalyst in state.waiting.values()
        if catalyst.story_id == message.story_id and catalyst.catalyst_id != message.catalyst_id
    ]


def on_unavailable(
    state: State, message: MarketViewUnavailable, desk: Desk, rules: Rules
) -> list[Message]:
    """No market data, no signal."""
    catalyst = state.waiting.get(message.catalyst_id)
    return [_drop(catalyst, message.reason)] if catalyst is not None else []


def on_market_view(
    state: State, message: MarketViewReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """Run every gate on what the market shows; form the signal when all pass."""
    catalyst = state.waiting.get(message.catalyst_id)
    if catalyst is None:
        return []
    confidence = g.confidence_gate(catalyst, rules.gates)
    needed = max(rules.gates.min_bars, rules.stops.atr_length + 1)
    history = g.at_least("too_few_bars", float(len(message.view.bars)), needed, unit="count")
    if not history.passed:
        return [_drop(catalyst, history.name, (confidence, history))]
    seen = measured(message.view, atr_length=rules.stops.atr_length)
    reading = read_market(catalyst, seen)
    dies_at = expires_at(catalyst, desk, rules)
    checks = (
        confidence,
        history,
        g.state_gate(
            "symbol_halted",
            is_bad=catalyst.symbol in state.halted and rules.halted_symbols is HaltedSymbols.REFUSE,
            note="the exchange halted it",
        ),
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
        return [_drop(catalyst, failed.name, checks)]
    signal = _signal(
        catalyst,
        reading,
        desk.now,
        rules,
        quote=message.view.quote,
        checks=checks,
        context=_context(state, seen, rules),
        market=seen.market,
        bar_interval_s=message.view.bar_interval_s,
    )
    if signal.direction < 0 and catalyst.symbol not in desk.positions:
        return [_drop(catalyst, "short_side", checks)]
    return [SignalFormed(signal=signal)]


def _signal(
    catalyst: Catalyst,
    reading: MarketReading,
    now: datetime,
    rules: Rules,
    *,
    quote: Quote,
    checks: tuple[Check, ...],
    context: tuple[ContextFactor, ...],
    market: tuple[float, ...],
    bar_interval_s: int,
) -> Signal:
    return Signal(
        signal_id=ids.signal_id(catalyst.catalyst_id),
        catalyst=catalyst,
        strategy_id=MANUAL if catalyst.wish is not None else rules.gates.strategy_id,
        direction=g.direction_after(catalyst, reading.reaction_bps),
        price=reading.price,
        quote=quote,
        atr=reading.atr,
        atr_average=reading.atr_average,
        rvol=reading.rvol,
        vwap=reading.vwap,
        spread_bps=reading.spread_bps,
        reaction_bps=reading.reaction_bps,
        regime=reading.regime,
        checks=checks,
        formed_at=now,
        context=context,
        market=market,
        bar_interval_s=bar_interval_s,
    )


def _context(state: State, seen: MeasuredView, rules: Rules) -> tuple[ContextFactor, ...]:
    symbol, cik = seen.view.symbol, rules.ciks.get(seen.view.symbol)
    by_cik = state.insiders.get(cik_key(cik), {}) if cik is not None else {}
    known = seen_at(
        seen,
        reference=rules.reference.get(symbol, ()),
        insiders=(by_cik | state.insiders.get(symbol, {})).values(),
    )
    return context_of(known)


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    CatalystDetected: on_catalyst,
    StoryTold: on_story,
    OperatorTradeRequested: on_request,
    TimerFired: on_timer,
    MarketViewReceived: on_market_view,
    MarketViewUnavailable: on_unavailable,
}
