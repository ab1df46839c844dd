"""What a person says to the bot besides halting and trading: reduce, and override a refusal.

Each word is a file in `<data dir>/operator/words`, written whole or not at all; the bot turns it
into a fact and takes it away. A word given while no bot runs is taken at the next start.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages.facts import OperatorOverrode, OperatorReduced
from catalyst_bot.risk.overriding import LONGEST

Word = OperatorReduced | OperatorOverrode
REDUCE, OVERRIDE = "reduce", "override"


class WordBox:
    """Both sides of the box: a command puts words in, the bot takes them out."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "operator" / "words"

    def reduce(self, *, by: str, reason: str) -> Path:
        """Ask for a state in which positions end and none begins."""
        return self._put(REDUCE, {"kind": REDUCE, "by": by, "reason": reason})

    def override(
        self,
        *,
        by: str,
        reason: str,
        lasts: timedelta,
        at: datetime,
        intent_id: str = "",
        symbol: str = "",
        rule: str = "",
    ) -> str:
        """Ask to override the refusal of an intent, or a rule once for a symbol; returns its id.

        It holds for so long from when the bot takes it, by the time of the run; `at` tells two
        equal words apart.
        """
        override_id = content_id("ovr", by, reason, at.isoformat(), intent_id, symbol, rule)
        note = {
            "kind": OVERRIDE,
            "override_id": override_id,
            "by": by,
            "reason": reason,
            "lasts_s": str(lasts.total_seconds()),
            "intent_id": intent_id,
            "symbol": symbol,
            "rule": rule,
        }
        self._put(override_id, note)
        return override_id

    def collect(self, at: datetime) -> list[Word]:
        """Return new words as facts, each once; what cannot be read is dropped."""
        if not self._folder.is_dir():
            return []
        found = [self._take(path, at) for path in sorted(self._folder.glob("*.json"))]
        return [word for word in found if word is not None]

    def _take(self, path: Path, at: datetime) -> Word | None:
        try:
            note = json.loads(path.read_bytes())
            word = _READERS[note["kind"]](note, at)
        except (OSError, ValueError, KeyError, TypeError):
            word = None
        path.unlink(missing_ok=True)
        return word

    def _put(self, name: str, note: dict[str, str]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(note), encoding="utf-8")
        temporary.replace(path)
        return path


def _reduced(note: dict[str, Any], at: datetime) -> OperatorReduced:
    return OperatorReduced(at=at, by=str(note["by"]), reason=str(note["reason"]))


def _overrode(note: dict[str, Any], at: datetime) -> OperatorOverrode:
    return OperatorOverrode(
        at=at,
        override_id=str(note["override_id"]),
        by=str(note["by"]),
        reason=str(note["reason"]),
        expires_at=at + timedelta(seconds=float(note["lasts_s"])),
        intent_id=str(note["intent_id"]),
        symbol=str(note["symbol"]),
        rule=str(note["rule"]),
    )


_READERS: dict[str, Callable[[dict[str, Any], datetime], Word]] = {
    REDUCE: _reduced,
    OVERRIDE: _overrode,
}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `10m` or `2h`. Raises `ValueError` for anything else, and for more than 8 h."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal() or not int(number) > 0:
        raise ValueError(f"{text}: write it like 90s, 10m or 2h")
    length = timedelta(**{_UNITS[unit]: int(number)})
    if length > LONGEST:
        raise ValueError(f"{text}: at most {LONGEST.seconds // 3600} hours")
    return length
