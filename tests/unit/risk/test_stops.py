"""Stop, target, trailing stop and time exit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import inf, nan

import pytest

from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.domain.limits import StopRules
from catalyst_bot.risk.state import TradePlan
from catalyst_bot.risk.stops import Protection, exit_due, highest_seen, protect, trail
from tests import builders

RULES = StopRules()


def plan(**given) -> TradePlan:
    values = {
        "trade_id": "trd",
        "catalyst_id": "cat",
        "signal_id": "sig",
        "symbol": "ACME",
        "stop_price": Decimal("97.60"),
        "horizon_s": 3600.0,
        "high_water_price": Decimal(100),
        "approved_at": builders.NOON,
        "opened_at": builders.NOON,
    }
    return TradePlan(**(values | given))


@pytest.mark.parametrize(
    ("price", "atr", "stop", "target"),
    [
        ("100", 0.40, "97.60", "107.20"),  # the roadmap's 6 x ATR and 3 : 1
        ("100", 0.0, "99.00", "105.00"),  # at least 1 % and 5 %
        ("100", 9.0, "85.00", "145.00"),  # at most 15 %
        ("0.50", 0.00123, "0.4926", "0.5250"),  # finer ticks below a dollar
        ("100", 0.4001, "97.59", "107.21"),  # rounded outwards
    ],
)
def test_stop_and_target(price: str, atr: float, stop: str, target: str):
    assert protect(Decimal(price), atr=atr, rules=RULES) == Protection(
        stop_price=Decimal(stop), take_profit_price=Decimal(target)
    )


@pytest.mark.parametrize(
    ("price", "atr"), [("100", nan), ("100", inf), ("100", -1.0), ("0", 0.4), ("0.0001", 0.0)]
)
def test_without_usable_numbers_there_is_no_stop(price: str, atr: float):
    assert protect(Decimal(price), atr=atr, rules=RULES) is None


def test_a_stop_at_the_price_is_none():
    loose = StopRules(min_stop_fraction=0.0)
    assert protect(Decimal(100), atr=0.0, rules=loose) is None
    assert protect(Decimal(100), atr=0.001, rules=loose) is not None


@pytest.mark.parametrize(
    ("high", "stop", "expected"),
    [
        ("104.99", "97.60", None),  # not active yet
        ("105", "97.60", "101.85"),  # from +5 % on, 3 % below the highest price
        ("110", "101.85", "106.70"),
        ("105", "101.85", None),  # never lower, never the same again
        ("105", "103", None),
    ],
)
def test_trailing(high: str, stop: str, expected: str | None):
    raised = trail(
        entry_price=Decimal(100),
        high_water_price=Decimal(high),
        stop_price=Decimal(stop),
        rules=RULES,
    )
    assert raised == (Decimal(expected) if expected else None)


def test_the_high_of_the_entry_bar_may_be_older_than_the_position():
    entry_bar = builders.bar(opened_at=builders.NOON - timedelta(minutes=2), high=110.0)
    later_bar = builders.bar(opened_at=builders.NOON, high=110.0)
    assert highest_seen(plan(), entry_bar) == Decimal("100.2")
    assert highest_seen(plan(), later_bar) == Decimal("110.0")
    assert highest_seen(plan(high_water_price=Decimal(120)), later_bar) == Decimal(120)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"close_price": Decimal("97.60")}, ExitReason.STOP_LOSS),
        ({"close_price": Decimal("97.61")}, None),
        ({"close_price": Decimal(90), "has_stop": True}, None),  # the venue's stop works
        ({"stop_price": Decimal(105), "close_price": Decimal(104)}, ExitReason.TRAILING_STOP),
        (
            {"stop_price": Decimal(105), "close_price": Decimal(104), "has_stop": True},
            ExitReason.TRAILING_STOP,  # a venue takes no stop above the market
        ),
        ({"now": builders.NOON + timedelta(seconds=3599)}, None),
        ({"now": builders.NOON + timedelta(seconds=3600)}, ExitReason.TIME_EXIT),
        (
            {"now": builders.NOON + timedelta(days=1), "close_price": Decimal(90)},
            ExitReason.STOP_LOSS,
        ),
    ],
)
def test_exit_due(given: dict, expected: ExitReason | None):
    values = {
        "close_price": Decimal(100),
        "stop_price": Decimal("97.60"),
        "now": builders.NOON,
        "has_stop": False,
    }
    assert exit_due(plan(), **(values | given)) is expected


def test_a_trailed_stop_names_itself():
    trailed = plan(stop_price=Decimal(105), is_trailing=True)
    reason = exit_due(
        trailed,
        close_price=Decimal(104),
        stop_price=Decimal(105),
        now=builders.NOON,
        has_stop=False,
    )
    assert reason is ExitReason.TRAILING_STOP


def test_time_runs_from_the_first_fill():
    assert plan(opened_at=None).exit_at is None
    assert plan(horizon_s=None).exit_at is None
    assert plan().exit_at == builders.NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"close_price": Decimal("107.20"), "has_target": False}, ExitReason.TAKE_PROFIT),
        ({"close_price": Decimal("107.19"), "has_target": False}, None),
        ({"close_price": Decimal("107.20")}, None),  # the venue works it
    ],
)
def test_a_target_that_no_venue_works_is_taken_by_the_bot(given: dict, expected):
    values = {
        "close_price": Decimal(100),
        "stop_price": Decimal("97.60"),
        "now": builders.NOON,
        "has_stop": True,
    }
    aimed = plan(take_profit_price=Decimal("107.20"))
    assert exit_due(aimed, **(values | given)) is expected
    assert exit_due(plan(), **(values | given)) is None
