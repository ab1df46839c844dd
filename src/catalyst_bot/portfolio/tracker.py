"""How an account does: the figures people ask for, kept up to date message by message.

It hears the same messages as the ledger and invents nothing: money comes from the ledger's own
valuations and closed trades, so fed from a journal it says the same as fed while trading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import EquityMarked, OrderApproved, PositionClosed
from catalyst_bot.domain.messages.facts import (
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderLookedUp,
    OrderRejected,
    OrderReplaced,
    SessionOpened,
    SplitApplied,
    SubmitSuppressed,
)
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, ClosedTrade, stop_leg_id, target_leg_id
from catalyst_bot.portfolio import performance as p

TRADING_DAYS_PER_YEAR = 252.0
MIN_DAYS = 10
_BPS = 10_000
_PROTECTIONS = frozenset({OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A session and the time until the next one opens. Returns are fractions.

    `pnl_usd` and `day_return` count from the last valuation before the session opened,
    `cumulative_return` from the beginning of the period; None where that was nothing. Money that
    was brought in or taken out counts as if it had been there, or not, from the beginning.
    """

    day: date
    equity_usd: Decimal
    pnl_usd: Decimal
    day_return: float | None
    cumulative_return: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """All measures of a period; None where there is too little to say.

    The account: `equity_usd`, `cash_usd`, `exposure_usd` (market value of what is held) at the
    last valuation; `day_pnl_usd` and `day_return` of the newest session; `total_return` since the
    beginning. Trades, after fees: `win_rate` is the share that made money, `profit_factor` dollars
    won per dollar lost, `expectancy_usd` the mean result, `average_holding_s` the mean time from
    first to last fill, `exposure_fraction` the share of the time in which a trade was open.

    Risk: `max_drawdown` over every valuation, as a fraction of the peak. `annual_return` is
    compound over calendar time; `sharpe_ratio` and `sortino_ratio` are per year of 252 sessions,
    from daily returns, without a risk-free rate; `calmar_ratio` is annual return over maximum
    drawdown. A year's figure from a handful of days would be noise with a decimal point: below
    `MIN_DAYS` daily returns there is none.

    Execution: slippage in basis points of the decision price, weighted by dollars, > 0 when it
    cost us: the price an order was sized and checked at, or a protection's own stop or limit.
    `fill_rate` is the mean share that was filled of entries and exits that were sent and ended;
    legs of brackets do not count, for one of two is always cancelled.
    """

    equity_usd: Decimal | None
    cash_usd: Decimal | None
    exposure_usd: Decimal | None
    day_pnl_usd: Decimal | None
    day_return: float | None
    total_return: float | None
    annual_return: float | None
    max_drawdown: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    calmar_ratio: float | None
    trade_count: int
    win_rate: float | None
    profit_factor: float | None
    average_win_usd: Decimal | None
    average_loss_usd: Decimal | None
    expectancy_usd: Decimal | None
    average_holding_s: float | None
    exposure_fraction: float | None
    slippage_bps: float | None
    entry_slippage_bps: float | None
    exit_slippage_bps: float | None
    order_count: int
    fill_rate: float | None
    days: tuple[Day, ...]


@dataclass(slots=True)
class _Order:
    """An entry or exit that was sent."""

    quantity: Decimal
    filled_quantity: Decimal = ZERO
    is_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """What the fills of an order are measured against."""

    symbol: str
    price: Decimal
    is_entry: bool
    is_protection: bool


@dataclass(slots=True)
class _Slippage:
    """Dollars lost to the decision price, and dollars that were to be traded."""

    lost_usd: Decimal = ZERO
    planned_usd: Decimal = ZERO

    def bps(self) -> float | None:
        return float(self.lost_usd / self.planned_usd * _BPS) if self.planned_usd > 0 else None


