"""Remember where the comparison with the broker stands, and what is a person's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages.commands import UNDER_WAY, SetTimer
from catalyst_bot.domain.messages.decisions import (
    BooksCompared,
    ForeignOrdersSeen,
    ForeignTradeJudged,
    MismatchFound,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    BrokerSnapshotReceived,
    ForeignFilled,
    LostOrdersFound,
    OrderFilled,
    RunStarted,
    SplitApplied,
)
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.execution.books.decide import LOOK
from catalyst_bot.execution.reconcile import is_confirmed, was_in_first_look
from catalyst_bot.execution.state import State


def begin(state: State, message: RunStarted, at: datetime) -> None:
    """Our books begin with the first start of a journal; a start compares them first, unless the
    broker is made again from the journal. What the last process sent may still be on its way, by
    whatever clock that process went.
    """
    arrived_by = at + UNDER_WAY
    state.valid_until = {each: max(by, arrived_by) for each, by in state.valid_until.items()}
    state.books.began_at = state.books.began_at or at
    state.books.broker_name = message.broker
    state.books.is_starting = message.compares_books


def plan_look(state: State, message: SetTimer, at: datetime) -> None:
    """When the next look is due."""
    if message.timer_id == LOOK:
        state.books.next_look_at = message.due_at


def count_look(state: State, message: BrokerSnapshotReceived, at: datetime) -> None:
    """The broker answered. A look at which nothing differs ends the start."""
    books = state.books
    books.looks += 1
    books.first_look_at = books.first_look_at or at
    books.is_start_look, books.is_starting = books.is_starting, False


def keep_lost_ids(state: State, message: LostOrdersFound, at: datetime) -> None:
    """These ids are taken for ever."""
    state.books.lost_order_ids.update(message.order_ids)


def keep_doubts(state: State, message: BooksCompared, at: datetime) -> None:
    """What differed at this look; once nothing does, the broker need not be trusted blindly.

    A start goes on until a second look has confirmed what differs.
    """
    is_judged = all(is_confirmed(state.books, each) for each in message.differences)
    state.books.is_starting = state.books.is_start_look and not is_judged
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
    """The same trade is judged once, and explains shares of the first look once."""
    fill, books = message.fill, state.books
    if fill.fill_id not in state.fill_ids and was_in_first_look(books, fill):
        books.first_held[fill.symbol] -= fill.quantity
    state.fill_ids[fill.fill_id] = None


def keep_foreign_shares(state: State, message: ForeignTradeJudged, at: datetime) -> None:
    """What was not taken into our books is the person's: shares, and the cash they cost.

    What is netted goes the other way: out of the person's books into ours. What the first look
    found is remembered: the news of its purchase may still come.
    """
    fill = message.fill
    if not message.is_in_cash and fill.side is Side.BUY:
        state.books.first_held[fill.symbol] = fill.quantity
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


def note_mismatch(state: State, message: MismatchFound, at: datetime) -> None:
    """Trading halts for it, unless it is halted already for something else."""
    state.books.has_mismatch = True


def trust_broker(state: State, message: TradingResumed, at: datetime) -> None:
    """A person resumed after a mismatch."""
    state.books.trusts_broker = state.books.has_mismatch
    state.books.has_mismatch = False


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: begin,
    SetTimer: plan_look,
    BrokerSnapshotReceived: count_look,
    LostOrdersFound: keep_lost_ids,
    BooksCompared: keep_doubts,
    ForeignOrdersSeen: keep_foreign_orders,
    OrderFilled: add_turnover,
    ForeignFilled: keep_foreign_fill,
    ForeignTradeJudged: keep_foreign_shares,
    SplitApplied: split_foreign_shares,
    MismatchFound: note_mismatch,
    TradingResumed: trust_broker,
}
