"""Remember counters, records, plans and whether trading is halted."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import HaltCause, OrderRole, ProtectedBy, TradingState
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import (
    BooksCompared,
    EquityMarked,
    IntentFormed,
    LimitApproached,
    MismatchFound,
    OrderApproved,
    OrderRefused,
    OverrideGranted,
    OverrideRefused,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    ProtectionChanged,
    StopMoved,
    StrategyPaused,
    TradingHalted,
    TradingReduced,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    BarClosed,
    MarketViewReceived,
    OperatorOverrode,
    OperatorTradeRequested,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SplitApplied,
    SymbolHalted,
    SymbolRenamed,
    SymbolResumed,
)
from catalyst_bot.domain.money import ZERO, round_price
from catalyst_bot.domain.trading import ApprovedOrder, TradeIntent
from catalyst_bot.risk.breakers import is_of_the_signal
from catalyst_bot.risk.closes import MAX_CLOSES, Closes
from catalyst_bot.risk.overrides import refusal_of
from catalyst_bot.risk.proposal import wants_entry
from catalyst_bot.risk.records import add_to_streak, add_trade, rest, review
from catalyst_bot.risk.state import (
    ORDER_WINDOW,
    Override,
    PendingEntry,
    Refusal,
    State,
    TradePlan,
)
from catalyst_bot.risk.stops import highest_seen

MAX_REQUESTS = 1_000
MAX_REFUSALS = 50


def start_run(state: State, message: RunStarted, at: datetime) -> None:
    """What was approved at the start holds for the run. By its name the broker adapter will report
    failures; a new process failed nothing yet.
    """
    state.limits_hash = message.limits_hash
    state.model_id = message.model_id
    state.broker_name = message.broker
    state.broker_failed_at = None


def open_session(state: State, message: SessionOpened, at: datetime) -> None:
    """A new day: counters begin again, entries of yesterday that never filled are gone (but not
    those decided since, which wait for this open), and strategies that paused for the rest of the
    day go on.
    """
    state.strategies = {name: rest(record, at) for name, record in state.strategies.items()}
    state.entries_today = 0
    state.warned_today.clear()
    state.pending.clear()
    state.last_entry_at.clear()
    state.plans = {
        k: plan
        for k, plan in state.plans.items()
        if plan.opened_at is not None or is_for_this_open(state, plan)
    }
    open_signals = {plan.signal_id for plan in state.plans.values()}
    state.orders_of_signal = {k: n for k, n in state.orders_of_signal.items() if k in open_signals}


def is_for_this_open(state: State, plan: TradePlan) -> bool:
    """True for an entry that was approved after the last session: it fills in the next."""
    return state.closed_at is not None and plan.approved_at >= state.closed_at


def close_session(state: State, message: SessionClosed, at: datetime) -> None:
    """Prices of symbols without a trade are not needed any more."""
    state.closed_at = at
    traded = {plan.symbol for plan in state.plans.values()}
    state.closes = {symbol: c for symbol, c in state.closes.items() if symbol in traded}


def note_intent(state: State, message: IntentFormed, at: datetime) -> None:
    """An entry waits for its verdict."""
    if wants_entry(message.intent):
        _wait(state, message.intent)
        state.refusals[message.intent.intent_id] = Refusal(intent=message.intent)
        _forget_oldest(state.refusals, MAX_REFUSALS)


def _wait(state: State, intent: TradeIntent) -> None:
    catalyst = intent.signal.catalyst
    is_asked = catalyst.wish is not None  # a person decides when to leave it
    state.pending[intent.signal.signal_id] = PendingEntry(
        symbol=catalyst.symbol, horizon_s=None if is_asked else catalyst.horizon_s
    )


def _forget_oldest(known: dict[str, Any], at_most: int) -> None:
    while len(known) > at_most:
        del known[next(iter(known))]


def note_approved(state: State, message: OrderApproved, at: datetime) -> None:
    """Count the order; an entry gets its plan."""
    order = message.order
    recent = (earlier for earlier in state.approved_at if earlier > at - ORDER_WINDOW)
    state.approved_at = (*recent, at)
    if order.role is OrderRole.EXIT:
        state.exits_of_trade[order.trade_id] = state.exits_of_trade.get(order.trade_id, 0) + 1
        state.last_exit_at[order.trade_id] = at
        return
    if order.role is not OrderRole.ENTRY:
        _note_guard(state, order, at)
        return
    pending = state.pending.pop(order.signal_id, None)
    state.entries_today += 1
    state.overrides.pop(order.override_id, None)
    state.refusals.pop(ids.intent_id(order.signal_id), None)
    state.last_entry_at[order.symbol, order.side] = at
    state.plans[order.trade_id] = _plan(order, pending.horizon_s if pending is not None else None)


def _note_guard(state: State, order: ApprovedOrder, at: datetime) -> None:
    """Count an order that protects; a position that was adopted gets its plan with it."""
    trade_id = order.trade_id
    state.guards_of_trade[trade_id] = state.guards_of_trade.get(trade_id, 0) + 1
    if trade_id not in state.plans:
        plan = replace(_plan(order, None), opened_at=at, high_water_price=order.reference_price)
        state.plans[trade_id] = plan


def note_refused(state: State, message: OrderRefused, at: datetime) -> None:
    """The verdict is known, and may be overridden for a while."""
    state.pending.pop(message.signal_id, None)
    refusal = state.refusals.get(message.intent_id)
    if refusal is not None:
        failed = tuple(check.name for check in message.checks if not check.passed)
        state.refusals[message.intent_id] = replace(refusal, rules=failed)


def note_override(state: State, message: OverrideGranted, at: datetime) -> None:
    """It waits to be used; those that are over are gone."""
    waiting = state.overrides.items()
    state.overrides = {name: each for name, each in waiting if at < each.expires_at}
    state.overrides[message.override_id] = Override(
        override_id=message.override_id,
        by=message.by,
        reason=message.reason,
        intent_id=message.intent_id,
        symbol=message.symbol,
        rules=message.rules,
        expires_at=message.expires_at,
    )


def drop_override(state: State, message: OverrideRefused, at: datetime) -> None:
    """One that was granted cannot be used after all."""
    state.overrides.pop(message.override_id, None)


def hear_override(state: State, message: OperatorOverrode, at: datetime) -> None:
    """The same word is answered once."""
    state.heard_overrides[message.override_id] = None
    _forget_oldest(state.heard_overrides, MAX_REQUESTS)


def note_submit(state: State, message: SubmitOrder, at: datetime) -> None:
    """Count the orders that a signal set off."""
    if not is_of_the_signal(message.order):
        return
    signal_id = message.order.signal_id
    state.orders_of_signal[signal_id] = state.orders_of_signal.get(signal_id, 0) + 1


def note_sold(state: State, message: PositionChanged, at: datetime) -> None:
    """Shares were sold: what follows for the rest is no storm, so only the entry stays counted.

    Each sale leaves less to sell, so this has an end; what sells nothing counts on.
    """
    position = message.position
    plan = state.plans.get(position.trade_id)
    if plan is not None and position.quantity < position.entry_quantity:
        state.orders_of_signal[plan.signal_id] = 1


def open_plan(state: State, message: PositionOpened, at: datetime) -> None:
    """From the first fill on the clock runs and the highest price counts."""
    position = message.position
    state.trade_held[position.symbol] = position.trade_id
    plan = state.plans.get(position.trade_id)
    if plan is not None:
        state.plans[position.trade_id] = replace(
            plan, opened_at=position.opened_at, high_water_price=position.average_cost
        )


def move_stop(state: State, message: StopMoved, at: datetime) -> None:
    """The plan follows the stop; a position that was adopted may get its plan with it."""
    plan = state.plans.get(message.trade_id)
    if plan is None:
        plan = TradePlan(
            trade_id=message.trade_id,
            catalyst_id=message.catalyst_id,
            signal_id=ids.signal_id(message.catalyst_id),
            symbol=message.symbol,
            stop_price=ZERO,
            horizon_s=None,
            high_water_price=ZERO,
            approved_at=at,
            opened_at=at,
        )
    state.plans[message.trade_id] = replace(
        plan,
        stop_price=message.stop_price,
        high_water_price=message.high_water_price,
        is_trailing=message.is_trailing,
    )


def close_trade(state: State, message: PositionClosed, at: datetime) -> None:
    """Book the result; the plan is done."""
    trade = message.trade
    state.trade_held.pop(trade.symbol, None)
    state.unprotected -= {trade.symbol}
    state.plans.pop(trade.trade_id, None)
    state.exits_of_trade.pop(trade.trade_id, None)
    state.guards_of_trade.pop(trade.trade_id, None)
    state.last_exit_at.pop(trade.trade_id, None)
    state.strategies[trade.strategy_id] = add_trade(state.strategy(trade.strategy_id), trade)
    state.loss_streak = add_to_streak(state.loss_streak, trade)


def note_bar(state: State, message: BarClosed, at: datetime) -> None:
    """Keep the close, and the highest price of a symbol held."""
    bar = message.bar
    symbol = bar.symbol
    _closes(state, symbol).keep(
        array("q", (int(bar.closed_at.timestamp()),)), array("d", (bar.close,))
    )
    plan = state.plans.get(state.trade_held.get(symbol, ""))
    if plan is not None:
        highest = highest_seen(plan, bar)
        if highest > plan.high_water_price:
            state.plans[plan.trade_id] = replace(plan, high_water_price=highest)


def note_view(state: State, message: MarketViewReceived, at: datetime) -> None:
    """Keep the closes of the window; the intent that it was asked for is judged again."""
    refusal = refusal_of(state, message.request_id)
    if refusal is not None:
        _wait(state, refusal.intent)
    bars = message.view.bars
    _closes(state, bars.symbol).keep(*bars.closes(MAX_CLOSES))


def mark_equity(state: State, message: EquityMarked, at: datetime) -> None:
    """Keep the equity, and the peak since a review."""
    state.equity_usd = message.account.equity_usd
    if state.reviewed_peak_usd is not None:
        state.reviewed_peak_usd = max(state.reviewed_peak_usd, message.account.equity_usd)


def note_warning(state: State, message: LimitApproached, at: datetime) -> None:
    """Told for today."""
    state.warned_today.add(message.name)


def pause_strategy(state: State, message: StrategyPaused, at: datetime) -> None:
    """The strategy pauses."""
    record = state.strategy(message.strategy_id)
    state.strategies[message.strategy_id] = replace(
        record, is_paused=True, paused_until=message.until
    )


def halt(state: State, message: TradingHalted, at: datetime) -> None:
    """Trading is halted."""
    state.trading_state = TradingState.HALTED
    state.halt_cause = message.cause
    state.halt_detail = message.detail


def reduce(state: State, message: TradingReduced, at: datetime) -> None:
    """Positions end, and none begins."""
    state.trading_state = TradingState.REDUCING


def note_books(state: State, message: BooksCompared, at: datetime) -> None:
    """What differs is settled when a later look finds nothing."""
    state.book_differences = tuple(
        f"{each.subject}: ours {each.ours}, the broker's {each.theirs}"
        for each in message.differences
    )


def note_mismatch(state: State, message: MismatchFound, at: datetime) -> None:
    """A difference that is declared stays until the books agree or a person resumes."""
    told = f"{message.subject}: ours {message.ours}, the broker's {message.theirs}"
    state.book_differences = tuple(dict.fromkeys((*state.book_differences, told)))


def note_protection(state: State, message: ProtectionChanged, at: datetime) -> None:
    """What bounds the loss of a position."""
    is_bare = message.protected_by is ProtectedBy.NONE
    others = state.unprotected - {message.symbol}
    state.unprotected = others | {message.symbol} if is_bare else others


def resume(state: State, message: TradingResumed, at: datetime) -> None:
    """Trading goes on, counting anew; a drawdown was reviewed and begins at today's equity."""
    if state.halt_cause is HaltCause.DRAWDOWN:
        state.reviewed_peak_usd = state.equity_usd
    state.trading_state = TradingState.ACTIVE
    state.halt_cause = None
    state.halt_detail = ""
    state.book_differences = ()
    state.loss_streak = ()
    state.strategies = {name: review(record) for name, record in state.strategies.items()}


