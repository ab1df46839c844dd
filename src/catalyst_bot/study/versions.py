"""The versions of reviewed changes: a file in the data folder that only ever grows.

Version 0 are the shipped tables. Every later version holds the whole of what is laid over them,
with what it changed, who applied it and why; going back is a new version, too. A run records the
number of the version it used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from catalyst_bot.detection.changes import Changes, Tables, Value, changed, value_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.feeds.lines import json_of

FILE = "detection_changes.json"
SHIPPED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Values that somebody should look at before they count, and the evidence for them."""

    reason: str
    changes: Changes
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One applied version: `overlay` is all of it, `before` and `after` what it changed."""

    version: int
    at: str
    author: str
    reason: str
    before: Mapping[str, Value | None]
    after: Mapping[str, Value | None]
    overlay: Changes


def read_versions(data_dir: Path) -> tuple[Version, ...]:
    """Return all versions, oldest first; none when nothing was ever applied.

    Raises `BadData` for a damaged file.
    """
    path = data_dir / FILE
    if not path.is_file():
        return ()
    try:
        versions = tuple(Version(**row) for row in json_of(path.read_bytes())["versions"])
    except ValueError as error:
        raise BadData(f"{path}: {error}; bring it back from a backup") from error
    except (TypeError, KeyError) as error:
        raise BadData(f"{path}: holds no versions; bring it back from a backup") from error
    if [each.version for each in versions] != list(range(1, len(versions) + 1)):
        raise BadData(f"{path}: versions are missing; bring it back from a backup")
    return versions


def newest(data_dir: Path) -> int:
    """Return the number of the version that a new run uses."""
    return len(read_versions(data_dir))


def overlay_of(data_dir: Path, version: int) -> Changes:
    """Return what a version lays over the shipped tables. Raises `ConfigError` without it."""
    if version == SHIPPED:
        return {}
    versions = read_versions(data_dir)
    if not 0 < version <= len(versions):
        raise ConfigError(
            f"detection.changes = {version}: {data_dir / FILE} holds {len(versions)} versions; "
            "bring the file of the run back, or choose another version"
        )
    return versions[version - 1].overlay


def apply(
    data_dir: Path, proposal: Proposal, shipped: Tables, *, author: str, reason: str, at: datetime
) -> Version:
    """Lay a proposal over the newest version and store the result as the next one.

    Raises `ConfigError` when a change is not allowed or nothing would change.
    """
    versions = read_versions(data_dir)
    overlay = {**(versions[-1].overlay if versions else {}), **proposal.changes}
    return _append(data_dir, versions, overlay, shipped, author=author, reason=reason, at=at)


def roll_back(
    data_dir: Path, to: int, shipped: Tables, *, author: str, reason: str, at: datetime
) -> Version:
    """Store an earlier version again as the next one. Raises `ConfigError` without such one."""
    overlay = overlay_of(data_dir, to)
    versions = read_versions(data_dir)
    return _append(data_dir, versions, overlay, shipped, author=author, reason=reason, at=at)


def differences(
    before: Changes, after: Changes, shipped: Tables
) -> dict[str, tuple[Value | None, Value | None]]:
    """Return what two overlays say differently, by name: value before, value after.

    Raises `ConfigError` when one of them is not allowed.
    """
    old, new = changed(shipped, before), changed(shipped, after)
    values = {
        name: (value_of(name, old), value_of(name, new)) for name in sorted({*before, *after})
    }
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def _append(
    data_dir: Path,
    versions: tuple[Version, ...],
    overlay: Changes,
    shipped: Tables,
    *,
    author: str,
    reason: str,
    at: datetime,
) -> Version:
    if not (author.strip() and reason.strip()):
        raise ConfigError("a change needs an author and a reason")
    differing = differences(versions[-1].overlay if versions else {}, overlay, shipped)
    if not differing:
        raise ConfigError("nothing would change")
    version = Version(
        version=len(versions) + 1,
        at=at.isoformat().replace("+00:00", "Z"),
        author=author.strip(),
        reason=reason.strip(),
        before={name: before for name, (before, _) in differing.items()},
        after={name: after for name, (_, after) in differing.items()},
        overlay=dict(overlay),
    )
    data_dir.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"versions": [asdict(each) for each in (*versions, version)]}, indent=1)
    part = data_dir / f".{FILE}.part"
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(data_dir / FILE)
    return version


def read_proposal(path: Path) -> Proposal:
    """Read a proposal. Raises `BadData` naming what is wrong with the file."""
    try:
        row = json_of(path.read_bytes())
    except OSError as error:
        raise BadData(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise BadData(f"{path}: is no proposal: {error}") from error
    keys = [field.name for field in fields(Proposal)]
    if not isinstance(row, dict) or set(row) != set(keys) or not isinstance(row["changes"], dict):
        raise BadData(f"{path}: is no proposal: expected an object with {', '.join(keys)}")
    proposal = Proposal(**row)
    values = proposal.changes.values()
    if not all(isinstance(value, bool | int | float) for value in values):
        raise BadData(f"{path}: is no proposal: a change is neither a number nor true or false")
    return proposal


def write_proposal(path: Path, proposal: Proposal) -> None:
    """Write a proposal for a person to read and `study apply` to take."""
    path.write_text(json.dumps(asdict(proposal), indent=1) + "\n", encoding="utf-8")
