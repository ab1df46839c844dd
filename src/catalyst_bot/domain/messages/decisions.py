"""Decisions: what the core concludes. They happen at the time of the fact that caused them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import AccountView, BookDifference, BrokerOrder, Position
from catalyst_bot.domain.enums import (
    CategoryAction,
    HaltCause,
    PositionsPolicy,
    ProtectedBy,
    ProtectionStep,
    Side,
    StoryRelation,
    Tier,
)
from catalyst_bot.domain.news import Alert, Catalyst
from catalyst_bot.domain.trading import (
    ApprovedOrder,
    Check,
    ClosedTrade,
    Fill,
    Observation,
    Signal,
    SizingStep,
    TradeIntent,
    Vote,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineIgnored:
    """A headline led to nothing. `step` is the funnel step it did not reach (deduped,
    with_ticker, catalyst), `reason` a short word list; `limit` is what was allowed and `observed`
    what was seen, for people.
    """

    item_id: str
    step: str
    reason: str
    limit: str = ""
    observed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryTold:
    """A headline tells of an event of a company: for the first time, again, or taking it back.

    `words` are those by which other headlines are compared with it; `is_in_title` tells whether
    the title told the event; `catalyst_id` is empty when the headline leads to nothing new.
    """

    story_id: str
    symbol: str
    item_id: str
    source: str
    relation: StoryRelation
    category: str
    direction: int
    action: CategoryAction
    confidence: float
    words: tuple[str, ...]
    is_in_title: bool = True
    catalyst_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalystHeld:
    """A catalyst waits for the opinion of readers outside; this is what the rules alone say."""

    catalyst: Catalyst
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalystDetected:
    """A headline is a catalyst for a symbol."""

    catalyst: Catalyst


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """A catalyst worth telling a person about."""

    alert: Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFormed:
    """A catalyst met the market and passed every gate."""

    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalDropped:
    """A catalyst did not become a signal, or not again (`is_review`: it was one before); every gate
    with limit and observed value is kept.
    """

    catalyst_id: str
    item_id: str
    symbol: str
    reason: str
    checks: tuple[Check, ...]
    is_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A catalyst that became a signal goes on watch: up to `until` the policy is asked about it
    again at every close of a decision bar of its symbol, unless a newer case takes its place.
    """

    catalyst: Catalyst
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentFormed:
    """The policy wants to trade."""

    intent: TradeIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentDeclined:
    """The policy looked at a signal and wants nothing."""

    signal_id: str
    catalyst_id: str
    symbol: str
    reason: str
    model_id: str
    votes: tuple[Vote, ...]
    observation: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateVoted:
    """What a model that may not decide said of a signal: it changes nothing. `agreement` in [0, 1]
    is how far its agents want the same.
    """

    signal_id: str
    catalyst_id: str
    symbol: str
    model_id: str
    action: float
    agreement: float
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderApproved:
    """Risk let an order pass (entry or exit)."""

    order: ApprovedOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefused:
    """Risk refused an intent; `rule` is the first failed check, all checks are kept."""

    intent_id: str
    signal_id: str
    catalyst_id: str
    strategy_id: str
    symbol: str
    side: Side
    rule: str
    checks: tuple[Check, ...]
    sizing: tuple[SizingStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideGranted:
    """A person's override holds until it is used once, or over: for the refusal of `intent_id`,
    which is judged again at the prices of now, or for the next entry in `symbol` that these rules
    refuse.
    """

    override_id: str
    by: str
    reason: str
    intent_id: str
    catalyst_id: str
    symbol: str
    rules: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRefused:
    """What a person wanted to override cannot be: `reason` says why."""

    override_id: str
    by: str
    intent_id: str
    catalyst_id: str
    symbol: str
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimedOut:
    """An order did not fill in its time and is being cancelled."""

    client_order_id: str
    catalyst_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQueued:
    """An approved order waits here: the exchange halts its symbol."""

    order: ApprovedOrder
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWithdrawn:
    """An approved order that waited is not sent after all."""

    client_order_id: str
    catalyst_id: str
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRescaled:
    """A split changed the numbers of an open order; it is the same order."""

    client_order_id: str
    catalyst_id: str
    quantity: Decimal
    filled_quantity: Decimal
    reference_price: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    worst_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionChanged:
    """From now on this bounds the loss of a position."""

    trade_id: str
    catalyst_id: str
    symbol: str
    protected_by: ProtectedBy
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionNeeded:
    """A position is not protected in full; risk answers with an order or a halt.

    `quantity` are the shares without it, or those that a stop to be placed has to cover: it takes
    the place of the stops before it. `escalation` counts the times the grace ran out before; 0 is
    asked at once.
    """

    trade_id: str
    catalyst_id: str
    symbol: str
    quantity: Decimal
    step: ProtectionStep
    escalation: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMoved:
    """The stop of a position was raised (never lowered), or set where there was none (zero)."""

    trade_id: str
    catalyst_id: str
    symbol: str
    old_stop_price: Decimal
    stop_price: Decimal
    high_water_price: Decimal
    is_trailing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOpened:
    """The first fill of an entry."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionChanged:
    """A later fill grew or shrank the position."""

    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosed:
    """The position is flat; the round trip is finished."""

    trade: ClosedTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityMarked:
    """The account was valued at new prices."""

    account: AccountView


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitApproached:
    """An account limit is nearly used up (90 % by default); told once per day and limit."""

    name: str
    tier: Tier
    limit: float
    observed: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingHalted:
    """No new entries until a person resumes."""

    cause: HaltCause
    positions_policy: PositionsPolicy
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingReduced:
    """From now on only exits and smaller positions, until a person resumes."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRefused:
    """Trading does not go on: `still_open` names what of the checklist nobody confirmed."""

    by: str
    reason: str
    still_open: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingResumed:
    """A person let trading go on."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyPaused:
    """A strategy lost too often in a row (or fell below its Sharpe floor): no new entries."""

    strategy_id: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchFound:
    """Our books and the broker's differ."""

    subject: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksCompared:
    """What differs between our books and the broker's at a look; none differs when empty.

    A difference is declared only when a second look finds the same one.
    """

    differences: tuple[BookDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTradeJudged:
    """What becomes of a trade that was not ours: `adopted_quantity` shares go into our books, the
    rest is only remembered as the person's.

    `is_in_cash` says whether our cash moved with it; what was held before our books began did not.
    `is_netted`: no new trade, but a person's short that our purchase now covers.
    """

    fill: Fill
    adopted_quantity: Decimal
    is_in_cash: bool
    reason: str
    is_netted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignOrdersSeen:
    """Open orders of a person at the broker: counted as exposure, left alone."""

    orders: tuple[BrokerOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CashAdjusted:
    """The broker's cash is the truth: ours moves by `amount_usd`.

    A deposit or withdrawal (`is_flow`) is no profit or loss; fees and interest are.
    """

    amount_usd: Decimal
    is_flow: bool
    reason: str
