"""Decide on intents, on open positions, and on whether trading goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    ExitReason,
    OrderRole,
    PositionsPolicy,
    Severity,
    Side,
    TradingState,
)
from catalyst_bot.domain.messages.commands import (
    ClearTimer,
    SendNotification,
    SetTimer,
    SubmitOrder,
)
from catalyst_bot.domain.messages.decisions import (
    EquityMarked,
    ForeignTradeJudged,
    IntentFormed,
    LimitApproached,
    MismatchFound,
    PositionClosed,
    ProtectionNeeded,
    ResumeRefused,
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
    LostOrdersFound,
    MarketViewReceived,
    MarketViewUnavailable,
    OperatorHalted,
    OperatorOverrode,
    OperatorReduced,
    OperatorResumed,
    OperatorTradeRequested,
    QuoteSampled,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import gauges, guarding, overriding, stops
from catalyst_bot.risk.breakers import BROKER_TIMER, trip
from catalyst_bot.risk.checklist import Item, checklist, still_open
from catalyst_bot.risk.manager import approve_exit, assess, assess_sale
from catalyst_bot.risk.orders import is_own_hour
from catalyst_bot.risk.records import add_trade
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State, StrategyRecord, TradePlan

TRAIL = "risk"  # trail of what concerns the whole account


def on_intent(state: State, message: IntentFormed, desk: Desk, rules: Rules) -> list[Message]:
    """Approve or refuse."""
    return [assess(state, message.intent, desk, rules)]


def on_request(
    state: State, message: OperatorTradeRequested, desk: Desk, rules: Rules
) -> list[Message]:
    """A person wants to sell: judged at once. A wish to buy meets the market first."""
    if message.side is not Side.SELL or message.request_id in state.requests:
        return []
    return [assess_sale(state, message, desk, rules)]


def on_override(state: State, message: OperatorOverrode, desk: Desk, rules: Rules) -> list[Message]:
    """A person overrides a refusal."""
    return overriding.answer(state, message, desk)


def on_view(state: State, message: MarketViewReceived, desk: Desk, rules: Rules) -> list[Message]:
    """What a person overrode is judged again."""
    return overriding.judge(state, message, desk, rules)


def on_no_view(
    state: State, message: MarketViewUnavailable, desk: Desk, rules: Rules
) -> list[Message]:
    """What a person overrode cannot be judged."""
    return overriding.give_up(state, message)


def on_protection_needed(
    state: State, message: ProtectionNeeded, desk: Desk, rules: Rules
) -> list[Message]:
    """A position is without a stop: approve one, an exit, or halt."""
    return guarding.answer(state, message, desk, rules)


def on_quote(state: State, message: QuoteSampled, desk: Desk, rules: Rules) -> list[Message]:
    """The bot's own watch."""
    return guarding.watch(state, message.quote, desk, rules)


def on_bar(state: State, message: BarClosed, desk: Desk, rules: Rules) -> list[Message]:
    """Leave a position whose time or stop has come, else raise its stop when the price rose."""
    position = desk.positions.get(message.bar.symbol)
    plan = state.plans.get(position.trade_id) if position is not None else None
    if position is None or plan is None:
        return []
    close_price = to_decimal(message.bar.close, "close")
    high_water_price = stops.highest_seen(plan, message.bar)
    raised = stops.trail(
        entry_price=position.average_cost,
        high_water_price=high_water_price,
        stop_price=plan.stop_price,
        rules=rules.stops,
    )
    reason = stops.exit_due(
        plan,
        close_price=close_price,
        stop_price=raised if raised is not None else plan.stop_price,
        now=desk.now,
        has_stop=guarding.has_stop_at_work(state, position, desk, rules),
        has_target=not is_own_hour(desk, rules.execution),
    )
    if reason is not None:
        price = close_price if is_own_hour(desk, rules.execution) else None
        approved = approve_exit(state, position, reason, desk, rules=rules, price=price)
        return [approved] if approved is not None else []
    if raised is None or _is_leaving(position, desk) or _is_at_target(plan, raised):
        return []
    return [
        StopMoved(
            trade_id=plan.trade_id,
            catalyst_id=plan.catalyst_id,
            symbol=plan.symbol,
            old_stop_price=plan.stop_price,
            stop_price=raised,
            high_water_price=high_water_price,
            is_trailing=True,
        )
    ]


