"""What the risk stage remembers; all of it follows from recorded messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import HaltCause, Side, TradingState
from catalyst_bot.domain.trading import TradeIntent
from catalyst_bot.risk.closes import Closes

ORDER_WINDOW = timedelta(minutes=1)  # in which orders are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEntry:
    """An entry intent whose verdict is not known yet, or only just; keyed by its signal."""

    symbol: str
    horizon_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An intent to buy with the rules that refused it; none while it has no verdict."""

    intent: TradeIntent
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person lets these rules be broken once in a symbol, before `expires_at`: by the refused
    intent `intent_id`, or by the next entry when it is empty.
    """

    override_id: str
    by: str
    reason: str
    intent_id: str
    symbol: str
    rules: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """What protects one trade, from the approval of its entry until it is flat.

    Time runs from the first fill: before it `opened_at` and `exit_at` are None. `signal_id` is that
    of the entry.
    """

    trade_id: str
    catalyst_id: str
    signal_id: str
    symbol: str
    stop_price: Decimal
    take_profit_price: Decimal | None = None
    horizon_s: float | None
    high_water_price: Decimal
    is_trailing: bool = False
    approved_at: datetime
    opened_at: datetime | None = None

    @property
    def exit_at(self) -> datetime | None:
        """When the catalyst's horizon is over; the news has had its effect by then."""
        if self.opened_at is None or self.horizon_s is None:
            return None
        return self.opened_at + timedelta(seconds=self.horizon_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRecord:
    """Results of one strategy's closed trades, as fractions of what each trade cost.

    `loss_fraction_sum` is a sum of magnitudes. `returns` holds the last ones, oldest first, since
    a person last resumed trading. A pause without `paused_until` waits for a person.
    """

    trades: int = 0
    wins: int = 0
    win_fraction_sum: float = 0.0
    loss_fraction_sum: float = 0.0
    consecutive_losses: int = 0
    returns: tuple[float, ...] = ()
    is_paused: bool = False
    paused_until: datetime | None = None


_NOTHING_YET = StrategyRecord()


@dataclass(slots=True)
class State:
    """Counters, records and plans. `reviewed_peak_usd` replaces the account's peak once a person
    resumed after a drawdown halt: without it the old peak would halt trading for ever. `requests`
    are the latest of a person, by id. `trade_held` is the open trade of each symbol.
    `limits_hash` names the limits that the run began with, `approved_at` the orders of the last
    minute; `unprotected` are symbols held without a stop. `refusals` are the latest by intent,
    which a person may still override; `overrides` wait to be used. `closed_at` is when the last
    session ended.
    """

    trading_state: TradingState = TradingState.ACTIVE
    halt_cause: HaltCause | None = None
    halt_detail: str = ""
    book_differences: tuple[str, ...] = ()
    unprotected: frozenset[str] = frozenset()
    limits_hash: str = ""
    model_id: str = ""
    broker_name: str = ""
    broker_failed_at: datetime | None = None
    equity_usd: Decimal | None = None
    reviewed_peak_usd: Decimal | None = None
    entries_today: int = 0
    approved_at: tuple[datetime, ...] = ()
    warned_today: set[str] = field(default_factory=set)
    pending: dict[str, PendingEntry] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    heard_overrides: dict[str, None] = field(default_factory=dict)
    plans: dict[str, TradePlan] = field(default_factory=dict)
    trade_held: dict[str, str] = field(default_factory=dict)
    exits_of_trade: dict[str, int] = field(default_factory=dict)
    last_exit_at: dict[str, datetime] = field(default_factory=dict)
    guards_of_trade: dict[str, int] = field(default_factory=dict)
    requests: dict[str, None] = field(default_factory=dict)
    orders_of_signal: dict[str, int] = field(default_factory=dict)
    last_entry_at: dict[tuple[str, Side], datetime] = field(default_factory=dict)
    strategies: dict[str, StrategyRecord] = field(default_factory=dict)
    loss_streak: tuple[datetime, ...] = ()
    closes: dict[str, Closes] = field(default_factory=dict)
    halted_symbols: set[str] = field(default_factory=set)
    closed_at: datetime | None = None

    def strategy(self, strategy_id: str) -> StrategyRecord:
        """Return the strategy's record, an empty one before its first closed trade."""
        return self.strategies.get(strategy_id, _NOTHING_YET)

    def is_broker(self, adapter: str) -> bool:
        """True when the adapter is the broker: called so, or by the name the run began with."""
        return adapter in {"broker", self.broker_name}
