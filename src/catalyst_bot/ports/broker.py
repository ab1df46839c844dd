"""The way to the market."""

from __future__ import annotations

from typing import Protocol

from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
    TakeBrokerSnapshot,
)


class Broker(Protocol):
    """Sends orders. Every call returns at once; the answer comes as a fact.

    Promise: at most one order per client order id, whatever happens; a second submit of a known
    id changes nothing and repeats the answer. A refusal is `OrderRejected`, a refused cancel or
    replace is `ChangeRefused`, an unclear outcome is `SubmitOutcomeUnknown`.
    """

    name: str

    def submit(self, command: SubmitOrder) -> None:
        """Send the order. Answer: OrderAccepted, OrderRejected, SubmitSuppressed or unknown."""
        ...

    def cancel(self, command: CancelOrder) -> None:
        """Cancel what is left. Answer: OrderCancelled or ChangeRefused."""
        ...

    def replace(self, command: ReplaceOrder) -> None:
        """Move a stop price. Answer: OrderReplaced or ChangeRefused."""
        ...

    def look_up(self, command: LookUpOrder) -> None:
        """Ask for one order. Answer: OrderLookedUp; without a ticket only when the order cannot
        arrive any more, which a stop-watch tells and a clock that may jump does not.
        """
        ...

    def snapshot(self, command: TakeBrokerSnapshot) -> None:
        """Ask for the books. Answer: BrokerSnapshotReceived."""
        ...
