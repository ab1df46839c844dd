"""`wiring.md`: which stage decides on which message, and which remembers it."""

from __future__ import annotations

from catalyst_bot.engine.wiring import STAGES, overview
from tools.reference.markdown import table


def page() -> str:
    """Which stage decides on which message, and which remembers it."""
    rows = [
        (f"`{name}`", ", ".join(deciders), ", ".join(rememberers))
        for name, deciders, rememberers in overview()
    ]
    return "\n\n".join(
        [
            "# Wiring",
            (
                f"Stages in the order in which they are asked: {', '.join(STAGES)}. All that "
                "decide on a message do so on the state before it; then all that remember it do so."
            ),
            table(("message", "decide", "remember"), rows),
        ]
    )