def note_failure(state: State, message: AdapterFailed, at: datetime) -> None:
    """The broker fails since its first failure after it last worked."""
    if state.is_broker(message.adapter) and state.broker_failed_at is None:
        state.broker_failed_at = message.at


def note_recovery(state: State, message: AdapterRecovered, at: datetime) -> None:
    """The broker works again."""
    if state.is_broker(message.adapter):
        state.broker_failed_at = None


def note_request(state: State, message: OperatorTradeRequested, at: datetime) -> None:
    """The same request is judged once."""
    state.requests[message.request_id] = None
    _forget_oldest(state.requests, MAX_REQUESTS)


def split(state: State, message: SplitApplied, at: datetime) -> None:
    """Prices of the symbol are those of the new shares; refusals at old ones are over."""
    state.refusals = {
        intent_id: refusal
        for intent_id, refusal in state.refusals.items()
        if refusal.intent.signal.catalyst.symbol != message.symbol
    }
    ratio = message.shares_per_share
    for trade_id, plan in state.plans.items():
        if plan.symbol == message.symbol:
            target = plan.take_profit_price
            state.plans[trade_id] = replace(
                plan,
                stop_price=round_price(plan.stop_price / ratio),
                take_profit_price=round_price(target / ratio) if target is not None else None,
                high_water_price=plan.high_water_price / ratio,
            )
    known = state.closes.get(message.symbol)
    if known is not None:
        known.rescale(float(ratio))


