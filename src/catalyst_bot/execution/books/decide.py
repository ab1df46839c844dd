"""The broker's books are the truth: look at them, ask about what differs, take in the rest.

A look is taken at every start, after every reconnect and now and then in a session. A difference
counts only when a second look finds the same one: orders and positions may disagree for seconds,
and every order that differs is asked about meanwhile, so that its missing fills come as facts.
What a person did is adopted or remembered apart; what nothing explains is a mismatch, and risk
halts. When a person resumes after that, what the broker says is taken over. After a start nothing
is sent before the first look is judged: the journal may be older than the account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import BookDifference, BrokerPosition, BrokerSnapshot
from catalyst_bot.domain.enums import ManualPositions, OrderRole, Severity, Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    SendNotification,
    SetTimer,
    TakeBrokerSnapshot,
)
from catalyst_bot.domain.messages.decisions import (
    BooksCompared,
    CashAdjusted,
    ForeignOrdersSeen,
    ForeignTradeJudged,
    MismatchFound,
    OrderWithdrawn,
    PositionChanged,
    PositionOpened,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    AdapterRecovered,
    BrokerSnapshotReceived,
    ForeignFilled,
    LostOrdersFound,
    RunStarted,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO, to_decimal
from catalyst_bot.domain.trading import Fill
from catalyst_bot.execution.order_states import is_finished
from catalyst_bot.execution.protection import go_on
from catalyst_bot.execution.reconcile import (
    adopted_part,
    differences,
    foreign_orders,
    is_confirmed,
    named,
    was_in_first_look,
)
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import CASH, ORDER, POSITION, Reconciliation, State
from catalyst_bot.execution.working import at_broker, cancel_new
from catalyst_bot.ports.desk import Desk

LOOK, SECOND_LOOK = "look:", "second_look:"
TRAIL = "books"
ASKED_ABOUT = 20  # latest finished orders of a symbol that are asked about


def on_run_started(state: State, message: RunStarted, desk: Desk, rules: Rules) -> list[Message]:
    """Every start begins with a look at the broker's books."""
    asked: list[Message] = [TakeBrokerSnapshot(reason="start")]
    planned_at = state.books.next_look_at
    if planned_at is None or planned_at < desk.now:
        asked.append(_next_look(desk, rules))
    return asked


def on_reconnected(
    state: State, message: AdapterRecovered, desk: Desk, rules: Rules
) -> list[Message]:
    """What happened while the broker was away is asked for."""
    if message.adapter not in {"broker", state.books.broker_name}:
        return []
    return [TakeBrokerSnapshot(reason="reconnected")]


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """It is time for a look."""
    if message.timer_id == SECOND_LOOK:
        return [TakeBrokerSnapshot(reason="second look")]
    if message.timer_id == LOOK:
        return [TakeBrokerSnapshot(reason="periodic"), _next_look(desk, rules)]
    return []


def on_trading_resumed(
    state: State, message: TradingResumed, desk: Desk, rules: Rules
) -> list[Message]:
    """A person looked at the mismatch: what the broker says counts from here on."""
    if not state.books.has_mismatch:
        return []
    return [TakeBrokerSnapshot(reason="resumed after a mismatch")]


def _next_look(desk: Desk, rules: Rules) -> SetTimer:
    """Looks come at whole multiples after the open, so that a restart does not move them."""
    every = timedelta(seconds=rules.working.reconcile_every_s)
    try:
        session = desk.calendar.session_at(desk.now)
        following = desk.calendar.next_session(desk.now)
    except BadData:  # outside the table of sessions
        return SetTimer(timer_id=LOOK, due_at=desk.now + every)
    if session is not None:
        count = (desk.now - session.opens_at) // every + 1
        due_at = session.opens_at + count * every
        if due_at < session.closes_at:
            return SetTimer(timer_id=LOOK, due_at=due_at)
    return SetTimer(timer_id=LOOK, due_at=following.opens_at + every)


