"""What a person has to look at before trading goes on: items read from what the bot knows.

Nothing resumes by itself. An item that things themselves settle is met; each other one has to be
confirmed by its name, so that nobody resumes past what they did not see.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from catalyst_bot.domain.enums import HaltCause, OrderStatus
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import gauges
from catalyst_bot.risk.state import State

_BY_A_PERSON = frozenset({None, HaltCause.OPERATOR, HaltCause.KILL_SWITCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to look at: met by itself, or to be confirmed by name.

    `question` asks for it in words, `note` says how it is.
    """

    name: str
    question: str
    is_met: bool
    note: str


def checklist(state: State, desk: Desk, limits: RiskLimits) -> tuple[Item, ...]:
    """Return every item, as things are now.

    An item that is not met says what resuming will do about it, where it does anything.
    """
    return (
        _cause(state),
        _books(state),
        _orders(desk),
        _protection(state),
        _daily_loss(desk, limits),
        _drawdown(state, desk, limits),
        _broker(state),
    )


def still_open(items: Collection[Item], confirmed: Collection[str]) -> tuple[Item, ...]:
    """Return the items that nothing and nobody settled yet."""
    return tuple(item for item in items if not item.is_met and item.name not in confirmed)


def _cause(state: State) -> Item:
    """A person's own halt needs only their reason; any other cause has to be named."""
    cause = state.halt_cause
    told = f"halted by {cause}: {state.halt_detail}" if cause is not None else "nothing halted"
    return Item(
        name="cause",
        question="Is what halted trading known?",
        is_met=cause in _BY_A_PERSON,
        note=told,
    )


def _books(state: State) -> Item:
    differ = state.book_differences
    note = "books agree" if not differ else f"{'; '.join(differ)}: resuming takes the broker's word"
    return Item(
        name="books", question="Do our books and the broker's agree?", is_met=not differ, note=note
    )


def _orders(desk: Desk) -> Item:
    unknown = [t for t in desk.orders.values() if t.status is OrderStatus.UNKNOWN]
    told = ", ".join(f"{t.client_order_id} ({t.symbol})" for t in unknown)
    note = f"the broker did not answer for {told}" if unknown else "every order has an answer"
    return Item(
        name="orders",
        question="Did the broker answer for every order?",
        is_met=not unknown,
        note=note,
    )


def _protection(state: State) -> Item:
    bare = sorted(state.unprotected)
    note = f"without a stop: {', '.join(bare)}" if bare else "every position is protected"
    return Item(
        name="protection", question="Is every position protected?", is_met=not bare, note=note
    )


def _daily_loss(desk: Desk, limits: RiskLimits) -> Item:
    lost, limit = gauges.daily_loss(desk.account), limits.max_daily_loss_fraction
    is_met = lost < limit
    note = f"lost {lost:.2%} today, limit {limit:.2%}"
    return Item(
        name="daily_loss",
        question="Is there room to the day's limit?",
        is_met=is_met,
        note=note if is_met else f"{note}: it will halt again",
    )


def _drawdown(state: State, desk: Desk, limits: RiskLimits) -> Item:
    drawn = gauges.drawdown(desk.account, state.reviewed_peak_usd)
    limit = limits.max_drawdown_fraction
    is_met = drawn < limit
    note = f"{drawn:.2%} below the peak, limit {limit:.2%}"
    return Item(
        name="drawdown",
        question="Is there room to the drawdown limit?",
        is_met=is_met,
        note=note if is_met else f"{note}: today's equity becomes the new peak",
    )


def _broker(state: State) -> Item:
    since = state.broker_failed_at
    note = f"failing since {since:%Y-%m-%d %H:%M} UTC" if since is not None else "it answers"
    return Item(name="broker", question="Does the broker answer?", is_met=since is None, note=note)
