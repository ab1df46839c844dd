"""Signals, intents, orders, fills and trades."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import (
    ExitReason,
    OrderKind,
    OrderRole,
    OrderStatus,
    Regime,
    Side,
    Tier,
    TimeInForce,
)
from catalyst_bot.domain.market import Quote
from catalyst_bot.domain.news import Catalyst


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule with what it allows and what was seen; every check of a decision is kept.

    `limit` and `observed` are in `unit` ("fraction", "usd", "count", "bps", "s", "state" ...).
    States are given as text in `note` with limit 1 and observed 0 or 1.
    """

    name: str
    tier: Tier
    limit: float
    observed: float
    unit: str
    passed: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFactor:
    """One number about the market around a signal, as it was known at `as_of`.

    Where it `is_known` not, `value` is the neutral one. `note` holds what has no number.
    """

    name: str
    value: float
    unit: str
    source: str
    as_of: datetime
    is_known: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A catalyst that met the market: enriched, fresh, above the confidence gate.

    `direction` is the sign after the reaction was seen (never 0). `atr` is in price units of the
    decision bars, `atr_average` its longer mean, `reaction_bps` the move since the news, over the
    benchmark's. `context` is shown and changes no decision; `market` is what policies see of the
    market, in the order of the feature table, measured on bars of `bar_interval_s`. `is_review`: a
    later look at the same catalyst, at the close of a decision bar.
    """

    signal_id: str
    catalyst: Catalyst
    strategy_id: str
    direction: int
    price: float
    quote: Quote
    atr: float
    atr_average: float
    rvol: float
    vwap: float
    spread_bps: float
    reaction_bps: float
    regime: Regime
    checks: tuple[Check, ...]
    formed_at: datetime
    context: tuple[ContextFactor, ...] = ()
    market: tuple[float, ...]
    bar_interval_s: int
    is_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a policy sees: named numbers in the order of the feature spec `spec_hash`, of decision
    bars of `bar_interval_s`: a model runs only at the interval it was trained at.
    """

    spec_hash: str
    bar_interval_s: int
    names: tuple[str, ...]
    values: tuple[float, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One agent's say: action in [-1, 1], its weight, and why in words."""

    agent: str
    action: float
    weight: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeIntent:
    """What the policy wants: `action` > 0 is the target fraction of the maximum position,
    `action` <= 0 reduces or exits (long only by default).
    """

    intent_id: str
    signal: Signal
    side: Side
    action: float
    confidence: float
    votes: tuple[Vote, ...]
    observation: Observation
    model_id: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingStep:
    """One cap or factor on the way to the quantity, with the size it leaves, in dollars."""

    name: str
    size_usd: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedOrder:
    """An order that passed every risk check. Only the risk stage constructs it, and the broker
    port takes nothing else.

    An entry with `stop_loss_price` (and `take_profit_price`) is a bracket: its legs carry the ids
    `stop_leg_id` and `target_leg_id`, become live with the first fill and cancel each other.
    `reference_price` is the price the order was sized and checked at. `extended_hours`: a limit
    order that also trades before the open and after the close.

    An order that protects a position that is held already sells it: role STOP_LOSS and kind STOP
    is a plain stop at `stop_loss_price`; role TAKE_PROFIT and kind LIMIT with a `stop_loss_price`
    is a pair of which one cancels the other, whose stop carries the id `stop_leg_id`.

    `worst_price` bounds the limit price: it may be moved up to there and no further. An order for
    extended hours has no legs: the bot itself watches `watched_stop_price` and
    `watched_target_price`. `override_id`: it passed because a person overrode a refusal.
    """

    client_order_id: str
    trade_id: str
    catalyst_id: str
    signal_id: str
    strategy_id: str
    symbol: str
    role: OrderRole
    side: Side
    kind: OrderKind
    quantity: Decimal
    time_in_force: TimeInForce
    reference_price: Decimal
    limit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    exit_reason: ExitReason | None = None
    extended_hours: bool = False
    worst_price: Decimal | None = None
    watched_stop_price: Decimal | None = None
    watched_target_price: Decimal | None = None
    override_id: str = ""
    cancel_after_s: float
    valid_for_s: float
    checks: tuple[Check, ...]
    sizing: tuple[SizingStep, ...]
    approved_at: datetime


def stop_leg_id(entry_client_order_id: str) -> str:
    """Id of the stop-loss leg of a bracket."""
    return f"{entry_client_order_id}-sl"


def target_leg_id(entry_client_order_id: str) -> str:
    """Id of the take-profit leg of a bracket."""
    return f"{entry_client_order_id}-tp"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """Where one order (or bracket leg) stands."""

    client_order_id: str
    broker_order_id: str
    trade_id: str
    catalyst_id: str
    strategy_id: str
    symbol: str
    role: OrderRole
    side: Side
    kind: OrderKind
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    reference_price: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    exit_reason: ExitReason | None = None
    worst_price: Decimal | None = None
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `price` includes slippage, `fee_usd` is the commission."""

    fill_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    filled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A finished round trip; `pnl_usd` is after all fees."""

    trade_id: str
    catalyst_id: str
    strategy_id: str
    symbol: str
    side: Side
    quantity: Decimal
    entry_at: datetime
    entry_price: Decimal
    exit_at: datetime
    exit_price: Decimal
    exit_reason: ExitReason
    fees_usd: Decimal
    pnl_usd: Decimal
    pnl_fraction: float
