"""A person overrides one refusal: explicit, with a reason, for a time, used once, journalled.

Limits of the account cannot be overridden, nor what makes an order impossible: the table of checks
says of each rule whether it may be. Whatever else would have refused the order still does.
"""

from __future__ import annotations

from datetime import timedelta

from catalyst_bot.domain.enums import Tier
from catalyst_bot.domain.messages.decisions import OverrideGranted, OverrideRefused
from catalyst_bot.domain.messages.facts import OperatorOverrode
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.check_table import ROWS
from catalyst_bot.risk.manager import assess
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import Override, Refusal, State

LONGEST = timedelta(hours=8)  # of a session and what surrounds it


def answer(state: State, message: OperatorOverrode, desk: Desk, rules: Rules) -> list[Message]:
    """Grant or refuse an override; a granted one of a refusal is judged again at once."""
    if message.override_id in state.heard_overrides:
        return []
    refusal = state.refusals.get(message.intent_id)
    wanted = refusal.rules if refusal is not None else (message.rule,)
    symbol = _symbol(refusal) if refusal is not None else message.symbol
    catalyst_id = refusal.intent.signal.catalyst.catalyst_id if refusal is not None else ""
    problem = _problem(message, refusal, wanted, symbol=symbol, desk=desk)
    if problem:
        return [
            OverrideRefused(
                override_id=message.override_id,
                by=message.by,
                intent_id=message.intent_id,
                catalyst_id=catalyst_id,
                symbol=symbol,
                rules=wanted,
                reason=problem,
            )
        ]
    granted = OverrideGranted(
        override_id=message.override_id,
        by=message.by,
        reason=message.reason,
        intent_id=message.intent_id,
        catalyst_id=catalyst_id,
        symbol=symbol,
        rules=wanted,
        expires_at=message.expires_at,
    )
    if refusal is None:
        return [granted]
    override = Override(
        override_id=granted.override_id,
        by=granted.by,
        reason=granted.reason,
        symbol=granted.symbol,
        rules=granted.rules,
        expires_at=granted.expires_at,
    )
    return [granted, assess(state, refusal.intent, desk, rules, override=override)]


def _symbol(refusal: Refusal) -> str:
    return refusal.intent.signal.catalyst.symbol


def _problem(
    message: OperatorOverrode,
    refusal: Refusal | None,
    wanted: tuple[str, ...],
    *,
    symbol: str,
    desk: Desk,
) -> str:
    """Why it cannot be granted, empty when it can."""
    if not message.reason.strip():
        return "no reason was given"
    if message.expires_at <= desk.now:
        return "its time is over"
    if message.expires_at - desk.now > LONGEST:
        return f"it would hold for more than {LONGEST.seconds // 3600} hours"
    if message.intent_id and (refusal is None or not refusal.rules):
        return f"no refusal of {message.intent_id} is known any more"
    if not symbol:
        return "no symbol was named"
    fixed = [name for name in wanted if name not in ROWS or not ROWS[name].may_be_overridden]
    if fixed:
        return "; ".join(f"{name} {_why_fixed(name)}" for name in fixed)
    return ""


def _why_fixed(name: str) -> str:
    row = ROWS.get(name)
    if row is None:
        return "is no rule of an entry"
    if row.tier is Tier.ACCOUNT:
        return "is a limit of the account: nobody overrides it"
    return f"cannot be overridden: {row.refusal}"
