"""The orders of the small Alpaca: what a client has to cope with, and no more.

Market orders fill at the open of a bar, limits and stops inside it. Legs have client ids of
Alpaca's own and stay `held` until the entry is completely filled (a stop even longer), a replaced
order is a new order with another id for the rest, siblings cancel each other and reserve their
shares once. With `participation` a bar fills no more than that part of its volume.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id

NOTHING = Decimal(0)
FINAL = frozenset({"filled", "canceled", "expired", "replaced", "rejected"})


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, code: int, message: str, **context: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {**({"code": code} if code else {}), "message": message, **context}


@dataclass(eq=False)
class FakeOrder:
    """One order as Alpaca numbers them; `venue_id` is what we would call it."""

    order_id: str
    client_order_id: str
    venue_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    time_in_force: str
    order_class: str
    submitted_at: datetime
    status: str = "new"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    parent: FakeOrder | None = None
    filled: Decimal = NOTHING
    spent_usd: Decimal = NOTHING
    changed_at: datetime | None = None
    replaces: str | None = None
    replaced_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status not in FINAL

    @property
    def rest(self) -> Decimal:
        return self.quantity - self.filled


Tell = Callable[[str, FakeOrder, dict[str, Any] | None], None]


@dataclass
class FakeOrders:
    """Orders, cash and shares. `tell` hears every event, with the execution if there is one."""

    now: Callable[[], datetime]
    cash_usd: Decimal
    tell: Tell
    participation: float | None = None
    orders: dict[str, FakeOrder] = field(default_factory=dict)
    holdings: dict[str, list[Decimal]] = field(default_factory=dict)  # symbol: quantity, cost
    executions: list[dict[str, Any]] = field(default_factory=list)
    tells_sibling_cancels: bool = True

    # asking

    def by_id(self, order_id: str) -> FakeOrder:
        if order_id not in self.orders:
            raise Refusal(404, 40410000, f"order not found for {order_id}")
        return self.orders[order_id]

    def by_client_id(self, client_id: str) -> FakeOrder:
        for order in self.orders.values():
            if order.client_order_id == client_id:
                return order
        raise Refusal(404, 40410000, f"order not found for {client_id}")

    def named(self, venue_id: str) -> list[FakeOrder]:
        """An order of ours and what replaced it, oldest first."""
        return [order for order in self.orders.values() if order.venue_id == venue_id]

    def legs(self, order: FakeOrder) -> list[FakeOrder]:
        return [leg for leg in self.orders.values() if leg.parent is order and not leg.replaces]

    def held(self, symbol: str) -> Decimal:
        return self.holdings.get(symbol, [NOTHING])[0]

    # trading

    def submit(self, body: dict[str, Any], price: float) -> FakeOrder:
        client_id = body.get("client_order_id") or f"alpaca-made-{len(self.orders)}"
        if any(order.client_order_id == client_id for order in self.orders.values()):
            raise Refusal(422, 40010001, "client_order_id must be unique")
        order_class = body.get("order_class", "")
        if order_class and body["time_in_force"] not in {"day", "gtc"}:
            raise Refusal(422, 42210000, "bracket orders must be day or gtc")
        target, stop = body.get("take_profit"), body.get("stop_loss")
        order = self._new(client_id, client_id, body)
        if order_class == "oco":
            order.limit_price = Decimal(target["limit_price"])
        self._check_means(order, price)
        self.orders[order.order_id] = order
        if target and order_class != "oco":
            self._leg(order, target_leg_id(client_id), "limit", target["limit_price"])
        if stop:
            self._leg(order, stop_leg_id(client_id), "stop", stop["stop_price"])
        self.tell("new", order, None)
        return order

    def cancel(self, order: FakeOrder) -> None:
        if not order.is_open:
            raise Refusal(422, 42210000, f'order is already in "{order.status}" state')
        self._end(order, "canceled")
        for other in self._group(order):
            if other.is_open:
                self._end(other, "canceled")

    def expire(self, order: FakeOrder) -> None:
        """Let an order lapse, with its legs."""
        for each in (order, *self.legs(order)):
            if each.is_open:
                self._end(each, "expired")

    def replace(self, order: FakeOrder, body: dict[str, Any]) -> FakeOrder:
        if not order.is_open:
            raise Refusal(422, 42210000, "unable to replace order, order is not open")
        new = self._copy(order)
        if "stop_price" in body:
            new.stop_price = Decimal(body["stop_price"])
        if "limit_price" in body:
            new.limit_price = Decimal(body["limit_price"])
        new.replaces, order.replaced_by = order.order_id, new.order_id
        for leg in self.legs(order):
            leg.parent = new
        order.status, order.changed_at = "replaced", self.now()
        self.orders[new.order_id] = new
        self.tell("replaced", order, None)
        self.tell("new", new, None)
        return new

    def trade(self, bar: Bar) -> None:
        """Match a bar with what was at work before it."""
        left = Decimal(bar.volume * self.participation) if self.participation else Decimal(10**9)
        at_work = [o for o in self.orders.values() if o.symbol == bar.symbol and self._can_fill(o)]
        for order in sorted(at_work, key=lambda o: o.kind == "limit"):  # a stop before a target
            price = _price_in(bar, order)
            quantity = min(order.rest, left // 1)
            if price is not None and quantity > 0 and self._can_fill(order):
                left -= quantity
                self.fill(order, quantity, Decimal(str(price)), bar.closed_at)

    def fill(self, order: FakeOrder, quantity: Decimal, price: Decimal, at: datetime) -> None:
        """Execute a part of an order."""
        order.filled += quantity
        order.spent_usd += quantity * price
        order.changed_at = at
        is_buy = order.side == "buy"
        self.cash_usd += quantity * price * (-1 if is_buy else 1)
        holding = self.holdings.setdefault(order.symbol, [NOTHING, NOTHING])
        if is_buy:
            holding[1] = (holding[0] * holding[1] + quantity * price) / (holding[0] + quantity)
        holding[0] += quantity if is_buy else -quantity
        order.status = "filled" if not order.rest else "partially_filled"
        execution = self._execution(order, quantity, price, at)
        self.executions.append(execution)
        self.tell("partial_fill" if order.rest else "fill", order, execution)
        self._settle(order)

    # inside

    def _settle(self, order: FakeOrder) -> None:
        """Legs come to life with the whole entry; what one sold the others have not to sell."""
        if order.side == "buy" and not order.rest:
            for leg in self.legs(order):
                leg.quantity = order.filled
                if leg.kind == "limit":
                    leg.status = "new"
                    self.tell("new", leg, None)
        if order.side == "sell":
            for other in self._group(order):
                if not other.is_open:
                    continue
                if order.rest:
                    other.quantity = order.rest
                else:
                    self._end(other, "canceled", is_told=self.tells_sibling_cancels)

    def _end(self, order: FakeOrder, status: str, *, is_told: bool = True) -> None:
        order.status, order.changed_at = status, self.now()
        if is_told:
            self.tell(status, order, None)

    def _can_fill(self, order: FakeOrder) -> bool:
        if not order.is_open:
            return False
        parent = self._entry_of(order)
        return parent is None or parent.order_class == "oco" or parent.status == "filled"

    def _entry_of(self, order: FakeOrder) -> FakeOrder | None:
        return order.parent

    def _group(self, order: FakeOrder) -> list[FakeOrder]:
        """The others of a bracket or pair; the entry of a bracket that is filled is none of it."""
        head = order.parent or order
        members = [o for o in self.orders.values() if o is head or o.parent is head]
        return [each for each in members if each is not order]

    def _check_means(self, order: FakeOrder, price: float) -> None:
        if order.side == "buy":
            cost = order.quantity * (order.limit_price or Decimal(str(price)))
            if cost > self.cash_usd:
                raise Refusal(403, 40310000, "insufficient buying power", buying_power="0")
            return
        groups: dict[int, Decimal] = {}
        for other in self.orders.values():
            if other.symbol == order.symbol and other.side == "sell" and self._can_fill(other):
                key = id(other.parent or other)
                groups[key] = max(groups.get(key, NOTHING), other.rest)
        available = self.held(order.symbol) - sum(groups.values(), NOTHING)
        if order.quantity > available:
            raise Refusal(
                403,
                40310000,
                f"insufficient qty available for order (requested: {order.quantity}, "
                f"available: {available})",
                existing_qty=str(self.held(order.symbol)),
            )

    def _new(self, client_id: str, venue_id: str, body: dict[str, Any]) -> FakeOrder:
        number = len(self.orders)
        limit, stop = body.get("limit_price"), body.get("stop_price")
        return FakeOrder(
            order_id=str(uuid5(NAMESPACE_URL, f"{client_id}|{number}")),
            client_order_id=client_id,
            venue_id=venue_id,
            symbol=body["symbol"],
            side=body["side"],
            kind=body["type"],
            quantity=Decimal(body["qty"]),
            time_in_force=body["time_in_force"],
            order_class=body.get("order_class", ""),
            submitted_at=self.now() + timedelta(microseconds=number),
            limit_price=Decimal(limit) if limit else None,
            stop_price=Decimal(stop) if stop else None,
        )

    def _leg(self, parent: FakeOrder, venue_id: str, kind: str, price: str) -> None:
        made = f"alpaca-made-{venue_id[-2:]}-{len(self.orders)}"
        body = {
            "symbol": parent.symbol,
            "side": "sell",
            "type": kind,
            "qty": str(parent.quantity),
            "time_in_force": parent.time_in_force,
            "order_class": parent.order_class,
            f"{kind}_price": price,
        }
        leg = self._new(made, venue_id, body)
        leg.parent, leg.status = parent, "held"
        self.orders[leg.order_id] = leg

    def _copy(self, order: FakeOrder) -> FakeOrder:
        body = {
            "symbol": order.symbol,
            "side": order.side,
            "type": order.kind,
            "qty": str(order.rest),
            "time_in_force": order.time_in_force,
            "order_class": order.order_class,
        }
        new = self._new(f"alpaca-made-{len(self.orders)}", order.venue_id, body)
        new.limit_price, new.stop_price = order.limit_price, order.stop_price
        new.parent = order.parent
        new.status = "held" if order.status == "held" else "new"
        return new

    def _execution(
        self, order: FakeOrder, quantity: Decimal, price: Decimal, at: datetime
    ) -> dict[str, Any]:
        return {
            "id": f"{at:%Y%m%d%H%M%S%f}::{len(self.executions):08d}",
            "activity_type": "FILL",
            "order_id": order.order_id,
            "symbol": order.symbol,
            "side": order.side,
            "price": str(price),
            "qty": str(quantity),
            "cum_qty": str(order.filled),
            "leaves_qty": str(order.rest),
            "transaction_time": rfc3339_of(at),
        }


def _price_in(bar: Bar, order: FakeOrder) -> float | None:
    """The price an order gets in a bar, None when it gets none."""
    if order.kind == "market":
        return bar.open
    if order.kind == "stop":
        assert order.stop_price is not None
        stop = float(order.stop_price)
        return min(bar.open, stop) if bar.low <= stop else None
    assert order.limit_price is not None
    limit = float(order.limit_price)
    if order.side == "buy":
        return min(bar.open, limit) if bar.low <= limit else None
    return max(bar.open, limit) if bar.high >= limit else None


def rfc3339_of(at: datetime) -> str:
    """With nine digits, as Alpaca writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}000Z"
