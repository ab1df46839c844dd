"""Remember where the comparison with the broker stands, and what is a person's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import HaltCause, Side
from catalyst_bot.domain.messages.commands import SetTimer
from catalyst_bot.domain.messages.decisions import (
    BooksCompared,
    ForeignOrdersSeen,
    ForeignTradeJudged,
    TradingHalted,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    BrokerSnapshotReceived,
    ForeignFilled,
    OrderFilled,
    RunStarted,
    SplitApplied,
)
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.execution.books.decide import LOOK
from catalyst_bot.execution.state import State


def begin(state: State, message: RunStarted, at: datetime) -> None:
    """Our books begin with the first start of a journal."""
    state.books.began_at = state.books.began_at or at
    state.books.broker_name = message.broker


def plan_look(state: State, message: SetTimer, at: datetime) -> None:
    """When the next look is due."""
    if message.timer_id == LOOK:
        state.books.next_look_at = message.due_at


def count_look(state: State, message: BrokerSnapshotReceived, at: datetime) -> None:
    """The broker answered."""
    state.books.looks += 1


def keep_doubts(state: State, message: BooksCompared, at: datetime) -> None:
    """What differed at this look; once nothing does, the broker need not be trusted blindly."""
    state.books.doubts = {d.subject: (d.ours, d.theirs) for d in message.differences}
    if not message.differences:
        state.books.trusts_broker = False
        state.books.turnover_usd = ZERO


def add_turnover(state: State, message: OrderFilled, at: datetime) -> None:
    """Whatever is traded may cost fees that the broker does not report with the fill."""
    state.books.turnover_usd += message.fill.quantity * message.fill.price


def keep_foreign_orders(state: State, message: ForeignOrdersSeen, at: datetime) -> None:
    """A person's open orders."""
    state.books.foreign_orders = {order.client_order_id: order for order in message.orders}


def keep_foreign_fill(state: State, message: ForeignFilled, at: datetime) -> None:
    """The same trade is judged once."""
    state.fill_ids[message.fill.fill_id] = None


def keep_foreign_shares(state: State, message: ForeignTradeJudged, at: datetime) -> None:
    """What was not taken into our books is the person's: shares, and the cash they cost.

    What is netted goes the other way: out of the person's books into ours.
    """
    fill = message.fill
    rest = fill.quantity - message.adopted_quantity
    if message.is_netted:
        rest = -message.adopted_quantity
    if rest == 0:
        return
    signed = rest if fill.side is Side.BUY else -rest
    books = state.books
    left = books.foreign_shares.get(fill.symbol, ZERO) + signed
    books.foreign_shares.pop(fill.symbol, None)
    if left != 0:
        books.foreign_shares[fill.symbol] = left
    if message.is_in_cash:
        books.foreign_cash_usd -= signed * fill.price + fill.fee_usd * rest / fill.quantity


def split_foreign_shares(state: State, message: SplitApplied, at: datetime) -> None:
    """A person's shares are split too; what is left of a share is paid in cash."""
    shares = state.books.foreign_shares.pop(message.symbol, ZERO)
    after = shares * message.shares_per_share
    if shares == whole_shares(shares):
        after = whole_shares(after)
    if after != 0:
        state.books.foreign_shares[message.symbol] = after


def note_halt(state: State, message: TradingHalted, at: datetime) -> None:
    """Was it the books?"""
    state.books.is_halted_by_mismatch = message.cause is HaltCause.MISMATCH


def trust_broker(state: State, message: TradingResumed, at: datetime) -> None:
    """A person resumed after a mismatch."""
    state.books.trusts_broker = state.books.is_halted_by_mismatch
    state.books.is_halted_by_mismatch = False


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: begin,
    SetTimer: plan_look,
    BrokerSnapshotReceived: count_look,
    BooksCompared: keep_doubts,
    ForeignOrdersSeen: keep_foreign_orders,
    OrderFilled: add_turnover,
    ForeignFilled: keep_foreign_fill,
    ForeignTradeJudged: keep_foreign_shares,
    SplitApplied: split_foreign_shares,
    TradingHalted: note_halt,
    TradingResumed: trust_broker,
}
