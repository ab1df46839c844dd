"""Which override of a person lets an entry pass, and what its checks say then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalyst_bot.domain.trading import Check, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.state import Override, Refusal, State

REQUEST_PREFIX = "override:"  # of a look at the market


def find(
    overrides: Iterable[Override], intent: TradeIntent, checks: tuple[Check, ...], desk: Desk
) -> Override | None:
    """Return the first override, not over yet, that covers every failed check of an intent."""
    symbol = intent.signal.catalyst.symbol
    failed = {check.name for check in checks if not check.passed}
    return next(
        (
            override
            for override in overrides
            if override.symbol == symbol
            and override.intent_id in {"", intent.intent_id}
            and desk.now < override.expires_at
            and failed <= set(override.rules)
        ),
        None,
    )


def override_of(state: State, request_id: str) -> Override | None:
    """Return the override for which the market was looked at; None for any other look."""
    if not request_id.startswith(REQUEST_PREFIX):
        return None
    return state.overrides.get(request_id.removeprefix(REQUEST_PREFIX))


def refusal_of(state: State, request_id: str) -> Refusal | None:
    """Return the refusal that is judged again on a look at the market, if it is one of those."""
    override = override_of(state, request_id)
    return state.refusals.get(override.intent_id) if override is not None else None


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
