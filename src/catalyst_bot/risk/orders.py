"""How an approved wish is written as an order: for the hour of the day and the settings.

In the regular session an entry is a bracket, at the market or as a limit near the quote. Before
the open and after the close there is only the limit order: the bot watches stop and target itself,
and an exit is a limit as well, some way through the quote. What protects a held position is a
pair of which one cancels the other, or a plain stop where no target is known.

The only place in the project where an `ApprovedOrder` is made, and the broker takes nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count, islice

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    EntryKind,
    ExitReason,
    OrderKind,
    OrderRole,
    SessionPhase,
    Side,
    TimeInForce,
)
from catalyst_bot.domain.limit_price import above, buy_limit, sell_limit
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.money import round_price_up, to_decimal
from catalyst_bot.domain.trading import ApprovedOrder, Check
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.proposal import Proposal
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State
from catalyst_bot.risk.stops import Protection


def is_own_hour(desk: Desk, rules: ExecutionRules) -> bool:
    """True before the open and after the close, where trading there is switched on."""
    return rules.extended_hours and desk.calendar.phase_or_closed(desk.now) in {
        SessionPhase.PRE,
        SessionPhase.POST,
    }


def wants_limit(desk: Desk, rules: ExecutionRules) -> bool:
    """True when an entry of this hour is a limit order."""
    return rules.entry_kind is EntryKind.LIMIT or is_own_hour(desk, rules)


def entry_order(
    entry: Proposal,
    protection: Protection,
    checks: tuple[Check, ...],
    *,
    override_id: str = "",
) -> ApprovedOrder:
    """Write an entry that passed every check, or all that a person did not override."""
    signal, working = entry.intent.signal, entry.working
    is_limit, is_extended = wants_limit(entry.desk, working), is_own_hour(entry.desk, working)
    worst_price = above(entry.expected, working.limit_cap_bps) if is_limit else None
    limit_price = (
        buy_limit(signal.quote.ask, ticks=working.limit_offset_ticks, worst_price=worst_price)
        if worst_price is not None
        else None
    )
    order_id = ids.client_order_id(signal.signal_id, "entry")
    return ApprovedOrder(
        client_order_id=order_id,
        trade_id=ids.trade_id(order_id),
        catalyst_id=signal.catalyst.catalyst_id,
        signal_id=signal.signal_id,
        strategy_id=signal.strategy_id,
        symbol=entry.symbol,
        role=OrderRole.ENTRY,
        side=Side.BUY,
        kind=OrderKind.LIMIT if is_limit else OrderKind.MARKET,
        quantity=entry.sizing.quantity,
        time_in_force=TimeInForce.DAY,
        reference_price=entry.expected,
        limit_price=limit_price,
        worst_price=worst_price,
        extended_hours=is_extended,
        stop_loss_price=None if is_extended else protection.stop_price,
        take_profit_price=None if is_extended else protection.take_profit_price,
        watched_stop_price=protection.stop_price if is_extended else None,
        watched_target_price=protection.take_profit_price if is_extended else None,
        override_id=override_id,
        cancel_after_s=working.entry_timeout_s,
        valid_for_s=working.valid_for_s,
        checks=checks,
        sizing=entry.sizing.steps,
        approved_at=entry.desk.now,
    )


def _signal_of(state: State, position: Position) -> str:
    """The signal that a position was bought on; of one without a plan, that of its catalyst."""
    plan = state.plans.get(position.trade_id)
    return plan.signal_id if plan is not None else ids.signal_id(position.catalyst_id)


def _numbered(signal_id: str, leg: str, tries: int, desk: Desk) -> str:
    """Return the id after so many tries; numbers that the broker knows from before the journal was
    restored are left out.
    """
    numbered = (ids.client_order_id(signal_id, f"{leg}-{number}") for number in count(1))
    free = (order_id for order_id in numbered if order_id not in desk.lost_order_ids)
    return next(islice(free, tries, None))


def exit_order(
    state: State,
    position: Position,
    reason: ExitReason,
    checks: tuple[Check, ...],
    desk: Desk,
    *,
    rules: Rules,
    quantity: Decimal,
    price: Decimal,
) -> ApprovedOrder:
    """Write an exit. `price` is what a share can be sold for now, as far as is known.

    The number in the leg counts exits approved before: the same wish twice in one batch has the
    same id and is one order, a new try after a failed exit has a new id.
    """
    working = rules.execution
    tries = state.exits_of_trade.get(position.trade_id, 0)
    signal_id = _signal_of(state, position)
    is_extended = is_own_hour(desk, working)
    collar = to_decimal(rules.limits.price_collar_fraction)
    worst_price = round_price_up(price * (1 - collar)) if is_extended else None
    limit_price = (
        sell_limit(float(price), collar_bps=working.exit_collar_bps, worst_price=worst_price)
        if worst_price is not None
        else None
    )
    timeout_s = working.exit_timeout_s
    if is_extended:  # decided again at a new price once it has followed the quote for a while
        timeout_s = min(timeout_s, working.reprice_after_s * (working.max_reprices + 1))
    return ApprovedOrder(
        client_order_id=_numbered(signal_id, "exit", tries, desk),
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        signal_id=signal_id,
        strategy_id=position.strategy_id,
        symbol=position.symbol,
        role=OrderRole.EXIT,
        side=Side.SELL,
        kind=OrderKind.LIMIT if is_extended else OrderKind.MARKET,
        quantity=quantity,
        time_in_force=TimeInForce.DAY,
        reference_price=price,
        limit_price=limit_price,
        worst_price=worst_price,
        extended_hours=is_extended,
        exit_reason=reason,
        cancel_after_s=timeout_s,
        valid_for_s=working.valid_for_s,
        checks=checks,
        sizing=(),
        approved_at=desk.now,
    )


def guarding_order(
    state: State,
    position: Position,
    *,
    quantity: Decimal,
    stop_price: Decimal,
    target_price: Decimal | None,
    checks: tuple[Check, ...],
    desk: Desk,
    rules: Rules,
) -> ApprovedOrder:
    """Write what protects shares that are held: good till cancelled, a pair when a target is known.

    Numbered like exits: a stop that failed is followed by one with another id.
    """
    tries = state.guards_of_trade.get(position.trade_id, 0)
    signal_id = _signal_of(state, position)
    is_pair = target_price is not None
    is_trailing = position.trade_id in state.plans and state.plans[position.trade_id].is_trailing
    stopped = ExitReason.TRAILING_STOP if is_trailing else ExitReason.STOP_LOSS
    return ApprovedOrder(
        client_order_id=_numbered(signal_id, "guard", tries, desk),
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        signal_id=signal_id,
        strategy_id=position.strategy_id,
        symbol=position.symbol,
        role=OrderRole.TAKE_PROFIT if is_pair else OrderRole.STOP_LOSS,
        side=Side.SELL,
        kind=OrderKind.LIMIT if is_pair else OrderKind.STOP,
        quantity=quantity,
        time_in_force=TimeInForce.GTC,
        reference_price=position.last_price,
        limit_price=target_price,
        stop_loss_price=stop_price,
        exit_reason=ExitReason.TAKE_PROFIT if is_pair else stopped,
        cancel_after_s=rules.execution.exit_timeout_s,
        valid_for_s=rules.execution.valid_for_s,
        checks=checks,
        sizing=(),
        approved_at=desk.now,
    )
