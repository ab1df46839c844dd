"""What bounds the loss of a position: a stop at the broker, the bot's own watch, an exit, nothing.

A position that lost its protection gets it back at once if that is possible. If it is not back
within the grace, a person is told and every further step is harder: ask the broker, place the
stop again, leave the position, halt. What exactly is sent is the risk stage's to say.

A stop at the broker works in the regular session only, and a broker that is closed lets go of it
only at the open. Where trading before and after hours is switched on, nothing is therefore placed
outside the session: the bot watches the quotes and has to be able to sell. Without a quote it asks
for one. The broker's stop comes at the open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.calendar import PRE_OPENS_BEFORE
from catalyst_bot.domain.enums import (
    OrderRole,
    OrderStatus,
    ProtectedBy,
    ProtectionStep,
    SessionPhase,
    Severity,
)
from catalyst_bot.domain.messages.commands import (
    ClearTimer,
    LookUpOrder,
    SendNotification,
    SetTimer,
    WatchSymbol,
)
from catalyst_bot.domain.messages.decisions import ProtectionChanged, ProtectionNeeded
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.execution.brackets import parent_id_of
from catalyst_bot.execution.hours import phase_now, watches_itself
from catalyst_bot.execution.order_states import is_at_broker
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import Guard, State
from catalyst_bot.execution.working import (
    at_broker,
    cancel_new,
    in_the_way,
    legs_at_broker,
    release,
    sent_in,
)
from catalyst_bot.ports.desk import Desk

GUARD = "guard:"
LIVE = frozenset({OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED})
RETRY = timedelta(seconds=60)
LONGEST_RETRY = timedelta(minutes=15)
HALT_AT = 3  # times the grace ran out
QUICK_TRIES = 3
_WORDS = {
    ProtectedBy.BROKER_STOP: "a stop at the broker",
    ProtectedBy.WATCHER: "the bot watches the quotes",
    ProtectedBy.LEAVING: "an exit is at work",
    ProtectedBy.NONE: "nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the message being handled changes, before it is remembered."""

    ended: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    is_priced: bool = False
    is_blind: bool | None = None


