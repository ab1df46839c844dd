"""NaN and infinity anywhere in an intent, its quote, the account or a position are refused.

The places are found by looking into the dataclasses, so a number that is added later is tried too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from math import inf, nan
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.domain.trading import Check, ContextFactor, Observation
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.risk.decide import DECIDE
from catalyst_bot.risk.manager import assess
from catalyst_bot.risk.proposal import wants_entry
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State, TradePlan
from catalyst_bot.storage.codec import encode
from tests import builders
from tests.property.message_strategies import values

Path = tuple[str | int, ...]


def full_intent() -> Any:
    """An intent in which every optional number is there."""
    check = Check(
        name="spread", tier=ENTRY_CHECKS[0].tier, limit=1.0, observed=0.5, unit="bps", passed=True
    )
    factor = ContextFactor(
        name="gap", value=0.1, unit="fraction", source="bars", as_of=builders.NOON, is_known=True
    )
    wish = TradeWish(usd=Decimal(1_000), quantity=Decimal(10))
    catalyst = builders.catalyst(wish=wish, edge_bps=5.0, edge_low_bps=1.0, edge_high_bps=9.0)
    observation = Observation(
        spec_hash="test",
        bar_interval_s=300,
        names=("a", "b"),
        values=(0.1, 0.2),
        as_of=builders.NOON,
    )
    signal = builders.signal(catalyst=catalyst, checks=(check,), context=(factor,))
    return builders.intent(signal=signal, observation=observation)


def numbers_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a value that holds a float or a Decimal."""
    if isinstance(value, float | Decimal):
        yield path
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            yield from numbers_in(item, (*path, at))
    elif is_dataclass(value) and not isinstance(value, type):
        for of in fields(value):
            yield from numbers_in(getattr(value, of.name), (*path, of.name))


def with_number(value: Any, path: Path, number: float) -> Any:
    """The value with another number in that place."""
    if not path:
        return Decimal(str(number)) if isinstance(value, Decimal) else number
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        changed = with_number(value[first], rest, number)
        return (*value[:first], changed, *value[first + 1 :])
    return replace(value, **{first: with_number(getattr(value, first), rest, number)})


INTENT, ACCOUNT, POSITION = full_intent(), builders.account(), builders.position()
PLACES = [
    (of, path)
    for of, value in (("intent", INTENT), ("account", ACCOUNT), ("position", POSITION))
    for path in numbers_in(value)
]


def test_the_places_are_found():
    told = {of + "." + ".".join(map(str, path)) for of, path in PLACES}
    assert {
        "intent.action",
        "intent.signal.quote.bid",
        "intent.signal.atr",
        "intent.signal.catalyst.wish.usd",
        "intent.signal.context.0.value",
        "intent.observation.values.1",
        "intent.votes.0.weight",
        "account.equity_usd",
        "position.last_price",
    } <= told
    assert len(PLACES) > 40


@settings(max_examples=300, deadline=None)
@given(
    place=st.sampled_from(PLACES),
    number=st.sampled_from([nan, inf, -inf]),
    side=st.sampled_from(list(Side)),
)
def test_a_number_that_is_none_is_refused_with_its_place(
    place: tuple[str, Path], number: float, side: Side
):
    of, path = place
    values = {"intent": replace(INTENT, side=side), "account": ACCOUNT, "position": POSITION}
    values[of] = with_number(values[of], path, number)
    desk = builders.FakeDesk(account=values["account"], positions={"ACME": values["position"]})
    verdict = assess(State(), values["intent"], desk, Rules())
    assert isinstance(verdict, OrderRefused)
    assert verdict.rule == "finite_inputs"
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    assert verdict.checks[0].note.lower().startswith(f"{of}{named} is")
    assert not any(check.passed for check in verdict.checks)
    if wants_entry(values["intent"]):
        assert [check.name for check in verdict.checks] == [row.name for row in ENTRY_CHECKS]


def may_hold_numbers(kind: Any) -> bool:
    """Tell whether a value of a type may hold a float or a Decimal."""
    if kind in {float, Decimal}:
        return True
    if isinstance(kind, type) and is_dataclass(kind):
        return any(map(may_hold_numbers, get_type_hints(kind).values()))
    return any(map(may_hold_numbers, get_args(kind)))


HEARD = sorted((kind for kind in DECIDE if may_hold_numbers(kind)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", HEARD, ids=[kind.__name__ for kind in HEARD])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_message_that_risk_hears_carries_such_a_number(kind: type, data: st.DataObject):
    """What holds one is refused by the journal, and what is not in the journal is never done."""
    message = data.draw(values(kind))
    places = list(numbers_in(message))
    assume(places)
    number = data.draw(st.sampled_from([nan, inf, -inf]))
    with pytest.raises(BadData):
        encode(with_number(message, data.draw(st.sampled_from(places)), number))


QUOTE = f.QuoteSampled(at=builders.NOON, quote=builders.quote(bid=50.0, ask=50.02))
BAR = f.BarClosed(at=builders.NOON, bar=builders.bar("ACME", builders.NOON))
MARK = d.EquityMarked(account=builders.account())
PLAN = TradePlan(
    trade_id=POSITION.trade_id,
    catalyst_id="cat-1",
    signal_id="sig-1",
    symbol="ACME",
    stop_price=Decimal(90),
    take_profit_price=Decimal(120),
    horizon_s=3_600.0,
    high_water_price=Decimal(100),
    approved_at=builders.NOON,
)


@settings(max_examples=200, deadline=None)
@given(
    given=st.sampled_from(
        [(message, path) for message in (QUOTE, BAR, MARK) for path in numbers_in(message)]
    ),
    number=st.sampled_from([nan, inf, -inf]),
)
def test_risk_approves_nothing_by_such_a_price(given: tuple[Any, Path], number: float):
    """Also alone, without the journal before it: it halts, says nothing, or refuses to go on."""
    message, path = given
    desk = builders.FakeDesk(positions={"ACME": POSITION})
    state = State(plans={POSITION.trade_id: PLAN})
    spoiled = with_number(message, path, number)
    try:
        outcome = DECIDE[type(message)](state, spoiled, desk, Rules())
    except (BadData, InvalidOperation):
        return
    assert not any(isinstance(each, OrderApproved | d.StopMoved) for each in outcome)


def test_a_stop_that_is_touched_by_a_number_is_left():
    """The messages above do something where their numbers are numbers."""
    desk, state = builders.FakeDesk(positions={"ACME": POSITION}), State()
    state.plans[POSITION.trade_id] = PLAN
    assert DECIDE[f.QuoteSampled](state, QUOTE, desk, Rules())


def test_without_such_a_number_it_passes():
    assert isinstance(assess(State(), INTENT, builders.FakeDesk(), Rules()), OrderApproved)
