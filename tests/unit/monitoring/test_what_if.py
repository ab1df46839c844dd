"""Every offered change, applied once more by other means: it flips the "no", and less does not."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.bootstrap.requests import Asked, recorded_replay
from catalyst_bot.domain.enums import CategoryAction, Mode, OrderRole, TradingState
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.inference import MIN_ACTION
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.state import EngineState
from catalyst_bot.engine.voting import tally
from catalyst_bot.monitoring.what_if import Change, smallest_flip
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.storage.read_model import ReadModel
from tests.replays import generated, play

NOES = (d.SignalDropped, d.IntentDeclined, d.OrderRefused)
LESS = 1e-6  # of the way back: what is offered is the smallest within this
EACH_KIND = 3
# Nothing that a person could set changes these: no price, one from yesterday, no stop, no session,
# nothing left to buy.
WITHOUT = {"no_bars", "unknown_symbol", "source_down", "stale_quote"}
WITHOUT |= {"session_open", "stop_present", "min_trade"}


@dataclass
class Moment:
    """Rules, state and message just before a "no" was said."""

    rules: EngineRules
    state: EngineState
    message: Message
    no: Recorded

    def says_no(self) -> bool:
        engine = Engine(self.rules, self.state)
        said = engine.decide(self.message, engine.desk_at(self.no.at))
        return any(type(message) is type(self.no.body) for message in said)


def kind_of(no: Any) -> tuple[str, ...]:
    failed = tuple(check.name for check in getattr(no, "checks", ()) if not check.passed)
    return (type(no).__name__, getattr(no, "rule", None) or no.reason, *failed)


def moments(records: Sequence[Recorded], at_most: int) -> list[Moment]:
    """The noes of a journal, `at_most` of a kind, each with a copy of the state before it."""
    wanted: dict[int, list[Recorded]] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for record in records:
        if isinstance(record.body, NOES):
            seen[kind_of(record.body)] += 1
            if seen[kind_of(record.body)] <= at_most and record.cause_seq is not None:
                wanted.setdefault(record.cause_seq, []).append(record)
    engine = engine_of(records[0])
    found: list[Moment] = []
    for record in records:
        found += [
            Moment(engine.rules, copy.deepcopy(engine.state), record.body, no)
            for no in wanted.get(record.seq, ())
        ]
        engine.remember(record)
    return found


def with_changes(moment: Moment, changes: Iterable[Change]) -> Moment:
    changed = replace_state(moment)
    for change in changes:
        apply(changed, change.what.split(" (")[0], change.after)
    return changed


def replace_state(moment: Moment) -> Moment:
    return Moment(moment.rules, copy.deepcopy(moment.state), moment.message, moment.no)


def apply(moment: Moment, what: str, after: str) -> None:
    section, _, name = what.partition(".")
    if section == "signals":
        gates = replace(moment.rules.signals.gates, **{name: read_as(moment.rules, what, after)})
        moment.rules = replace(moment.rules, signals=replace(moment.rules.signals, gates=gates))
    elif section == "risk":
        limits = replace(moment.rules.risk.limits, **{name: read_as(moment.rules, what, after)})
        moment.rules = replace(moment.rules, risk=replace(moment.rules.risk, limits=limits))
        moment.state.risk.limits_hash = limits_hash(moment.rules.risk)  # as if approved
    elif section == "catalyst":
        read_otherwise(moment, name, after)
    else:
        lift(moment, what.removeprefix("state: "))


def setting(rules: EngineRules, what: str) -> Any:
    section, _, name = what.partition(".")
    return getattr(rules.signals.gates if section == "signals" else rules.risk.limits, name)


def read_as(rules: EngineRules, what: str, text: str) -> Any:
    return type(setting(rules, what))(text)


def read_otherwise(moment: Moment, name: str, after: str) -> None:
    value: Any = CategoryAction(after) if name == "action" else int(after)
    if isinstance(moment.message, d.CatalystDetected):
        catalyst = replace(moment.message.catalyst, **{name: value})
        moment.message = d.CatalystDetected(catalyst=catalyst)
    else:
        body: Any = moment.no.body
        waiting = moment.state.signals.waiting
        waiting[body.catalyst_id] = replace(waiting[body.catalyst_id], **{name: value})


def lift(moment: Moment, name: str) -> None:
    state, body = moment.state, moment.no.body
    assert isinstance(body, d.SignalDropped | d.OrderRefused)
    if name == "trading_state":
        state.risk.trading_state = TradingState.ACTIVE
    elif name == "symbol_halted":
        state.signals.halted.clear()
        state.risk.halted_symbols.clear()
    elif name == "symbol_avoided":
        state.signals.avoid_until.clear()
    elif name == "strategy_paused":
        records = state.risk.strategies.items()
        rested = {name: replace(r, is_paused=False, paused_until=None) for name, r in records}
        state.risk.strategies = rested
    elif name == "duplicate":
        books = state.portfolio.books
        others = {s: p for s, p in books.positions.items() if s != body.symbol}
        state.portfolio.books = replace(books, positions=others, cash_usd=Decimal(10**6))
        state.risk.last_entry_at.clear()
    else:
        assert name == "open_entry"
        state.execution.open_tickets = {
            i: t for i, t in state.execution.open_tickets.items() if t.role is not OrderRole.ENTRY
        }
        state.risk.pending.clear()


def a_little_less(moment: Moment, change: Change) -> str | None:
    """The same change, not quite as far; None for one that knows no less (a state, a word)."""
    what = change.what.split(" (")[0]
    if not what.startswith(("signals.", "risk.")):
        return None
    before, after = setting(moment.rules, what), read_as(moment.rules, what, change.after)
    if isinstance(after, int):
        return str(after - int(math.copysign(1, after - before)))
    if isinstance(after, Decimal):
        return str(after - (after - before).copy_sign(Decimal("0.01")))
    return repr(after - (after - before) * LESS)


def check_offer(moment: Moment, records: Sequence[Recorded]) -> bool:
    """Check the what-if of one "no"; False when none is offered."""
    found = smallest_flip(moment.no, records, engine_of(records[0]))
    assert moment.says_no(), "the moment is not the one of the journal"
    if found is None:
        return False
    if isinstance(moment.no.body, d.IntentDeclined):
        check_feature(moment.no.body, found.changes, moment.rules)
        return True
    assert not with_changes(moment, found.changes).says_no(), (moment.no, found)
    for index, change in enumerate(found.changes):
        others = [*found.changes[:index], *found.changes[index + 1 :]]
        less = a_little_less(moment, change)
        if less is not None:
            others.append(replace(change, after=less))
        assert with_changes(moment, others).says_no(), f"{change} is more than is needed"
    return True


def check_feature(no: d.IntentDeclined, changes: Sequence[Change], rules: EngineRules) -> None:
    (change,) = changes
    index = no.observation.names.index(change.what)
    old = no.observation.values[index]

    def buys(value: float) -> bool:
        values = (*no.observation.values[:index], value, *no.observation.values[index + 1 :])
        votes = rules.policy.act(replace(no.observation, values=values))
        return tally(votes)[0] > MIN_ACTION

    assert not buys(old)
    assert buys(float(change.after))
    assert not buys(float(change.after) - (float(change.after) - old) * LESS)


def check_journal(records: Sequence[Recorded], at_most: int) -> tuple[int, int]:
    """How many noes there were, and how many got a what-if; which may go without is checked."""
    found = moments(records, at_most)
    offered = 0
    for moment in found:
        has_offer = check_offer(moment, records)
        offered += has_offer
        assert has_offer or set(kind_of(moment.no.body)) & WITHOUT, kind_of(moment.no.body)
    return len(found), offered


@pytest.mark.parametrize("seed", [7, 9])
def test_what_is_offered_flips_and_less_does_not(tmp_path: Path, seed: int):
    records = play(generated(tmp_path, seed=seed)).records
    noes, offered = check_journal(records, EACH_KIND)
    assert noes > 9
    assert offered > 0.9 * noes


def test_the_same_on_recorded_news_of_a_month(tmp_path: Path, shared_data: Path):
    asked = Asked(
        mode=Mode.BACKTEST,
        is_dry_run=False,
        first_day=date(2025, 10, 1),
        last_day=date(2025, 10, 31),
        bars=(shared_data / "prices" / "bars_5m_2025.parquet",),
        news=tuple(sorted((shared_data / "news").glob("*_2025-10.jsonl.zst"))),
        data_dir=tmp_path,
    )
    with ReadModel(f"sqlite:///{run.replay(recorded_replay(asked)).journal}") as model:
        records = list(model.records())
    noes, offered = check_journal(records, 1)
    assert noes > 5
    assert offered > 0.5 * noes


def test_a_yes_has_no_what_if(tmp_path: Path):
    records = play(generated(tmp_path)).records
    yes = next(r for r in records if isinstance(r.body, d.OrderApproved))
    assert smallest_flip(yes, records, engine_of(records[0])) is None
