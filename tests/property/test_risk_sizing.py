"""Whatever the numbers: a size stays within every cap, is never negative, grows with the action."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.limits import RiskLimits, SizingRules, StopRules
from catalyst_bot.risk.book import Book
from catalyst_bot.risk.sizing import Sizing, kelly_fraction, shrunk_odds, size_entry
from catalyst_bot.risk.state import StrategyRecord
from catalyst_bot.risk.stops import protect, trail
from tests import builders

LIMITS, RULES, STOPS = RiskLimits(), SizingRules(), StopRules()

money = st.decimals(min_value=0, max_value=10_000_000, places=2)
prices = st.decimals(min_value="0.01", max_value=5_000, places=4)
actions = st.floats(min_value=-1, max_value=1)
measures = st.floats(min_value=0, max_value=100)


@st.composite
def records(draw: st.DrawFn) -> StrategyRecord:
    trades = draw(st.integers(0, 500))
    wins = draw(st.integers(0, trades))
    return StrategyRecord(
        trades=trades,
        wins=wins,
        win_fraction_sum=draw(st.floats(0, 0.5)) * wins,
        loss_fraction_sum=draw(st.floats(0, 0.5)) * (trades - wins),
    )


@st.composite
def wishes(draw: st.DrawFn) -> dict:
    """Everything a size depends on, except the action."""
    price = draw(prices)
    atr = draw(measures)
    protection = protect(price, atr=atr, rules=STOPS)
    return {
        "price": price,
        "stop_price": protection.stop_price if protection is not None else None,
        "signal": builders.signal(atr=atr, atr_average=draw(measures)),
        "account": builders.account(equity_usd=draw(money), cash_usd=draw(money)),
        "book": Book(
            exposure_usd=draw(money),
            reserved_usd=draw(money),
            on_the_way=(),
            symbols=frozenset(),
        ),
        "record": draw(records()),
        "correlation": draw(actions),
        "limits": LIMITS,
        "rules": RULES,
    }


def sized(wish: dict, action: float) -> Sizing:
    return size_entry(action=action, stops=STOPS, **wish)


@given(wishes(), actions)
def test_a_size_is_whole_and_within_every_cap(wish: dict, action: float):
    sizing = sized(wish, action)
    cost = sizing.quantity * wish["price"]
    equity = wish["account"].equity_usd
    assert sizing.quantity >= 0
    assert sizing.quantity == int(sizing.quantity)
    assert cost <= equity * Decimal("0.20")
    assert cost <= max(Decimal(0), equity * Decimal("0.80") - wish["book"].exposure_usd)
    assert cost <= max(Decimal(0), wish["account"].cash_usd - wish["book"].reserved_usd)
    if wish["stop_price"] is not None:
        lost_at_stop = sizing.quantity * (wish["price"] - wish["stop_price"])
        assert lost_at_stop <= equity * Decimal("0.01")


@given(wishes(), actions, actions)
def test_a_stronger_wish_is_never_smaller(wish: dict, one: float, other: float):
    weaker, stronger = sorted((one, other))
    assert sized(wish, weaker).quantity <= sized(wish, stronger).quantity


@given(wishes(), actions)
def test_no_step_gives_back_what_an_earlier_one_took(wish: dict, action: float):
    left = [step.size_usd for step in sized(wish, action).steps]
    assert left == sorted(left, reverse=True)


@given(wishes())
def test_the_smallest_cap_is_taken(wish: dict):
    """Each cap's own dollars stand in its note; what is left after the last is the smallest."""
    steps = sized(wish, 1.0).steps
    caps = [step for step in steps if step.note.startswith("at most ")]
    if not caps:
        return
    allowed = [Decimal(step.note.split()[2].rstrip(":")) for step in caps]
    cents = abs(caps[-1].size_usd - max(Decimal(0), min(allowed)))
    assert cents <= Decimal("0.01")  # notes round to the nearest cent, sizes down


@given(st.integers(1, 10), st.floats(0.0001, 10))
def test_ten_winning_trades_do_not_make_a_kelly_of_one(wins: int, gain: float):
    record = StrategyRecord(trades=wins, wins=wins, win_fraction_sum=gain * wins)
    assert kelly_fraction(shrunk_odds(record, RULES)) <= (11 + wins) / (20 + wins) <= 0.7


@given(records())
def test_kelly_is_a_fraction(record: StrategyRecord):
    assert 0 <= kelly_fraction(shrunk_odds(record, RULES)) <= 1


@given(prices, measures)
def test_a_stop_lies_within_its_bounds(price: Decimal, atr: float):
    protection = protect(price, atr=atr, rules=STOPS)
    if protection is None:
        return
    tick = Decimal("0.01")
    assert 0 < protection.stop_price < price < protection.take_profit_price
    assert price * Decimal("0.85") - tick <= protection.stop_price <= price * Decimal("0.99")
    assert protection.take_profit_price >= price * Decimal("1.05")


@given(prices, st.lists(prices, min_size=1, max_size=30))
def test_a_trailing_stop_never_falls(entry_price: Decimal, seen: list[Decimal]):
    stop = start = entry_price * Decimal("0.9")
    high = entry_price
    for price in seen:
        high = max(high, price)
        raised = trail(entry_price=entry_price, high_water_price=high, stop_price=stop, rules=STOPS)
        assert raised is None or stop < raised < high
        stop = raised if raised is not None else stop
    is_active = high >= entry_price * Decimal("1.05")
    assert (stop > start) is is_active
