"""After a crash: which commands were recorded but never answered.

Recovery folds recorded decisions and never decides again, so new code cannot rewrite the past.
What was promised (a command in the journal) and not answered (no fact) is done now.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Command, Message, Recorded

_ANSWERS_TO_SUBMIT = (
    f.OrderAccepted,
    f.OrderRejected,
    f.SubmitSuppressed,
    f.SubmitOutcomeUnknown,
    f.OrderCancelled,
    f.OrderExpired,
)
_QUESTIONS = (c.RequestMarketView, c.RequestTextOpinion)
_ANSWERS_TO_CHANGE = (f.OrderCancelled, f.OrderExpired, f.OrderReplaced, f.ChangeRefused)


def _key(message: Message) -> tuple[str, str] | None:
    """What a command waits for, as (sort of answer, subject); None for one never answered."""
    match message:
        case c.SubmitOrder():
            return "submit", message.order.client_order_id
        case c.CancelOrder():
            return "cancel", message.client_order_id
        case c.ReplaceOrder():
            return "replace", message.client_order_id
        case c.LookUpOrder():
            return "look_up", message.client_order_id
        case c.RequestTextOpinion():
            return "opinion", message.request_id
        case c.RequestMarketView():
            return "view", message.request_id
        case c.TakeBrokerSnapshot():
            return "snapshot", ""
        case c.SetTimer():
            return "timer", message.timer_id
        case c.WatchSymbol():
            return "watch", message.symbol
        case _:
            return None


def _answered(message: Message) -> list[tuple[str, str]]:
    """Which waits a message ends."""
    match message:
        case f.OrderFilled():
            return [("submit", message.fill.client_order_id)]
        case f.MarketViewReceived() | f.MarketViewUnavailable():
            return [("view", message.request_id)]
        case f.TextOpinionsReceived():
            return [("opinion", message.request_id)]
        case f.OrderLookedUp():
            return [("look_up", message.client_order_id)]
        case f.BrokerSnapshotReceived():
            return [("snapshot", "")]
        case f.TimerFired() | c.ClearTimer():
            return [("timer", message.timer_id)]
        case c.UnwatchSymbol():
            return [("watch", message.symbol)]
        case _:
            return _answered_order(message)


def _answered_order(message: Message) -> list[tuple[str, str]]:
    ends: list[tuple[str, str]] = []
    if isinstance(message, _ANSWERS_TO_SUBMIT):
        ends.append(("submit", message.client_order_id))
    if isinstance(message, _ANSWERS_TO_CHANGE):
        ends.append(("cancel", message.client_order_id))
        ends.append(("replace", message.client_order_id))
    return ends


def unanswered(records: Iterable[Recorded]) -> list[Command]:
    """Return the commands that still wait for their answer, in the order they were given.

    Timers that have not fired and symbols still watched count as waiting.
    """
    waiting: dict[tuple[str, str], Command] = {}
    for record in records:
        key = _key(record.body)
        if key is not None:
            waiting.pop(key, None)
            waiting[key] = record.body  # type: ignore[assignment]  # _key is None for all others
        for end in _answered(record.body):
            waiting.pop(end, None)
    return list(waiting.values())


def questions(undone: Iterable[Command]) -> list[Command]:
    """Return those whose answers lead to orders: they are asked again when the books are in."""
    return [each for each in undone if isinstance(each, _QUESTIONS)]
