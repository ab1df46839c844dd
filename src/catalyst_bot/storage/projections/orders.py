"""Orders, their bracket legs, and every execution."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from catalyst_bot.portfolio.tracker import reference_prices
from catalyst_bot.storage.projections.writes import Reducers, Write, add, write
from catalyst_bot.storage.schema import fills, orders

_ENDED_UNFILLED = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED})

# Words of `OrderStatus`; 'held' legs wait at the venue for the first fill of their entry. An
# abandoned order may come back: a broker that did not know it can still have been slow.
_SET_STATUS = """
    UPDATE orders SET status = :status, reason = :reason, updated_at = :at
    WHERE client_order_id = :order_id
    AND status NOT IN ('filled', 'cancelled', 'expired', 'rejected', 'abandoned')
"""
_SUBMIT = """
    UPDATE orders SET status = 'submitted', quantity = :quantity, submitted_at = :at,
        updated_at = :at
    WHERE client_order_id = :order_id AND status = 'planned'
"""
_HOLD_LEGS = """
    UPDATE orders SET status = 'held', submitted_at = :at, updated_at = :at
    WHERE client_order_id IN (:stop_id, :target_id) AND status = 'planned'
"""
_DROP_LEGS = """
    UPDATE orders SET status = 'cancelled', updated_at = :at
    WHERE client_order_id IN (:stop_id, :target_id) AND status IN ('planned', 'held')
    AND '0' = (SELECT filled_quantity FROM orders WHERE client_order_id = :order_id)
"""
_LOSE_SIGHT = """
    UPDATE orders SET status = 'unknown', reason = :reason, updated_at = :at
    WHERE client_order_id = :order_id AND status = 'submitted'
"""
_ACCEPT = """
    UPDATE orders SET broker_order_id = :broker_order_id, updated_at = :at, status = CASE
        WHEN status IN ('planned', 'submitted', 'unknown', 'held', 'abandoned') THEN 'working'
        ELSE status END
    WHERE client_order_id = :order_id
"""
_SUM_FILLS = """
    UPDATE orders SET updated_at = :at, (filled_quantity, filled_usd) = (
        SELECT coalesce(decimal_sum(quantity), '0'), coalesce(decimal_sum(value_usd), '0')
        FROM fills WHERE client_order_id = :order_id)
    WHERE client_order_id = :order_id
"""
_FILL_IN_PART = """
    UPDATE orders SET status = 'partially_filled' WHERE client_order_id = :order_id
    AND status NOT IN ('filled', 'cancelled', 'expired', 'rejected')
"""
_FILL = """
    UPDATE orders SET status = 'filled', reason = NULL WHERE client_order_id = :order_id
    AND CAST(filled_quantity AS DOUBLE PRECISION) >= CAST(quantity AS DOUBLE PRECISION)
"""
_END_WITH_TRADE = """
    UPDATE orders SET updated_at = :at, status = CASE
        WHEN status = 'planned' THEN 'abandoned' ELSE 'cancelled' END
    WHERE trade_id = :trade_id AND role <> 'entry'
    AND status NOT IN ('filled', 'cancelled', 'expired', 'rejected', 'abandoned')
"""
_REPLACE = """
    UPDATE orders SET stop_price = coalesce(:stop_price, stop_price),
        limit_price = coalesce(:limit_price, limit_price), updated_at = :at,
        reference_price = CASE WHEN role IN ('stop_loss', 'take_profit')
            THEN coalesce(:stop_price, :limit_price, reference_price) ELSE reference_price END
    WHERE client_order_id = :order_id
