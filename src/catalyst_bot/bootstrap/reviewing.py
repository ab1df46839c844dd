"""Proposed changes of detection: shown, applied and taken back by a person, never by the bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import shipped_texts
from catalyst_bot.detection.changes import Value
from catalyst_bot.detection.rules import tables_of
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.study import versions
from catalyst_bot.study.versions import Proposal, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a command tells, for programs and for people."""

    as_dict: dict[str, Any]
    as_text: str


def propose(out: Path, given: Sequence[str], *, reason: str) -> Shown:
    """Write changes given as `NAME=VALUE` as a proposal.

    Raises `ConfigError` for one that cannot be read or is not allowed.
    """
    changes = dict(_change(each) for each in given)
    differing = versions.differences({}, changes, tables_of(shipped_texts()))
    versions.write_proposal(out, Proposal(reason=reason, changes=changes, evidence={}))
    return Shown(
        as_dict={"reason": reason, "changes": changes},
        as_text="\n".join(_change_text(name, *pair) for name, pair in differing.items())
        or "nothing would change",
    )


def _change(given: str) -> tuple[str, Value]:
    name, _, text = given.partition("=")
    words = {"true": True, "false": False}
    try:
        return name.strip(), words[text] if text in words else float(text)
    except ValueError as error:
        raise ConfigError(f"--set {given}: write NAME=VALUE, such as layoffs.weight=0.3") from error


def history(data_dir: Path) -> Shown:
    """Every version that was applied, oldest first."""
    found = versions.read_versions(data_dir)
    text = "\n\n".join(_version_text(each) for each in found)
    return Shown(
        as_dict={"newest": len(found), "versions": [asdict(each) for each in found]},
        as_text=text or "version 0: the tables as shipped; nothing was ever applied",
    )


def preview(data_dir: Path, proposal: Path) -> Shown:
    """What a proposal would change. Raises `BadData` or `ConfigError` when it cannot be applied."""
    proposed = versions.read_proposal(proposal)
    overlay = versions.overlay_of(data_dir, versions.newest(data_dir))
    differing = versions.differences(
        overlay, {**overlay, **proposed.changes}, tables_of(shipped_texts())
    )
    rows = {name: {"before": old, "after": new} for name, (old, new) in differing.items()}
    return Shown(
        as_dict={
            "reason": proposed.reason,
            "changes": rows,
            "evidence": dict(proposed.evidence),
        },
        as_text="\n".join(
            [
                f"proposed: {proposed.reason}",
                *(_change_text(name, *pair) for name, pair in differing.items()),
            ]
        )
        if rows
        else f"proposed: {proposed.reason}\nnothing would change",
    )


def apply(data_dir: Path, proposal: Path, *, author: str, reason: str) -> Shown:
    """Make a proposal the newest version. Raises `BadData` or `ConfigError`."""
    return _shown(
        versions.apply(
            data_dir,
            versions.read_proposal(proposal),
            tables_of(shipped_texts()),
            author=author,
            reason=reason,
            at=SystemClock().now(),
        )
    )


def roll_back(data_dir: Path, to: int, *, author: str, reason: str) -> Shown:
    """Make an earlier version the newest again. Raises `ConfigError` without such a version."""
    return _shown(
        versions.roll_back(
            data_dir,
            to,
            tables_of(shipped_texts()),
            author=author,
            reason=reason,
            at=SystemClock().now(),
        )
    )


def _shown(version: Version) -> Shown:
    return Shown(as_dict=asdict(version), as_text=_version_text(version))


def _version_text(version: Version) -> str:
    changes = [
        _change_text(name, version.before[name], version.after[name]) for name in version.after
    ]
    head = f"version {version.version}, {version.at}, by {version.author}: {version.reason}"
    return "\n".join([head, *changes])


def _change_text(name: str, before: Value | None, after: Value | None) -> str:
    return f"  {name}: {_told(before)} -> {_told(after)}"


def _told(value: Value | None) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
