"""Facts: what the outside says. `at` is when the bot learned it; only `at` orders decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.enums import Mode, PositionsPolicy, Severity, Side
from catalyst_bot.domain.market import Bar, MarketView, Quote
from catalyst_bot.domain.news import Headline, TextOpinion
from catalyst_bot.domain.trading import Fill, OrderTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A process began to write this journal (again).

    `settings` is the effective configuration as JSON, without secrets: what a later replay needs
    to decide again; `inputs_hash` names the recorded news and bars, empty when live. The broker's
    books outlive ours when `compares_books`: then nothing is sent before they are compared.
    `limits_hash` names the limits in force, `approval` who approved them; `model_hash` is that of
    the model's content, `bar_interval_s` the length of the bars that are decided on. A model that
    may not decide is the `candidate_id`, or does not even vote: `candidate_note` says why.
    """

    at: datetime
    run_id: str
    mode: Mode
    broker: str
    code_version: str
    settings: str
    inputs_hash: str
    model_id: str
    starting_cash_usd: Decimal
    wall_started_at: datetime
    compares_books: bool = False
    limits_hash: str = ""
    approval: str = ""
    model_hash: str = ""
    bar_interval_s: int = 300
    candidate_id: str = ""
    candidate_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopped:
    """The process ended in order."""

    at: datetime
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """The exchange's regular session opened."""

    at: datetime
    day: date
    closes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """The exchange's regular session closed."""

    at: datetime
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineReceived:
    """A feed delivered a news item."""

    at: datetime
    headline: Headline


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineUnreadable:
    """A feed delivered something that is no news item; kept with the reason."""

    at: datetime
    source: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOpinionsReceived:
    """Answer to `RequestTextOpinion`: what the readers said, and why others said nothing."""

    at: datetime
    request_id: str
    catalyst_id: str
    opinions: tuple[TextOpinion, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketViewReceived:
    """Answer to `RequestMarketView`."""

    at: datetime
    request_id: str
    catalyst_id: str
    view: MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketViewUnavailable:
    """Answer to `RequestMarketView` when there is no data; `reason` is a short word list:
    unknown_symbol, no_bars, source_down.
    """

    at: datetime
    request_id: str
    catalyst_id: str
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarClosed:
    """A bar of a watched symbol is complete."""

    at: datetime
    bar: Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSampled:
    """Best bid and ask of a watched symbol; conflated by the adapter, at most one a second."""

    at: datetime
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitApplied:
    """One old share became `shares_per_share` new ones (0.05 for a reverse split of 1 for 20)."""

    at: datetime
    symbol: str
    shares_per_share: Decimal
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRenamed:
    """A listed company changed its symbol; positions and orders carry the new one from here on."""

    at: datetime
    symbol: str
    new_symbol: str
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolHalted:
    """The exchange halted a symbol."""

    at: datetime
    symbol: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResumed:
    """Trading in a halted symbol goes on."""

    at: datetime
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    """The venue took the order (or activated a bracket leg)."""

    at: datetime
    client_order_id: str
    broker_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """The venue executed part or all of an order."""

    at: datetime
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFilled:
    """The account traded, but not by an order of ours: a person did it at the broker.

    `fill.client_order_id` is the foreign order's. `fill.fill_id` is made from the broker's name
    of the order and the sum it had filled, so that the same execution is told once.
    """

    at: datetime
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """The venue refused the order."""

    at: datetime
    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """The order (or its rest) is cancelled."""

    at: datetime
    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired:
    """A day order (or its rest) lapsed at the close."""

    at: datetime
    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReplaced:
    """The venue changed the order's stop or limit price."""

    at: datetime
    client_order_id: str
    stop_price: Decimal | None
    limit_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRefused:
    """The venue refused a cancel or replace; the order stands as it was."""

    at: datetime
    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSuppressed:
    """The order was not sent on purpose: dry run, halt latch, or the promise was too old."""

    at: datetime
    client_order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOutcomeUnknown:
    """The broker did not answer; the order may or may not exist there."""

    at: datetime
    client_order_id: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLookedUp:
    """Answer to `LookUpOrder`; `ticket` is None when the broker does not know the id."""

    at: datetime
    client_order_id: str
    ticket: OrderTicket | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSnapshotReceived:
    """Answer to `TakeBrokerSnapshot`."""

    at: datetime
    snapshot: BrokerSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer the core set is due."""

    at: datetime
    timer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFailed:
    """An adapter gave up for now; the bot goes on with less."""

    at: datetime
    adapter: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterRecovered:
    """A failed adapter works again."""

    at: datetime
    adapter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDelivered:
    """A channel took a notice, which is not sent there again; `note` says in what lesser form."""

    at: datetime
    notice_id: str
    channel: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFailed:
    """A channel did not take a notice; it is tried again unless it `is_given_up`."""

    at: datetime
    notice_id: str
    channel: str
    reason: str
    is_given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationEscalated:
    """Nobody answered a critical notice in time: it is told again, for the `level`-th time."""

    at: datetime
    notice_id: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationAcknowledged:
    """A person has seen a notice: nobody is told of it again."""

    at: datetime
    notice_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRaised:
    """The process around the core has something to tell a person."""

    at: datetime
    severity: Severity
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostOrdersFound:
    """The broker has orders in the bot's name, finished ones too, that the journal does not hold:
    it is older than the account. Their ids are taken.
    """

    at: datetime
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTradeRequested:
    """A person asks for a trade. Of `usd` and `quantity` one at most; a sale without either is
    everything. `request_id` is also the trail of all that follows.
    """

    at: datetime
    request_id: str
    by: str
    side: Side
    symbol: str
    usd: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHalted:
    """A person (or the kill switch) halted trading."""

    at: datetime
    by: str
    reason: str
    positions_policy: PositionsPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOverrode:
    """A person overrides one refusal: that of `intent_id`, or the next by `rule` in `symbol`.

    It is used once, and not from `expires_at` on, by the time of the run.
    """

    at: datetime
    override_id: str
    by: str
    reason: str
    expires_at: datetime
    intent_id: str = ""
    symbol: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorReduced:
    """A person wants positions to end and none to begin."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorResumed:
    """A person wants trading to go on; `confirmed` names what of the checklist they looked at."""

    at: datetime
    by: str
    reason: str
    confirmed: tuple[str, ...] = ()
