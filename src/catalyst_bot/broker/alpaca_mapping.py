"""Orders in Alpaca's words and back. Pure: what is sent and what an answer means, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.alpaca.reading import (
    alpaca_symbol,
    amount,
    optional_amount,
    optional_time,
    time_of,
)
from catalyst_bot.domain import ids
from catalyst_bot.domain.account import BrokerPosition
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side, TimeInForce
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.money import ZERO, round_price
from catalyst_bot.domain.trading import ApprovedOrder

HELD = "held"
REPLACED = "replaced"
FINAL = frozenset({"filled", "canceled", "expired", "rejected", REPLACED})
_STATUSES: dict[str, OrderStatus] = {
    HELD: OrderStatus.HELD,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    REPLACED: OrderStatus.CANCELLED,  # and nothing came in its place: see `standing`
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One order as Alpaca reports it; `average_price` is None before the first fill.
    `commission_usd` is what its fills cost so far: nothing in the paper service.

    `happened_at` is the time of its last fill or change, `replaced_by` and `replaces` are Alpaca's
    ids of the next and the former link. For an order that was replaced, `standing` sums the fills
    of the whole chain. On a stream no order names its legs.
    """

    broker_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    kind: str
    status: str
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None
    stop_price: Decimal | None
    limit_price: Decimal | None
    replaced_by: str
    replaces: str
    submitted_at: datetime
    happened_at: datetime
    updated_at: datetime
    commission_usd: Decimal
    legs: tuple[Report, ...]

    @property
    def is_final(self) -> bool:
        """It trades no more."""
        return self.status in FINAL

    @property
    def filled_usd(self) -> Decimal:
        """What was paid or received so far."""
        return self.filled_quantity * (self.average_price or ZERO)

    @property
    def order_status(self) -> OrderStatus:
        """The status in our words; every state on the way is a working order to us."""
        return _STATUSES.get(self.status, OrderStatus.WORKING)


def order_request(order: ApprovedOrder) -> dict[str, Any]:
    """Return the body of `POST /v2/orders`.

    An entry with a stop or a target is one complex order. Its legs live as long as it does in
    Alpaca's terms, so it is sent good-till-cancelled: a stop that lapsed at the close would leave
    the position bare overnight. What is not bought in time is cancelled by the execution stage.
    A pair that protects what is held is an OCO: its target is the order, its stop the leg.
    """
    legs = _legs(order)
    body: dict[str, Any] = {
        "client_order_id": order.client_order_id,
        "symbol": alpaca_symbol(order.symbol),
        "qty": plain(order.quantity),
        "side": order.side.value,
        "type": order.kind.value,
        "time_in_force": order.time_in_force.value,
        **legs,
    }
    if order.side is Side.SELL and not legs:
        body["position_intent"] = "sell_to_close"  # whoever sold first, this never sells short
    if legs and order.side is Side.BUY:
        body["time_in_force"] = TimeInForce.GTC.value
    if order.extended_hours:
        body["extended_hours"] = True
    if order.kind is OrderKind.LIMIT and order.limit_price is not None and not is_pair(order):
        body["limit_price"] = on_tick(order.limit_price)
    if order.kind is OrderKind.STOP and order.stop_loss_price is not None:
        body["stop_price"] = on_tick(order.stop_loss_price)
    return body


def is_pair(order: ApprovedOrder) -> bool:
    """True for a target and a stop of which one cancels the other, for what is held already."""
    return order.role is OrderRole.TAKE_PROFIT and order.stop_loss_price is not None


def _legs(order: ApprovedOrder) -> dict[str, Any]:
    stop, target = order.stop_loss_price, order.take_profit_price
    if is_pair(order):
        target = order.limit_price
    elif order.side is not Side.BUY:
        return {}
    legs: dict[str, Any] = {}
    if target is not None:
        legs["take_profit"] = {"limit_price": on_tick(target)}
    if stop is not None:
        legs["stop_loss"] = {"stop_price": on_tick(stop)}
    if is_pair(order):
        return {"order_class": "oco", **legs}
    order_class = {0: "", 1: "oto", 2: "bracket"}[len(legs)]
    return {"order_class": order_class, **legs} if legs else {}


def on_tick(price: Decimal) -> str:
    """Return a price as Alpaca takes it: plain digits, no more of them than the tick has."""
    return plain(round_price(price))


def plain(value: Decimal) -> str:
    """Return digits without an exponent and without zeros at the end."""
    return f"{value.normalize():f}"