NO_CHANGE = Change()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Shares of a symbol by what will sell them. `coming` are stops that are not confirmed yet,
    `waiting` are shares of exits that are not sent yet because something is in their way.
    """

    stops: Decimal
    coming: tuple[OrderTicket, ...]
    exits: Decimal
    waiting: Decimal

    @property
    def coming_quantity(self) -> Decimal:
        """Shares that stops on their way will cover."""
        return sum((t.quantity - t.filled_quantity for t in self.coming), start=ZERO)


def cover_of(state: State, symbol: str, change: Change = NO_CHANGE) -> Cover:
    """Add up what will sell the shares of a symbol."""
    stops = exits = waiting = ZERO
    coming: list[OrderTicket] = []
    for ticket in state.open_tickets.values():
        order_id = ticket.client_order_id
        if ticket.symbol != symbol or order_id in change.ended:
            continue
        if ticket.role is OrderRole.EXIT:
            left = ticket.quantity - ticket.filled_quantity
            if is_at_broker(ticket) or order_id in change.sent:
                exits += left
            elif order_id not in state.queued:
                waiting += left
        elif ticket.role is OrderRole.STOP_LOSS:
            if ticket.status in LIVE or order_id in change.accepted:
                stops += _left_of(state, ticket)
            else:
                coming.append(ticket)
    return Cover(stops=stops, coming=tuple(coming), exits=exits, waiting=waiting)


def _left_of(state: State, stop: OrderTicket) -> Decimal:
    """Shares the stop can still sell: of an entry that still buys, what it has bought so far."""
    entry = state.open_tickets.get(parent_id_of(stop))
    if entry is None or entry.role is not OrderRole.ENTRY:
        return stop.quantity - stop.filled_quantity
    sold = entry.quantity - stop.quantity + stop.filled_quantity
    return max(entry.filled_quantity - sold, ZERO)


def protected_by(
    state: State, position: Position, desk: Desk, rules: Rules, change: Change = NO_CHANGE
) -> ProtectedBy:
    """Return what bounds the loss of the position now.

    Less than a share cannot be stopped at a broker; the watch sells it.
    """
    needed = whole_shares(position.quantity)
    if needed == 0:
        return ProtectedBy.WATCHER
    cover = cover_of(state, position.symbol, change)
    phase = phase_now(desk)
    is_own_hour = watches_itself(desk, rules)
    if cover.stops >= needed and not is_own_hour:
        return ProtectedBy.BROKER_STOP
    if cover.exits > 0 and cover.exits + cover.stops >= needed:
        return ProtectedBy.LEAVING
    if is_own_hour and phase is SessionPhase.CLOSED:
        return ProtectedBy.WATCHER  # nothing trades until the watch begins again
    is_trading = is_own_hour or phase is SessionPhase.REGULAR
    if is_trading and _sees(state, position.symbol, desk, rules, change):
        return ProtectedBy.WATCHER
    return ProtectedBy.BROKER_STOP if cover.stops >= needed else ProtectedBy.NONE


def _sees(state: State, symbol: str, desk: Desk, rules: Rules, change: Change) -> bool:
    """True when the watch has had a quote of the symbol lately."""
    if state.is_blind if change.is_blind is None else change.is_blind:
        return False
    seen_at = desk.now if change.is_priced else state.priced_at.get(symbol)
    silence = timedelta(seconds=rules.working.watcher_silence_s)
    return seen_at is not None and desk.now - seen_at <= silence


def review(
    state: State,
    position: Position,
    desk: Desk,
    rules: Rules,
    change: Change = NO_CHANGE,
    *,
    asks_anew: bool = False,
    is_adopted: bool = False,
) -> list[Message]:
    """Say when the protection of a position changed, and ask for a stop where one is missing.

    It is asked for once, then the timer repeats it (`asks_anew`: a new session begins). Of a
    position that was just adopted it is asked at any hour, because nothing else says where its
    stop is. Stops for more than is held are cancelled: when they are off, the right one is asked
    for. While the books are not compared nothing is known of the position for sure.
    """
    if state.books.holds(position.symbol):
        return []
    by = protected_by(state, position, desk, rules, change)
    guard = state.guards.get(position.trade_id)
    outcome: list[Message] = []
    if guard is None or guard.protected_by is not by:
        outcome += _changed(position, guard, by, desk, rules)
    cover = cover_of(state, position.symbol, change)
    is_leaving = cover.exits + cover.waiting > 0
    if not is_leaving and cover.stops > whole_shares(position.quantity):
        legs = legs_at_broker(state, position.symbol, but=change.ended)
        return [*outcome, *cancel_new(state, legs, desk, rules)]
    known = guard if guard is not None and is_same_trouble(guard.protected_by, by) else None
    is_asked = known is not None and known.steps > 0
    missing = _missing(position, cover)
    is_bare = by in {ProtectedBy.NONE, ProtectedBy.WATCHER}
    is_wanted = is_adopted or (is_bare and not watches_itself(desk, rules))
    is_coming = bool(cover.coming) or _is_sent(state, position, change)
    if is_wanted and (asks_anew or not is_asked) and not is_coming and missing > 0:
        step = ProtectionStep.PLACE_STOP
        tried = known.escalation if known is not None else 0
        wanted = _to_stop(position, cover)
        outcome.append(_need(position, step, wanted, escalation=tried, detail="no stop"))
    return outcome


def _is_sent(state: State, position: Position, change: Change) -> bool:
    """True when the stop that waited goes out with what is being decided.

    A second one would have to cancel it to take its place, and so on without end.
    """
    waiting = state.pending_stops.get(position.trade_id)
    return waiting is not None and waiting.client_order_id in change.sent


def is_same_trouble(before: ProtectedBy, after: ProtectedBy) -> bool:
    """True when nothing was won by a change: a stop at the broker begins a new count, and so does
    a watch where there was nothing.

    Else an exit that fails at once would be followed by the next one at once, without end.
    """
    is_seen_again = before is ProtectedBy.NONE and after is ProtectedBy.WATCHER
    return before is after or not (is_seen_again or ProtectedBy.BROKER_STOP in {before, after})


def _changed(
    position: Position, guard: Guard | None, by: ProtectedBy, desk: Desk, rules: Rules
) -> list[Message]:
    before = guard.protected_by if guard is not None else None
    detail = f"{_WORDS[by]}, before: {_WORDS[before]}" if before is not None else _WORDS[by]
    outcome: list[Message] = [
        ProtectionChanged(
            trade_id=position.trade_id,
            catalyst_id=position.catalyst_id,
            symbol=position.symbol,
            protected_by=by,
            detail=detail,
        )
    ]
    if by is ProtectedBy.NONE:
        is_old = guard is not None and is_same_trouble(guard.protected_by, by)
        tried = guard.escalation if guard is not None and is_old else 0
        outcome.append(_look_again(position.trade_id, desk, _grace(tried, rules)))
        if watches_itself(desk, rules):
            outcome.append(WatchSymbol(symbol=position.symbol))
    elif by is ProtectedBy.WATCHER:
        outcome.append(_look_again(position.trade_id, desk, _watch_lasts(desk, rules)))
    elif before in {ProtectedBy.NONE, ProtectedBy.WATCHER}:
        outcome.append(ClearTimer(timer_id=f"{GUARD}{position.trade_id}"))
    return outcome


def _look_again(trade_id: str, desk: Desk, wait: timedelta) -> SetTimer:
    return SetTimer(timer_id=f"{GUARD}{trade_id}", due_at=desk.now + wait)


def _grace(tried: int, rules: Rules) -> timedelta:
    """How long a naked position may wait: the grace, and ever longer once trading is halted."""
    quick = timedelta(seconds=rules.working.naked_grace_s)
    if tried < QUICK_TRIES:
        return quick
    doublings = min(tried - QUICK_TRIES, 10)
    return max(quick, min(RETRY * (1 << doublings), LONGEST_RETRY))


def _watch_lasts(desk: Desk, rules: Rules) -> timedelta:
    """How long a watch may be believed without looking: by night until it begins again."""
    silence = timedelta(seconds=rules.working.watcher_silence_s)
    if phase_now(desk) is not SessionPhase.CLOSED:
        return silence
    begins_at = desk.calendar.next_session(desk.now).opens_at - PRE_OPENS_BEFORE
    return begins_at - desk.now + silence


def _missing(position: Position, cover: Cover) -> Decimal:
    promised = cover.stops + cover.coming_quantity + cover.exits + cover.waiting
    return whole_shares(position.quantity) - promised


def _to_stop(position: Position, cover: Cover) -> Decimal:
    """Shares a new stop has to cover: the old stops are taken off before it is sent."""
    return whole_shares(position.quantity) - cover.exits - cover.waiting


def _need(
    position: Position, step: ProtectionStep, quantity: Decimal, *, escalation: int, detail: str
) -> ProtectionNeeded:
    return ProtectionNeeded(
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        symbol=position.symbol,
        quantity=quantity,
        step=step,
        escalation=escalation,
        detail=detail,
    )


def on_guard_timer(
    state: State, position: Position | None, desk: Desk, rules: Rules
) -> list[Message]:
    """The grace is over, or a watch has to be looked at again."""
    guard = state.guards.get(position.trade_id) if position is not None else None
    if position is None or guard is None:
        return []
    if state.books.holds(position.symbol):
        return [_look_again(position.trade_id, desk, _grace(guard.escalation, rules))]
    by = protected_by(state, position, desk, rules)
    if by is not guard.protected_by:
        return review(state, position, desk, rules)
    if by is ProtectedBy.WATCHER:
        return _keep_watching(state, position, guard, desk, rules)
    return _escalate(state, position, guard, desk, rules) if by is ProtectedBy.NONE else []


def _keep_watching(
    state: State, position: Position, guard: Guard, desk: Desk, rules: Rules
) -> list[Message]:
    """Watch on; in the regular session ask for the broker's stop again."""
    lasts = _watch_lasts(desk, rules)
    cover = cover_of(state, position.symbol)
    missing = _missing(position, cover)
    if phase_now(desk) is not SessionPhase.REGULAR or not missing > 0:
        return [_look_again(position.trade_id, desk, lasts)]
    step = ProtectionStep.PLACE_STOP
    return [
        _need(
            position,
            step,
            _to_stop(position, cover),
            escalation=guard.escalation,
            detail="only watched",
        ),
        _look_again(position.trade_id, desk, min(lasts, RETRY)),
    ]


