"""What was seen of a schedule, folded by other code than the bot's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from catalyst_bot.domain.enums import ProtectedBy, Severity, TradingState
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, Fill
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.trials.disk import Disk
from catalyst_bot.trials.life import Life
from catalyst_bot.trials.venue import Venue


class Scene(Protocol):
    """What a promise may look at besides what was seen.

    `latched_at_s` is since when the HALT latch is set, `calm_at_s` since when the faults are over,
    `paid_out_usd` what splits paid in cash.
    """

    seed: int
    steps: int
    life: Life | None
    venue: Venue
    disk: Disk
    latched_at_s: float | None
    calm_at_s: float | None
    paid_out_usd: Decimal

    @property
    def keys_refused_at_s(self) -> float | None:
        """When the living bot was first told that its keys are refused."""
        ...

    def now_s(self) -> float:
        """Return the virtual seconds since the schedule began."""
        ...

    def is_in_session(self) -> bool:
        """Tell whether the exchange trades in its regular session."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was broken, at which step of which seed."""

    seed: int
    step: int
    invariant: str
    detail: str


class Observed:
    """What was seen so far, folded by other code than the bot's."""

    def __init__(self, rules: EngineRules) -> None:
        self.rules = rules
        self.violations: list[Violation] = []
        self.counts: Counter[str] = Counter()
        self.promised: dict[str, ApprovedOrder] = {}
        self.promised_at_s: dict[str, float] = {}
        self.posted: Counter[str] = Counter()
        self.posted_at_s: defaultdict[str, list[float]] = defaultdict(list)  # by symbol
        self.sent_of_signal: Counter[str] = Counter()
        self.trading_state = TradingState.ACTIVE
        self.halted_at_s: float | None = None
        self.resumed_at_s: float | None = None
        self.cancelled: dict[str, float] = {}  # since when, in virtual seconds
        self.timers: dict[str, datetime] = {}  # that are set, by id: when they are due
        self.fill_ids: set[str] = set()
        self.fills = 0
        self.filled_at: dict[str, datetime] = {}  # the latest told of each symbol
        self.told_late: set[str] = set()  # symbols with a fill told after a later one
        self.adjusted_usd = ZERO
        self.quote_ages_s: dict[str, float] = {}
        self.stop_moved_at_s: dict[str, float] = {}
        self.naked: dict[str, str] = {}  # trade: symbol
        self.naked_since_s: dict[str, float] = {}  # and something can be done about it
        self.naked_told: set[str] = set()
        self.meddled: set[str] = set()
        self.is_clock_off = False
        self.was_meddled_early = False  # before there was a journal
        self.has_split = False
        self.has_told_split = False
        self.split_on: dict[str, date] = {}  # the splits that were told, by symbol
        self.was_told_in_old_shares = False
        self.seen_seq = 0

    @property
    def is_unclear_to_whom(self) -> bool:
        """A person traded, and the bot's clock was minutes off, or shares were split since: then it
        cannot be known which shares the trade was in. Nor whose shares they are when the trade was
        before the journal's first word and another one in the symbol followed. Nor what is held
        when a fill in old shares is told after the split.
        """
        is_odd = self.is_clock_off or self.has_split or self.was_meddled_early
        return (bool(self.meddled) and is_odd) or self.was_told_in_old_shares

    def is_flagged(self, life: Life) -> bool:
        """Such a trade was not adopted, and a person was called."""
        return self.is_unclear_to_whom and life.engine.state.execution.books.has_mismatch

    def fold(self, record: Recorded, at_s: float) -> None:
        """Take in a record; `at_s` is when, in virtual seconds."""
        body = record.body
        self.seen_seq = record.seq
        self.counts[type(body).__name__] += 1
        self._fold_trading(body, at_s)
        match body:
            case c.SubmitOrder():
                self.promised[body.order.client_order_id] = body.order
                self.promised_at_s[body.order.client_order_id] = at_s
                self.sent_of_signal[body.order.signal_id] += 1
            case c.CancelOrder():
                self.cancelled.setdefault(body.client_order_id, at_s)
            case c.SetTimer():
                self.timers[body.timer_id] = body.due_at
            case c.ClearTimer() | f.TimerFired():
                self.timers.pop(body.timer_id, None)
            case f.OrderFilled():
                self.fills += body.fill.fill_id not in self.fill_ids
                self.fill_ids.add(body.fill.fill_id)
                self._fold_time(body.fill)
            case f.SplitApplied():
                self.has_told_split = True
                self.split_on[body.symbol] = body.effective_on
            case d.CashAdjusted():
                self.adjusted_usd += abs(body.amount_usd)
            case d.SignalFormed():
                age = body.signal.formed_at - body.signal.quote.at
                self.quote_ages_s[body.signal.signal_id] = age.total_seconds()
            case _:
                pass

    def _fold_trading(self, body: object, at_s: float) -> None:
        """Take in what says whether trading goes on and how positions are protected."""
        match body:
            case d.TradingHalted():
                self.trading_state = TradingState.HALTED
                self.halted_at_s = at_s
            case d.TradingResumed():
                self.trading_state, self.halted_at_s = TradingState.ACTIVE, None
                self.resumed_at_s = at_s
            case d.StopMoved():
                self.stop_moved_at_s[body.trade_id] = at_s
            case d.ProtectionChanged():
                self._fold_protection(body)
            case d.PositionClosed():
                self._is_not_naked(body.trade.trade_id)
            case c.SendNotification() if body.severity is Severity.CRITICAL:
                self.naked_told.update(t for t, s in self.naked.items() if s == body.symbol)
            case _:
                pass

    def _fold_time(self, fill: Fill) -> None:
        latest = self.filled_at.get(fill.symbol, fill.filled_at)
        if fill.filled_at < latest:
            self.told_late.add(fill.symbol)
        self.filled_at[fill.symbol] = max(latest, fill.filled_at)
        if fill.filled_at.date() < self.split_on.get(fill.symbol, date.min):
            self.was_told_in_old_shares = True

    def _fold_protection(self, body: d.ProtectionChanged) -> None:
        self._is_not_naked(body.trade_id)
        if body.protected_by is ProtectedBy.NONE:
            self.naked[body.trade_id] = body.symbol

    def _is_not_naked(self, trade_id: str) -> None:
        self.naked.pop(trade_id, None)
        self.naked_since_s.pop(trade_id, None)
        self.naked_told.discard(trade_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A promise: its number in the list of the design, a name, and what finds it broken."""

    number: str
    name: str
    check: Callable[[Observed, Scene, Any], Iterator[str]]
