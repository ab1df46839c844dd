"""What happens when the core itself fails on a fact: keep the fact, stop, and skip it next time.

One of the few places that may catch everything, because an unknown error must not be lost. The
engine's state may be half changed then, so the process ends (exit code 6); the journal holds
nothing of the fact, and a restart folds back to the moment before it.
"""

from __future__ import annotations

import json
import traceback
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.storage.codec import encode

SUFFIX = ".quarantine.jsonl"
_HARMLESS = (
    f.HeadlineReceived,
    f.TextOpinionsReceived,
    f.MarketViewReceived,
    f.BarClosed,
    f.QuoteSampled,
)


class Supervisor:
    """Hands facts to the engine; a fact that broke it before is replaced by a note about it."""

    def __init__(self, engine: Engine, quarantine: Path) -> None:
        self._engine = engine
        self._quarantine = quarantine
        self._poisonous = _read_keys(quarantine)

    def handle(self, fact: Fact) -> list[Recorded]:
        """See `Engine.handle`. Raises `InvariantViolated` after a new poison fact was put away."""
        key = _key(fact) if self._poisonous else ""
        if key in self._poisonous:
            return self._engine.handle(_instead_of(fact, self._quarantine))
        try:
            return self._engine.handle(fact)
        except Exception as error:
            self._put_away(fact, error)
            raise InvariantViolated(
                f"{type(fact).__name__} at {fact.at.isoformat()} broke the core ({error!r}); it is "
                f"kept in {self._quarantine} and skipped from the next start on"
            ) from error

    def _put_away(self, fact: Fact, error: Exception) -> None:
        note = {
            "key": _key(fact),
            "fact": type(fact).__name__,
            "at": fact.at.isoformat(),
            "error": repr(error),
            "traceback": traceback.format_exception(error),
            "body": encode(fact).decode(),
        }
        with self._quarantine.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")


def _instead_of(fact: Fact, quarantine: Path) -> Fact:
    """News and data are skipped with a note; anything about orders halts until a person looks."""
    reason = f"quarantined {type(fact).__name__}, see {quarantine}"
    if isinstance(fact, _HARMLESS):
        return f.AdapterFailed(at=fact.at, adapter="quarantine", error=reason)
    return _halt(fact.at, reason)


def _halt(at: datetime, reason: str) -> f.OperatorHalted:
    return f.OperatorHalted(
        at=at, by="supervisor", reason=reason, positions_policy=PositionsPolicy.HOLD
    )


def _key(fact: Fact) -> str:
    return sha256(type(fact).__name__.encode() + encode(fact)).hexdigest()


def _read_keys(quarantine: Path) -> set[str]:
    if not quarantine.exists():
        return set()
    lines = quarantine.read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["key"] for line in lines if line.strip()}