def _escalate(
    state: State, position: Position, guard: Guard, desk: Desk, rules: Rules
) -> list[Message]:
    """Take the next step for a naked position, tell a person, and come back."""
    count = guard.escalation + 1
    cover = cover_of(state, position.symbol)
    step, moves, why = _next_step(state, position, guard, cover, desk, rules=rules)
    missing = max(whole_shares(position.quantity) - cover.stops - cover.exits, ZERO)
    naked_s = (desk.now - guard.since).total_seconds()
    wait = _grace(count, rules)
    if watches_itself(desk, rules):
        wait = max(wait, RETRY)  # prices that fail for seconds are no reason to sell
    told = SendNotification(
        severity=Severity.CRITICAL,
        title=f"{position.symbol} has no stop",
        text=f"{missing} shares for {naked_s:.0f} s: {why}",
        trail_id=position.catalyst_id,
        symbol=position.symbol,
    )
    is_stop = step is ProtectionStep.PLACE_STOP
    wanted = _to_stop(position, cover) if is_stop else missing
    return [
        _need(position, step, wanted, escalation=count, detail=why),
        *moves,
        told,
        _look_again(position.trade_id, desk, wait),
    ]


Step = tuple[ProtectionStep, list[Message], str]


def _next_step(
    state: State,
    position: Position,
    guard: Guard,
    cover: Cover,
    desk: Desk,
    *,
    rules: Rules,
) -> Step:
    """Say what comes next, with what execution itself does for it, and why.

    After the halt the stop and the exit are tried in turns. In the bot's own hours a quote to watch
    by is asked for in place of the stop.
    """
    if guard.escalation == HALT_AT - 1:
        return ProtectionStep.HALT, [], "nothing helped so far: trading is halted"
    is_first = guard.escalation == 0
    asked: list[Message]
    entry = _buying_entry(state, position.symbol)
    if entry is not None and cover.coming:
        return (
            ProtectionStep.ASK_BROKER,
            cancel_new(state, [entry], desk, rules),
            "its entry is still buying and the stop waits for it: the rest is cancelled",
        )
    if cover.waiting > 0:
        blockers = at_broker(state, position.symbol)
        asked = [LookUpOrder(client_order_id=ticket.client_order_id) for ticket in blockers]
        asked += cancel_new(state, blockers, desk, rules)
        return ProtectionStep.ASK_BROKER, asked, "its exit waits for its old orders to go"
    if cover.coming and is_first:
        asked = [LookUpOrder(client_order_id=t.client_order_id) for t in cover.coming]
        return ProtectionStep.ASK_BROKER, asked, "its stop is not confirmed: the broker is asked"
    is_halted = position.symbol in state.halted_symbols
    is_turn = guard.escalation >= HALT_AT and guard.escalation % 2 == 1
    if watches_itself(desk, rules):
        if is_first or is_turn or is_halted:
            asked = [WatchSymbol(symbol=position.symbol)]
            return ProtectionStep.ASK_BROKER, asked, "no quote to watch it by: one is asked for"
        return ProtectionStep.LEAVE, [], "no quote came to watch it by: the position is left"
    can_trade = phase_now(desk) is SessionPhase.REGULAR
    if not cover.coming and (is_first or is_turn or is_halted or not can_trade):
        return ProtectionStep.PLACE_STOP, [], "the stop is placed again"
    return ProtectionStep.LEAVE, [], "no stop could be placed: the position is left"


