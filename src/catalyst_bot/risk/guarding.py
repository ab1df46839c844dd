"""Positions without a stop, and the bot's own watch: what execution asks for, what quotes say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    ProtectionStep,
    SessionPhase,
    Tier,
)
from catalyst_bot.domain.market import Quote, middle_of
from catalyst_bot.domain.messages.decisions import (
    OrderApproved,
    ProtectionNeeded,
    StopMoved,
    TradingHalted,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO, round_price_down, tick_size, to_decimal
from catalyst_bot.domain.trading import Check, OrderTicket
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.checks import Sale, held_quantity
from catalyst_bot.risk.manager import approve_exit
from catalyst_bot.risk.orders import guarding_order, is_own_hour
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State, TradePlan
from catalyst_bot.risk.verdicts import in_state

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.5, 300.0
LIVE = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)


def answer(state: State, message: ProtectionNeeded, desk: Desk, rules: Rules) -> list[Message]:
    """Say what is done for a position without protection."""
    position = desk.positions.get(message.symbol)
    if position is None or position.trade_id != message.trade_id:
        return []
    match message.step:
        case ProtectionStep.PLACE_STOP:
            return _place_stop(state, position, message.quantity, desk, rules)
        case ProtectionStep.LEAVE:
            return _leave(state, position, ExitReason.UNPROTECTED, desk, rules)
        case ProtectionStep.HALT:
            return [
                TradingHalted(
                    cause=HaltCause.UNPROTECTED,
                    positions_policy=PositionsPolicy.HOLD,
                    detail=f"{message.symbol}: {message.detail}",
                )
            ]
        case _:
            return []


def _leave(
    state: State, position: Position, reason: ExitReason, desk: Desk, rules: Rules
) -> list[Message]:
    approved = approve_exit(state, position, reason, desk, rules=rules)
    return [approved] if approved is not None else []


def _place_stop(
    state: State, position: Position, quantity: Decimal, desk: Desk, rules: Rules
) -> list[Message]:
    """Approve a stop, with the target where one is known; a price beyond either is an exit.

    A venue takes no sell stop at or above the market, and a target below it would sell at once.
    Where the bot watches outside the session, a position without a plan gets its stop to watch.
    """
    plan = state.plans.get(position.trade_id)
    stop_price = stop_of(position, plan, rules)
    target_price = plan.take_profit_price if plan is not None else None
    price = position.last_price
    if price <= stop_price:
        return _leave(state, position, _stopped(plan), desk, rules)
    if target_price is not None and price >= target_price:
        return _leave(state, position, ExitReason.TAKE_PROFIT, desk, rules)
    if rules.execution.extended_hours and not _is_session(desk):
        return [_first_stop(position, stop_price)] if plan is None else []
    checks = check_guard(position, quantity, stop_price, desk)
    if not all(check.passed for check in checks):
        return []
    return [
        OrderApproved(
            order=guarding_order(
                state,
                position,
                quantity=quantity,
                stop_price=stop_price,
                target_price=target_price,
                checks=checks,
                desk=desk,
                rules=rules,
            )
        )
    ]


def _first_stop(position: Position, stop_price: Decimal) -> StopMoved:
    return StopMoved(
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        symbol=position.symbol,
        old_stop_price=ZERO,
        stop_price=stop_price,
        high_water_price=position.last_price,
        is_trailing=False,
    )


def stop_of(position: Position, plan: TradePlan | None, rules: Rules) -> Decimal:
    """Return where the position is stopped; one that a person opened, a fraction below its cost.

    When the price is already below that, the same fraction below the price: a person who holds on
    to a loss is not sold out by being adopted.
    """
    if plan is not None and plan.stop_price > 0:
        return plan.stop_price
    keep = 1 - to_decimal(rules.stops.manual_stop_fraction)
    stop_price = round_price_down(min(position.average_cost, position.last_price) * keep)
    return max(stop_price, tick_size(stop_price))


def check_guard(
    position: Position, quantity: Decimal, stop_price: Decimal, desk: Desk
) -> tuple[Check, ...]:
    """What an order that protects must pass: no more than is held, a price that is one."""
    sale = Sale(symbol=position.symbol, position=position, quantity=quantity, desk=desk)
    return (
        held_quantity(sale),
        in_state("stop_price", Tier.ORDER, is_good=stop_price > 0, note=f"stop at {stop_price}"),
    )


def _stopped(plan: TradePlan | None) -> ExitReason:
    is_trailing = plan is not None and plan.is_trailing
    return ExitReason.TRAILING_STOP if is_trailing else ExitReason.STOP_LOSS


def watch(state: State, quote: Quote, desk: Desk, rules: Rules) -> list[Message]:
    """Leave a position whose stop or target the quote touches, when no order at the broker would.

    The stop is touched by the middle of the quote (a thin bid alone is no price), the target by
    the bid: somebody has to pay it.
    """
    position = desk.positions.get(quote.symbol)
    plan = state.plans.get(position.trade_id) if position is not None else None
    middle = middle_of(quote)
    if position is None or plan is None or middle is None or not is_tradable(desk, rules):
        return []
    if not _may_try(state, position, desk):
        return []
    price, bid = to_decimal(middle, "middle"), to_decimal(quote.bid, "bid")
    reason = None
    if price <= plan.stop_price and not has_stop_at_work(state, position, desk, rules):
        reason = _stopped(plan)
    elif plan.take_profit_price is not None and bid >= plan.take_profit_price:
        is_worked = bool(_live(position, OrderRole.TAKE_PROFIT, desk))
        reason = None if is_worked and not is_own_hour(desk, rules.execution) else _TARGET
    if reason is None:
        return []
    approved = approve_exit(state, position, reason, desk, rules=rules, price=bid)
    return [approved] if approved is not None else []


_TARGET = ExitReason.TAKE_PROFIT


def _may_try(state: State, position: Position, desk: Desk) -> bool:
    """Quotes come every second; an exit that failed is tried again after ever longer pauses."""
    last_at = state.last_exit_at.get(position.trade_id)
    tries = state.exits_of_trade.get(position.trade_id, 0)
    pause_s = min(FIRST_PAUSE_S * 2.0 ** min(tries, 10), LONGEST_PAUSE_S)
    return last_at is None or desk.now - last_at >= timedelta(seconds=pause_s)


def is_tradable(desk: Desk, rules: Rules) -> bool:
    """True in the regular session, and around it where trading there is switched on."""
    return _is_session(desk) or is_own_hour(desk, rules.execution)


def _is_session(desk: Desk) -> bool:
    return desk.calendar.phase_or_closed(desk.now) is SessionPhase.REGULAR


def has_stop_at_work(state: State, position: Position, desk: Desk, rules: Rules) -> bool:
    """True when the venue works a stop where the position is stopped (not below: a raise may have
    been refused). It does so in the regular session, and the bot leaves it to it by night.
    """
    plan = state.plans.get(position.trade_id)
    wanted = plan.stop_price if plan is not None else ZERO
    is_live = any(
        leg.stop_price is not None and leg.stop_price >= wanted
        for leg in _live(position, OrderRole.STOP_LOSS, desk)
    )
    return is_live and not is_own_hour(desk, rules.execution)


def _live(position: Position, role: OrderRole, desk: Desk) -> list[OrderTicket]:
    legs = desk.orders_of_trade(position.trade_id)
    return [leg for leg in legs if leg.role is role and leg.status in LIVE]
