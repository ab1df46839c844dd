"""Remember fills, prices and days: the books move only here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages.decisions import (
    CashAdjusted,
    EquityMarked,
    ForeignTradeJudged,
    OrderApproved,
    PositionClosed,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    OrderFilled,
    QuoteSampled,
    RunStarted,
    SessionOpened,
    SplitApplied,
    SymbolRenamed,
)
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.foreign import adoption
from catalyst_bot.portfolio.state import Origin, State

MAX_ORIGINS = 6_000
MAX_FILL_IDS = 10_000


def start_books(state: State, message: RunStarted, at: datetime) -> None:
    """The first start of a journal sets the money; later ones go on with what there is."""
    state.books = ledger.start(state.books, message.starting_cash_usd)


def learn_order(state: State, message: OrderApproved, at: datetime) -> None:
    """Fills of the order and of its legs will belong to its trade."""
    order = message.order
    origin = Origin(
        trade_id=order.trade_id, catalyst_id=order.catalyst_id, strategy_id=order.strategy_id
    )
    entry_id = order.client_order_id
    for order_id in (entry_id, stop_leg_id(entry_id), target_leg_id(entry_id)):
        state.origins[order_id] = origin
    _forget_origins(state)


def _forget_origins(state: State) -> None:
    """Drop the oldest orders, but none of a trade that is still held."""
    surplus = len(state.origins) - MAX_ORIGINS
    if surplus <= 0:
        return
    held = {position.trade_id for position in state.positions.values()}
    old = [order_id for order_id, o in state.origins.items() if o.trade_id not in held]
    for order_id in old[:surplus]:
        del state.origins[order_id]


def book_fill(state: State, message: OrderFilled, at: datetime) -> None:
    """Book the fill once; one of an order we do not know is not ours to book."""
    fill = message.fill
    origin = state.origins.get(fill.client_order_id)
    if fill.fill_id in state.fill_ids or origin is None:
        return
    state.fill_ids[fill.fill_id] = None
    while len(state.fill_ids) > MAX_FILL_IDS:
        del state.fill_ids[next(iter(state.fill_ids))]
    state.books = ledger.apply_fill(state.books, fill, origin).books


def mark_bar(state: State, message: BarClosed, at: datetime) -> None:
    """Value a held symbol at the bar's close."""
    bar = message.bar
    if bar.symbol in state.positions:
        price = to_decimal(bar.close, "close")
        state.books = ledger.mark_price(state.books, bar.symbol, price, at)


def mark_quote(state: State, message: QuoteSampled, at: datetime) -> None:
    """Value a held symbol at the middle of its quote."""
    symbol, middle = message.quote.symbol, middle_of(message.quote)
    if symbol in state.positions and middle is not None:
        price = to_decimal(middle, "middle of the quote")
        state.books = ledger.mark_price(state.books, symbol, price, at)


def book_foreign(state: State, message: ForeignTradeJudged, at: datetime) -> None:
    """Book the part of a person's trade that is taken into our books."""
    fill, origin = adoption(state.books, message)
    if fill.quantity > 0:
        booked = ledger.adopt_fill(state.books, fill, origin, is_in_cash=message.is_in_cash)
        state.books = booked.books


def adjust_cash(state: State, message: CashAdjusted, at: datetime) -> None:
    """Money came or went."""
    state.books = ledger.adjust_cash(state.books, message)


def apply_split(state: State, message: SplitApplied, at: datetime) -> None:
    """The same money in other shares."""
    state.books = ledger.split(state.books, message.symbol, message.shares_per_share, at).books


def rename_symbol(state: State, message: SymbolRenamed, at: datetime) -> None:
    """The position goes on under another symbol."""
    state.books = ledger.rename(state.books, message.symbol, message.new_symbol)


def open_day(state: State, message: SessionOpened, at: datetime) -> None:
    """A session begins."""
    state.books = ledger.open_day(state.books)


def raise_peak(state: State, message: EquityMarked, at: datetime) -> None:
    """Keep the highest equity that was marked, and what was told last."""
    state.books = ledger.raise_peak(state.books, message.account.equity_usd)
    state.marked_usd, state.marked_at = message.account.equity_usd, at


def keep_trade(state: State, message: PositionClosed, at: datetime) -> None:
    """Add to the log of finished trades."""
    state.closed_trades.append(message.trade)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: start_books,
    OrderApproved: learn_order,
    OrderFilled: book_fill,
    BarClosed: mark_bar,
    QuoteSampled: mark_quote,
    ForeignTradeJudged: book_foreign,
    CashAdjusted: adjust_cash,
    SplitApplied: apply_split,
    SymbolRenamed: rename_symbol,
    SessionOpened: open_day,
    EquityMarked: raise_peak,
    PositionClosed: keep_trade,
}