def _is_at_target(plan: TradePlan, raised: Decimal) -> bool:
    """So high the target sells: brokers refuse a stop at or above the limit of its pair."""
    return plan.take_profit_price is not None and raised >= plan.take_profit_price


def _is_leaving(position: Position, desk: Desk) -> bool:
    return any(t.role is OrderRole.EXIT for t in desk.orders_of_trade(position.trade_id))


def _exits(
    state: State, positions: list[Position], reason: ExitReason, desk: Desk, rules: Rules
) -> list[Message]:
    """Exits for the positions that are not already being left."""
    approved = (approve_exit(state, p, reason, desk, rules=rules) for p in positions)
    return [order for order in approved if order is not None]


def on_equity(state: State, message: EquityMarked, desk: Desk, rules: Rules) -> list[Message]:
    """Halt at a limit; before that warn once a day that it comes near."""
    halt = trip(state, message, rules.limits)
    readings = gauges.read_gauges(
        message.account,
        reviewed_peak_usd=state.reviewed_peak_usd,
        open_positions=len(desk.positions),
        limits=rules.limits,
    )
    warnings = (g.warning() for g in readings if g.name not in state.warned_today)
    return [*([halt] if halt is not None else []), *(w for w in warnings if w is not None)]


def on_position_closed(
    state: State, message: PositionClosed, desk: Desk, rules: Rules
) -> list[Message]:
    """Pause a strategy that loses too often or earns too little; halt on a streak of losses."""
    record = add_trade(state.strategy(message.trade.strategy_id), message.trade)
    outcome: list[Message] = []
    if not record.is_paused:
        outcome += _pause(message.trade.strategy_id, record, desk, rules)
    halt = trip(state, message, rules.limits)
    if halt is not None:
        outcome.append(halt)
    return outcome


def _pause(
    strategy_id: str, record: StrategyRecord, desk: Desk, rules: Rules
) -> list[StrategyPaused]:
    """The pause a strategy with this record takes, if any.

    A losing streak rests until the next session opens; a poor Sharpe ratio waits for a person,
    because a night changes nothing about it.
    """
    limits = rules.limits
    if record.consecutive_losses >= limits.pause_after_consecutive_losses:
        reason = f"{record.consecutive_losses} losses in a row"
        until = desk.calendar.next_session(desk.now).opens_at
        return [StrategyPaused(strategy_id=strategy_id, reason=reason, until=until)]
    count = len(record.returns)
    ratio = gauges.sharpe(record.returns)
    if ratio is None or count < limits.min_trades_for_sharpe or ratio >= limits.min_sharpe:
        return []
    reason = f"Sharpe ratio {ratio:.2f} below {limits.min_sharpe:g} over {count} trades"
    return [StrategyPaused(strategy_id=strategy_id, reason=reason, until=None)]


def on_breaker(
    state: State,
    message: OperatorHalted
    | TimerFired
    | MismatchFound
    | ForeignTradeJudged
    | LostOrdersFound
    | SubmitOrder,
    desk: Desk,
    rules: Rules,
) -> list[Message]:
    """Halt if the message trips a breaker; see `breakers.BREAKERS`."""
    halt = trip(state, message, rules.limits)
    return [halt] if halt is not None else []


