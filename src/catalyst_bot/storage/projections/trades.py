"""Refusals, open positions and round trips."""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.storage.projections.writes import Reducers, Write, put, write
from catalyst_bot.storage.schema import positions, refusals, trades

_SET_PROTECTION = """
    UPDATE positions SET
        stop_price = (SELECT stop_price FROM orders
            WHERE trade_id = :trade_id AND role = 'stop_loss'
            ORDER BY seq, client_order_id LIMIT 1),
        take_profit_price = (SELECT limit_price FROM orders
            WHERE trade_id = :trade_id AND role = 'take_profit'
            ORDER BY seq, client_order_id LIMIT 1)
    WHERE trade_id = :trade_id
"""
_CHANGE_POSITION = """
    UPDATE positions SET quantity = :quantity, average_cost = :average_cost,
        last_price = :last_price, marked_at = :marked_at
    WHERE trade_id = :trade_id
"""
_CHANGE_TRADE = """
    UPDATE trades SET quantity = :quantity, entry_price = :entry_price WHERE trade_id = :trade_id
"""
_MARK = "UPDATE positions SET last_price = :price, marked_at = :at WHERE symbol = :symbol"
_MOVE_STOP = "UPDATE positions SET stop_price = :stop_price WHERE trade_id = :trade_id"
_CLOSE_POSITION = "DELETE FROM positions WHERE trade_id = :trade_id"


def order_refused(record: Recorded, message: d.OrderRefused) -> Iterable[Write]:
    """Risk said no; the numbers are those of the rule that failed."""
    failed = next((check for check in message.checks if check.name == message.rule), None)
    yield put(
        refusals,
        seq=record.seq,
        id=message.intent_id,
        catalyst_id=message.catalyst_id,
        strategy_id=message.strategy_id,
        symbol=message.symbol,
        side=message.side,
        rule=message.rule,
        limit=failed.limit if failed else None,
        observed=failed.observed if failed else None,
        unit=failed.unit if failed else None,
        at=record.at,
        checks=message.checks,
    )


def position_opened(record: Recorded, message: d.PositionOpened) -> Iterable[Write]:
    """A round trip begins."""
    position = message.position
    yield put(
        positions,
        symbol=position.symbol,
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        strategy_id=position.strategy_id,
        quantity=position.quantity,
        average_cost=position.average_cost,
        last_price=position.last_price,
        opened_at=position.opened_at,
        marked_at=position.marked_at,
    )
    yield write(_SET_PROTECTION, trade_id=position.trade_id)
    yield put(
        trades,
        trade_id=position.trade_id,
        seq=record.seq,
        catalyst_id=position.catalyst_id,
        strategy_id=position.strategy_id,
        symbol=position.symbol,
        side=Side.BUY,  # a position is long by its definition
        quantity=position.entry_quantity,
        entry_at=position.opened_at,
        entry_price=position.average_cost,
    )


def position_changed(_: Recorded, message: d.PositionChanged) -> Iterable[Write]:
    """A later fill of the entry or an exit."""
    position = message.position
    yield write(
        _CHANGE_POSITION,
        trade_id=position.trade_id,
        quantity=position.quantity,
        average_cost=position.average_cost,
        last_price=position.last_price,
        marked_at=position.marked_at,
    )
    yield write(
        _CHANGE_TRADE,
        trade_id=position.trade_id,
        quantity=position.entry_quantity,
        entry_price=position.average_cost,
    )


def position_closed(record: Recorded, message: d.PositionClosed) -> Iterable[Write]:
    """A round trip is finished."""
    trade = message.trade
    yield write(_CLOSE_POSITION, trade_id=trade.trade_id)
    yield put(
        trades,
        trade_id=trade.trade_id,
        seq=record.seq,
        catalyst_id=trade.catalyst_id,
        strategy_id=trade.strategy_id,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        entry_at=trade.entry_at,
        entry_price=trade.entry_price,
        exit_at=trade.exit_at,
        exit_price=trade.exit_price,
        exit_reason=trade.exit_reason,
        fees_usd=trade.fees_usd,
        pnl_usd=trade.pnl_usd,
        pnl_fraction=trade.pnl_fraction,
    )


def bar_closed(_: Recorded, message: f.BarClosed) -> Iterable[Write]:
    """A new price for what is held."""
    bar = message.bar
    yield write(_MARK, symbol=bar.symbol, price=to_decimal(bar.close), at=bar.closed_at)


def stop_moved(_: Recorded, message: d.StopMoved) -> Iterable[Write]:
    """The stop was raised."""
    yield write(_MOVE_STOP, trade_id=message.trade_id, stop_price=message.stop_price)


REDUCERS: Reducers = {
    d.OrderRefused: order_refused,
    d.PositionOpened: position_opened,
    d.PositionChanged: position_changed,
    d.PositionClosed: position_closed,
    f.BarClosed: bar_closed,
    d.StopMoved: stop_moved,
}
