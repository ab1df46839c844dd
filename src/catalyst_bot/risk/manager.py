"""The gate before the wire: an intent goes in, an approved or a refused order comes out.

The only place in the project where an `ApprovedOrder` is made, and the broker takes nothing else:
no order can pass around the checks.
"""

from __future__ import annotations

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, Side, TimeInForce
from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.domain.trading import ApprovedOrder, Check, SizingStep, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.checks import check_entry, check_exit
from catalyst_bot.risk.proposal import Proposal, propose, wants_entry
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State


def assess(
    state: State, intent: TradeIntent, desk: Desk, rules: Rules
) -> OrderApproved | OrderRefused:
    """Judge an intent: a wish to buy becomes a bracket, any other leaves the whole position."""
    if wants_entry(intent):
        return _assess_entry(propose(state, intent, desk, rules), rules)
    symbol = intent.signal.catalyst.symbol
    position = desk.positions.get(symbol)
    checks = check_exit(symbol, position, desk)
    if position is not None and _first_failed(checks) is None:
        return _exit(state, position, ExitReason.NEGATIVE_NEWS, checks, desk, rules=rules)
    return _refuse(intent, checks, ())


def approve_exit(
    state: State, position: Position, reason: ExitReason, desk: Desk, *, rules: Rules
) -> OrderApproved | None:
    """Approve leaving a position at the market; None when that is not needed any more."""
    checks = check_exit(position.symbol, position, desk)
    if _first_failed(checks) is not None:
        return None
    return _exit(state, position, reason, checks, desk, rules=rules)


def _assess_entry(entry: Proposal, rules: Rules) -> OrderApproved | OrderRefused:
    checks = check_entry(entry)
    if entry.protection is None or _first_failed(checks) is not None:
        return _refuse(entry.intent, checks, entry.sizing.steps)
    signal = entry.intent.signal
    order_id = ids.client_order_id(signal.signal_id, "entry")
    return OrderApproved(
        order=ApprovedOrder(
            client_order_id=order_id,
            trade_id=ids.trade_id(order_id),
            catalyst_id=signal.catalyst.catalyst_id,
            signal_id=signal.signal_id,
            strategy_id=signal.strategy_id,
            symbol=entry.symbol,
            role=OrderRole.ENTRY,
            side=Side.BUY,
            kind=OrderKind.MARKET,
            quantity=entry.sizing.quantity,
            time_in_force=TimeInForce.DAY,
            reference_price=entry.price,
            stop_loss_price=entry.protection.stop_price,
            take_profit_price=entry.protection.take_profit_price,
            cancel_after_s=rules.execution.entry_timeout_s,
            valid_for_s=rules.execution.valid_for_s,
            checks=checks,
            sizing=entry.sizing.steps,
            approved_at=entry.desk.now,
        )
    )


def _exit(
    state: State,
    position: Position,
    reason: ExitReason,
    checks: tuple[Check, ...],
    desk: Desk,
    *,
    rules: Rules,
) -> OrderApproved:
    """The number in the leg counts exits approved before: the same wish twice in one batch has
    the same id and is one order, a new try after a failed exit has a new id.
    """
    tries = state.exits_of_trade.get(position.trade_id, 0)
    signal_id = ids.signal_id(position.catalyst_id)
    return OrderApproved(
        order=ApprovedOrder(
            client_order_id=ids.client_order_id(signal_id, f"exit-{tries + 1}"),
            trade_id=position.trade_id,
            catalyst_id=position.catalyst_id,
            signal_id=signal_id,
            strategy_id=position.strategy_id,
            symbol=position.symbol,
            role=OrderRole.EXIT,
            side=Side.SELL,
            kind=OrderKind.MARKET,
            quantity=position.quantity,
            time_in_force=TimeInForce.DAY,
            reference_price=position.last_price,
            exit_reason=reason,
            cancel_after_s=rules.execution.exit_timeout_s,
            valid_for_s=rules.execution.valid_for_s,
            checks=checks,
            sizing=(),
            approved_at=desk.now,
        )
    )


def _refuse(
    intent: TradeIntent, checks: tuple[Check, ...], sizing: tuple[SizingStep, ...]
) -> OrderRefused:
    signal = intent.signal
    failed = _first_failed(checks)
    assert failed is not None, "refused although every check passed"
    return OrderRefused(
        intent_id=intent.intent_id,
        signal_id=signal.signal_id,
        catalyst_id=signal.catalyst.catalyst_id,
        strategy_id=signal.strategy_id,
        symbol=signal.catalyst.symbol,
        side=intent.side,
        rule=failed.name,
        checks=checks,
        sizing=sizing,
    )


def _first_failed(checks: tuple[Check, ...]) -> Check | None:
    return next((check for check in checks if not check.passed), None)
