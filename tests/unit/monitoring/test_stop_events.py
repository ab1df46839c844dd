from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import ExitReason, OrderRole, ProtectedBy, ProtectionStep, Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.monitoring.stop_events import HEADER, stop_events
from tests import builders
from tests.unit.risk.bench import trade

ENTRY = builders.approved_order()
STOP_ID = stop_leg_id(ENTRY.client_order_id)
OF_TRADE: dict[str, Any] = {
    "trade_id": ENTRY.trade_id,
    "catalyst_id": ENTRY.catalyst_id,
    "symbol": "ACME",
}


def told(*bodies: Any, apart_s: float = 1.0) -> list[tuple[str, str, str | None]]:
    records = [
        Recorded(
            seq=n,
            at=builders.NOON + timedelta(seconds=n * apart_s),
            cause_seq=None,
            trail_id="t",
            body=body,
        )
        for n, body in enumerate(bodies, start=1)
    ]
    return [(e.symbol, e.event, e.as_dict()["stop_price"]) for e in stop_events(records)]


def moved(old: str, new: str) -> d.StopMoved:
    return d.StopMoved(
        **OF_TRADE,
        old_stop_price=Decimal(old),
        stop_price=Decimal(new),
        high_water_price=Decimal("106.5"),
        is_trailing=True,
    )


def rescaled(order_id: str) -> d.OrderRescaled:
    return d.OrderRescaled(
        client_order_id=order_id,
        catalyst_id="cat",
        quantity=Decimal(200),
        filled_quantity=Decimal(0),
        reference_price=Decimal(50),
        limit_price=None,
        stop_price=Decimal("48.80"),
        worst_price=None,
    )


def replaced(order_id: str, stop_price: Decimal | None) -> f.OrderReplaced:
    return f.OrderReplaced(
        at=builders.NOON, client_order_id=order_id, stop_price=stop_price, limit_price=None
    )


def refused_change(order_id: str) -> f.ChangeRefused:
    return f.ChangeRefused(at=builders.NOON, client_order_id=order_id, reason="too late")


BARE = d.ProtectionChanged(**OF_TRADE, protected_by=ProtectedBy.NONE, detail="nothing")
KEPT = d.ProtectionChanged(
    **OF_TRADE, protected_by=ProtectedBy.BROKER_STOP, detail="a stop at the broker"
)


def test_without_protection_for_no_time_is_no_event():
    """A broker tells of a fill and of the stop that came with it one after the other."""
    words = [event for _, event, _ in told(BARE, KEPT, apart_s=0.0)]
    assert words == ["protected"]
    words = [event for _, event, _ in told(KEPT, BARE, apart_s=0.0)]
    assert words == ["protected", "unprotected"]
    words = [event for _, event, _ in told(BARE, KEPT, apart_s=0.1)]
    assert words == ["unprotected", "protected"]


def test_the_life_of_a_stop():
    needed = d.ProtectionNeeded(
        **OF_TRADE,
        quantity=Decimal(100),
        step=ProtectionStep.PLACE_STOP,
        escalation=0,
        detail="the stop was cancelled",
    )
    guard = builders.approved_order(role=OrderRole.STOP_LOSS, side=Side.SELL, client_order_id="g")
    leave = builders.approved_order(
        role=OrderRole.EXIT,
        side=Side.SELL,
        exit_reason=ExitReason.STOP_LOSS,
        stop_loss_price=None,
        client_order_id="x",
    )
    closed = d.PositionClosed(trade=trade(-0.02, exit_reason=ExitReason.TRAILING_STOP))
    assert told(
        d.OrderApproved(order=ENTRY),
        BARE,
        KEPT,
        moved("97.60", "103.30"),
        replaced(STOP_ID, Decimal("103.30")),
        refused_change(STOP_ID),
        rescaled(STOP_ID),
        needed,
        d.OrderApproved(order=guard),
        rescaled("g"),
        d.OrderApproved(order=leave),
        closed,
    ) == [
        ("ACME", "set", "97.60"),
        ("ACME", "unprotected", None),
        ("ACME", "protected", None),
        ("ACME", "raised", "103.30"),
        ("ACME", "moved at the broker", "103.30"),
        ("ACME", "change refused", None),
        ("ACME", "rescaled", "48.80"),
        ("ACME", "without a stop", None),
        ("ACME", "placed", "97.60"),
        ("ACME", "rescaled", "48.80"),
        ("ACME", "left", None),
        ("ACME", "closed", None),
    ]


def test_what_is_no_stop_is_not_told():
    target = builders.approved_order(
        role=OrderRole.EXIT, side=Side.SELL, exit_reason=ExitReason.TIME_EXIT, stop_loss_price=None
    )
    won = d.PositionClosed(trade=trade(0.05, exit_reason=ExitReason.TAKE_PROFIT))
    assert (
        told(
            d.OrderApproved(order=target),
            won,
            replaced("other", None),
            refused_change("other"),
            rescaled("other"),
        )
        == []
    )


def test_the_first_stop_of_an_adopted_position_is_set_not_raised():
    ((symbol, event, price),) = told(moved("0", "95.00"))
    assert (symbol, event, price) == ("ACME", "set", "95.00")


def test_a_watched_stop_is_told_and_a_row_has_every_column():
    watched = replace(ENTRY, stop_loss_price=None, watched_stop_price=Decimal("95"))
    (event,) = stop_events(
        [
            Recorded(
                seq=1,
                at=builders.NOON,
                cause_seq=None,
                trail_id="t",
                body=d.OrderApproved(order=watched),
            )
        ]
    )
    assert len(event.as_row()) == len(HEADER)
    assert event.as_dict()["at"].endswith("Z")
