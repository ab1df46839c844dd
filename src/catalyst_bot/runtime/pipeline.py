"""Journal first: facts go through the engine, the batch is made durable, then commands go out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from catalyst_bot.domain.messages.registry import (
    KIND_OF,
    Command,
    Fact,
    Kind,
    Recorded,
)
from catalyst_bot.ports.journal import Journal
from catalyst_bot.runtime.supervisor import Supervisor

Listener = Callable[[Sequence[Recorded]], None]


class Pipeline:
    """The same few lines for every mode: handle, append, hand out the commands."""

    def __init__(
        self,
        supervisor: Supervisor,
        journal: Journal,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._supervisor = supervisor
        self._journal = journal
        self._listeners = tuple(listeners)

    def process(self, facts: Sequence[Fact]) -> list[Command]:
        """Take facts that arrived together; return the commands, now that they are durable.

        All facts of the call share one durable commit. Listeners (progress on screen, metrics)
        see what was committed; they cannot change it.
        """
        batch = [record for fact in facts for record in self._supervisor.handle(fact)]
        self._journal.append(batch)
        for listener in self._listeners:
            listener(batch)
        return [cast("Command", r.body) for r in batch if KIND_OF[type(r.body)] is Kind.COMMAND]

    def settle(self, *, is_quiet: bool = True) -> None:
        """Let what people look at follow what happened, now that the commands are out; while
        more is in line (not `is_quiet`) only once much has gathered.
        """
        self._journal.settle(is_quiet=is_quiet)
