"""`messages.md`: every message with what it says and its fields."""

from __future__ import annotations

import dataclasses
import inspect

from catalyst_bot.domain.messages.registry import COMMANDS, DECISIONS, FACTS
from tools.reference.markdown import table


def page() -> str:
    """Every message with what it says and its fields."""
    parts = [
        "# Messages",
        (
            f"{len(FACTS)} facts (the outside says), {len(DECISIONS)} decisions (the core "
            f"concludes), {len(COMMANDS)} commands (please do this outside). What they are for: "
            "[messages](../concepts/messages.md); who listens: [wiring](wiring.md)."
        ),
    ]
    for title, kinds in (("Facts", FACTS), ("Decisions", DECISIONS), ("Commands", COMMANDS)):
        rows = [(f"`{name}`", _one_line(kind), _fields(kind)) for name, kind in kinds.items()]
        parts += [f"## {title}", table(("message", "says", "fields"), rows)]
    return "\n\n".join(parts)


def _one_line(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split())


def _fields(kind: type) -> str:
    return ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))
