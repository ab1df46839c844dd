"""The smallest change that would have flipped a "no", found and then *verified*.

The journal is folded up to the moment of the decision, the change is made to the rules, the
message or the state, and the real stage decides again. Only a change after which it says
something else is reported, with exactly the value that was tried.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from catalyst_bot.domain.enums import CategoryAction, OrderRole, TradingState
from catalyst_bot.domain.messages.decisions import (
    AlertRaised,
    CatalystDetected,
    IntentDeclined,
    OrderRefused,
    SignalDropped,
)
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.domain.money import CENT
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.domain.trading import Check, Observation
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.inference import MIN_ACTION
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.state import EngineState
from catalyst_bot.engine.voting import tally
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.risk.check_table import ENTRY_CHECKS, STATE

No = SignalDropped | IntentDeclined | OrderRefused
BISECTIONS = 60
_DIGITS = 9  # of a value that is shown; it is rounded so that it still flips


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


@dataclass(frozen=True, slots=True)
class _Trial:
    """The moment of the decision with some changes made to it."""

    rules: EngineRules
    state: EngineState
    message: Message
    changes: tuple[Change, ...] = ()


# Check name -> field of the rules: the limit that the check compares with.
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
_RISK_LIMITS = {row.name: row.limit for row in ENTRY_CHECKS if row.limit and row.unit != STATE}
_ONLY_WITHOUT_DIRECTION = frozenset({"reaction_too_small", "volume_too_low"})
_MUST_STAY_BELOW = frozenset({"consecutive_losses", "losses_per_hour", "daily_loss", "drawdown"})


def smallest_flip(no: Recorded, records: Iterable[Recorded], engine: Engine) -> WhatIf | None:
    """Return the verified change for a recorded "no", or None when there is none to find.

    `records` is the journal, `engine` a fresh engine with the rules of that moment.
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
    if not isinstance(body, SignalDropped | OrderRefused):
        return None
    for trial in _trials(body, cause, engine):
        outcome = _decide_again(trial, cause, body)
        if outcome is not None:
            return WhatIf(changes=trial.changes, outcome=type(outcome).__name__)
    return None


def _decide_again(trial: _Trial, cause: Recorded, no: Message) -> Message | None:
    """What the stages say instead of the "no"; None when it is still no."""
    again = Engine(trial.rules, trial.state)
    if trial.state.risk.limits_hash:  # other limits, as if they had been approved
        trial.state.risk.limits_hash = limits_hash(trial.rules.risk)
    said = again.decide(trial.message, again.desk_at(cause.at))
    if any(type(message) is type(no) for message in said):
        return None
    return next((message for message in said if not isinstance(message, AlertRaised)), None)


def _trials(no: SignalDropped | OrderRefused, cause: Recorded, engine: Engine) -> Iterator[_Trial]:
    """Changes worth trying, the smallest first: limits and states, then how the news was read."""
    failed = [check for check in no.checks if not check.passed]
    moment = _Trial(engine.rules, engine.state, cause.body)
    loosened = _loosen_all(moment, failed, no) if failed else None
    if loosened is not None:
        yield loosened
    if isinstance(no, SignalDropped):
        yield from _other_readings(moment, no)
        others = [check for check in failed if check.name not in _ONLY_WITHOUT_DIRECTION]
        loosened = _loosen_all(moment, others, no) if others else None
        if loosened is not None:
            yield from _other_readings(loosened, no)


def _loosen_all(
    moment: _Trial, failed: Sequence[Check], no: SignalDropped | OrderRefused
) -> _Trial | None:
    """Move every failed limit just as far as was observed, and undo every bad state."""
    rules, changes = moment.rules, list(moment.changes)
    state = copy.deepcopy(moment.state)
    for check in failed:
        loosened = _loosen(rules, check, no)
        if loosened is not None:
            rules = loosened[0]
            changes.append(loosened[1])
        elif _lift_state(state, check, no.symbol):
            before = check.note or "true"
            changes.append(Change(what=f"state: {check.name}", before=before, after="lifted"))
        else:
            return None
    return _Trial(rules, state, moment.message, tuple(changes))


def _loosen(
    rules: EngineRules, check: Check, no: SignalDropped | OrderRefused
) -> tuple[EngineRules, Change] | None:
    """Rules with the check's limit moved to what was observed; None when there is no such limit,
    or when the settings would not take the value.
    """
    is_signal = isinstance(no, SignalDropped)
    name = (_SIGNAL_LIMITS if is_signal else _RISK_LIMITS).get(check.name)
    if name is None:
        return None
    limits: Any = rules.signals.gates if is_signal else rules.risk.limits
    before = getattr(limits, name)
    after = _just_enough(before, check)
    bounds = next(item.metadata for item in fields(limits) if item.name == name)
    if not bounds["low"] <= after <= bounds["high"]:
        return None
    limits = replace(limits, **{name: after})
    change = Change(
        what=f"{'signals' if is_signal else 'risk'}.{name} ({check.name}: {check.observed:.6g} "
        f"against {check.limit:.6g} {check.unit})",
        before=str(before),
        after=str(after),
    )
    if is_signal:
        return replace(rules, signals=replace(rules.signals, gates=limits)), change
    return replace(rules, risk=replace(rules.risk, limits=limits)), change


