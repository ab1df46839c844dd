"""The HALT latch and the operator's mailbox: how a person reaches the bot from another process.

All are small files in `<data dir>/operator`, so they work when the database is locked or the
event loop hangs. While `HALT` exists no entry is sent, whatever the bot believes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.messages.facts import (
    OperatorHalted,
    OperatorResumed,
    OperatorTradeRequested,
)
from catalyst_bot.runtime.trade_desk import TradeDesk
from catalyst_bot.runtime.words import Word, WordBox

OperatorFact = OperatorHalted | OperatorResumed | OperatorTradeRequested | Word

HALT_FILE = "HALT"
RESUME_FILE = "RESUME"


class OperatorMailbox:
    """Reads and writes the latch (`HALT`) and the request to resume (`RESUME`); `trades` is
    the counter for trades that a person asks for, `words` the box for what else they say.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "operator"
        self._seen_halt: bytes | None = None
        self.trades = TradeDesk(data_dir)
        self.words = WordBox(data_dir)

    def halt(self, *, by: str, reason: str, positions_policy: PositionsPolicy) -> Path:
        """Set the latch; returns its path. Safe to call twice."""
        note = {"by": by, "reason": reason, "positions_policy": str(positions_policy)}
        return self._write(HALT_FILE, note)

    def resume(self, *, by: str, reason: str, confirmed: Sequence[str] = ()) -> Path:
        """Lift the latch and ask the running bot to resume; `confirmed` of its checklist."""
        note = {"by": by, "reason": reason, "confirmed": ",".join(confirmed)}
        path = self._write(RESUME_FILE, note)
        (self._folder / HALT_FILE).unlink(missing_ok=True)
        self._seen_halt = None
        return path

    def is_halted(self) -> bool:
        """True while the latch is set; an unreadable latch counts as set."""
        return (self._folder / HALT_FILE).exists()

    def collect(self, at: datetime) -> list[OperatorFact]:
        """Return what the operator newly asked for, as facts; a resume is taken once."""
        facts: list[OperatorFact] = []
        resume = _content(self._folder / RESUME_FILE)
        if resume is not None:
            (self._folder / RESUME_FILE).unlink(missing_ok=True)
            note = _read_note(resume)
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
            note = _read_note(halt)
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
        return [*facts, *self.words.collect(at), *self.trades.collect(at)]

    def _write(self, name: str, note: dict[str, str]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(note), encoding="utf-8")
        temporary.replace(path)
        return path


def _content(path: Path) -> bytes | None:
    """What a file holds, None when it is not there (any more): a person may lift it just now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read_note(content: bytes) -> dict[str, str]:
    """A note as text values; a damaged or empty one reads as none, so that a halt still halts."""
    try:
        note = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return {k: str(v) for k, v in note.items()} if isinstance(note, dict) else {}
