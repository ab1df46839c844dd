"""What must hold of a request when it leaves, and of an order when it reaches the broker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.trials.invariants.seen import Observed, Scene
from catalyst_bot.trials.wire import Asking

ROUNDING_S = 1e-6  # of the loop's time
LATEST_S = 20.0  # an order may be on its way so long after trading was halted
STORM_S, STORM_ORDERS = 60.0, 10  # of one symbol within so long: an answer to one's own orders


def written_before_sent(seen: Observed, _: Scene, body: Mapping[str, Any]) -> Iterator[str]:
    """The order is in the journal, under the id that it carries."""
    order_id = str(body.get("client_order_id", ""))
    if order_id not in seen.promised:
        yield f"order {order_id or 'without an id'} was sent and is not in the journal"


def sent_once(seen: Observed, _: Scene, body: Mapping[str, Any]) -> Iterator[str]:
    """No order reaches the broker a second time."""
    order_id = str(body.get("client_order_id", ""))
    if seen.posted[order_id]:
        yield f"order {order_id} reached the broker again"


def as_promised(seen: Observed, _: Scene, body: Mapping[str, Any]) -> Iterator[str]:
    """What is sent is what was approved."""
    order = seen.promised.get(str(body.get("client_order_id", "")))
    if order is None:
        return
    if Decimal(body["qty"]) != order.quantity or body["side"] != order.side.value:
        yield f"{order.client_order_id}: approved {order.side} {order.quantity}, sent {body}"
    if order.role is OrderRole.ENTRY and not order.extended_hours and "stop_loss" not in body:
        yield f"{order.client_order_id}: an entry without its stop"


def not_while_halted(seen: Observed, scene: Scene, body: Mapping[str, Any]) -> Iterator[str]:
    """No entry reaches the broker once trading is halted."""
    order = seen.promised.get(str(body.get("client_order_id", "")))
    since_s = [at_s for at_s in (seen.halted_at_s, scene.latched_at_s) if at_s is not None]
    if order is None or order.role is not OrderRole.ENTRY or not since_s:
        return
    halted_for_s = scene.now_s() - min(since_s)
    if halted_for_s > LATEST_S:
        yield f"entry {order.client_order_id} arrived {halted_for_s:.1f} s after the halt"


def no_storm(seen: Observed, scene: Scene, body: Mapping[str, Any]) -> Iterator[str]:
    """The bot does not answer its own orders with orders, without end."""
    sent_at_s = seen.posted_at_s[str(body.get("symbol", ""))]
    lately = sum(scene.now_s() - at_s <= STORM_S for at_s in sent_at_s)
    if lately >= STORM_ORDERS:
        yield f"{lately} orders in {body['symbol']} within {STORM_S:.0f} s"


def quiet_when_asked(_: Observed, __: Scene, asking: Asking) -> Iterator[str]:
    """While the broker wants quiet, the turns that are left are those of cancels."""
    if asking.too_early_s > ROUNDING_S and asking.method != "DELETE":
        yield f"{asking.method} {asking.path} left {asking.too_early_s:.2f} s too early"
