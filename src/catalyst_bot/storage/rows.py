"""The row a record becomes in the journal, with its checksum and its place in the hash chain.

SQLite does not checksum its pages: a flipped bit inside a value would go unseen, so every row
proves itself (CRC-32 of the body) and its neighbours (SHA-256 over the previous row's hash).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from catalyst_bot.domain.errors import BadData, InvariantViolated, JournalDamaged
from catalyst_bot.domain.messages.facts import RunStarted, RunStopped
from catalyst_bot.domain.messages.registry import KIND_OF, Kind, Message, Recorded
from catalyst_bot.storage.codec import SCHEMA_VERSION, decode, encode, wire_time

START_OF_CHAIN = ""
_S = "\x1f"  # separates the columns in the hash
_OF_ONE_RUN = frozenset({RunStarted.__name__, RunStopped.__name__})
_KIND_WORDS = {kind: word.value for kind, word in KIND_OF.items()}
_Columns = tuple[int, str, str, str, int, int | None, str, bytes]  # of a row, before its proofs


class Row(NamedTuple):
    """One line of the table `journal`, in the order of its columns."""

    seq: int
    at: str
    kind: str
    name: str
    version: int
    cause_seq: int | None
    trail_id: str
    body: bytes
    checksum: int
    chain: str


def to_row(
    record: Recorded, *, previous_chain: str, write: Callable[[Message], bytes] = encode
) -> Row:
    """Write a record as a row that follows the row with hash `previous_chain`.

    `write` gives the body. Raises `BadData` for what could not be read back from every database.
    """
    message = record.body
    name = type(message).__name__
    if "\x00" in record.trail_id:
        raise BadData(f"{name} has a trail with NUL: {record.trail_id!r}")
    columns = (
        record.seq,
        wire_time(record.at),
        _KIND_WORDS[type(message)],
        name,
        SCHEMA_VERSION,
        record.cause_seq,
        record.trail_id,
        write(message),
    )
    return Row(*columns, checksum=crc32(columns[-1]), chain=_chain(previous_chain, columns))


def to_record(row: Row) -> Recorded:
    """Read a row back. Raises `JournalDamaged` when the body is not what its name says."""
    try:
        body = decode(row.name, row.body, version=row.version)
    except BadData as error:
        raise JournalDamaged(f"journal row {row.seq}: {error}") from error
    return Recorded(
        seq=row.seq,
        at=datetime.fromisoformat(row.at),
        cause_seq=row.cause_seq,
        trail_id=row.trail_id,
        body=body,
    )


def check_follows(batch: Sequence[Recorded], last_seq: int) -> None:
    """Raise `InvariantViolated` unless the batch continues after `last_seq` without a gap."""
    for expected, record in enumerate(batch, start=last_seq + 1):
        if record.seq != expected:
            raise InvariantViolated(f"the journal expects row {expected}, not {record.seq}")


def check_row(row: Row, *, previous_seq: int, previous_chain: str) -> None:
    """Raise `JournalDamaged` unless the row is whole and follows the previous one."""
    if row.seq != previous_seq + 1:
        raise JournalDamaged(f"journal row {previous_seq + 1} is missing: {row.seq} comes next")
    if crc32(row.body) != row.checksum:
        raise JournalDamaged(f"journal row {row.seq} ({row.name}): its checksum differs")
    if _chain(previous_chain, row[:-2]) != row.chain:
        raise JournalDamaged(
            f"journal row {row.seq} ({row.name}): its chain differs; this row, or one before it, "
            "was changed after it was written"
        )


class JournalHash:
    """The identity of a run: SHA-256 over its facts and decisions in order.

    Left out is what differs between two equal runs: commands (they follow from decisions), and
    RunStarted and RunStopped (run id and wall time). Times inside facts are part of it.
    """

    def __init__(self) -> None:
        self._digest = sha256()

    def add(self, row: Row) -> None:
        """Add a stored row, without decoding it."""
        if _counts(row.kind, row.name):
            self.add_body(row.name, row.body)

    def add_body(self, name: str, body: bytes) -> None:
        """Add a message that counts."""
        self._digest.update(name.encode())
        self._digest.update(body)
        self._digest.update(b"\n")

    def hexdigest(self) -> str:
        """Return it as hex."""
        return self._digest.hexdigest()


def journal_hash(records: Iterable[Recorded]) -> str:
    """Return the `JournalHash` of records."""
    digest = JournalHash()
    for record in records:
        name = type(record.body).__name__
        if _counts(KIND_OF[type(record.body)], name):
            digest.add_body(name, encode(record.body))
    return digest.hexdigest()


def journal_hash_of_rows(rows: Iterable[Row]) -> str:
    """Return the `JournalHash` of stored rows."""
    digest = JournalHash()
    for row in rows:
        digest.add(row)
    return digest.hexdigest()


def _counts(kind: str, name: str) -> bool:
    return kind != Kind.COMMAND and name not in _OF_ONE_RUN


def _chain(previous: str, columns: _Columns) -> str:
    seq, at, kind, name, version, cause_seq, trail_id, body = columns
    head = (
        f"{previous}{_S}{seq}{_S}{at}{_S}{kind}{_S}{name}{_S}{version}{_S}{cause_seq}{_S}{trail_id}"
    )
    return sha256(head.encode() + body).hexdigest()
