"""Which override of a person lets an entry pass, and what its checks say then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalyst_bot.domain.trading import Check
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.state import Override


def find(
    overrides: Iterable[Override | None], symbol: str, checks: tuple[Check, ...], desk: Desk
) -> Override | None:
    """Return the first override, not over yet, that covers every failed check of the symbol."""
    failed = {check.name for check in checks if not check.passed}
    return next(
        (
            override
            for override in overrides
            if override is not None
            and override.symbol == symbol
            and desk.now < override.expires_at
            and failed <= set(override.rules)
        ),
        None,
    )


def waived(checks: tuple[Check, ...], override: Override) -> tuple[Check, ...]:
    """The checks with what was overridden let pass; observed and limit still say how it was."""
    said = (
        f"overridden by {override.by} until {override.expires_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{override.reason}"
    )
    return tuple(
        check
        if check.passed or check.name not in override.rules
        else replace(check, passed=True, note="; ".join(filter(None, (said, check.note))))
        for check in checks
    )