class PortfolioTracker:
    """Hears messages, answers with `Performance`.

    With `since` only what happened from then on counts; what came before it tells what the period
    began with. Messages must come in the order of the journal.
    """

    def __init__(self, since: datetime | None = None) -> None:
        self._since = since
        self._is_early = False  # the message that is heard now
        self._curve = p.Curve()
        self._account: AccountView | None = None
        self._day: date | None = None
        self._day_began_usd = ZERO
        self._past_days: list[Day] = []
        self._trades: list[ClosedTrade] = []
        self._references: dict[str, _Reference] = {}
        self._orders: dict[str, _Order] = {}
        self._fill_ids: set[str] = set()
        self._entries = _Slippage()
        self._exits = _Slippage()
        self._hear: dict[type, Callable[[Any], None]] = {
            SessionOpened: self._hear_session,
            EquityMarked: self._hear_equity,
            PositionClosed: self._hear_closed,
            OrderApproved: self._hear_approved,
            OrderReplaced: self._hear_replaced,
            SplitApplied: self._hear_split,
            SubmitOrder: self._hear_submit,
            OrderFilled: self._hear_filled,
            OrderCancelled: self._hear_end,
            OrderExpired: self._hear_end,
            OrderRejected: self._hear_end,
            SubmitSuppressed: self._hear_not_sent,
            OrderLookedUp: self._hear_looked_up,
        }

    def learn(self, records: Iterable[Recorded]) -> None:
        """Hear records of a journal, in order; a pipeline listener hears its batches."""
        for record in records:
            hear = self._hear.get(type(record.body))
            if hear is not None:
                self._is_early = self._since is not None and record.at < self._since
                hear(record.body)

    @property
    def heard(self) -> tuple[str, ...]:
        """Names of the messages that change anything."""
        return tuple(kind.__name__ for kind in self._hear)

    def days(self) -> tuple[Day, ...]:
        """Every session of the period, the newest as it stands."""
        return (*self._past_days, *self._today())

    def report(self) -> Performance:
        """Every measure as of the last message."""
        curve, trades, account, days = self._curve, self._trades, self._account, self.days()
        daily = self._daily_returns(days)
        is_long = len(daily) >= MIN_DAYS
        ratio_of = {"periods_per_year": TRADING_DAYS_PER_YEAR}
        today = days[-1] if days else None
        ended = [order for order in self._orders.values() if _is_over(order)]
        both = _Slippage(
            lost_usd=self._entries.lost_usd + self._exits.lost_usd,
            planned_usd=self._entries.planned_usd + self._exits.planned_usd,
        )
        start, end = curve.first_at, curve.last_at
        return Performance(
            equity_usd=account.equity_usd if account is not None else None,
            cash_usd=account.cash_usd if account is not None else None,
            exposure_usd=account.exposure_usd if account is not None else None,
            day_pnl_usd=today.pnl_usd if today is not None else None,
            day_return=today.day_return if today is not None else None,
            total_return=p.total_return(curve),
            annual_return=p.annual_return(curve) if is_long else None,
            max_drawdown=p.max_drawdown(curve),
            sharpe_ratio=p.sharpe_ratio(daily, **ratio_of) if is_long else None,
            sortino_ratio=p.sortino_ratio(daily, **ratio_of) if is_long else None,
            calmar_ratio=p.calmar_ratio(curve) if is_long else None,
            trade_count=len(trades),
            win_rate=p.win_rate(trades),
            profit_factor=p.profit_factor(trades),
            average_win_usd=p.average_win_usd(trades),
            average_loss_usd=p.average_loss_usd(trades),
            expectancy_usd=p.expectancy_usd(trades),
            average_holding_s=p.average_holding_s(trades),
            exposure_fraction=(
                p.exposure_fraction(trades, start=start, end=end)
                if start is not None and end is not None
                else None
            ),
            slippage_bps=both.bps(),
            entry_slippage_bps=self._entries.bps(),
            exit_slippage_bps=self._exits.bps(),
            order_count=len(self._orders),
            fill_rate=(
                float(sum(map(_filled_share, ended), start=ZERO) / len(ended)) if ended else None
            ),
            days=days,
        )

    def _daily_returns(self, days: tuple[Day, ...]) -> list[float]:
        """The return of every day; none at all where one began with nothing."""
        daily = [day.day_return for day in days if day.day_return is not None]
        return daily if len(daily) == len(days) else []

    def _today(self) -> tuple[Day, ...]:
        if self._day is None:
            return ()
        began_usd, now_usd = self._day_began_usd, self._curve.last_usd
        return (
            Day(
                day=self._day,
                equity_usd=now_usd,
                pnl_usd=now_usd - began_usd,
                day_return=_change(began_usd, now_usd),
                cumulative_return=_change(self._curve.first_usd, now_usd),
            ),
        )

    def _hear_session(self, message: SessionOpened) -> None:
        if message.day == self._day:
            return  # a restart in the session
        if not self._is_early:
            self._past_days += self._today()
            self._day = message.day
        self._day_began_usd = self._curve.last_usd

    def _hear_equity(self, message: EquityMarked) -> None:
        account, before = message.account, self._account
        flow_usd = ZERO  # the ledger moves the start by what comes and goes, and by nothing else
        if before is not None:
            flow_usd = account.start_equity_usd - before.start_equity_usd
        if self._is_early:
            self._curve = p.Curve()  # the period begins with the last word before it
        self._account = account
        self._day_began_usd += flow_usd
        self._curve.add(account.as_of, account.equity_usd, flow_usd)

    def _hear_closed(self, message: PositionClosed) -> None:
        if not self._is_early:
            self._trades.append(message.trade)

    def _hear_approved(self, message: OrderApproved) -> None:
        order = message.order
        for order_id, price in reference_prices(order).items():
            is_leg = order_id != order.client_order_id
            self._references[order_id] = _Reference(
                symbol=order.symbol,
                price=price,
                is_entry=order.role is OrderRole.ENTRY and not is_leg,
                is_protection=order.role in _PROTECTIONS or is_leg,
            )

    def _hear_replaced(self, message: OrderReplaced) -> None:
        """A stop that moved protects at its new price; an entry was still decided at its own."""
        moved = message.stop_price if message.stop_price is not None else message.limit_price
        reference = self._references.get(message.client_order_id)
        if moved is not None and reference is not None and reference.is_protection:
            self._references[message.client_order_id] = replace(reference, price=moved)

    def _hear_split(self, message: SplitApplied) -> None:
        """Prices decided in old shares are compared with fills in new ones."""
        ratio = message.shares_per_share
        for order_id, reference in self._references.items():
            if reference.symbol == message.symbol:
                self._references[order_id] = replace(reference, price=reference.price / ratio)
                if order_id in self._orders and not _is_over(self._orders[order_id]):
                    self._orders[order_id].quantity *= ratio
                    self._orders[order_id].filled_quantity *= ratio

    def _hear_submit(self, message: SubmitOrder) -> None:
        order = message.order
        if order.role not in _PROTECTIONS and not self._is_early:
            self._orders.setdefault(order.client_order_id, _Order(quantity=order.quantity))

    def _hear_filled(self, message: OrderFilled) -> None:
        fill = message.fill
        if fill.fill_id in self._fill_ids:
            return
        self._fill_ids.add(fill.fill_id)
        order = self._orders.get(fill.client_order_id)
        if order is not None:
            order.filled_quantity += fill.quantity
        reference = self._references.get(fill.client_order_id)
        if reference is None or not reference.price > 0 or self._is_early:
            return
        lost = fill.price - reference.price
        sums = self._entries if reference.is_entry else self._exits
        sums.lost_usd += (lost if fill.side is Side.BUY else -lost) * fill.quantity
        sums.planned_usd += reference.price * fill.quantity

    def _hear_end(self, message: OrderCancelled | OrderExpired | OrderRejected) -> None:
        order = self._orders.get(message.client_order_id)
        if order is not None:
            order.is_ended = True

    def _hear_not_sent(self, message: SubmitSuppressed) -> None:
        self._orders.pop(message.client_order_id, None)

    def _hear_looked_up(self, message: OrderLookedUp) -> None:
        order = self._orders.get(message.client_order_id)
        if message.ticket is None and order is not None and order.filled_quantity == 0:
            del self._orders[message.client_order_id]  # it never got there


def reference_prices(order: ApprovedOrder) -> dict[str, Decimal]:
    """What executions are measured against, by order id: of the order and of its legs.

    The price the decision was made at; for a protection the price it protects at.
    """
    own = order.reference_price
    if order.role is OrderRole.STOP_LOSS and order.stop_loss_price is not None:
        own = order.stop_loss_price
    elif order.role is OrderRole.TAKE_PROFIT and order.limit_price is not None:
        own = order.limit_price
    prices = {order.client_order_id: own}
    if order.stop_loss_price is not None:
        prices[stop_leg_id(order.client_order_id)] = order.stop_loss_price
    if order.take_profit_price is not None:
        prices[target_leg_id(order.client_order_id)] = order.take_profit_price
    return prices


def _is_over(order: _Order) -> bool:
    return order.is_ended or order.filled_quantity >= order.quantity


def _filled_share(order: _Order) -> Decimal:
    return min(order.filled_quantity / order.quantity, Decimal(1)) if order.quantity else ZERO


def _change(before_usd: Decimal, after_usd: Decimal) -> float | None:
    return float(after_usd / before_usd - 1) if before_usd > 0 else None
