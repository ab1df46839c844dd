"""What a set of trades is worth, taken through the same matching engine as the bot's own.

Each trade stands alone: a fixed amount of dollars is bought at the next price after its decision,
with the stop and target that the bot would set, and left when the horizon of its news is over. No
trade knows of another: there is money for all of them, and each order has its own part of a bar's
volume. So what a set is worth is the sum of what each of its trades is worth, to the cent; what is
still held at the end of the bars counts at the last price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.broker.embedded_orders import EmbeddedNames
from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.domain.limits import CostRules, StopRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages.facts import SymbolHalted, SymbolResumed
from catalyst_bot.domain.money import ZERO, round_price, to_decimal, whole_shares
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from catalyst_bot.features.indicators import average_true_range
from catalyst_bot.features.window import bar_window
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.session_times import to_datetime, to_seconds
from catalyst_bot.risk.stops import Protection, protect
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest

NOTIONAL_USD = Decimal(10_000)
ATR_WINDOW = 100  # bars; Wilder's average has settled by then
_CASH_USD = Decimal(10) ** 12  # more than any set of trades can spend

Halt = SymbolHalted | SymbolResumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Everything a trade meets: bars, halts, costs, and how stops are set."""

    bars: BarStore
    halts: Sequence[Halt] = ()
    costs: CostRules = field(default_factory=CostRules)
    stops: StopRules = field(default_factory=StopRules)
    profile: FillProfile = FillProfile.OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A trade as it could have been: decided at `at`, over after the horizon."""

    name: str
    symbol: str
    at: datetime
    horizon_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish that meets prices: so many shares, and where it is left."""

    wish: Wish
    quantity: Decimal
    price: Decimal
    protection: Protection


def order_of(wish: Wish, market: Market) -> Order | None:
    """Return the order a wish would have been, None where no price or stop is known."""
    window = market.bars.window(wish.symbol, wish.at, ATR_WINDOW)
    length = market.stops.atr_length
    if len(window) <= length or not _has_later_bars(wish, market):
        return None
    price = to_decimal(window[-1].close, "close")
    atr = average_true_range(bar_window(window), length)
    protection = protect(price, atr=atr, rules=market.stops)
    if protection is None:
        return None
    quantity = max(whole_shares(NOTIONAL_USD / price), Decimal(1))
    return Order(wish=wish, quantity=quantity, price=price, protection=protection)


def _has_later_bars(wish: Wish, market: Market) -> bool:
    opened_s = market.bars.columns(wish.symbol).opened_s
    return bool(len(opened_s)) and int(opened_s[-1]) >= to_seconds(wish.at)


def worth(orders: Iterable[Order], market: Market) -> Decimal:
    """Return what a set of orders earns together in one account, in USD, not rounded."""
    playing = _Playing(market)
    return playing.play(sorted(orders, key=lambda order: (order.wish.at, order.wish.name)))


