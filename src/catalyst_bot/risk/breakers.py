"""The circuit breakers as one table: which message can halt trading, and when it does.

Roadmap, "Circuit Breaker Triggers": daily loss, drawdown, losses in a row within an hour, a
broker that fails for minutes, a person; books that differ from the broker's, or an account that
the journal does not know (RELIABILITY R2), and a signal that sets off order after order
(RELIABILITY 4).
An automatic halt holds positions for review, their stops stay at work; a person may ask to close
them. Only a person resumes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderRole,
    PositionsPolicy,
    TradingState,
)
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import (
    EquityMarked,
    ForeignTradeJudged,
    MismatchFound,
    PositionClosed,
    TradingHalted,
)
from catalyst_bot.domain.messages.facts import LostOrdersFound, OperatorHalted, TimerFired
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.risk import gauges
from catalyst_bot.risk.records import add_to_streak
from catalyst_bot.risk.state import State

BROKER_TIMER = "risk:broker_failed"
REFUSES_KEYS = "alpaca"  # it says so again and again, until the keys are good
_RESTORE = "this journal: restore the right one, or look at the account and resume"
_CAUSE_OF = {
    "kill switch": HaltCause.KILL_SWITCH,
    "supervisor": HaltCause.POISON_FACT,
    REFUSES_KEYS: HaltCause.API_ERRORS,
}


def _hold(cause: HaltCause, detail: str) -> TradingHalted:
    return TradingHalted(cause=cause, positions_policy=PositionsPolicy.HOLD, detail=detail)


def daily_loss(_state: State, message: EquityMarked, limits: RiskLimits) -> TradingHalted | None:
    """The loss since the open reached its limit. Resuming on the same day halts again."""
    observed = gauges.daily_loss(message.account)
    if observed < limits.max_daily_loss_fraction:
        return None
    detail = f"lost {observed:.2%} today, limit {limits.max_daily_loss_fraction:.2%}"
    return _hold(HaltCause.DAILY_LOSS, detail)


def drawdown(state: State, message: EquityMarked, limits: RiskLimits) -> TradingHalted | None:
    """The loss from the peak reached its limit. Resuming makes today's equity the new peak."""
    observed = gauges.drawdown(message.account, state.reviewed_peak_usd)
    if observed < limits.max_drawdown_fraction:
        return None
    detail = f"{observed:.2%} below the peak, limit {limits.max_drawdown_fraction:.2%}"
    return _hold(HaltCause.DRAWDOWN, detail)


def loss_streak(state: State, message: PositionClosed, limits: RiskLimits) -> TradingHalted | None:
    """So many losses in a row, of any strategy, the first and the last within the window."""
    last = add_to_streak(state.loss_streak, message.trade)[-limits.halt_after_losses :]
    if len(last) < limits.halt_after_losses:
        return None
    within = last[-1] - last[0]
    if within > timedelta(seconds=limits.halt_loss_window_s):
        return None
    detail = f"{len(last)} losses in a row within {within.total_seconds() / 60:.0f} minutes"
    return _hold(HaltCause.LOSS_STREAK, detail)


def api_errors(state: State, message: TimerFired, limits: RiskLimits) -> TradingHalted | None:
    """The broker has been failing for too long, without one recovery."""
    if message.timer_id != BROKER_TIMER or state.broker_failed_at is None:
        return None
    failing_s = (message.at - state.broker_failed_at).total_seconds()
    if failing_s < limits.api_error_halt_s:  # an old timer: it recovered and failed again
        return None
    detail = f"the broker has been failing for {failing_s:.0f} s"
    return _hold(HaltCause.API_ERRORS, detail)


def mismatch(_state: State, message: MismatchFound, _limits: RiskLimits) -> TradingHalted | None:
    """Our books and the broker's differ: nothing we would decide rests on the truth."""
    detail = f"{message.subject}: ours {message.ours}, the broker's {message.theirs}"
    return _hold(HaltCause.MISMATCH, detail)


def held_before(
    _state: State, message: ForeignTradeJudged, _limits: RiskLimits
) -> TradingHalted | None:
    """The account holds what this journal never bought: it is a first start, or the journal is
    lost, and then loss limits, streaks and plans are lost with it. A person has to know which.
    """
    if message.is_in_cash:
        return None
    held = f"{message.fill.quantity:f} {message.fill.symbol}"
    return _hold(HaltCause.UNKNOWN_ACCOUNT, f"the account held {held} before {_RESTORE}")


def orders_lost(
    _state: State, message: LostOrdersFound, _limits: RiskLimits
) -> TradingHalted | None:
    """The broker knows orders of the bot that this journal does not: it is older, or lost."""
    sent = f"{len(message.order_ids)} orders"
    return _hold(HaltCause.UNKNOWN_ACCOUNT, f"the bot sent {sent} that are not in {_RESTORE}")


def is_of_the_signal(order: ApprovedOrder) -> bool:
    """True for an order that a signal set off: not what a person sold, and not an exit before or
    after hours, which is given up and decided again every minute until somebody buys.
    """
    is_asked = order.exit_reason is ExitReason.OPERATOR
    return order.role is not OrderRole.EXIT or not (is_asked or order.extended_hours)


def order_storm(state: State, message: SubmitOrder, limits: RiskLimits) -> TradingHalted | None:
    """One signal sets off order after order (Knight Capital, 2012): nobody meant that.

    Exits of which a bar's volume took a part are not counted, see `evolve.note_sold`.
    """
    order = message.order
    sent = state.orders_of_signal.get(order.signal_id, 0) + 1
    if not is_of_the_signal(order) or sent <= limits.max_orders_per_signal:
        return None
    detail = f"{order.symbol}: order {sent} of one signal, limit {limits.max_orders_per_signal}"
    return _hold(HaltCause.ORDER_STORM, detail)


def operator(_state: State, message: OperatorHalted, _limits: RiskLimits) -> TradingHalted | None:
    """A person, or the kill switch, says so."""
    return TradingHalted(
        cause=_CAUSE_OF.get(message.by, HaltCause.OPERATOR),
        positions_policy=message.positions_policy,
        detail=f"{message.by}: {message.reason}",
    )


Breaker = Callable[[State, Any, RiskLimits], TradingHalted | None]

BREAKERS: dict[type, tuple[Breaker, ...]] = {
    EquityMarked: (daily_loss, drawdown),
    PositionClosed: (loss_streak,),
    TimerFired: (api_errors,),
    MismatchFound: (mismatch,),
    ForeignTradeJudged: (held_before,),
    LostOrdersFound: (orders_lost,),
    SubmitOrder: (order_storm,),
    OperatorHalted: (operator,),
}


def trip(state: State, message: object, limits: RiskLimits) -> TradingHalted | None:
    """Return the halt a message causes, or None.

    While halted, only a person halts again: to ask that positions are closed after all.
    """
    is_persons = isinstance(message, OperatorHalted) and message.by != REFUSES_KEYS
    if state.trading_state is TradingState.HALTED and not is_persons:
        return None
    for breaker in BREAKERS.get(type(message), ()):
        halt = breaker(state, message, limits)
        if halt is not None:
            return halt
    return None
