"""Keeps the read tables in step with the journal, in transactions that follow those of its rows.

All of them can be thrown away: `clear` and `apply` from the first record give the same rows
again, because reducers know nothing but the record and the rows that earlier records wrote.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.projections import account, desk, events, headlines, orders, trades
from catalyst_bot.storage.projections.writes import Reducer
from catalyst_bot.storage.schema import PROJECTIONS
from catalyst_bot.storage.store import Statements

# `headlines` first and `events` last: later reducers of one message read what earlier ones wrote.
_MODULES = (headlines, orders, trades, desk, account, events)
_MOVE_CHECKPOINT = """
    INSERT INTO projector_checkpoint (id, seq) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET seq = excluded.seq
"""
_REDUCERS: dict[type, tuple[Reducer, ...]] = {
    kind: tuple(m.REDUCERS[kind] for m in _MODULES if kind in m.REDUCERS)
    for kind in {kind for module in _MODULES for kind in module.REDUCERS}
}


def apply(statements: Statements, batch: Sequence[Recorded], *, known_seq: int) -> None:
    """Write what a batch changes. The caller holds the transaction.

    `known_seq` is the checkpoint. Raises `InvariantViolated` unless the batch continues there.
    """
    if not batch:
        return
    if batch[0].seq != known_seq + 1:
        raise InvariantViolated(
            f"the read tables stand at row {known_seq}, the batch begins with row {batch[0].seq}"
        )
    for record in batch:
        for reduce in _REDUCERS.get(type(record.body), ()):
            for statement, values in reduce(record, record.body):
                statements.execute(statement, values)
    statements.execute(_MOVE_CHECKPOINT, (batch[-1].seq,))


def checkpoint(statements: Statements) -> int:
    """Return the last row of the journal that the read tables know, 0 for none."""
    found = statements.execute("SELECT seq FROM projector_checkpoint").fetchone()
    return int(found[0]) if found else 0


def clear(statements: Statements) -> None:
    """Empty every read table. The caller holds the transaction."""
    for table in PROJECTIONS:
        statements.execute(f"DELETE FROM {table.name}")  # noqa: S608  # names of our own tables
