"""How far each rule is from saying no, in dollars and counts: pure, over the state risk decides on.

The edge is found by asking the very gauges that the checks ask, cent by cent: an entry of `room`
passes, one a cent larger does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.money import CENT, ZERO, to_decimal
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import gauges
from catalyst_bot.risk.book import read_book
from catalyst_bot.risk.state import State

MAX_NUDGES = 1_000  # cents between a sum in decimals and the same one in floats: one or two


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left until a rule speaks. `room` is in `unit` (usd, count, state); in `state` 1 means
    that it passes. `is_closed`: it says no now, whatever is asked for.
    """

    rule: str
    room: Decimal
    unit: str
    text: str
    is_closed: bool = False


def rooms(state: State, desk: Desk, limits: RiskLimits) -> tuple[Room, ...]:
    """Return the room of every rule that has an edge, those that say no first."""
    found = [
        *_conditions(state, desk),
        *_sizes(state, desk, limits),
        _trades_today(state, limits),
        *_losses(state, desk.account, limits),
        *_strategies(state, limits),
    ]
    return tuple(sorted(found, key=lambda room: not room.is_closed))


def largest_entry_usd(state: State, desk: Desk, limits: RiskLimits) -> Room:
    """Return the size rule that speaks first: what the next order may cost at most."""
    return min(_sizes(state, desk, limits), key=lambda room: room.room)


def _conditions(state: State, desk: Desk) -> Iterator[Room]:
    states = {state.trading_state, desk.trading_state}
    if states != {TradingState.ACTIVE}:
        cause = f" ({state.halt_cause})" if state.halt_cause is not None else ""
        yield _closed("trading_state", f"{'/'.join(sorted(states))}{cause}")
    try:
        session = desk.calendar.session_at(desk.now)
        opens_at = desk.calendar.next_session(desk.now).opens_at
    except BadData as error:
        yield _closed("session_open", str(error))
        return
    if session is None:
        yield _closed("session_open", f"no session until {opens_at:%Y-%m-%d %H:%M} UTC")


def _closed(rule: str, why: str) -> Room:
    text = f"every entry is refused by {rule}: {why}"
    return Room(rule=rule, room=ZERO, unit="state", text=text, is_closed=True)


def _sizes(state: State, desk: Desk, limits: RiskLimits) -> Iterator[Room]:
    """What one more entry may cost, by each rule that counts dollars of it."""
    account = desk.account
    used_usd = read_book(state, desk, limits).exposure_usd
    for rule, limit, used in (
        ("position_size", limits.max_position_fraction, ZERO),
        ("exposure", limits.max_exposure_fraction, used_usd),
        ("leverage", limits.max_leverage, used_usd),
    ):
        room = _largest(account.equity_usd * to_decimal(limit) - used, _fits(account, used, limit))
        is_closed = room < limits.min_trade_usd
        least = f"{_usd(room)} is left, {_usd(limits.min_trade_usd)} is the least traded"
        text = (
            f"every entry is refused by {rule}: {least}"
            if is_closed
            else f"next order over {_usd(room)} would be refused by {rule}"
        )
        yield Room(rule=rule, room=room, unit="usd", text=text, is_closed=is_closed)


def _fits(account: AccountView, used_usd: Decimal, limit: float) -> Callable[[Decimal], bool]:
    """The question that the check of a size asks."""
    return lambda size: gauges.fraction_of_equity(used_usd + size, account) <= limit


def _trades_today(state: State, limits: RiskLimits) -> Room:
    left = max(limits.max_daily_trades - state.entries_today - len(state.pending), 0)
    text = (
        f"{left} more entries today, the next would be refused by daily_trades"
        if left
        else f"every entry is refused by daily_trades: {limits.max_daily_trades} were made today"
    )
    return Room(
        rule="daily_trades", room=Decimal(left), unit="count", text=text, is_closed=not left
    )


def _losses(state: State, account: AccountView, limits: RiskLimits) -> Iterator[Room]:
    """How much may be lost before trading halts; reaching the limit is the halt."""
    peak_usd = state.reviewed_peak_usd
    for rule, limit, above_usd, observed in (
        (
            "daily_loss",
            limits.max_daily_loss_fraction,
            account.day_open_equity_usd,
            gauges.daily_loss,
        ),
        (
            "drawdown",
            limits.max_drawdown_fraction,
            min(account.peak_equity_usd, peak_usd or account.peak_equity_usd),
            lambda view: gauges.drawdown(view, peak_usd),
        ),
    ):
        floor_usd = above_usd * (1 - to_decimal(limit))
        room = _largest(account.equity_usd - floor_usd, _survives(account, observed, limit))
        is_closed = not observed(account) < limit
        text = (
            f"every entry is refused by {rule}: the limit is reached"
            if is_closed
            else f"a loss over {_usd(room)} more would halt trading by {rule}"
        )
        yield Room(rule=rule, room=room, unit="usd", text=text, is_closed=is_closed)


def _survives(
    account: AccountView, observed: Callable[[AccountView], float], limit: float
) -> Callable[[Decimal], bool]:
    """The question that the breaker asks, after a loss."""
    return lambda loss: observed(replace(account, equity_usd=account.equity_usd - loss)) < limit


def _strategies(state: State, limits: RiskLimits) -> Iterator[Room]:
    for strategy_id, record in sorted(state.strategies.items()):
        if record.is_paused:
            until = record.paused_until
            rest = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until a person resumes"
            why = f"{strategy_id} rests {rest}"
            yield replace(_closed("strategy_paused", why), text=f"{why}: its entries are refused")
            continue
        left = max(limits.pause_after_consecutive_losses - record.consecutive_losses, 0)
        yield Room(
            rule="consecutive_losses",
            room=Decimal(left),
            unit="count",
            text=f"{left} more losses in a row would pause {strategy_id}",
        )


def _largest(estimate: Decimal, passes: Callable[[Decimal], bool]) -> Decimal:
    """Return the largest amount of whole cents that passes, 0 when none does.

    The checks compare floats, the estimate is decimal: they differ by a cent at most.
    """
    if not estimate.is_finite() or estimate < 0:
        return ZERO
    amount = estimate.quantize(CENT, rounding=ROUND_DOWN)
    for _ in range(MAX_NUDGES):
        if amount > 0 and not passes(amount):
            amount -= CENT
        elif passes(amount + CENT):
            amount += CENT
        else:
            break
    return amount if passes(amount) else ZERO


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}"
