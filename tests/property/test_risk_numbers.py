"""NaN and infinity anywhere in an intent, its quote, the account or a position are refused.

The places are found by looking into the dataclasses, so a number that is added later is tried too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from math import inf, nan
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.domain.trading import Check, ContextFactor, Observation
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.risk.manager import assess
from catalyst_bot.risk.proposal import wants_entry
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State
from tests import builders

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


def test_without_such_a_number_it_passes():
    assert isinstance(assess(State(), INTENT, builders.FakeDesk(), Rules()), OrderApproved)
