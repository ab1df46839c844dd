"""What the order path does between approval and fill, and what quotes, splits and names change."""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain.enums import OrderRole, OrderStatus
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.storage.projections.writes import Reducers, Write, write

_GUARDS = frozenset({OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT})
_PROTECT = """
    UPDATE positions SET stop_price = :stop_price,
        take_profit_price = coalesce(:target_price, take_profit_price)
    WHERE trade_id = :trade_id
"""
_ACCEPT_PAIR = """
    UPDATE orders SET status = 'working', updated_at = :at
    WHERE client_order_id = :stop_id AND status IN ('planned', 'held')
    AND 'take_profit' = (SELECT role FROM orders WHERE client_order_id = :order_id)
"""
_WITHDRAW = """
    UPDATE orders SET status = :status, reason = :reason, updated_at = :at
    WHERE client_order_id IN (:order_id, :stop_id)
    AND status NOT IN ('filled', 'cancelled', 'expired', 'rejected', 'abandoned')
"""
_RESCALE = """
    UPDATE orders SET quantity = :quantity, filled_quantity = :filled_quantity,
        limit_price = :limit_price, stop_price = :stop_price, updated_at = :at,
        reference_price = CASE WHEN role IN ('stop_loss', 'take_profit')
            THEN coalesce(:stop_price, :limit_price, reference_price) ELSE reference_price END
    WHERE client_order_id = :order_id
"""
_RESCALE_STOP = """
    UPDATE positions SET stop_price = :stop_price
    WHERE trade_id = (SELECT trade_id FROM orders WHERE client_order_id = :order_id)
"""
_RENAME = (
    """UPDATE positions SET symbol = :new_symbol WHERE symbol = :symbol
        AND NOT EXISTS (SELECT 1 FROM positions AS held WHERE held.symbol = :new_symbol)""",
    """UPDATE orders SET symbol = :new_symbol WHERE symbol = :symbol
        AND status NOT IN ('filled', 'cancelled', 'expired', 'rejected', 'abandoned')""",
    "UPDATE trades SET symbol = :new_symbol WHERE symbol = :symbol AND exit_at IS NULL",
)
_MARK = "UPDATE positions SET last_price = :price, marked_at = :at WHERE symbol = :symbol"


def order_approved(_: Recorded, message: d.OrderApproved) -> Iterable[Write]:
    """A position that is held gets another stop."""
    order = message.order
    if order.role in _GUARDS:
        yield write(
            _PROTECT,
            trade_id=order.trade_id,
            stop_price=order.stop_loss_price,
            target_price=order.limit_price,
        )


def order_accepted(record: Recorded, message: f.OrderAccepted) -> Iterable[Write]:
    """The halves of a protective pair are taken together."""
    order_id = message.client_order_id
    yield write(_ACCEPT_PAIR, order_id=order_id, stop_id=stop_leg_id(order_id), at=record.at)


def order_withdrawn(record: Recorded, message: d.OrderWithdrawn) -> Iterable[Write]:
    """An order that waited is not sent."""
    yield write(
        _WITHDRAW,
        order_id=message.client_order_id,
        stop_id=stop_leg_id(message.client_order_id),
        status=OrderStatus.ABANDONED,
        reason=message.reason,
        at=record.at,
    )


def order_rescaled(record: Recorded, message: d.OrderRescaled) -> Iterable[Write]:
    """A split changed an open order."""
    order_id = message.client_order_id
    yield write(
        _RESCALE,
        order_id=order_id,
        quantity=message.quantity,
        filled_quantity=message.filled_quantity,
        limit_price=message.limit_price,
        stop_price=message.stop_price,
        at=record.at,
    )
    if message.stop_price is not None:
        yield write(_RESCALE_STOP, order_id=order_id, stop_price=message.stop_price)


def symbol_renamed(_: Recorded, message: f.SymbolRenamed) -> Iterable[Write]:
    """What is open goes on under the new symbol."""
    for statement in _RENAME:
        yield write(statement, symbol=message.symbol, new_symbol=message.new_symbol)


def quote_sampled(record: Recorded, message: f.QuoteSampled) -> Iterable[Write]:
    """A new price for what is held."""
    middle = middle_of(message.quote)
    if middle is not None:
        price = to_decimal(middle, "middle of the quote")
        yield write(_MARK, symbol=message.quote.symbol, price=price, at=record.at)


REDUCERS: Reducers = {
    d.OrderApproved: order_approved,
    f.OrderAccepted: order_accepted,
    d.OrderWithdrawn: order_withdrawn,
    d.OrderRescaled: order_rescaled,
    f.SymbolRenamed: symbol_renamed,
    f.QuoteSampled: quote_sampled,
}