def rename(state: State, message: SymbolRenamed, at: datetime) -> None:
    """Everything of the symbol goes on under its new one."""
    old, new = message.symbol, message.new_symbol
    for trade_id, plan in state.plans.items():
        if plan.symbol == old:
            state.plans[trade_id] = replace(plan, symbol=new)
    for signal_id, pending in state.pending.items():
        if pending.symbol == old:
            state.pending[signal_id] = replace(pending, symbol=new)
    if old in state.trade_held:
        state.trade_held[new] = state.trade_held.pop(old)
    if old in state.closes:
        state.closes[new] = state.closes.pop(old)
    if old in state.unprotected:
        state.unprotected = state.unprotected - {old} | {new}
    if old in state.halted_symbols:
        state.halted_symbols.remove(old)
        state.halted_symbols.add(new)


def halt_symbol(state: State, message: SymbolHalted, at: datetime) -> None:
    """The exchange halted the symbol."""
    state.halted_symbols.add(message.symbol)


def resume_symbol(state: State, message: SymbolResumed, at: datetime) -> None:
    """The symbol trades again."""
    state.halted_symbols.discard(message.symbol)


def _plan(order: ApprovedOrder, horizon_s: float | None) -> TradePlan:
    stop_price = order.stop_loss_price or order.watched_stop_price
    return TradePlan(
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        signal_id=order.signal_id,
        symbol=order.symbol,
        stop_price=stop_price if stop_price is not None else ZERO,
        take_profit_price=order.take_profit_price or order.watched_target_price,
        horizon_s=horizon_s,
        high_water_price=ZERO,
        approved_at=order.approved_at,
    )


