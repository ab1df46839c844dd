"""The JSON of a walk forward: written whole, and read back with nothing believed but the arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.ml.validation.evidence import Evidence, evidence_from
from catalyst_bot.ml.validation.trials import Head

VERSION = 1
FILE = "walk_forward.json"  # beside a model, where `validate` looks for it
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is needed to judge again: the arrays, which models they are about, the ledger then."""

    evidence: Evidence
    models: frozenset[str]
    trials: Head
    data_hash: str
    content: Mapping[str, Any]


def read_report(path: Path) -> Report:
    """Read a report. Raises `ConfigError` without such a file, `BadData` for one that is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadData(f"{path}: has more than {MAX_BYTES} bytes")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror or error}); write it with "
            "`catalyst-bot walk-forward --json FILE`"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: is no JSON: {error}") from error
    return report_from(content, str(path))


def report_from(content: Any, name: str) -> Report:
    """Take a report out of JSON. Raises `BadData` by the name when it is none."""
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise BadData(f"{name}: is no report of a walk forward, version {VERSION}")
    try:
        return Report(
            evidence=evidence_from(content["evidence"]),
            models=frozenset(map(str, content["models"])),
            trials=Head(**content["trials"]),
            data_hash=str(content["history"]["data_hash"]),
            content=content,
        )
    except (KeyError, TypeError) as error:
        raise BadData(f"{name}: is no report of a walk forward ({error!r})") from error