def on_trading_halted(
    state: State, message: TradingHalted, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell a person, and leave every position when the halt asks for it.

    Execution cancels the working entries.
    """
    is_closing = message.positions_policy is PositionsPolicy.CLOSE
    positions = list(desk.positions.values()) if is_closing else []
    notice = _notify(
        Severity.CRITICAL,
        f"Trading halted: {message.cause}",
        f"{message.detail}. Open positions: {message.positions_policy}. A person has to resume.",
    )
    return [*_exits(state, positions, ExitReason.HALT, desk, rules), notice]


def on_operator_resumed(
    state: State, message: OperatorResumed, desk: Desk, rules: Rules
) -> list[Message]:
    """A person takes responsibility: trading and paused strategies go on, once every item of the
    checklist is met or confirmed and a reason is given.

    A broker that still fails gets its time once more, then trading halts again.
    """
    items = still_open(checklist(state, desk, rules.limits), message.confirmed)
    if state.trading_state is not TradingState.ACTIVE and (items or not message.reason.strip()):
        return _refuse_to_resume(message, items)
    resumed = TradingResumed(by=message.by, reason=message.reason)
    is_failing = state.broker_failed_at is not None
    return [resumed, *([_give_broker_time(desk, rules)] if is_failing else [])]


def _refuse_to_resume(message: OperatorResumed, items: tuple[Item, ...]) -> list[Message]:
    told = "; ".join(f"{item.name}: {item.note}" for item in items) or "no reason was given"
    refused = ResumeRefused(
        by=message.by,
        reason=message.reason,
        still_open=tuple(item.name for item in items),
        detail=told,
    )
    text = f"{message.by} has to confirm first: {told}"
    return [refused, _notify(Severity.WARNING, "Trading does not resume", text)]


def on_operator_reduced(
    state: State, message: OperatorReduced, desk: Desk, rules: Rules
) -> list[Message]:
    """A person lets positions end and none begin. A halt is more than that, and stays."""
    if state.trading_state is not TradingState.ACTIVE:
        return []
    return [TradingReduced(by=message.by, reason=message.reason)]


def on_trading_reduced(
    state: State, message: TradingReduced, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell a person. Execution cancels the working entries."""
    text = f"{message.by}: {message.reason}. Only exits from now on, until a person resumes."
    return [_notify(Severity.WARNING, "Trading is reduced", text)]


def on_strategy_paused(
    state: State, message: StrategyPaused, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell a person."""
    end = f"{message.until:%Y-%m-%d %H:%M} UTC" if message.until else "a person resumes"
    text = f"{message.reason}. No new entries until {end}."
    return [_notify(Severity.WARNING, f"Strategy paused: {message.strategy_id}", text)]


def on_limit_approached(
    state: State, message: LimitApproached, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell a person."""
    text = f"{message.observed:.4g} of {message.limit:.4g} ({message.unit})"
    return [_notify(Severity.WARNING, f"Limit near: {message.name}", text)]


def _notify(severity: Severity, title: str, text: str) -> SendNotification:
    return SendNotification(severity=severity, title=title, text=text, trail_id=TRAIL)


def on_adapter_failed(
    state: State, message: AdapterFailed, desk: Desk, rules: Rules
) -> list[Message]:
    """From the broker's first failure on, give it so long to recover."""
    if not state.is_broker(message.adapter) or state.broker_failed_at is not None:
        return []
    return [_give_broker_time(desk, rules)]


def _give_broker_time(desk: Desk, rules: Rules) -> SetTimer:
    due_at = desk.now + timedelta(seconds=rules.limits.api_error_halt_s)
    return SetTimer(timer_id=BROKER_TIMER, due_at=due_at)


def on_adapter_recovered(
    state: State, message: AdapterRecovered, desk: Desk, rules: Rules
) -> list[Message]:
    """The broker is back in time."""
    if not state.is_broker(message.adapter) or state.broker_failed_at is None:
        return []
    return [ClearTimer(timer_id=BROKER_TIMER)]


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    IntentFormed: on_intent,
    OperatorTradeRequested: on_request,
    ProtectionNeeded: on_protection_needed,
    QuoteSampled: on_quote,
    BarClosed: on_bar,
    EquityMarked: on_equity,
    PositionClosed: on_position_closed,
    TradingHalted: on_trading_halted,
    StrategyPaused: on_strategy_paused,
    LimitApproached: on_limit_approached,
    OperatorHalted: on_breaker,
    OperatorOverrode: on_override,
    MarketViewReceived: on_view,
    MarketViewUnavailable: on_no_view,
    OperatorReduced: on_operator_reduced,
    TradingReduced: on_trading_reduced,
    OperatorResumed: on_operator_resumed,
    TimerFired: on_breaker,
    MismatchFound: on_breaker,
    ForeignTradeJudged: on_breaker,
    LostOrdersFound: on_breaker,
    SubmitOrder: on_breaker,
    AdapterFailed: on_adapter_failed,
    AdapterRecovered: on_adapter_recovered,
}