def _just_enough(setting: Any, check: Check) -> Any:
    """The setting at which the check just passes, in the setting's own type.

    A limit may be derived from the setting (bars x interval), so the ratio is what carries over;
    lateness adds up; else the setting is the limit.
    """
    exact = check.observed
    if check.name == "expired":
        exact = float(setting) + check.observed
    elif float(setting) != check.limit and check.limit != 0:
        exact = float(setting) * check.observed / check.limit
    rises = check.observed >= check.limit
    is_reached = check.name in _MUST_STAY_BELOW
    if isinstance(setting, int):
        return math.ceil(exact) + int(is_reached) if rises else math.floor(exact)
    if isinstance(setting, Decimal):
        way = ROUND_CEILING if rises else ROUND_FLOOR
        return Decimal(str(exact)).quantize(CENT, rounding=way)
    shown = _outward(exact, rises=rises)
    return math.nextafter(shown, math.inf) if is_reached and shown == exact else shown


def _outward(value: float, *, rises: bool) -> float:
    """The value in as many digits as are shown, rounded away from where it came from."""
    way = ROUND_CEILING if rises else ROUND_FLOOR
    return float(Context(prec=_DIGITS, rounding=way).create_decimal(repr(value)))


def _lift_state(state: EngineState, check: Check, symbol: str) -> bool:
    """Undo the state that a yes/no check complains about, in a copy of the state."""
    match check.name:
        case "symbol_halted":
            state.signals.halted.discard(symbol)
            state.risk.halted_symbols.discard(symbol)
        case "trading_state":
            state.risk.trading_state = TradingState.ACTIVE
        case "strategy_paused":
            state.risk.strategies = {
                name: replace(record, is_paused=False, paused_until=None)
                for name, record in state.risk.strategies.items()
            }
        case "duplicate":
            _forget_position(state, symbol)
        case "open_entry":
            _forget_entries(state, symbol)
        case _:
            return False
    return True


def _forget_position(state: EngineState, symbol: str) -> None:
    """As if the symbol were not held (its worth is cash then) and nothing was approved in it."""
    books = state.portfolio.books
    held = books.positions.get(symbol)
    if held is not None:
        others = {name: p for name, p in books.positions.items() if name != symbol}
        cash_usd = books.cash_usd + held.quantity * held.last_price
        state.portfolio.books = replace(books, positions=others, cash_usd=cash_usd)
    for key in [key for key in state.risk.last_entry_at if key[0] == symbol]:
        del state.risk.last_entry_at[key]


def _forget_entries(state: EngineState, symbol: str) -> None:
    """As if no entry in the symbol were on its way."""
    for order_id, ticket in list(state.execution.open_tickets.items()):
        if ticket.symbol == symbol and ticket.role is OrderRole.ENTRY:
            del state.execution.open_tickets[order_id]
    for signal_id, entry in list(state.risk.pending.items()):
        if entry.symbol == symbol:
            del state.risk.pending[signal_id]


def _other_readings(moment: _Trial, no: SignalDropped) -> Iterator[_Trial]:
    """The same news read otherwise, one change more at a time: of a category that trades, good
    instead of bad or undecided, in a symbol that is not avoided.
    """
    is_first_look = isinstance(moment.message, CatalystDetected)
    catalyst = _catalyst_of(moment, no)
    if catalyst is None:
        return
    state, message, made = copy.deepcopy(moment.state), moment.message, list(moment.changes)
    for change in _readings(state, catalyst, is_first_look=is_first_look):
        made.append(change)
        if change.what == "catalyst.action":
            catalyst = replace(catalyst, action=CategoryAction.TRADE)
        elif change.what == "catalyst.direction":
            catalyst = replace(catalyst, direction=1)
        else:
            state.signals.avoid_until.pop(catalyst.symbol)
        if is_first_look:
            message = CatalystDetected(catalyst=catalyst)
        else:
            state.signals.waiting[catalyst.catalyst_id] = catalyst
        yield _Trial(moment.rules, copy.deepcopy(state), message, tuple(made))


def _readings(state: EngineState, catalyst: Catalyst, *, is_first_look: bool) -> list[Change]:
    changes: list[Change] = []
    if catalyst.action is not CategoryAction.TRADE:
        before = str(catalyst.action)
        changes.append(Change(what="catalyst.action", before=before, after="trade"))
    if catalyst.direction < (0 if is_first_look else 1):
        before = str(catalyst.direction)
        changes.append(Change(what="catalyst.direction", before=before, after="1"))
    until = state.signals.avoid_until.get(catalyst.symbol)
    if is_first_look and until is not None:
        before = f"until {until:%Y-%m-%d %H:%M} UTC"
        changes.append(Change(what="state: symbol_avoided", before=before, after="lifted"))
    return changes


def _catalyst_of(moment: _Trial, no: SignalDropped) -> Catalyst | None:
    if isinstance(moment.message, CatalystDetected):
        return moment.message.catalyst
    return moment.state.signals.waiting.get(no.catalyst_id)


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
    change = Change(what=FEATURES[index].name, before=str(old), after=str(value))
    return WhatIf(changes=(change,), outcome="IntentFormed")


def _bisect(observation: Observation, index: int, bound: float, engine: Engine) -> float | None:
    """Value nearest to the observed one, towards `bound`, at which the policy wants to buy."""

    def wants(value: float) -> bool:
        values = (*observation.values[:index], value, *observation.values[index + 1 :])
        return _buys(replace(observation, values=values), engine)

    if not wants(bound):
        return None
    near, far = observation.values[index], bound
    for _ in range(BISECTIONS):
        middle = (near + far) / 2.0
        near, far = (near, middle) if wants(middle) else (middle, far)
    shown = _outward(far, rises=far > near)
    return shown if wants(shown) else far


def _buys(observation: Observation, engine: Engine) -> bool:
    return tally(engine.rules.policy.act(observation))[0] > MIN_ACTION
