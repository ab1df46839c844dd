"""The list of all messages: kind, wire name, version, and the trail each belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f

Fact = (
    f.RunStarted
    | f.RunStopped
    | f.SessionOpened
    | f.SessionClosed
    | f.HeadlineReceived
    | f.HeadlineUnreadable
    | f.TextOpinionsReceived
    | f.MarketViewReceived
    | f.MarketViewUnavailable
    | f.BarClosed
    | f.QuoteSampled
    | f.SplitApplied
    | f.SymbolRenamed
    | f.SymbolHalted
    | f.SymbolResumed
    | f.OrderAccepted
    | f.OrderFilled
    | f.ForeignFilled
    | f.OrderRejected
    | f.OrderCancelled
    | f.OrderExpired
    | f.OrderReplaced
    | f.ChangeRefused
    | f.SubmitSuppressed
    | f.SubmitOutcomeUnknown
    | f.OrderLookedUp
    | f.BrokerSnapshotReceived
    | f.TimerFired
    | f.AdapterFailed
    | f.AdapterRecovered
    | f.NotificationDelivered
    | f.NotificationFailed
    | f.NotificationEscalated
    | f.NotificationAcknowledged
    | f.NoticeRaised
    | f.LostOrdersFound
    | f.OperatorTradeRequested
    | f.OperatorHalted
    | f.OperatorReduced
    | f.OperatorOverrode
    | f.OperatorResumed
)
Decision = (
    d.HeadlineIgnored
    | d.StoryTold
    | d.CatalystHeld
    | d.CatalystDetected
    | d.AlertRaised
    | d.SignalFormed
    | d.SignalDropped
    | d.CaseOpened
    | d.IntentFormed
    | d.IntentDeclined
    | d.CandidateVoted
    | d.OrderApproved
    | d.OrderRefused
    | d.OverrideGranted
    | d.OverrideRefused
    | d.OrderTimedOut
    | d.OrderQueued
    | d.OrderWithdrawn
    | d.OrderRescaled
    | d.ProtectionChanged
    | d.ProtectionNeeded
    | d.StopMoved
    | d.PositionOpened
    | d.PositionChanged
    | d.PositionClosed
    | d.EquityMarked
    | d.LimitApproached
    | d.TradingHalted
    | d.TradingReduced
    | d.ResumeRefused
    | d.TradingResumed
    | d.StrategyPaused
    | d.MismatchFound
    | d.BooksCompared
    | d.ForeignTradeJudged
    | d.ForeignOrdersSeen
    | d.CashAdjusted
)
Command = (
    c.RequestTextOpinion
    | c.RequestMarketView
    | c.WatchSymbol
    | c.UnwatchSymbol
    | c.SubmitOrder
    | c.CancelOrder
    | c.ReplaceOrder
    | c.LookUpOrder
    | c.TakeBrokerSnapshot
    | c.SetTimer
    | c.ClearTimer
    | c.SendNotification
)
Message = Fact | Decision | Command


class Kind(StrEnum):
    """What sort of record a message is."""

    FACT = "fact"
    DECISION = "decision"
    COMMAND = "command"


def _by_name(union: Any) -> dict[str, type]:
    return {member.__name__: member for member in union.__args__}


FACTS: dict[str, type] = _by_name(Fact)
DECISIONS: dict[str, type] = _by_name(Decision)
COMMANDS: dict[str, type] = _by_name(Command)
MESSAGES: dict[str, type] = {**FACTS, **DECISIONS, **COMMANDS}
KIND_OF: dict[type, Kind] = {
    **dict.fromkeys(FACTS.values(), Kind.FACT),
    **dict.fromkeys(DECISIONS.values(), Kind.DECISION),
    **dict.fromkeys(COMMANDS.values(), Kind.COMMAND),
}

# News and prices, which their sources tell again, what is concluded from them without an order (an
# alert that must be told at once brings a command that waits), and commands that only ask. After a
# power cut the run lacks them as if it had stopped before.
TOLD_AGAIN: frozenset[type] = frozenset(
    {
        f.HeadlineReceived,
        f.HeadlineUnreadable,
        f.TextOpinionsReceived,
        f.MarketViewReceived,
        f.MarketViewUnavailable,
        f.BarClosed,
        f.QuoteSampled,
        d.HeadlineIgnored,
        d.StoryTold,
        d.CatalystHeld,
        d.CatalystDetected,
        d.AlertRaised,
        d.SignalFormed,
        d.SignalDropped,
        d.CaseOpened,
        d.EquityMarked,
        c.RequestTextOpinion,
        c.RequestMarketView,
        c.WatchSymbol,
        c.UnwatchSymbol,
    }
)

_TRAILS: dict[type, Callable[[Any], str]] = {
    f.HeadlineReceived: lambda m: m.headline.item_id,
    f.OperatorTradeRequested: lambda m: m.request_id,
    d.HeadlineIgnored: lambda m: m.item_id,
    d.StoryTold: lambda m: m.item_id,
    d.CatalystHeld: lambda m: m.catalyst.catalyst_id,
    d.CatalystDetected: lambda m: m.catalyst.catalyst_id,
    d.AlertRaised: lambda m: m.alert.catalyst_id,
    d.SignalFormed: lambda m: m.signal.catalyst.catalyst_id,
    d.CaseOpened: lambda m: m.catalyst.catalyst_id,
    d.IntentFormed: lambda m: m.intent.signal.catalyst.catalyst_id,
    d.OrderApproved: lambda m: m.order.catalyst_id,
    d.OrderQueued: lambda m: m.order.catalyst_id,
    d.PositionOpened: lambda m: m.position.catalyst_id,
    d.PositionChanged: lambda m: m.position.catalyst_id,
    d.PositionClosed: lambda m: m.trade.catalyst_id,
    c.SubmitOrder: lambda m: m.order.catalyst_id,
    c.SendNotification: lambda m: m.trail_id,
}


def trail_of(message: Message) -> str | None:
    """Return the trail (headline or catalyst id) a message names itself, or None.

    Facts about orders name only the order: the engine knows which catalyst it belongs to.
    """
    own = _TRAILS.get(type(message))
    if own is not None:
        return own(message)
    return getattr(message, "catalyst_id", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A message as the journal keeps it. `cause_seq` is the message it followed from."""

    seq: int
    at: datetime
    cause_seq: int | None
    trail_id: str
    body: Message
