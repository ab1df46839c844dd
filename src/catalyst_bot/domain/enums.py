"""Closed word lists of the domain."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order lives: to the close of its session, until cancelled, only in the opening
    or closing auction, or only now (as much as there is, or all of it or nothing).
    """

    DAY = "day"
    GTC = "gtc"
    OPG = "opg"
    CLS = "cls"
    IOC = "ioc"
    FOK = "fok"


class SessionPhase(StrEnum):
    """Part of the trading day: before the open, the regular session, after the close, or none."""

    CLOSED = "closed"
    PRE = "pre"
    REGULAR = "regular"
    POST = "post"


class EntryKind(StrEnum):
    """How entries are priced in the regular session."""

    MARKET = "market"
    LIMIT = "limit"


class HaltedSymbols(StrEnum):
    """What becomes of an entry while the exchange halts its symbol."""

    REFUSE = "refuse"
    QUEUE = "queue"


class ManualPositions(StrEnum):
    """What the bot does with what a person trades at the broker: own it, or only tell."""

    ADOPT = "adopt"
    FLAG = "flag"


class ProtectedBy(StrEnum):
    """What keeps the loss of a position bounded at this moment."""

    BROKER_STOP = "broker_stop"
    WATCHER = "watcher"
    LEAVING = "leaving"
    NONE = "none"


class ProtectionStep(StrEnum):
    """What is done for a position without protection: ask the broker how things stand, or for a
    quote to watch it by; of risk, ask for a stop, for an exit, for a halt.
    """

    ASK_BROKER = "ask_broker"
    PLACE_STOP = "place_stop"
    LEAVE = "leave"
    HALT = "halt"


class OrderRole(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    EXIT = "exit"


class OrderStatus(StrEnum):
    """Life of an order as the bot sees it; transitions are the table in `execution`."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    HELD = "held"
    WORKING = "working"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class Mode(StrEnum):
    """Row of the mode table."""

    BACKTEST = "backtest"
    PAPER = "paper-trading"
    LIVE = "live"


class TradingState(StrEnum):
    """What the bot may do: everything, only reduce positions, or nothing but cancel."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class PositionsPolicy(StrEnum):
    """What a halt does with open positions."""

    HOLD = "hold"
    CLOSE = "close"


class HaltCause(StrEnum):
    """Why trading was halted."""

    OPERATOR = "operator"
    KILL_SWITCH = "kill_switch"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSS_STREAK = "loss_streak"
    API_ERRORS = "api_errors"
    MISMATCH = "mismatch"
    POISON_FACT = "poison_fact"
    UNPROTECTED = "unprotected"
    ORDER_STORM = "order_storm"
    UNKNOWN_ACCOUNT = "unknown_account"


class Regime(StrEnum):
    """State of the benchmark when a signal is formed."""

    BULL = "bull"
    NEUTRAL = "neutral"
    BEAR = "bear"
    STRESSED = "stressed"


class CategoryAction(StrEnum):
    """What a catalyst of a category may lead to."""

    TRADE = "trade"
    AVOID = "avoid"
    CLOSE = "close"


class StoryRelation(StrEnum):
    """How a headline belongs to the story of an event: it begins it, tells it again or goes on,
    puts it right, or takes it back.
    """

    FIRST = "first"
    FOLLOW_UP = "follow_up"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class ExitReason(StrEnum):
    """Why a position was closed."""

    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"
    TIME_EXIT = "time_exit"
    NEGATIVE_NEWS = "negative_news"
    POLICY = "policy"
    HALT = "halt"
    OPERATOR = "operator"
    UNPROTECTED = "unprotected"


class Severity(StrEnum):
    """How loud an alert or notification is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Tier(StrEnum):
    """Tier of a risk check."""

    POSITION = "position"
    STRATEGY = "strategy"
    ACCOUNT = "account"
    ORDER = "order"
