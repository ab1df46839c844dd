"""Decide what fills and prices mean for positions and the account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages.commands import UnwatchSymbol, WatchSymbol
from catalyst_bot.domain.messages.decisions import (
    CashAdjusted,
    EquityMarked,
    ForeignTradeJudged,
    MismatchFound,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    OrderFilled,
    QuoteSampled,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SplitApplied,
    SymbolRenamed,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.domain.trading import Fill
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.foreign import adoption
from catalyst_bot.portfolio.state import Books, State
from catalyst_bot.ports.desk import Desk

TELL_MOVE = Decimal("0.0005")  # of equity: a smaller move between bars is not told at once
TELL_AFTER = timedelta(seconds=60)


def _marked(books: Books, at: datetime) -> EquityMarked:
    return EquityMarked(account=ledger.view(books, at))


def _mismatch(fill: Fill, *, ours: str) -> MismatchFound:
    theirs = f"{fill.side.value} {fill.quantity} {fill.symbol} at {fill.price}"
    return MismatchFound(subject=f"fill of order {fill.client_order_id}", ours=ours, theirs=theirs)


def on_run_started(state: State, message: RunStarted, desk: Desk, rules: None) -> list[Message]:
    """The account at the start of the process."""
    return [_marked(ledger.start(state.books, message.starting_cash_usd), desk.now)]


def on_order_filled(state: State, message: OrderFilled, desk: Desk, rules: None) -> list[Message]:
    """What a fill did to its position and to the account; a repeated one does nothing."""
    fill = message.fill
    if fill.fill_id in state.fill_ids:
        return []
    origin = state.origins.get(fill.client_order_id)
    if origin is None:
        return [_mismatch(fill, ours="no such order")]
    booked = ledger.apply_fill(state.books, fill, origin)
    outcome: list[Message] = []
    if booked.books is not state.books:
        outcome += _position_messages(booked, fill, desk)
        outcome.append(_marked(booked.books, desk.now))
    if booked.unbooked_quantity > 0:
        held = booked.before.quantity if booked.before is not None else 0
        outcome.append(_mismatch(fill, ours=f"{held} held"))
    return outcome


def _position_messages(booked: ledger.Booked, fill: Fill, desk: Desk) -> list[Message]:
    """Opened, changed or closed; a symbol is watched while it is held."""
    if booked.before is None and booked.after is not None:
        return [PositionOpened(position=booked.after), WatchSymbol(symbol=fill.symbol)]
    if booked.after is not None:
        return [PositionChanged(position=booked.after)]
    assert booked.before is not None, "a fill that changed the books left no position"
    assert booked.record is not None, "a position that is held has its record"
    trade = ledger.closed_trade(
        booked.before, booked.record, fill=fill, reason=_exit_reason(fill, desk)
    )
    return [PositionClosed(trade=trade), UnwatchSymbol(symbol=fill.symbol)]


def _exit_reason(fill: Fill, desk: Desk) -> ExitReason:
    """Why the order that sold was there; one without a reason was a person's."""
    ticket = desk.order(fill.client_order_id)
    if ticket is None or ticket.exit_reason is None:
        return ExitReason.OPERATOR
    return ticket.exit_reason


def on_bar(state: State, message: BarClosed, desk: Desk, rules: None) -> list[Message]:
    """A held symbol has a new price."""
    bar = message.bar
    if bar.symbol not in state.positions:
        return []
    price = to_decimal(bar.close, "close")
    return [_marked(ledger.mark_price(state.books, bar.symbol, price, desk.now), desk.now)]


def on_quote(state: State, message: QuoteSampled, desk: Desk, rules: None) -> list[Message]:
    """Quotes come every second: a move of the account is told when it matters, or every minute."""
    quote = message.quote
    middle = middle_of(quote)
    if quote.symbol not in state.positions or middle is None:
        return []
    price = to_decimal(middle, "middle of the quote")
    books = ledger.mark_price(state.books, quote.symbol, price, desk.now)
    moved = abs(ledger.equity_usd(books) - state.marked_usd)
    is_old = state.marked_at is None or desk.now - state.marked_at >= TELL_AFTER
    return [_marked(books, desk.now)] if is_old or moved >= TELL_MOVE * state.marked_usd else []


def on_foreign_trade(
    state: State, message: ForeignTradeJudged, desk: Desk, rules: None
) -> list[Message]:
    """What a person's trade did to our books, as far as it was taken into them."""
    fill, origin = adoption(state.books, message)
    if not fill.quantity > 0:
        return []
    booked = ledger.adopt_fill(state.books, fill, origin, is_in_cash=message.is_in_cash)
    return [*_position_messages(booked, fill, desk), _marked(booked.books, desk.now)]


def on_cash_adjusted(state: State, message: CashAdjusted, desk: Desk, rules: None) -> list[Message]:
    """The account after money came or went."""
    return [_marked(ledger.adjust_cash(state.books, message), desk.now)]


def on_split(state: State, message: SplitApplied, desk: Desk, rules: None) -> list[Message]:
    """The same money in other shares."""
    booked = ledger.split(state.books, message.symbol, message.shares_per_share, desk.now)
    if booked.before is None:
        return []
    if booked.after is not None:
        changed: list[Message] = [PositionChanged(position=booked.after)]
    else:
        whole = ledger.cash_in_lieu(booked.before, booked.before.quantity, desk.now)
        changed = _position_messages(booked, whole, desk)
    return [*changed, _marked(booked.books, desk.now)]


def on_renamed(state: State, message: SymbolRenamed, desk: Desk, rules: None) -> list[Message]:
    """The position goes on under another symbol."""
    books = ledger.rename(state.books, message.symbol, message.new_symbol)
    if books is state.books:
        return []
    return [
        UnwatchSymbol(symbol=message.symbol),
        WatchSymbol(symbol=message.new_symbol),
        PositionChanged(position=books.positions[message.new_symbol]),
    ]


def on_session_opened(
    state: State, message: SessionOpened, desk: Desk, rules: None
) -> list[Message]:
    """A new day counts from here."""
    return [_marked(ledger.open_day(state.books), desk.now)]


def on_session_closed(
    state: State, message: SessionClosed, desk: Desk, rules: None
) -> list[Message]:
    """The account at the end of the day."""
    return [_marked(state.books, desk.now)]


DECIDE: dict[type, Callable[[State, Any, Desk, None], list[Message]]] = {
    RunStarted: on_run_started,
    OrderFilled: on_order_filled,
    BarClosed: on_bar,
    QuoteSampled: on_quote,
    ForeignTradeJudged: on_foreign_trade,
    CashAdjusted: on_cash_adjusted,
    SplitApplied: on_split,
    SymbolRenamed: on_renamed,
    SessionOpened: on_session_opened,
    SessionClosed: on_session_closed,
}
