"""A broker that never sends: everything up to the order happens, then it is suppressed.

It answers every command, so that the rest of the bot needs no word for a dry run.
"""

from __future__ import annotations

from decimal import Decimal

from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
    TakeBrokerSnapshot,
)
from catalyst_bot.domain.messages.facts import (
    BrokerSnapshotReceived,
    ChangeRefused,
    OrderLookedUp,
    SubmitSuppressed,
)
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

REASON = "dry run"


class DryRunBroker:
    """`Broker` whose account keeps its cash and never holds anything."""

    name = "dry_run"

    def __init__(self, *, sink: Sink, clock: Clock, cash_usd: Decimal) -> None:
        self._sink = sink
        self._clock = clock
        self._books = BrokerSnapshot(cash_usd=cash_usd, positions=(), open_orders=())

    def submit(self, command: SubmitOrder) -> None:
        order_id = command.order.client_order_id
        self._sink(SubmitSuppressed(at=self._clock.now(), client_order_id=order_id, reason=REASON))

    def cancel(self, command: CancelOrder) -> None:
        self._refuse(command.client_order_id)

    def replace(self, command: ReplaceOrder) -> None:
        self._refuse(command.client_order_id)

    def look_up(self, command: LookUpOrder) -> None:
        order_id = command.client_order_id
        self._sink(OrderLookedUp(at=self._clock.now(), client_order_id=order_id, ticket=None))

    def snapshot(self, command: TakeBrokerSnapshot) -> None:  # noqa: ARG002 - the port's shape
        self._sink(BrokerSnapshotReceived(at=self._clock.now(), snapshot=self._books))

    def _refuse(self, client_order_id: str) -> None:
        self._sink(
            ChangeRefused(at=self._clock.now(), client_order_id=client_order_id, reason=REASON)
        )
