"""Limits that allow more than this version declares need a person's word before anything trades.

The word is a small file in the data folder, with who, when and why; it holds the values that were
looser then, and a hash, so that a change by hand is noticed. What is stricter needs no word.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import risk_rules
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.limits import Looser
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings

FILE = "approved-limits.json"
AS_DECLARED = "as declared by this version"
_SECTIONS = {"limits": "risk"}  # the field of the rules is called otherwise than its section
_COMMAND = "catalyst-bot config approve --reason '...'"

Number = int | float | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One setting that bounds what may be lost: in force, as declared, and what loosens it."""

    key: str
    value: Number
    declared: Number
    looser: Looser

    def is_within(self, bound: Number) -> bool:
        """True when the value allows no more than `bound` does."""
        match self.looser:
            case Looser.HIGHER:
                return self.value <= bound
            case Looser.LOWER:
                return self.value >= bound
            case Looser.OTHER:
                return self.value == bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What a person approved: values by key, as text. Without a person there is none."""

    limits: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    at: str = ""
    reason: str = ""

    @property
    def hash(self) -> str:
        """The name of this approval."""
        return content_id("apr", json.dumps(asdict(self), sort_keys=True))

    def as_dict(self) -> dict[str, Any]:
        """JSON form, as it lies in the file."""
        return {**asdict(self), "hash": self.hash}


def limits_of(settings: Settings) -> Iterator[Limit]:
    """Yield every setting that can be looser than declared."""
    rules = risk_rules(settings)
    for part in fields(rules):
        section = getattr(rules, part.name)
        declared = type(section)()
        for setting in fields(section):
            looser = setting.metadata.get("looser")
            if looser is not None:
                yield Limit(
                    key=f"{_SECTIONS.get(part.name, part.name)}.{setting.name}",
                    value=getattr(section, setting.name),
                    declared=getattr(declared, setting.name),
                    looser=looser,
                )


def loosened(settings: Settings) -> list[Limit]:
    """Return the limits that allow more than this version declares."""
    return [limit for limit in limits_of(settings) if not limit.is_within(limit.declared)]


def approval_of(settings: Settings, *, is_asked: bool) -> str:
    """Say in words on whose word the limits in force stand.

    Where nothing is traded nobody is asked, and the words say so. Raises `ConfigError` that names
    each limit, what is approved, and the command that approves.
    """
    loose = loosened(settings)
    if not loose:
        return AS_DECLARED
    if not is_asked:
        return f"nobody was asked, nothing is traded: {_names(loose)}"
    approved = read_approved(settings.run.data_dir)
    refused = [limit for limit in loose if not _is_approved(limit, approved)]
    if refused:
        told = "; ".join(
            f"{limit.key} = {limit.value} is looser than the approved "
            f"{approved.limits.get(limit.key, limit.declared)}"
            for limit in refused
        )
        raise ConfigError(f"{told}. Set it back, or approve it: {_COMMAND}")
    return f"approved by {approved.by} at {approved.at} ({approved.reason}): {_names(loose)}"


def _names(loose: list[Limit]) -> str:
    return ", ".join(f"{limit.key} = {limit.value} (declared {limit.declared})" for limit in loose)


def _is_approved(limit: Limit, approved: Approved) -> bool:
    text = approved.limits.get(limit.key)
    return text is not None and limit.is_within(type(limit.declared)(text))


def approve(settings: Settings, *, by: str | None, reason: str) -> Approved:
    """Write down that a person approves the limits as they are set.

    Raises `ConfigError` without a reason.
    """
    if not reason.strip():
        raise ConfigError("--reason: say why these limits may be looser")
    now: datetime = SystemClock().now()
    approved = Approved(
        limits={limit.key: str(limit.value) for limit in loosened(settings)},
        by=by or getpass.getuser(),
        at=now.isoformat(timespec="seconds"),
        reason=reason.strip(),
    )
    path = settings.run.data_dir / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(approved.as_dict(), indent=2) + "\n", encoding="utf-8")
    return approved


def read_approved(data_dir: Path) -> Approved:
    """Return the approval in a data folder; without a file nothing but what is declared.

    Raises `ConfigError` for one that cannot be read or was changed by hand.
    """
    path = data_dir / FILE
    if not path.exists():
        return Approved()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        named = told.pop("hash")
        approved = Approved(**told)
        is_whole = approved.hash == named
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); approve again: {_COMMAND}") from error
    if not is_whole:
        raise ConfigError(f"{path}: was changed after it was written; approve again: {_COMMAND}")
    return approved


def approved_text(approved: Approved) -> str:
    """What was approved, for people."""
    if not approved.limits:
        return "no limit is looser than this version declares: nothing but that is approved"
    told = [f"  {key} = {value}" for key, value in approved.limits.items()]
    head = f"approved by {approved.by} at {approved.at}: {approved.reason} ({approved.hash})"
    return "\n".join([head, *told])