def _buying_entry(state: State, symbol: str) -> OrderTicket | None:
    return next(
        (
            ticket
            for ticket in state.open_tickets.values()
            if ticket.symbol == symbol and ticket.role is OrderRole.ENTRY and is_at_broker(ticket)
        ),
        None,
    )


def is_without_orders(state: State, position: Position) -> bool:
    """True when no order of ours, finished ones included, is of the position's trade."""
    tickets = (*state.open_tickets.values(), *state.finished_tickets.values())
    return not any(ticket.trade_id == position.trade_id for ticket in tickets)


def _is_untold(guard: Guard, desk: Desk, rules: Rules) -> bool:
    """True when the grace of a naked position ended and nothing was done about it."""
    is_naked = guard.protected_by is ProtectedBy.NONE and guard.escalation == 0
    return is_naked and desk.now - guard.since >= _grace(0, rules)


def go_on(state: State, position: Position, desk: Desk, rules: Rules) -> list[Message]:
    """The books are compared: send what waited for that, or clear its way, and look at what
    protects the position.
    """
    leaving = state.pending_exits.get(position.trade_id)
    waiting = leaving or state.pending_stops.get(position.trade_id)
    outcome = release(state, position, desk, rules)
    if waiting is not None and waiting.client_order_id not in state.queued:
        outcome += cancel_new(state, in_the_way(state, waiting), desk, rules)
    guard = state.guards.get(position.trade_id)
    if guard is not None and not outcome and _is_untold(guard, desk, rules):
        return on_guard_timer(state, position, desk, rules)  # it stood still while books were held
    change = Change(sent=sent_in(outcome))
    is_adopted = guard is None and is_without_orders(state, position)
    return [*outcome, *review(state, position, desk, rules, change, is_adopted=is_adopted)]


def position_of(desk: Desk, trade_id: str) -> Position | None:
    """Return the open position of a trade."""
    return next((p for p in desk.positions.values() if p.trade_id == trade_id), None)


def review_all(
    state: State,
    desk: Desk,
    rules: Rules,
    *,
    change: Change = NO_CHANGE,
    asks_anew: bool = False,
) -> list[Message]:
    """Look at every position: the hour, or what the bot can see, has changed."""
    return [
        message
        for position in desk.positions.values()
        for message in review(state, position, desk, rules, change, asks_anew=asks_anew)
    ]
