"""The HALT latch and the operator's mailbox: how a person reaches the bot from another process.

All are small files in `<data dir>/operator`, so they work when the database is locked or the
event loop hangs. While `HALT` exists no entry is sent, whatever the bot believes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.messages.facts import (
    NotificationAcknowledged,
    OperatorHalted,
    OperatorResumed,
    OperatorTradeRequested,
)
from catalyst_bot.runtime.latch_file import (
    FOLDER,
    HALT_FILE,
    Note,
    note_broker,
    read_note,
    set_latch,
    write_note,
)
from catalyst_bot.runtime.trade_desk import TradeDesk
from catalyst_bot.runtime.words import Word, WordBox

OperatorFact = (
    OperatorHalted | OperatorResumed | OperatorTradeRequested | NotificationAcknowledged | Word
)

RESUME_FILE = "RESUME"
ACKS_FOLDER = "acks"
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


class OperatorMailbox:
    """Reads and writes the latch (`HALT`) and the request to resume (`RESUME`); `trades` is
    the counter for trades that a person asks for, `words` the box for what else they say.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / FOLDER
        self._seen_halt: bytes | None = None
        self.trades = TradeDesk(data_dir)
        self.words = WordBox(data_dir)

    def halt(self, *, by: str, reason: str, positions_policy: PositionsPolicy) -> Path:
        """Set the latch; returns its path. Safe to call twice."""
        return set_latch(self._data_dir, by=by, reason=reason, positions_policy=positions_policy)

    def resume(self, *, by: str, reason: str, confirmed: Sequence[str] = ()) -> Path:
        """Lift the latch and ask the running bot to resume; `confirmed` of its checklist."""
        note = {"by": by, "reason": reason, "confirmed": ",".join(confirmed)}
        path = write_note(self._folder / RESUME_FILE, note)
        self.lift()
        return path

    def lift(self) -> None:
        """Lift the latch alone."""
        (self._folder / HALT_FILE).unlink(missing_ok=True)
        self._seen_halt = None

    def reduce(self, *, by: str, reason: str) -> Path:
        """Ask that positions end and none begin. Raises `OSError`."""
        return self.words.reduce(by=by, reason=reason)

    def override(
        self, *, by: str, reason: str, lasts: timedelta, at: datetime, intent_id: str
    ) -> str:
        """Ask to let the refusal of an intent pass; see `WordBox.override`. Raises `OSError`."""
        return self.words.override(by=by, reason=reason, lasts=lasts, at=at, intent_id=intent_id)

    def note_broker(self, note: Note) -> None:
        """Say where the orders are, for a kill switch that nobody told. Raises `OSError`."""
        note_broker(self._data_dir, note)

    def acknowledge(self, notice_id: str, *, by: str) -> Path:
        """Say that a person has seen a notice. Raises `ValueError` for what is no id, `OSError`."""
        if not _ID.fullmatch(notice_id):
            raise ValueError(f"{notice_id!r} is no id of a notice")
        return write_note(self._folder / ACKS_FOLDER / f"{notice_id}.json", {"by": by})

    def is_halted(self) -> bool:
        """True while the latch is set; an unreadable latch counts as set."""
        return (self._folder / HALT_FILE).exists()

    def collect(self, at: datetime) -> list[OperatorFact]:
        """Return what the operator newly asked for, as facts; a resume is taken once."""
        facts: list[OperatorFact] = []
        resume = _content(self._folder / RESUME_FILE)
        if resume is not None:
            (self._folder / RESUME_FILE).unlink(missing_ok=True)
            note = read_note(resume)
            facts.append(
                OperatorResumed(
                    at=at,
                    by=note.get("by", "?"),
                    reason=note.get("reason", "?"),
                    confirmed=tuple(filter(None, note.get("confirmed", "").split(","))),
                )
            )
        halt = _content(self._folder / HALT_FILE)
        if halt is not None and halt != self._seen_halt:
            note = read_note(halt)
            policy = note.get("positions_policy", "")
            facts.append(
                OperatorHalted(
                    at=at,
                    by=note.get("by", "?"),
                    reason=note.get("reason", "unreadable HALT file"),
                    positions_policy=PositionsPolicy.CLOSE
                    if policy == PositionsPolicy.CLOSE
                    else PositionsPolicy.HOLD,
                )
            )
        self._seen_halt = halt
        return [
            *facts,
            *self._acknowledged(at),
            *self.words.collect(at),
            *self.trades.collect(at),
        ]

    def _acknowledged(self, at: datetime) -> list[NotificationAcknowledged]:
        """What a person has seen, each once; one lost in a crash is asked for again."""
        facts = []
        for path in sorted((self._folder / ACKS_FOLDER).glob("*.json")):
            note = read_note(_content(path) or b"")
            path.unlink(missing_ok=True)
            facts.append(
                NotificationAcknowledged(at=at, notice_id=path.stem, by=note.get("by", "?"))
            )
        return facts


def _content(path: Path) -> bytes | None:
    """What a file holds, None when it is not there (any more): a person may lift it just now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