"""


def order_approved(record: Recorded, message: d.OrderApproved) -> Iterable[Write]:
    """An order is planned; the legs of a bracket, or the stop of a pair, are planned with it."""
    order = message.order
    is_stop = order.kind is OrderKind.STOP
    yield _planned(
        record,
        order,
        order_id=order.client_order_id,
        role=order.role,
        side=order.side,
        kind=order.kind,
        limit_price=order.limit_price,
        stop_price=order.stop_loss_price if is_stop else None,
    )
    if order.role not in {OrderRole.ENTRY, OrderRole.TAKE_PROFIT}:
        return
    is_pair = order.role is OrderRole.TAKE_PROFIT
    opposite = Side.SELL if order.side is Side.BUY or is_pair else Side.BUY
    if order.stop_loss_price is not None:
        yield _planned(
            record,
            order,
            order_id=stop_leg_id(order.client_order_id),
            role=OrderRole.STOP_LOSS,
            side=opposite,
            kind=OrderKind.STOP,
            limit_price=None,
            stop_price=order.stop_loss_price,
        )
    if order.take_profit_price is not None:
        yield _planned(
            record,
            order,
            order_id=target_leg_id(order.client_order_id),
            role=OrderRole.TAKE_PROFIT,
            side=opposite,
            kind=OrderKind.LIMIT,
            limit_price=order.take_profit_price,
            stop_price=None,
        )


def _planned(
    record: Recorded,
    order: ApprovedOrder,
    *,
    order_id: str,
    role: OrderRole,
    side: Side,
    kind: OrderKind,
    limit_price: Decimal | None,
    stop_price: Decimal | None,
) -> Write:
    return add(
        orders,
        client_order_id=order_id,
        seq=record.seq,
        broker_order_id="",
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        role=role,
        side=side,
        kind=kind,
        quantity=order.quantity,
        reference_price=reference_prices(order)[order_id],
        limit_price=limit_price,
        stop_price=stop_price,
        exit_reason=order.exit_reason,
        status=OrderStatus.PLANNED,
        filled_quantity="0",
        filled_usd="0",
        approved_at=order.approved_at,
        updated_at=record.at,
    )


def order_submitted(record: Recorded, message: c.SubmitOrder) -> Iterable[Write]:
    """The order leaves; its legs wait at the venue for the first fill."""
    order_id = message.order.client_order_id
    yield write(_SUBMIT, order_id=order_id, quantity=message.order.quantity, at=record.at)
    yield write(_HOLD_LEGS, **_legs(order_id), at=record.at)


def order_accepted(record: Recorded, message: f.OrderAccepted) -> Iterable[Write]:
    """The venue has it."""
    yield write(
        _ACCEPT,
        order_id=message.client_order_id,
        broker_order_id=message.broker_order_id,
        at=record.at,
    )


def order_filled(record: Recorded, message: f.OrderFilled) -> Iterable[Write]:
    """An execution; the same one told twice counts once, for the sum is taken over `fills`."""
    fill = message.fill
    yield add(
        fills,
        fill_id=fill.fill_id,
        seq=record.seq,
        client_order_id=fill.client_order_id,
        symbol=fill.symbol,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        value_usd=fill.quantity * fill.price,
        fee_usd=fill.fee_usd,
        filled_at=fill.filled_at,
    )
    yield write(_SUM_FILLS, order_id=fill.client_order_id, at=record.at)
    yield write(_FILL_IN_PART, order_id=fill.client_order_id)
    yield write(_FILL, order_id=fill.client_order_id)


def order_rejected(record: Recorded, message: f.OrderRejected) -> Iterable[Write]:
    """The venue refused it."""
    order_id, reason = message.client_order_id, message.reason
    return _ended(record, order_id, status=OrderStatus.REJECTED, reason=reason)


def order_cancelled(record: Recorded, message: f.OrderCancelled) -> Iterable[Write]:
    """The order, or its rest, is gone."""
    order_id, reason = message.client_order_id, message.reason
    return _ended(record, order_id, status=OrderStatus.CANCELLED, reason=reason)


def order_expired(record: Recorded, message: f.OrderExpired) -> Iterable[Write]:
    """The order, or its rest, lapsed."""
    return _ended(record, message.client_order_id, status=OrderStatus.EXPIRED, reason=None)


def submit_suppressed(record: Recorded, message: f.SubmitSuppressed) -> Iterable[Write]:
    """The order was never sent."""
    order_id, reason = message.client_order_id, message.reason
    return _ended(record, order_id, status=OrderStatus.ABANDONED, reason=reason)


def outcome_unknown(record: Recorded, message: f.SubmitOutcomeUnknown) -> Iterable[Write]:
    """The venue did not answer."""
    yield write(_LOSE_SIGHT, order_id=message.client_order_id, reason=message.detail, at=record.at)


def order_looked_up(record: Recorded, message: f.OrderLookedUp) -> Iterable[Write]:
    """The venue's word settles an unclear outcome; quantities still come from fills alone."""
    order_id, ticket = message.client_order_id, message.ticket
    if ticket is None:
        return _ended(
            record, order_id, status=OrderStatus.ABANDONED, reason="unknown to the broker"
        )
    if ticket.status in _ENDED_UNFILLED:
        return _ended(record, order_id, status=ticket.status, reason=None)
    broker_order_id = ticket.broker_order_id
    return [write(_ACCEPT, order_id=order_id, broker_order_id=broker_order_id, at=record.at)]


def order_replaced(record: Recorded, message: f.OrderReplaced) -> Iterable[Write]:
    """The venue moved a price."""
    yield write(
        _REPLACE,
        order_id=message.client_order_id,
        stop_price=message.stop_price,
        limit_price=message.limit_price,
        at=record.at,
    )


def position_closed(record: Recorded, message: d.PositionClosed) -> Iterable[Write]:
    """Nothing is left to sell: not every venue reports what became of the sibling leg."""
    yield write(_END_WITH_TRADE, trade_id=message.trade.trade_id, at=record.at)


def _ended(
    record: Recorded, order_id: str, *, status: OrderStatus, reason: str | None
) -> Iterable[Write]:
    """Finish an order; its legs end with it, unless they protect what was filled."""
    yield write(_SET_STATUS, order_id=order_id, status=status, reason=reason, at=record.at)
    yield write(_DROP_LEGS, **_legs(order_id), order_id=order_id, at=record.at)


def _legs(order_id: str) -> dict[str, str]:
    return {"stop_id": stop_leg_id(order_id), "target_id": target_leg_id(order_id)}


REDUCERS: Reducers = {
    d.OrderApproved: order_approved,
    c.SubmitOrder: order_submitted,
    f.OrderAccepted: order_accepted,
    f.OrderFilled: order_filled,
    f.OrderRejected: order_rejected,
    f.OrderCancelled: order_cancelled,
    f.OrderExpired: order_expired,
    f.SubmitSuppressed: submit_suppressed,
    f.SubmitOutcomeUnknown: outcome_unknown,
    f.OrderLookedUp: order_looked_up,
    f.OrderReplaced: order_replaced,
    d.PositionClosed: position_closed,
}