def on_snapshot(
    state: State, message: BrokerSnapshotReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """Compare, ask about what is new, judge what a second look confirms.

    What is taken over hides whether the cash differs: it is looked at again.
    """
    snapshot, books = message.snapshot, state.books
    outcome = _foreign_orders(state, snapshot)
    earlier = _held_before(state, snapshot, desk) if books.looks == 0 else []
    for held in earlier:
        outcome += _take_over(state, held.symbol, held.quantity, held, desk, rules=rules)
    taken = {held.symbol for held in earlier}
    found = [
        difference
        for difference in differences(
            state, snapshot, positions=desk.positions, cash_usd=desk.account.cash_usd
        )
        if named(difference.subject)[1] not in taken
    ]
    confirmed = [d for d in found if is_confirmed(books, d)]
    fresh = [d for d in found if d not in confirmed]
    if found or books.doubts or books.trusts_broker or books.turnover_usd > 0:
        outcome.append(BooksCompared(differences=tuple(found)))
    outcome += _questions(state, fresh)
    for difference in confirmed:
        outcome += _judge(state, difference, snapshot, desk, rules)
    is_taken_over = any(isinstance(m, ForeignTradeJudged) for m in outcome)
    if fresh or is_taken_over or (confirmed and books.trusts_broker):
        due_at = desk.now + timedelta(seconds=rules.working.second_look_after_s)
        outcome.append(SetTimer(timer_id=SECOND_LOOK, due_at=due_at))
    after = replace(
        books,
        is_starting=books.is_starting and bool(fresh),
        doubts={d.subject: (d.ours, d.theirs) for d in found},
        has_mismatch=books.has_mismatch or any(isinstance(m, MismatchFound) for m in outcome),
        trusts_broker=books.trusts_broker and bool(found),
    )
    return outcome + _go_on(state, after, desk, rules)


def _go_on(state: State, books: Reconciliation, desk: Desk, rules: Rules) -> list[Message]:
    """Send what waited for this look, as far as the books after it allow."""
    after = replace(state, books=books)
    return [
        message
        for position in desk.positions.values()
        if state.books.holds(position.symbol) and not books.holds(position.symbol)
        for message in go_on(after, position, desk, rules)
    ]


def _foreign_orders(state: State, snapshot: BrokerSnapshot) -> list[Message]:
    """Keep a person's open orders in mind; tell of new ones."""
    theirs = foreign_orders(state, snapshot)
    known = state.books.foreign_orders
    if {order.client_order_id: order for order in theirs} == known:
        return []
    new = [order for order in theirs if order.client_order_id not in known]
    told = (
        _tell(
            f"An order that is not ours: {order.symbol}",
            f"{order.side or 'an order for'} {order.quantity:f} {order.symbol} at the broker; it "
            "counts as exposure and is left alone",
        )
        for order in new
    )
    return [ForeignOrdersSeen(orders=theirs), *told]


def on_lost_orders(
    state: State, message: LostOrdersFound, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell a person that the journal is older than the account."""
    text = (
        f"the broker knows {len(message.order_ids)} orders of the bot that it does not: what they "
        "traded is taken in before anything is sent"
    )
    return [_tell("The journal is older than the account", text)]


def _held_before(state: State, snapshot: BrokerSnapshot, desk: Desk) -> list[BrokerPosition]:
    """Positions from before our books began: the first look finds them, and we never traded."""
    known = desk.positions.keys() | state.books.foreign_shares.keys() | state.books.touched.keys()
    return [held for held in snapshot.positions if held.quantity != 0 and held.symbol not in known]


def _questions(state: State, fresh: list[BookDifference]) -> list[Message]:
    """Ask about every order that may explain a difference: its fills come as facts."""
    asked: dict[str, None] = {}
    for difference in fresh:
        kind, name = named(difference.subject)
        if kind == ORDER:
            asked[name] = None
        elif kind == POSITION:
            done = [t for t in state.finished_tickets.values() if t.symbol == name]
            at_work = [t for t in state.open_tickets.values() if t.symbol == name]
            asked |= dict.fromkeys(t.client_order_id for t in [*at_work, *done[-ASKED_ABOUT:]])
    return [LookUpOrder(client_order_id=order_id) for order_id in asked]


def _judge(
    state: State,
    difference: BookDifference,
    snapshot: BrokerSnapshot,
    desk: Desk,
    rules: Rules,
) -> list[Message]:
    """Explain a confirmed difference, or declare it."""
    kind, name = named(difference.subject)
    mismatch = MismatchFound(
        subject=difference.subject, ours=difference.ours, theirs=difference.theirs
    )
    books = state.books
    if kind == CASH:
        amount = Decimal(difference.theirs) - Decimal(difference.ours)
        return _judge_cash(state, amount, mismatch, desk, rules)
    if kind == ORDER:
        ticket = state.ticket(name)
        if not books.trusts_broker or ticket is None:
            return [mismatch]
        if is_finished(ticket):
            return [CancelOrder(client_order_id=name, catalyst_id=ticket.catalyst_id)]
        return [
            OrderWithdrawn(
                client_order_id=name,
                catalyst_id=ticket.catalyst_id,
                symbol=ticket.symbol,
                reason="the broker does not have it, and a person resumed",
            )
        ]
    is_never_ours = name not in books.touched and name not in desk.positions
    if not is_never_ours and not books.trusts_broker:
        return [mismatch]
    held = next((p for p in snapshot.positions if p.symbol == name), None)
    change = Decimal(difference.theirs) - Decimal(difference.ours)
    return _take_over(state, name, change, held, desk, rules=rules, is_in_cash=True)


def _judge_cash(
    state: State, amount: Decimal, mismatch: MismatchFound, desk: Desk, rules: Rules
) -> list[Message]:
    """Small sums are fees, interest and rounding; a large one that came in is a deposit. Where a
    large one went, a person has to say.
    """
    working, equity_usd = rules.working, desk.account.equity_usd
    tolerance = max(to_decimal(working.cash_tolerance_fraction) * equity_usd, Decimal(1))
    if amount < 0:
        tolerance += to_decimal(working.fee_tolerance_fraction) * state.books.turnover_usd
    if abs(amount) <= tolerance:
        reason = "fees, interest and rounding"
        return [CashAdjusted(amount_usd=amount, is_flow=False, reason=reason)]
    if amount < 0 and not state.books.trusts_broker:
        return [mismatch]
    reason = "a deposit or transfer" if amount > 0 else "a withdrawal, confirmed by a person"
    return [
        CashAdjusted(amount_usd=amount, is_flow=True, reason=reason),
        _tell("The account's cash changed", f"{amount:+f} USD that no trade explains: {reason}"),
    ]


def _take_over(
    state: State,
    symbol: str,
    change: Decimal,
    held: BrokerPosition | None,
    desk: Desk,
    *,
    rules: Rules,
    is_in_cash: bool = False,
) -> list[Message]:
    """Treat a position of theirs (or what is missing of ours) as a person's trade at its cost."""
    position = desk.positions.get(symbol)
    price = position.last_price if position is not None else held.average_cost if held else ZERO
    order_id = ids.content_id("foreign", symbol, f"{change:f}", desk.now.isoformat())
    fill = Fill(
        fill_id=ids.fill_id(order_id),
        client_order_id=order_id,
        symbol=symbol,
        side=Side.BUY if change > 0 else Side.SELL,
        quantity=abs(change),
        price=price,
        fee_usd=ZERO,
        filled_at=desk.now,
    )
    reason = "found at the broker" if is_in_cash else "held before the bot's books began"
    return _judged(state, fill, reason, desk, rules=rules, is_in_cash=is_in_cash)


def on_foreign_filled(
    state: State, message: ForeignFilled, desk: Desk, rules: Rules
) -> list[Message]:
    """A person traded. What happened before our books began is in the account they began with; of
    what the first look showed already only the cash is missing.
    """
    fill, began_at = message.fill, state.books.began_at
    if fill.fill_id in state.fill_ids or (began_at is not None and fill.filled_at < began_at):
        return []
    if was_in_first_look(state.books, fill):
        return _paid_for(fill)
    is_lost = fill.client_order_id.startswith(ids.OUR_PREFIX)
    reason = "by an order that our journal lost" if is_lost else "traded at the broker"
    return _judged(state, fill, reason, desk, rules=rules, is_in_cash=True)


def _paid_for(fill: Fill) -> list[Message]:
    """The shares came into the books as if they had been brought in; now their price goes out."""
    cost_usd = fill.quantity * fill.price + fill.fee_usd
    reason = "bought between the bot's start and its first look"
    what = f"{fill.side} {fill.quantity:f} {fill.symbol} at {fill.price:f}, {reason}"
    return [
        CashAdjusted(amount_usd=-cost_usd, is_flow=True, reason=reason),
        _tell(
            f"A trade that is not ours: {fill.symbol}",
            f"{what}; the shares are in the books since that look",
        ),
    ]


def on_position_changed(
    state: State, message: PositionOpened | PositionChanged, desk: Desk, rules: Rules
) -> list[Message]:
    """A venue nets: who was short while our purchase was still under way sold our shares."""
    position = message.position
    short = -state.books.foreign_shares.get(position.symbol, ZERO)
    if not short > 0:
        return []
    quantity = min(short, position.quantity)
    order_id = ids.content_id("foreign", position.symbol, "netted", desk.now.isoformat())
    fill = Fill(
        fill_id=ids.fill_id(order_id),
        client_order_id=order_id,
        symbol=position.symbol,
        side=Side.SELL,
        quantity=quantity,
        price=position.last_price,
        fee_usd=ZERO,
        filled_at=desk.now,
    )
    return [
        ForeignTradeJudged(
            fill=fill,
            adopted_quantity=quantity,
            is_in_cash=True,
            is_netted=True,
            reason="sold while our purchase was under way",
        )
    ]


def _judged(
    state: State, fill: Fill, reason: str, desk: Desk, *, rules: Rules, is_in_cash: bool
) -> list[Message]:
    position = desk.positions.get(fill.symbol)
    part = adopted_part(
        fill,
        held=position.quantity if position is not None else ZERO,
        foreign=state.books.foreign_shares.get(fill.symbol, ZERO),
        adopts_purchases=rules.working.manual_positions is ManualPositions.ADOPT,
    )
    what = f"{fill.side} {fill.quantity:f} {fill.symbol} at {fill.price:f}, {reason}"
    told = f"{what}; {part:f} taken into our books"
    return [
        ForeignTradeJudged(fill=fill, adopted_quantity=part, is_in_cash=is_in_cash, reason=reason),
        _tell(f"A trade that is not ours: {fill.symbol}", told),
        *_buy_no_more(state, fill, desk, rules),
    ]


def _buy_no_more(state: State, fill: Fill, desk: Desk, rules: Rules) -> list[Message]:
    """Who sells what is still being bought wants no more of it, and its legs, live once all is
    bought, would sell more than is left.
    """
    theirs = max(state.books.foreign_shares.get(fill.symbol, ZERO), ZERO)
    if fill.side is Side.BUY or fill.quantity <= theirs:
        return []
    orders = at_broker(state, fill.symbol)
    return cancel_new(state, [t for t in orders if t.role is OrderRole.ENTRY], desk, rules)


def _tell(title: str, text: str) -> SendNotification:
    return SendNotification(severity=Severity.WARNING, title=title, text=text, trail_id=TRAIL)


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    RunStarted: on_run_started,
    AdapterRecovered: on_reconnected,
    TimerFired: on_timer,
    TradingResumed: on_trading_resumed,
    BrokerSnapshotReceived: on_snapshot,
    ForeignFilled: on_foreign_filled,
    LostOrdersFound: on_lost_orders,
    PositionOpened: on_position_changed,
    PositionChanged: on_position_changed,
}
