"""The generated session, run in this process, whole or from where a dead one stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.bootstrap.requests import Asked, generated_replay
from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import KIND_OF, Kind, Recorded
from catalyst_bot.engine.engine import is_fact
from catalyst_bot.engine.verify import batches
from catalyst_bot.runtime.sync_loop import run_batches
from catalyst_bot.storage.codec import encode
from catalyst_bot.storage.memory import MemoryJournal

SEED = 7
OF_THE_PROCESS = (f.RunStarted, f.RunStopped, f.BrokerSnapshotReceived)


def generated(
    data_dir: Path, *, mode: Mode = Mode.BACKTEST, is_dry_run: bool = False, seed: int = SEED
) -> ReplayRequest:
    """A request to replay the generated market."""
    asked = Asked(mode=mode, is_dry_run=is_dry_run, data_dir=data_dir)
    return generated_replay(asked, seed=seed, effects=1.0)[0]


class CountingJournal(MemoryJournal):
    """A journal in memory that knows after how many records each commit ended."""

    def __init__(self, records: Iterable[Recorded] = ()) -> None:
        super().__init__()
        super().append(tuple(records))
        self.commits: list[int] = []

    def append(self, batch: Sequence[Recorded]) -> None:
        super().append(batch)
        self.commits.append(self.last_seq())


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a run left behind: its records, its commits, and the books of bot and venue."""

    records: list[Recorded]
    commits: list[int]
    broker_books: Any = field(repr=False)
    state: Any = field(repr=False)


def play(request: ReplayRequest, so_far: Iterable[Recorded] = ()) -> Played:
    """Start with what a journal holds and run to the end, as `run.replay` does."""
    journal = CountingJournal(so_far)
    parts = run.assemble(request, journal)
    run_batches(
        run.story(request, parts),
        pipeline=parts.pipeline,
        effects=parts.effects,
        first=parts.undone,
    )
    records = list(journal.read())
    return Played(
        records=records,
        commits=journal.commits,
        broker_books=parts.driver._venue._venue.snapshot(),
        state=parts.engine.state,
    )


def story(records: Iterable[Recorded]) -> list[tuple[Any, ...]]:
    """Facts and decisions without what belongs to one process: starts, stops and snapshots.

    What follows from those facts (a valuation at the start, say) is left out with them.
    """
    return [
        (record.at, record.trail_id, record.body)
        for batch in batches(records)
        if not isinstance(batch[0].body, OF_THE_PROCESS)
        for record in batch
        if KIND_OF[type(record.body)] is not Kind.COMMAND
    ]


def as_bytes(records: Iterable[Recorded]) -> Iterator[tuple[Any, ...]]:
    """Records as what they are on disk, without the run id and the wall time."""
    for record in records:
        is_manifest = isinstance(record.body, f.RunStarted | f.RunStopped)
        body = b"" if is_manifest else encode(record.body)
        name = type(record.body).__name__
        yield record.seq, record.at, record.cause_seq, record.trail_id, name, body


def first_difference(ours: Sequence[Any], theirs: Sequence[Any]) -> str:
    """Where two stories part, for the message of an assertion; empty when they do not."""
    for index, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if mine != other:
            return f"at {index}:\n  {mine}\n  {other}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} and {len(theirs)} entries"


def facts_of(records: Iterable[Recorded]) -> list[Any]:
    return [record.body for record in records if is_fact(record)]


def state_after(records: Sequence[Recorded]) -> Any:
    """The engine's state as a fold of the journal."""
    engine = engine_of(records[0])
    engine.fold(records)
    return engine.state
