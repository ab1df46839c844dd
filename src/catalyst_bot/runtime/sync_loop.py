"""The synchronous loop: a replay from end to end in one thread, as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalyst_bot.domain.messages.registry import Command, Fact
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.pipeline import Pipeline


def run_batches(
    batches: Iterable[Sequence[Fact]],
    *,
    pipeline: Pipeline,
    effects: Effects,
    first: Iterable[Command] = (),
) -> None:
    """Process every batch; `first` are commands that a crashed run left undone."""
    effects.execute(first)
    for facts in batches:
        effects.execute(pipeline.process(facts))
        pipeline.settle(is_quiet=False)
    pipeline.settle()
