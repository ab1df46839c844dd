"""The engine: takes a fact, returns everything that follows from it, in order.

For each message of a first-in-first-out line: every interested stage decides on what was known
*before* the message, what they say joins the line, then every interested stage remembers it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages.facts import OrderFilled
from catalyst_bot.domain.messages.registry import (
    KIND_OF,
    Fact,
    Kind,
    Message,
    Recorded,
    trail_of,
)
from catalyst_bot.engine import wiring
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.state import EngineState, StateDesk

MAX_MESSAGES_PER_FACT = 2_000


class Engine:
    """Pure given its rules: the same facts in the same order give the same records."""

    def __init__(self, rules: EngineRules, state: EngineState | None = None) -> None:
        self.rules = rules
        self.state = state if state is not None else EngineState()
        self._deciders = wiring.deciders()
        self._evolvers = wiring.evolvers()

    def handle(self, fact: Fact) -> list[Recorded]:
        """Return the fact and all decisions and commands that follow from it, numbered.

        Raises `InvariantViolated` when a fact sets off more than `MAX_MESSAGES_PER_FACT`.
        """
        desk = self.desk_at(fact.at)
        line: deque[tuple[Message, int | None, str]] = deque([(fact, None, "")])
        batch: list[Recorded] = []
        while line:
            message, cause_seq, cause_trail = line.popleft()
            if len(batch) >= MAX_MESSAGES_PER_FACT:
                raise InvariantViolated(
                    f"{type(fact).__name__} at {fact.at.isoformat()} set off more than "
                    f"{MAX_MESSAGES_PER_FACT} messages"
                )
            record = Recorded(
                seq=self.state.last_seq + 1,
                at=fact.at,
                cause_seq=cause_seq,
                trail_id=self._trail(message, desk) or cause_trail,
                body=message,
            )
            line.extend(
                (outcome, record.seq, record.trail_id) for outcome in self.decide(message, desk)
            )
            self.remember(record)
            batch.append(record)
        return batch

    def decide(self, message: Message, desk: StateDesk) -> list[Message]:
        """What follows at once from a message, on the state as it is; nothing is remembered."""
        return [
            outcome
            for decide in self._deciders.get(type(message), ())
            for outcome in decide(self.state, message, desk, self.rules)
        ]

    def desk_at(self, at: datetime) -> StateDesk:
        """The desk a stage would see at `at`."""
        return StateDesk(self.state, self.rules.calendar, at)

    def remember(self, record: Recorded) -> None:
        """Fold one record into the state: the only way the state ever changes."""
        for evolve in self._evolvers.get(type(record.body), ()):
            evolve(self.state, record.body, record.at)
        self.state.last_seq = record.seq

    def fold(self, records: Iterable[Recorded]) -> datetime | None:
        """Fold a journal; return the time of its last record, None when it is empty."""
        last_at: datetime | None = None
        for record in records:
            self.remember(record)
            last_at = record.at
        return last_at

    def _trail(self, message: Message, desk: StateDesk) -> str | None:
        """The message's own trail; a fact about an order belongs to the order's catalyst."""
        own = trail_of(message)
        if own is not None:
            return own
        if isinstance(message, OrderFilled):
            order_id = message.fill.client_order_id
        else:
            order_id = getattr(message, "client_order_id", "")
        ticket = desk.order(order_id) if order_id else None
        return ticket.catalyst_id if ticket is not None else None


def is_fact(record: Recorded) -> bool:
    """True when the record came from outside."""
    return KIND_OF[type(record.body)] is Kind.FACT
