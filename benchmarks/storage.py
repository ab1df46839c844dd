"""The journal: rows appended, checked and decided again per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.generated_run import recorded_session
from benchmarks.line import Line, median_of
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.verify import batches, first_divergence
from catalyst_bot.storage.journal import SqlJournal


def lines() -> list[Line]:
    """Measure on the records of the generated session, one commit for each fact."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = recorded_session(folder)
        return [
            Line(
                job=f"journal append, synchronous={word}",
                unit="rows/s",
                value=median_of(lambda d=is_durable: _append(folder, records, is_durable=d)),
                note="with its read tables, one commit for each fact",
            )
            for word, is_durable in (("FULL", True), ("OFF", False))
        ] + [
            Line(
                job="journal check on opening",
                unit="rows/s",
                value=median_of(lambda: _check(folder, len(records))),
                note="checksums and chain, every row",
            ),
            Line(
                job="decide again (replay --verify)",
                unit="records/s",
                value=median_of(lambda: _verify(records)),
            ),
        ]


def _append(folder: Path, records: list[Recorded], *, is_durable: bool) -> float:
    path = folder / "append.db"
    for part in folder.glob("append.db*"):
        part.unlink()
    with SqlJournal(f"sqlite:///{path}", durable=is_durable) as journal:

        def append() -> None:
            for batch in batches(records):
                journal.append(batch)

        return len(records) / _seconds(append)


def _check(folder: Path, rows: int) -> float:
    def open_and_close() -> None:
        SqlJournal(f"sqlite:///{folder / 'append.db'}", durable=False).close()

    return rows / _seconds(open_and_close)


def _verify(records: list[Recorded]) -> float:
    def verify() -> None:
        if first_divergence(records, engine_of) is not None:
            raise RuntimeError("the generated session is not decided the same way again")

    return len(records) / _seconds(verify)


def _seconds(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