def read_order(told: Any) -> Report:
    """Read an order out of an answer. Raises `BadData` that names what is wrong with it."""
    if not isinstance(told, Mapping) or not told.get("id"):
        raise BadData("the answer is no order")
    filled = optional_amount(told, "filled_qty") or ZERO
    average_price = optional_amount(told, "filled_avg_price")
    if filled < 0 or (filled > 0 and not (average_price or ZERO) > 0):
        raise BadData(f"order {told['id']}: filled {filled} at {average_price}")
    updated_at = time_of(told, "updated_at")
    return Report(
        broker_order_id=str(told["id"]),
        client_order_id=str(told.get("client_order_id") or ""),
        symbol=str(told.get("symbol") or ""),
        side=_side(told),
        kind=str(told.get("type") or told.get("order_type") or ""),
        status=str(told.get("status") or ""),
        quantity=optional_amount(told, "qty") or filled,
        filled_quantity=filled,
        average_price=average_price,
        stop_price=optional_amount(told, "stop_price"),
        limit_price=optional_amount(told, "limit_price"),
        replaced_by=str(told.get("replaced_by") or ""),
        replaces=str(told.get("replaces") or ""),
        submitted_at=time_of(told, "submitted_at"),
        happened_at=optional_time(told, "filled_at") or updated_at,
        updated_at=updated_at,
        commission_usd=optional_amount(told, "commission") or ZERO,
        legs=tuple(read_order(leg) for leg in told.get("legs") or ()),
    )


def _side(told: Mapping[str, Any]) -> Side:
    try:
        return Side(str(told.get("side")))
    except ValueError as error:
        raise BadData(f"order {told['id']}: side {told.get('side')!r}") from error


def read_orders(told: Any) -> list[Report]:
    """Read a list of orders; one of somebody else that we cannot read is left out.

    Raises `BadData`.
    """
    if not isinstance(told, list):
        raise BadData("the answer is no list of orders")
    reports = []
    for order in told:
        try:
            reports.append(read_order(order))
        except BadData:
            if not isinstance(order, Mapping) or _is_ours(order):
                raise
    return reports


def _is_ours(told: Mapping[str, Any]) -> bool:
    return str(told.get("client_order_id") or "").startswith(ids.OUR_PREFIX)


def flat(reports: Iterable[Report]) -> dict[str, Report]:
    """Return orders and their legs by Alpaca's id."""
    return {each.broker_order_id: each for report in reports for each in (report, *report.legs)}


def chain(report: Report, known: Mapping[str, Report]) -> list[Report]:
    """Return an order and what replaced it, one after the other, as far as known.

    A replacement that was refused counts only when the order it was for is gone.
    """
    links = [report]
    while (following := known.get(links[-1].replaced_by)) and following not in links:
        if following.status == "rejected" and links[-1].status != REPLACED:
            break
        links.append(following)
    return links


def standing(report: Report, known: Mapping[str, Report]) -> Report:
    """Return the order that stands in its place now, with the fills of the whole chain.

    A replacement is for the rest, so the quantity is what was filled before and the rest.
    """
    links = chain(report, known)
    if len(links) == 1:  # nearly always: every look asks this of every order
        return report
    filled = sum((link.filled_quantity for link in links), ZERO)
    spent_usd = sum((link.filled_usd for link in links), ZERO)
    last = links[-1]
    return replace(
        last,
        quantity=filled - last.filled_quantity + last.quantity,
        filled_quantity=filled,
        average_price=spent_usd / filled if filled else None,
        commission_usd=sum((link.commission_usd for link in links), ZERO),
    )


def read_positions(told: Any) -> list[BrokerPosition]:
    """Read the list of positions; the quantity of a short one is negative. Raises `BadData`."""
    if not isinstance(told, list) or not all(isinstance(each, Mapping) for each in told):
        raise BadData("the answer is no list of positions")
    return [
        BrokerPosition(
            symbol=str(each.get("symbol") or ""),
            quantity=abs(amount(each, "qty")) * (-1 if each.get("side") == "short" else 1),
            average_cost=amount(each, "avg_entry_price"),
        )
        for each in told
    ]


def read_cash(told: Any) -> Decimal:
    """Read the cash of an account. Raises `BadData`."""
    if not isinstance(told, Mapping):
        raise BadData("the answer is no account")
    return amount(told, "cash")
