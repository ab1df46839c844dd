"""The smallest change that would have flipped a "no", found and then *verified*.

The journal is folded up to the moment of the decision, the change is made to the rules, the
message or the state, and the real stage decides again. Only a change after which it says
something else is reported.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.messages.decisions import (
    IntentDeclined,
    OrderRefused,
    SignalDropped,
)
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.domain.trading import Check, Observation
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.inference import MIN_ACTION, weighted_action
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.state import EngineState
from catalyst_bot.features.spec import FEATURES

No = SignalDropped | IntentDeclined | OrderRefused
BISECTIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change in words, with the value before and after."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Changes that together flip the decision, and what the stage said after them."""

    changes: tuple[Change, ...]
    outcome: str


# Check name -> (section of the rules, field): the limit that the check compares with.
_SIGNAL_LIMITS = {
    "confidence": "min_confidence",
    "too_few_bars": "min_bars",
    "expired": "expire_after_s",
    "stale_quote": "stale_after_bars",
    "price_floor": "min_price_usd",
    "spread": "max_spread_bps",
    "already_ran": "max_chase_bps",
    "reaction_too_small": "min_reaction_bps",
    "volume_too_low": "min_reaction_rvol",
}
_RISK_LIMITS = {
    "position_size": "max_position_fraction",
    "min_trade": "min_trade_usd",
    "confidence": "min_confidence",
    "daily_trades": "max_daily_trades",
    "correlation": "max_correlation",
    "strategy_sharpe": "min_sharpe",
    "daily_loss": "max_daily_loss_fraction",
    "drawdown": "max_drawdown_fraction",
    "exposure": "max_exposure_fraction",
    "leverage": "max_leverage",
    "quote_age": "max_quote_age_s",
    "price_collar": "price_collar_fraction",
    "duplicate": "duplicate_window_s",
    "orders_per_signal": "max_orders_per_signal",
}


def smallest_flip(no: Recorded, records: Iterable[Recorded], engine: Engine) -> WhatIf | None:
    """Return the verified change for a recorded "no", or None when there is none to find.

    `records` is the journal, `engine` a fresh engine with the journal's own rules.
    """
    cause, body = None, no.body
    for record in records:
        if record.seq == no.cause_seq:
            cause = record
            break
        engine.remember(record)
    if cause is None:
        return None
    if isinstance(body, IntentDeclined):
        return _flip_policy(body, engine)
    checks = body.checks if isinstance(body, SignalDropped | OrderRefused) else ()
    failed = [check for check in checks if not check.passed]
    if not failed:
        return None
    return _flip_checks(failed, cause, body, engine)


def _flip_checks(
    failed: Sequence[Check], cause: Recorded, no: Message, engine: Engine
) -> WhatIf | None:
    """Loosen every failed limit just as far as was observed, then decide again."""
    rules = engine.rules
    changes: list[Change] = []
    state = copy.deepcopy(engine.state)
    for check in failed:
        loosened = _loosen(rules, check, no)
        lifted = _lift_state(state, check) if loosened is None else None
        if loosened is not None:
            rules = loosened[0]
            changes.append(loosened[1])
        elif lifted is not None:
            changes.append(lifted)
        else:
            return None
    outcome = _decide_again(rules, state, cause)
    if outcome is None or type(outcome) is type(no):
        return None
    return WhatIf(changes=tuple(changes), outcome=type(outcome).__name__)


def _decide_again(rules: EngineRules, state: EngineState, cause: Recorded) -> Message | None:
    again = Engine(rules, state)
    said = again.decide(cause.body, again.desk_at(cause.at))
    return said[0] if said else None


def _loosen(rules: EngineRules, check: Check, no: Message) -> tuple[EngineRules, Change] | None:
    """Rules with the check's limit moved to what was observed; None when no limit is behind it."""
    if isinstance(no, SignalDropped):
        field = _SIGNAL_LIMITS.get(check.name)
        if field is None:
            return None
        gates = rules.signals.gates
        value = _moved(getattr(gates, field), check)
        loosened = replace(rules, signals=replace(rules.signals, gates=_with(gates, field, value)))
        return loosened, _change(f"signals.{field}", getattr(gates, field), value, check)
    field = _RISK_LIMITS.get(check.name)
    if field is None:
        return None
    limits = rules.risk.limits
    value = _moved(getattr(limits, field), check)
    loosened = replace(rules, risk=replace(rules.risk, limits=_with(limits, field, value)))
    return loosened, _change(f"risk.{field}", getattr(limits, field), value, check)


def _with(struct: Any, field: str, value: Any) -> Any:
    return replace(struct, **{field: value})


def _moved(setting: Any, check: Check) -> Any:
    """The setting moved by the share that the check was missed by, in the setting's own type.

    A limit may be derived from the setting (bars x interval), so the ratio is what carries over;
    a setting of zero, or an exact limit, takes the observed value itself.
    """
    if float(setting) == check.limit or check.limit == 0:
        return type(setting)(check.observed)
    return type(setting)(float(setting) * check.observed / check.limit)


def _change(name: str, before: Any, after: Any, check: Check) -> Change:
    return Change(
        what=f"{name} ({check.name}: {check.observed:.6g} against {check.limit:.6g} {check.unit})",
        before=str(before),
        after=f"{after:.6g}" if isinstance(after, float) else str(after),
    )


def _lift_state(state: EngineState, check: Check) -> Change | None:
    """Undo the state that a yes/no check complains about, in a copy of the state."""
    match check.name:
        case "symbol_halted":
            state.signals.halted.clear()
            state.risk.halted_symbols.clear()
        case "trading_state":
            state.risk.trading_state = TradingState.ACTIVE
        case "consecutive_losses":
            state.risk.strategies = {
                name: replace(record, consecutive_losses=0, is_paused=False)
                for name, record in state.risk.strategies.items()
            }
        case _:
            return None
    return Change(what=f"state: {check.name}", before=check.note or "true", after="lifted")


def _flip_policy(no: IntentDeclined, engine: Engine) -> WhatIf | None:
    """The one feature whose smallest move (as a share of its range) makes the policy buy."""
    best: tuple[float, int, float] | None = None
    for index, feature in enumerate(FEATURES):
        if feature.group == "account":
            continue
        old = no.observation.values[index]
        for bound in (feature.low, feature.high):
            value = _bisect(no.observation, index, bound, engine)
            if value is not None:
                share = abs(value - old) / (feature.high - feature.low)
                if best is None or share < best[0]:
                    best = (share, index, value)
    if best is None:
        return None
    _, index, value = best
    old = no.observation.values[index]
    change = Change(what=FEATURES[index].name, before=f"{old:.6g}", after=f"{value:.6g}")
    return WhatIf(changes=(change,), outcome="IntentFormed")


def _bisect(observation: Observation, index: int, bound: float, engine: Engine) -> float | None:
    """Value nearest to the observed one, towards `bound`, at which the policy wants to buy."""

    def wants(value: float) -> bool:
        values = (*observation.values[:index], value, *observation.values[index + 1 :])
        return _buys(dataclasses.replace(observation, values=values), engine)

    if not wants(bound):
        return None
    near, far = observation.values[index], bound
    for _ in range(BISECTIONS):
        middle = (near + far) / 2.0
        near, far = (near, middle) if wants(middle) else (middle, far)
    return far


def _buys(observation: Observation, engine: Engine) -> bool:
    return weighted_action(engine.rules.policy.act(observation)) > MIN_ACTION