def _closes(state: State, symbol: str) -> Closes:
    if symbol not in state.closes:
        state.closes[symbol] = Closes()
    return state.closes[symbol]


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: start_run,
    SessionOpened: open_session,
    SessionClosed: close_session,
    IntentFormed: note_intent,
    OrderApproved: note_approved,
    OrderRefused: note_refused,
    SubmitOrder: note_submit,
    PositionOpened: open_plan,
    PositionChanged: note_sold,
    PositionClosed: close_trade,
    StopMoved: move_stop,
    BarClosed: note_bar,
    MarketViewReceived: note_view,
    EquityMarked: mark_equity,
    LimitApproached: note_warning,
    StrategyPaused: pause_strategy,
    TradingHalted: halt,
    TradingReduced: reduce,
    TradingResumed: resume,
    BooksCompared: note_books,
    MismatchFound: note_mismatch,
    ProtectionChanged: note_protection,
    AdapterFailed: note_failure,
    AdapterRecovered: note_recovery,
    OperatorTradeRequested: note_request,
    OperatorOverrode: hear_override,
    OverrideRefused: drop_override,
    OverrideGranted: note_override,
    SplitApplied: split,
    SymbolRenamed: rename,
    SymbolHalted: halt_symbol,
    SymbolResumed: resume_symbol,
}
