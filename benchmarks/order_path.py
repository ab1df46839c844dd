"""From a headline to the order that follows from it, safe on the disk and ready to be sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.generated_run import generated_request
from benchmarks.line import Line, how_long
from catalyst_bot import runner
from catalyst_bot.bootstrap.run import assemble, story
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.domain.messages.registry import Fact, Recorded
from catalyst_bot.runtime.sync_loop import run_batches
from catalyst_bot.storage.journal import SqlJournal

ORDERS = 200
MAX_SESSIONS = 40


class Stopwatch:
    """Takes the time from the facts handed in to the commit that holds the order.

    Only orders decided at the headline's own moment count: others waited for the market to open.
    """

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self._handed_in_s = 0.0
        self._detected: dict[str, tuple[datetime, float]] = {}

    def watch(self, batches: Iterable[Sequence[Fact]]) -> Iterator[Sequence[Fact]]:
        """Note when each batch of facts is handed in."""
        for facts in batches:
            self._handed_in_s = time.perf_counter()
            yield facts

    def on_commit(self, batch: Sequence[Recorded]) -> None:
        """See `Listener`: called when the batch is on the disk."""
        now_s = time.perf_counter()
        for record in batch:
            match record.body:
                case CatalystDetected(catalyst=catalyst):
                    self._detected[catalyst.catalyst_id] = (record.at, self._handed_in_s)
                case SubmitOrder(order=order) if order.catalyst_id in self._detected:
                    at, handed_in_s = self._detected.pop(order.catalyst_id)
                    if record.at == at:
                        self.milliseconds.append((now_s - handed_in_s) * 1000.0)


def lines() -> list[Line]:
    """Play generated sessions, each with another seed, until there are enough orders."""
    stopwatch = Stopwatch()
    runner.settle_memory()
    with TemporaryDirectory() as folder:
        for seed in range(MAX_SESSIONS):
            if len(stopwatch.milliseconds) >= ORDERS:
                break
            _play(Path(folder), seed, stopwatch)
    times = stopwatch.milliseconds
    note = f"synchronous=FULL, {len(times)} orders"
    return how_long("headline to durable order", "ms", times, p50=3, p99=15, note=note)


def _play(folder: Path, seed: int, stopwatch: Stopwatch) -> None:
    request = replace(generated_request(folder, seed), listeners=(stopwatch.on_commit,))
    with SqlJournal(f"sqlite:///{folder / f'{seed}.db'}", durable=True) as journal:
        parts = assemble(request, journal)
        batches = stopwatch.watch(story(request, parts))
        run_batches(batches, pipeline=parts.pipeline, effects=parts.effects)
