"""What the execution stage remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket


@dataclass(slots=True)
class State:
    """Every order the bot has sent or is about to send.

    `pending_exits` (by trade) wait until the trade's other orders are off the market;
    `valid_until` bounds how long an unanswered order may still reach the broker; `cancelling` are
    the orders we asked to cancel; `fill_ids` is an ordered set of the latest fills. Finished
    tickets and fill ids are bounded, the oldest go first.
    """

    open_tickets: dict[str, OrderTicket] = field(default_factory=dict)
    finished_tickets: dict[str, OrderTicket] = field(default_factory=dict)
    pending_exits: dict[str, ApprovedOrder] = field(default_factory=dict)
    valid_until: dict[str, datetime] = field(default_factory=dict)
    cancelling: set[str] = field(default_factory=set)
    fill_ids: dict[str, None] = field(default_factory=dict)

    def ticket(self, client_order_id: str) -> OrderTicket | None:
        """The order or leg, finished ones included, or None when the bot never had it."""
        found = self.open_tickets.get(client_order_id)
        return found if found is not None else self.finished_tickets.get(client_order_id)
