"""A person overrides one refusal: explicit, with a reason, for a time, used once, journalled.

Limits of the account cannot be overridden, nor what makes an order impossible: the table of checks
says of each rule whether it may be. Whatever else would have refused the order still does.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from catalyst_bot.domain.enums import Tier
from catalyst_bot.domain.market import MarketView
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.decisions import OverrideGranted, OverrideRefused
from catalyst_bot.domain.messages.facts import (
    MarketViewReceived,
    MarketViewUnavailable,
    OperatorOverrode,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.check_table import ROWS
from catalyst_bot.risk.manager import assess
from catalyst_bot.risk.overrides import REQUEST_PREFIX, override_of, refusal_of
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import Refusal, State

LONGEST = timedelta(hours=8)  # of a session and what surrounds it


def answer(state: State, message: OperatorOverrode, desk: Desk) -> list[Message]:
    """Grant or refuse an override; for a granted one of a refusal the market is looked at."""
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
    look = RequestMarketView(
        request_id=f"{REQUEST_PREFIX}{granted.override_id}",
        catalyst_id=catalyst_id,
        symbol=symbol,
    )
    return [granted, look]


def judge(state: State, message: MarketViewReceived, desk: Desk, rules: Rules) -> list[Message]:
    """Judge a refused intent again at the prices of now: those it was refused at are history."""
    refusal = refusal_of(state, message.request_id)
    if refusal is None:
        return []
    return [assess(state, _at_prices_of(message.view, refusal.intent), desk, rules)]


def give_up(state: State, message: MarketViewUnavailable) -> list[Message]:
    """Without prices nothing is judged, and the override is gone."""
    override = override_of(state, message.request_id)
    if override is None:
        return []
    return [
        OverrideRefused(
            override_id=override.override_id,
            by=override.by,
            intent_id=override.intent_id,
            catalyst_id=message.catalyst_id,
            symbol=override.symbol,
            rules=override.rules,
            reason=f"there are no prices to judge it by: {message.reason.replace('_', ' ')}",
        )
    ]


def _at_prices_of(view: MarketView, intent: TradeIntent) -> TradeIntent:
    last = view.bars[-1].close if len(view.bars) else intent.signal.price
    return replace(intent, signal=replace(intent.signal, price=last, quote=view.quote))


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