class _Playing:
    """One account in which a set of orders is played to the end of the bars."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._engine = MatchingEngine(
            market.costs, market.profile, names=EmbeddedNames(), starting_cash_usd=_CASH_USD
        )
        self._bought: dict[str, Decimal] = {}  # shares held of each wish
        self._leaves_at: dict[str, datetime] = {}
        self._orders: dict[str, Order] = {}
        self._wish_of: dict[str, str] = {}  # by order, its legs included

    def play(self, orders: Sequence[Order]) -> Decimal:
        for at, phase, step in _timetable(orders, self._market):
            match step:
                case SymbolHalted():
                    self._engine.halt(step.symbol, at)
                case SymbolResumed():
                    self._engine.resume(step.symbol, at)
                case Order():
                    self._enter(step)
                case Bar():
                    self._heed(self._engine.on_bar(step, at))
                    self._leave(step.symbol, at)
                case OpenPrint() if phase and step.symbol in self._engine.working_symbols():
                    self._heed(self._engine.on_open_print(step, at))
        return self._engine.state.account.cash_usd - _CASH_USD + self._held_usd()

    def _enter(self, order: Order) -> None:
        wish, name = order.wish, order.wish.name
        self._orders[name] = order
        self._wish_of |= dict.fromkeys((name, stop_leg_id(name), target_leg_id(name)), name)
        request = OrderRequest(
            client_order_id=name,
            symbol=wish.symbol,
            side=Side.BUY,
            kind=OrderKind.MARKET,
            time_in_force=TimeInForce.GTC,
            quantity=order.quantity,
            reference_price=order.price,
            order_class=OrderClass.BRACKET,
            take_profit_price=order.protection.take_profit_price,
            stop_loss_price=order.protection.stop_price,
        )
        self._heed(self._engine.submit(request, wish.at))

    def _heed(self, events: Iterable[e.VenueEvent]) -> None:
        """Keep how many shares each wish holds, and when it is over."""
        for event in events:
            if not isinstance(event, e.OrderFilled):
                continue
            order = self._engine.state.orders[event.order_id]
            name = self._wish_of[order.client_order_id]
            sign = 1 if order.side is Side.BUY else -1
            self._bought[name] = self._bought.get(name, ZERO) + sign * event.quantity
            if order.side is Side.BUY:
                horizon = timedelta(seconds=self._orders[name].wish.horizon_s)
                self._leaves_at.setdefault(name, event.filled_at + horizon)

    def _leave(self, symbol: str, at: datetime) -> None:
        """Sell what is held of wishes whose time is over; before that their legs are cancelled."""
        over = [
            name
            for name, due in self._leaves_at.items()
            if due <= at and self._orders[name].wish.symbol == symbol
        ]
        for name in over:
            del self._leaves_at[name]
            if not self._bought[name] > 0:
                continue
            for order_id in (name, stop_leg_id(name), target_leg_id(name)):
                self._cancel(order_id, at)
            out_id = f"{name}-out"
            self._wish_of[out_id] = name
            request = OrderRequest(
                client_order_id=out_id,
                symbol=symbol,
                side=Side.SELL,
                kind=OrderKind.MARKET,
                time_in_force=TimeInForce.GTC,
                quantity=self._bought[name],
                reference_price=self._orders[name].price,
            )
            self._heed(self._engine.submit(request, at))

    def _cancel(self, client_order_id: str, at: datetime) -> None:
        order = self._engine.state.by_client_id(client_order_id)
        if order is not None and not order.is_ended:
            self._heed(self._engine.cancel(order.order_id, at))

    def _held_usd(self) -> Decimal:
        holdings = self._engine.state.account.holdings
        return sum(
            (held.quantity * self._last_price(symbol) for symbol, held in holdings.items()),
            start=ZERO,
        )

    def _last_price(self, symbol: str) -> Decimal:
        """On a tick, as a sale would be: sums of whole shares then need no rounding, and add up."""
        return round_price(to_decimal(float(self._market.bars.columns(symbol).close[-1]), "close"))


Step = Halt | Order | Bar | OpenPrint
_HALT, _CLOSE, _DECISION, _OPEN = range(4)  # the order at one instant, as in a replay


def _timetable(orders: Sequence[Order], market: Market) -> list[tuple[datetime, int, Step]]:
    """Everything that happens to these orders, in the order of a replay."""
    first_at: dict[str, datetime] = {}
    for order in orders:
        symbol = order.wish.symbol
        first_at[symbol] = min(first_at.get(symbol, order.wish.at), order.wish.at)
    steps: list[tuple[datetime, int, Step]] = [
        (halt.at, _HALT, halt) for halt in market.halts if halt.symbol in first_at
    ]
    steps += [(order.wish.at, _DECISION, order) for order in orders]
    for symbol, at in first_at.items():
        steps += _bars_since(symbol, at, market.bars)
    return sorted(steps, key=lambda step: step[:2])


def _bars_since(symbol: str, at: datetime, store: BarStore) -> list[tuple[datetime, int, Step]]:
    bars, since_s = store.columns(symbol), to_seconds(at)
    steps: list[tuple[datetime, int, Step]] = []
    for row in range(len(bars.opened_s)):
        if int(bars.closed_s[row]) <= since_s:
            continue
        bar = Bar(
            symbol=symbol,
            opened_at=to_datetime(int(bars.opened_s[row])),
            closed_at=to_datetime(int(bars.closed_s[row])),
            open=float(bars.open[row]),
            high=float(bars.high[row]),
            low=float(bars.low[row]),
            close=float(bars.close[row]),
            volume=float(bars.volume[row]),
        )
        steps.append((bar.closed_at, _CLOSE, bar))
        if bar.opened_at >= at:
            volume = float(bars.volume[row - 1]) if row else None
            opening = OpenPrint(symbol=symbol, price=bar.open, volume=volume)
            steps.append((bar.opened_at, _OPEN, opening))
    return steps
