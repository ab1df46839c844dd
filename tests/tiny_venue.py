"""A small venue for property tests: it holds the truth and says it in facts that may get lost.

It reserves shares, cancels siblings, refuses what a real one would, and has the habits in which
real ones differ: when the legs of a bracket go live, whether a sibling's end is told, and whether
an order can be cancelled while the session it waits for is closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import BrokerOrder, BrokerPosition, BrokerSnapshot
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, SessionPhase, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from tests.builders import calendar, fill, ticket
from tests.stages import START_USD

ZERO = Decimal(0)
CALENDAR = calendar()


@dataclass
class Habits:
    """What the venue does its own way."""

    legs_wait_for_the_whole_entry: bool = False
    tells_siblings: bool = True
    cancels_at_the_open: bool = False
    refuses: bool = False
    is_silent: bool = False


@dataclass
class Held:
    """An order or leg at the venue."""

    order_id: str
    group: str
    approved: ApprovedOrder
    role: OrderRole
    side: Side
    kind: OrderKind
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    filled: Decimal = ZERO
    status: OrderStatus = OrderStatus.WORKING
    fills: list[Any] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        return self.approved.symbol

    @property
    def is_open(self) -> bool:
        return self.status in {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled


class TinyVenue:
    """Orders, shares and cash of one account; `outbox` waits for somebody to deliver it."""

    def __init__(self) -> None:
        self.habits = Habits()
        self.orders: dict[str, Held] = {}
        self.shares: dict[str, Decimal] = {}
        self.cash = START_USD
        self.outbox: list[Any] = []
        self.sent: list[str] = []
        self.now = datetime(2000, 1, 1)  # noqa: DTZ001  # set by the machine before its use
        self.foreign_count = 0
        self.short_of_shares: list[str] = []
        self.cancels_of_the_night: list[str] = []

    def say(self, fact: Any) -> None:
        self.outbox.append(fact)

    def group_of(self, fact: Any) -> str:
        """The orders that a fact is about: an entry with its legs, or a pair."""
        order_id = getattr(getattr(fact, "fill", fact), "client_order_id", "")
        held = self.orders.get(order_id)
        return held.group if held is not None else ""

    # Commands

    def obey(self, command: Any) -> None:
        match command:
            case c.SubmitOrder():
                self._submit(command.order)
            case c.CancelOrder():
                self._cancel(command.client_order_id)
            case c.ReplaceOrder():
                self._replace(command)
            case c.LookUpOrder():
                self.look_up(command.client_order_id)
            case c.TakeBrokerSnapshot():
                self._snapshot()

    def _submit(self, order: ApprovedOrder) -> None:
        assert order.client_order_id not in self.sent, "an id was sent twice"
        self.sent.append(order.client_order_id)
        reason = self._refusal(order)
        if reason:
            self.say(self._rejected(order.client_order_id, reason))
            return
        for held in self._enter(order):
            self.orders[held.order_id] = held
        if self.habits.is_silent:
            detail = "timeout"
            self.say(self._fact(f.SubmitOutcomeUnknown, order.client_order_id, detail=detail))
        else:
            self._accepted(order.client_order_id)
        if order.role is OrderRole.TAKE_PROFIT and not self.habits.legs_wait_for_the_whole_entry:
            self._accepted(stop_leg_id(order.client_order_id))

    def _refusal(self, order: ApprovedOrder) -> str:
        if self.habits.refuses:
            return "no"
        if order.side is Side.SELL and order.quantity > self.available(order.symbol):
            self.short_of_shares.append(order.client_order_id)
            return "insufficient qty available"
        return ""

    def available(self, symbol: str) -> Decimal:
        """Shares that no open sale has reserved; a group reserves once."""
        reserved: dict[str, Decimal] = {}
        for held in self.orders.values():
            if held.symbol == symbol and held.side is Side.SELL and held.is_open:
                reserved[held.group] = max(reserved.get(held.group, ZERO), held.left)
        return self.shares.get(symbol, ZERO) - sum(reserved.values(), start=ZERO)

    def _enter(self, order: ApprovedOrder) -> list[Held]:
        order_id = order.client_order_id
        main = Held(
            order_id=order_id,
            group=order_id,
            approved=order,
            role=order.role,
            side=order.side,
            kind=order.kind,
            quantity=order.quantity,
            limit_price=order.limit_price,
            stop_price=order.stop_loss_price if order.kind is OrderKind.STOP else None,
        )
        legs = []
        is_entry = order.role is OrderRole.ENTRY
        if order.stop_loss_price is not None and (is_entry or order.role is OrderRole.TAKE_PROFIT):
            stop = self._leg(main, stop_leg_id(order_id), OrderRole.STOP_LOSS, OrderKind.STOP)
            stop.stop_price = order.stop_loss_price
            legs.append(stop)
        if order.take_profit_price is not None and is_entry:
            target = self._leg(
                main, target_leg_id(order_id), OrderRole.TAKE_PROFIT, OrderKind.LIMIT
            )
            target.limit_price = order.take_profit_price
            legs.append(target)
        return [main, *legs]

    def _leg(self, main: Held, leg_id: str, role: OrderRole, kind: OrderKind) -> Held:
        is_entry = main.role is OrderRole.ENTRY
        return Held(
            order_id=leg_id,
            group=main.order_id,
            approved=main.approved,
            role=role,
            side=Side.SELL,
            kind=kind,
            quantity=ZERO if is_entry else main.quantity,
            status=OrderStatus.HELD if is_entry else OrderStatus.WORKING,
        )

    def _cancel(self, order_id: str) -> None:
        held = self.orders.get(order_id)
        if held is None or not (held.is_open or held.status is OrderStatus.HELD):
            self.say(self._fact(f.ChangeRefused, order_id, reason="not open"))
            return
        is_closed = CALENDAR.phase_or_closed(self.now) is not SessionPhase.REGULAR
        if self.habits.cancels_at_the_open and is_closed and not held.approved.extended_hours:
            self.cancels_of_the_night.append(order_id)
            return
        self.end(order_id)

    def open_session(self) -> None:
        """What was to be cancelled while the session was closed goes now."""
        waiting, self.cancels_of_the_night = self.cancels_of_the_night, []
        for order_id in waiting:
            self.end(order_id)

    def _replace(self, command: c.ReplaceOrder) -> None:
        held = self.orders.get(command.client_order_id)
        if held is None or not held.is_open:
            self.say(self._fact(f.ChangeRefused, command.client_order_id, reason="not open"))
            return
        held.stop_price = command.stop_price or held.stop_price
        held.limit_price = command.limit_price or held.limit_price
        self.say(
            self._fact(
                f.OrderReplaced,
                held.order_id,
                stop_price=command.stop_price,
                limit_price=command.limit_price,
            )
        )

    def look_up(self, order_id: str) -> None:
        """Tell every fill of the order again, then how it stands."""
        held = self.orders.get(order_id)
        found = None
        if held is not None:
            for one in held.fills:
                self.say(f.OrderFilled(at=self.now, fill=one))
            found = ticket(
                client_order_id=order_id,
                status=held.status,
                quantity=held.quantity,
                filled_quantity=held.filled,
            )
        self.say(self._fact(f.OrderLookedUp, order_id, ticket=found))

    def _snapshot(self) -> None:
        books = BrokerSnapshot(
            cash_usd=self.cash,
            positions=tuple(
                BrokerPosition(symbol=s, quantity=q, average_cost=Decimal(100))
                for s, q in sorted(self.shares.items())
                if q != 0
            ),
            open_orders=tuple(
                BrokerOrder(
                    client_order_id=held.order_id,
                    broker_order_id=f"b-{held.order_id}",
                    symbol=held.symbol,
                    quantity=held.quantity,
                    filled_quantity=held.filled,
                )
                for held in self.orders.values()
                if held.is_open
            ),
        )
        self.say(f.BrokerSnapshotReceived(at=self.now, snapshot=books))

    # What happens at the venue

    def end(self, order_id: str, *, lapses: bool = False) -> None:
        """An order ends unfilled or in part, and its siblings with it."""
        held = self.orders[order_id]
        self._finish(held, lapses=lapses, tells=True)
        for other in self._siblings(held):
            is_pair = other.role is OrderRole.ENTRY or held.role is not OrderRole.ENTRY
            if is_pair or held.filled == 0 or self.habits.legs_wait_for_the_whole_entry:
                self._finish(other, lapses=lapses, tells=self.habits.tells_siblings)

    def _finish(self, held: Held, *, lapses: bool, tells: bool) -> None:
        was_held = held.status is OrderStatus.HELD
        if not held.is_open and not was_held:
            return
        held.status = OrderStatus.EXPIRED if lapses else OrderStatus.CANCELLED
        if tells and lapses:
            self.say(self._fact(f.OrderExpired, held.order_id))
        elif tells:
            self.say(self._fact(f.OrderCancelled, held.order_id, reason="ended"))

    def _siblings(self, held: Held) -> list[Held]:
        return [o for o in self.orders.values() if o.group == held.group and o is not held]

    def fill(self, order_id: str, quantity: Decimal, price: Decimal) -> None:
        """Execute a part of an order, with all that follows from it."""
        held = self.orders[order_id]
        held.filled += quantity
        held.status = OrderStatus.FILLED if held.left == 0 else OrderStatus.PARTIALLY_FILLED
        one = fill(
            fill_id=ids.fill_id(order_id, str(held.filled)),
            client_order_id=order_id,
            symbol=held.symbol,
            side=held.side,
            quantity=quantity,
            price=price,
            fee_usd=ZERO,
            filled_at=self.now,
        )
        held.fills.append(one)
        self._book(one)
        self.say(f.OrderFilled(at=self.now, fill=one))
        if held.role is OrderRole.ENTRY:
            self._grow_legs(held, quantity)
        elif held.role is not OrderRole.EXIT:
            self._shrink_siblings(held, quantity)

    def match(self, prices: dict[str, Decimal]) -> None:
        """Fill every order that a real venue would fill at these prices."""
        for held in list(self.orders.values()):
            price = prices[held.symbol]
            is_reached = (
                held.kind is OrderKind.MARKET
                or (held.stop_price is not None and price <= held.stop_price)
                or (held.limit_price is not None and self._crosses(held, price))
            )
            if held.is_open and held.left > 0 and is_reached:
                self.fill(held.order_id, held.left, price)

    def _crosses(self, held: Held, price: Decimal) -> bool:
        assert held.limit_price is not None
        is_buy = held.side is Side.BUY
        return price <= held.limit_price if is_buy else price >= held.limit_price

    def _book(self, one: Any) -> None:
        signed = one.quantity if one.side is Side.BUY else -one.quantity
        self.shares[one.symbol] = self.shares.get(one.symbol, ZERO) + signed
        self.cash -= signed * one.price + one.fee_usd
        assert self.shares[one.symbol] >= 0, "more was sold than was held"

    def _grow_legs(self, entry: Held, quantity: Decimal) -> None:
        waits = self.habits.legs_wait_for_the_whole_entry and entry.is_open
        for leg in self._siblings(entry):
            if leg.status not in {OrderStatus.HELD, OrderStatus.WORKING}:
                continue
            leg.quantity += quantity
            if leg.status is not OrderStatus.HELD or waits:
                continue
            if leg.quantity > self.shares[leg.symbol]:  # a person sold some of it meanwhile
                self._finish(leg, lapses=False, tells=True)
                continue
            leg.status = OrderStatus.WORKING
            self._accepted(leg.order_id)

    def _shrink_siblings(self, held: Held, quantity: Decimal) -> None:
        for other in self._siblings(held):
            if other.role is OrderRole.ENTRY:
                if other.is_open:
                    self._finish(other, lapses=False, tells=True)
            elif other.is_open:
                other.quantity -= quantity
                if other.left <= 0:
                    self._finish(other, lapses=False, tells=self.habits.tells_siblings)

    def trade_foreign(self, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> None:
        """A person trades; nobody sells what is reserved."""
        if side is Side.SELL and quantity > self.available(symbol):
            return
        self.foreign_count += 1
        one = fill(
            fill_id=f"foreign-{self.foreign_count}",
            client_order_id=f"theirs-{self.foreign_count}",
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            fee_usd=ZERO,
            filled_at=self.now,
        )
        self._book(one)
        self.say(f.ForeignFilled(at=self.now, fill=one))

    def split(self, symbol: str, shares_per_share: int) -> None:
        """One share becomes several."""
        self.shares[symbol] = self.shares.get(symbol, ZERO) * shares_per_share
        for held in self.orders.values():
            if held.symbol == symbol:
                held.quantity *= shares_per_share
                held.filled *= shares_per_share
                if held.stop_price is not None:
                    held.stop_price = round(held.stop_price / shares_per_share, 2)
                if held.limit_price is not None:
                    held.limit_price = round(held.limit_price / shares_per_share, 2)
        self.say(
            f.SplitApplied(
                at=self.now,
                symbol=symbol,
                shares_per_share=Decimal(shares_per_share),
                effective_on=self.now.date() + timedelta(days=1),  # no order is younger
            )
        )

    def stops_of(self, symbol: str) -> list[Held]:
        """Stops at work in the symbol."""
        return [
            held
            for held in self.orders.values()
            if held.symbol == symbol and held.is_open and held.role is OrderRole.STOP_LOSS
        ]

    def _accepted(self, order_id: str) -> None:
        self.say(self._fact(f.OrderAccepted, order_id, broker_order_id=f"b-{order_id}"))

    def _rejected(self, order_id: str, reason: str) -> Any:
        return self._fact(f.OrderRejected, order_id, reason=reason)

    def _fact(self, kind: Any, order_id: str, **given: Any) -> Any:
        return kind(at=self.now, client_order_id=order_id, **given)
