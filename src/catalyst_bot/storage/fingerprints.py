"""Fingerprints of all message shapes, so that no change of the wire format goes unnoticed.

`python -m catalyst_bot.storage.fingerprints` writes them to `fingerprints.json`; a test compares.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from catalyst_bot.domain.messages.registry import MESSAGES
from catalyst_bot.storage.codec import SCHEMA_VERSION

FILE = Path(__file__).with_name("fingerprints.json")


def fingerprint(message_type: type) -> str:
    """Return 16 hex digits that change when any field, type or word of the shape changes."""
    return blake2b(_shape(message_type).encode(), digest_size=8).hexdigest()


def current() -> dict[str, Any]:
    """Return what `fingerprints.json` has to hold for the code as it is."""
    prints = {name: fingerprint(kind) for name, kind in sorted(MESSAGES.items())}
    return {"schema_version": SCHEMA_VERSION, "messages": prints}


def committed() -> dict[str, Any]:
    """Return what `fingerprints.json` holds."""
    held: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return held


def _shape(kind: Any) -> str:
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return f"{{{','.join(f'{f.name}:{_shape(hints[f.name])}' for f in fields(kind))}}}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"<{'|'.join(str(word.value) for word in kind)}>"
    if get_origin(kind) is not None:
        return f"{get_origin(kind).__name__}[{','.join(map(_shape, get_args(kind)))}]"
    return str(getattr(kind, "__name__", kind))


if __name__ == "__main__":
    FILE.write_text(json.dumps(current(), indent=2) + "\n", "utf-8")
