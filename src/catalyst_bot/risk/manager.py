"""The gate before the wire: an intent goes in, an approved or a refused order comes out.

Every wish is held against its checks here; what passed is written as an order by `orders`.
"""

from __future__ import annotations

from decimal import Decimal

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.domain.messages.facts import OperatorTradeRequested
from catalyst_bot.domain.money import whole_shares
from catalyst_bot.domain.trading import Check, SizingStep, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.check_table import check_entry, check_exit, not_judged
from catalyst_bot.risk.checks import judge_inputs
from catalyst_bot.risk.orders import entry_order, exit_order, wants_limit
from catalyst_bot.risk.overrides import find, waived
from catalyst_bot.risk.proposal import Proposal, propose, wants_entry
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State

MANUAL = "manual"  # the strategy of everything a person did


def assess(
    state: State, intent: TradeIntent, desk: Desk, rules: Rules
) -> OrderApproved | OrderRefused:
    """Judge an intent: a wish to buy becomes a bracket, any other leaves the whole position.

    One with a number that is none is refused before anything is computed from it. What a person
    overrode does not refuse an entry.
    """
    inputs = judge_inputs(intent, desk)
    if not inputs.passed:
        return _refuse(intent, not_judged(inputs) if wants_entry(intent) else (inputs,), ())
    if wants_entry(intent):
        is_limit = wants_limit(desk, rules.execution)
        cap_bps = rules.execution.limit_cap_bps if is_limit else 0.0
        return _assess_entry(propose(state, intent, desk, rules, inputs=inputs, cap_bps=cap_bps))
    symbol = intent.signal.catalyst.symbol
    position = desk.positions.get(symbol)
    checks = (inputs, *check_exit(symbol, position, desk))
    if position is not None and _first_failed(checks) is None:
        reason = ExitReason.POLICY if intent.signal.is_review else ExitReason.NEGATIVE_NEWS
        return _exit(state, position, reason, checks, desk, rules=rules)
    return _refuse(intent, checks, ())


def approve_exit(
    state: State,
    position: Position,
    reason: ExitReason,
    desk: Desk,
    *,
    rules: Rules,
    price: Decimal | None = None,
) -> OrderApproved | None:
    """Approve leaving a position, which costs `price` now; None when not needed any more."""
    checks = check_exit(position.symbol, position, desk)
    if _first_failed(checks) is not None:
        return None
    return _exit(state, position, reason, checks, desk, rules=rules, price=price)


def assess_sale(
    state: State, request: OperatorTradeRequested, desk: Desk, rules: Rules
) -> OrderApproved | OrderRefused:
    """Judge a person's wish to sell: all that is held, or so many shares or dollars of it."""
    position = desk.positions.get(request.symbol)
    quantity = _asked_quantity(request, position) if position is not None else None
    checks = check_exit(request.symbol, position, desk, quantity)
    failed = _first_failed(checks)
    if position is not None and failed is None:
        reason = ExitReason.OPERATOR
        return _exit(state, position, reason, checks, desk, rules=rules, quantity=quantity)
    assert failed is not None, "refused although every check passed"
    signal_id = ids.signal_id(request.request_id)
    return OrderRefused(
        intent_id=ids.intent_id(signal_id),
        signal_id=signal_id,
        catalyst_id=request.request_id,
        strategy_id=MANUAL,
        symbol=request.symbol,
        side=Side.SELL,
        rule=failed.name,
        checks=checks,
        sizing=(),
    )


def _asked_quantity(request: OperatorTradeRequested, position: Position) -> Decimal:
    """The shares a person wants to sell; of dollars at least one share, and at most all."""
    if request.quantity is not None:
        return request.quantity
    if request.usd is not None:
        shares = min(request.usd / position.last_price, position.quantity)
        return max(whole_shares(shares), Decimal(1))
    return position.quantity


def _assess_entry(entry: Proposal) -> OrderApproved | OrderRefused:
    checks = check_entry(entry)
    if entry.protection is not None and _first_failed(checks) is None:
        return OrderApproved(order=entry_order(entry, entry.protection, checks))
    override = find(entry.state.overrides.values(), entry.intent, checks, entry.desk)
    if entry.protection is None or override is None:
        return _refuse(entry.intent, checks, entry.sizing.steps)
    passed = waived(checks, override)
    return OrderApproved(
        order=entry_order(entry, entry.protection, passed, override_id=override.override_id)
    )


def _exit(
    state: State,
    position: Position,
    reason: ExitReason,
    checks: tuple[Check, ...],
    desk: Desk,
    *,
    rules: Rules,
    quantity: Decimal | None = None,
    price: Decimal | None = None,
) -> OrderApproved:
    return OrderApproved(
        order=exit_order(
            state,
            position,
            reason,
            checks,
            desk,
            rules=rules,
            quantity=quantity if quantity is not None else position.quantity,
            price=price if price is not None else position.last_price,
        )
    )


def _refuse(
    intent: TradeIntent, checks: tuple[Check, ...], sizing: tuple[SizingStep, ...]
) -> OrderRefused:
    signal = intent.signal
    failed = _first_failed(checks)
    assert failed is not None, "refused although every check passed"
    return OrderRefused(
        intent_id=intent.intent_id,
        signal_id=signal.signal_id,
        catalyst_id=signal.catalyst.catalyst_id,
        strategy_id=signal.strategy_id,
        symbol=signal.catalyst.symbol,
        side=intent.side,
        rule=failed.name,
        checks=checks,
        sizing=sizing,
    )


def _first_failed(checks: tuple[Check, ...]) -> Check | None:
    return next((check for check in checks if not check.passed), None)
