"""Keeps the read tables in step with the journal, inside the transaction that writes it.

All of them can be thrown away: `clear` and `apply` from the first record give the same rows
again, because reducers know nothing but the record and the rows that earlier records wrote.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.projections import account, desk, events, headlines, orders, trades
from catalyst_bot.storage.projections.writes import Reducer
from catalyst_bot.storage.schema import PROJECTIONS

# `headlines` first and `events` last: later reducers of one message read what earlier ones wrote.
_MODULES = (headlines, orders, trades, desk, account, events)
_REDUCERS: dict[type, tuple[Reducer, ...]] = {
    kind: tuple(m.REDUCERS[kind] for m in _MODULES if kind in m.REDUCERS)
    for kind in {kind for module in _MODULES for kind in module.REDUCERS}
}


def apply(connection: sqlite3.Connection, batch: Sequence[Recorded]) -> None:
    """Write what a batch changes. The caller holds the transaction.

    Raises `InvariantViolated` unless the batch continues where the read tables stand.
    """
    if not batch:
        return
    if batch[0].seq != checkpoint(connection) + 1:
        raise InvariantViolated(
            f"the read tables stand at row {checkpoint(connection)}, the batch begins with row "
            f"{batch[0].seq}"
        )
    for record in batch:
        for reduce in _REDUCERS.get(type(record.body), ()):
            for statement, values in reduce(record, record.body):
                connection.execute(statement, values)
    connection.execute("REPLACE INTO projector_checkpoint VALUES (1, ?)", (batch[-1].seq,))


def checkpoint(connection: sqlite3.Connection) -> int:
    """Return the last row of the journal that the read tables know, 0 for none."""
    found = connection.execute("SELECT seq FROM projector_checkpoint").fetchone()
    return int(found[0]) if found else 0


def clear(connection: sqlite3.Connection) -> None:
    """Empty every read table. The caller holds the transaction."""
    for table in PROJECTIONS:
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  # names of our own tables
