"""Bugs in what holds the parts together: journal, effects, recovery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from catalyst_bot.domain.messages.commands import SetTimer, WatchSymbol
from catalyst_bot.domain.messages.registry import KIND_OF, Command, Fact, Kind, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.pipeline import Pipeline
from catalyst_bot.trials import life
from catalyst_bot.trials.bugs.planting import Plot, bug


@bug
def effects_before_the_journal(plot: Plot) -> None:
    """What was decided is written down when the next fact comes, and done at once."""

    def wrong(_: Any) -> Any:
        def process(self: Any, facts: Sequence[Fact]) -> list[Command]:
            late: list[Recorded] = self.__dict__.setdefault("late", [])
            if late:
                self._journal.append(list(late))
                for listener in self._listeners:
                    listener(list(late))
                late.clear()
            late += [record for fact in facts for record in self._supervisor.handle(fact)]
            return [cast("Command", r.body) for r in late if KIND_OF[type(r.body)] is Kind.COMMAND]

        return process

    plot.put(Pipeline, "process", wrong)


@bug
def the_latch_is_not_looked_at(plot: Plot) -> None:
    """The HALT latch is not asked before an entry is sent."""
    plot.put(Effects, "_is_latched", lambda _: lambda _: False)


def _forgets(plot: Plot, kind: type) -> None:
    def wrong(before: Any) -> Any:
        return lambda records: [each for each in before(records) if not isinstance(each, kind)]

    plot.put(life, "unanswered", wrong)


@bug
def timers_end_with_the_process(plot: Plot) -> None:
    """A restart does not set the timers again."""
    _forgets(plot, SetTimer)


@bug
def watches_end_with_the_process(plot: Plot) -> None:
    """A restart does not watch the symbols that are held."""
    _forgets(plot, WatchSymbol)


@bug
def a_restart_remembers_half(plot: Plot) -> None:
    """A start folds the journal without what was decided by the way about the account."""

    def wrong(before: Any) -> Any:
        def fold(self: Any, records: Sequence[Recorded]) -> Any:
            return before(self, [each for each in records if each.seq % 7])

        return fold

    plot.put(Engine, "fold", wrong)
