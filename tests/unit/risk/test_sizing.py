"""The roadmap's sizing: Kelly, its prior, every cap and every cut."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf, nan

import pytest

from catalyst_bot.domain.limits import RiskLimits, SizingRules, StopRules
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.risk.book import Book
from catalyst_bot.risk.sizing import (
    Odds,
    Sizing,
    kelly_fraction,
    shrunk_odds,
    size_entry,
    volatility_factor,
)
from catalyst_bot.risk.state import StrategyRecord
from tests import builders

EMPTY = Book(exposure_usd=Decimal(0), reserved_usd=Decimal(0), on_the_way=(), symbols=frozenset())
LIMITS = RiskLimits()
RULES = SizingRules()


def size(**given) -> Sizing:
    values = {
        "price": Decimal(100),
        "stop_price": Decimal(98),
        "action": 1.0,
        "signal": builders.signal(),
        "account": builders.account(),
        "book": EMPTY,
        "record": StrategyRecord(),
        "correlation": 0.0,
        "limits": LIMITS,
        "rules": RULES,
        "stops": StopRules(),
    }
    return size_entry(**(values | given))


def left_after(sizing: Sizing, name: str) -> Decimal:
    return next(step.size_usd for step in sizing.steps if step.name == name)


def test_the_roadmaps_worked_example():
    odds = Odds(win_rate=0.55, average_win=0.06, average_loss=0.02)
    assert kelly_fraction(odds) == pytest.approx(0.40)
    small = builders.account(equity_usd=Decimal(10_000), cash_usd=Decimal(10_000))
    assert left_after(size(account=small), "kelly") == Decimal("1000.00")


@pytest.mark.parametrize(
    "odds",
    [
        Odds(win_rate=0.2, average_win=0.02, average_loss=0.04),
        Odds(win_rate=0.0, average_win=0.06, average_loss=0.02),
        Odds(win_rate=0.9, average_win=0.0, average_loss=0.02),
        Odds(win_rate=nan, average_win=0.06, average_loss=0.02),
    ],
)
def test_without_an_edge_kelly_is_zero(odds: Odds):
    assert kelly_fraction(odds) == 0.0


def test_without_history_the_prior_holds():
    odds = shrunk_odds(StrategyRecord(), RULES)
    assert odds.win_rate == pytest.approx(0.55)
    assert odds.average_win == pytest.approx(0.06)
    assert odds.average_loss == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("record", "odds"),
    [
        (StrategyRecord(), (0.0, 0.0, 0.0)),
        (StrategyRecord(trades=1, wins=1, win_fraction_sum=0.05), (1.0, 0.05, 0.0)),
        (StrategyRecord(trades=1, loss_fraction_sum=0.02), (0.0, 0.0, 0.02)),
        (
            StrategyRecord(trades=2, wins=1, win_fraction_sum=0.04, loss_fraction_sum=0.02),
            (0.5, 0.04, 0.02),
        ),
    ],
)
def test_without_a_prior_one_trade_counts_for_what_it_was(record: StrategyRecord, odds):
    found = shrunk_odds(record, replace(RULES, prior_trades=0.0))
    assert (found.win_rate, found.average_win, found.average_loss) == odds


def test_less_than_a_pseudo_trade_is_a_prior_too():
    odds = shrunk_odds(StrategyRecord(), replace(RULES, prior_trades=0.5))
    assert (odds.win_rate, odds.average_win, odds.average_loss) == pytest.approx((0.55, 0.06, 0.02))


def test_as_many_trades_as_the_prior_is_worth_pull_half_way():
    record = StrategyRecord(trades=20, wins=5, win_fraction_sum=0.25, loss_fraction_sum=0.6)
    odds = shrunk_odds(record, RULES)
    assert odds.win_rate == pytest.approx((0.55 + 0.25) / 2)
    assert odds.average_win == pytest.approx((11 * 0.06 + 0.25) / 16)
    assert odds.average_loss == pytest.approx((9 * 0.02 + 0.6) / 24)


def test_without_prior_and_history_nothing_is_risked():
    assert size(rules=replace(RULES, prior_trades=0.0)).quantity == 0


def test_losing_trades_shrink_the_size_to_nothing():
    bad = StrategyRecord(trades=100, wins=10, win_fraction_sum=0.1, loss_fraction_sum=2.7)
    assert size(record=bad).quantity == 0


@pytest.mark.parametrize(
    ("cap", "given", "expected"),
    [
        ("kelly", {}, "10000.00"),
        ("fixed_fraction", {"stop_price": Decimal(80)}, "5000.00"),
        ("atr", {"signal": builders.signal(atr=2.5, atr_average=2.5)}, "6666.66"),
        ("atr", {"stops": StopRules(atr_multiple=50.0)}, "5000.00"),
        ("volatility", {"rules": replace(RULES, volatility_fraction=0.0002)}, "5000.00"),
        (
            "max_position",
            {"limits": replace(LIMITS, max_position_fraction=0.05)},
            "5000.00",
        ),
        (
            "exposure",
            {"book": replace(EMPTY, exposure_usd=Decimal(77_000))},
            "3000.00",
        ),
        (
            "exposure",
            {
                "limits": replace(LIMITS, max_leverage=0.5),
                "book": replace(EMPTY, exposure_usd=Decimal(48_000)),
            },
            "2000.00",
        ),
        ("buying_power", {"account": builders.account(cash_usd=Decimal(700))}, "700.00"),
        (
            "buying_power",
            {"book": replace(EMPTY, reserved_usd=Decimal(98_500))},
            "1500.00",
        ),
    ],
)
def test_the_smallest_cap_wins(cap: str, given: dict, expected: str):
    sizing = size(**given)
    assert left_after(sizing, cap) == Decimal(expected)
    assert sizing.quantity == Decimal(expected) // 100


def test_a_price_that_does_not_move_bounds_nothing_by_its_moves():
    calm = size(signal=builders.signal(atr=0.0, atr_average=0.0))
    assert left_after(calm, "volatility") == left_after(calm, "fixed_fraction")
    assert "no bound" in next(step.note for step in calm.steps if step.name == "atr")


@pytest.mark.parametrize(
    ("given", "step", "reason"),
    [
        ({"rules": replace(RULES, prior_trades=0.0)}, "kelly", "no edge is known"),
        (
            {
                "record": StrategyRecord(
                    trades=100, wins=10, win_fraction_sum=0.1, loss_fraction_sum=2.7
                )
            },
            "kelly",
            "no edge: ",
        ),
        ({"account": builders.account(equity_usd=Decimal(0))}, "kelly", "at most 0.00"),
        ({"account": builders.account(cash_usd=Decimal(0))}, "buying_power", "cash 0.00"),
        ({"stop_price": None}, "no_stop", "without price or stop no size"),
    ],
)
def test_no_size_says_why(given: dict, step: str, reason: str):
    sizing = size(**given)
    assert sizing.quantity == 0
    first = next(s for s in sizing.steps if s.size_usd == 0)
    assert first.name == step
    assert reason in first.note


@pytest.mark.parametrize(
    "given",
    [
        {"account": builders.account(equity_usd=Decimal(0), cash_usd=Decimal(0))},
        {"account": builders.account(equity_usd=Decimal(-5), cash_usd=Decimal(-5))},
        {"book": replace(EMPTY, exposure_usd=Decimal(90_000))},
        {"price": Decimal(0)},
        {"stop_price": None},
        {"action": nan},
        {"action": -1.0},
        {"action": 0.0},
    ],
)
def test_with_nothing_to_risk_the_size_is_zero(given: dict):
    assert size(**given).quantity == 0


def test_action_takes_its_fraction():
    assert size(action=0.5).quantity == 50
    assert size(action=inf).quantity == size(action=1.0).quantity


def test_shares_are_whole_and_rounded_down():
    sizing = size(price=Decimal("33.33"), stop_price=Decimal("32.50"))
    assert sizing.quantity == 300
    assert sizing.steps[-1].size_usd == Decimal("9999.00")


@pytest.mark.parametrize(
    ("atr", "factor"),
    [(0.0, 1.0), (1.0, 1.0), (1.2, 1.0), (1.5, 0.8), (2.4, 0.5), (nan, 0.0), (inf, 0.0)],
)
def test_a_wild_symbol_is_cut_continuously(atr: float, factor: float):
    assert volatility_factor(atr=atr, atr_average=1.0, rules=RULES) == pytest.approx(factor)


@pytest.mark.parametrize("atr", [nan, inf, -1.0])
def test_a_move_that_is_no_measurement_counts_as_the_whole_price(atr: float):
    wild = size(signal=builders.signal(atr=atr))
    told = next(step.note for step in wild.steps if step.name == "volatility")
    assert "of equity lost 100.0% below" in told


@pytest.mark.parametrize("average", [nan, inf])
def test_an_average_that_is_none_cuts_to_nothing(average: float):
    assert volatility_factor(atr=0.5, atr_average=average, rules=RULES) == 0.0


def test_a_missing_average_cuts_to_nothing():
    assert volatility_factor(atr=0.5, atr_average=0.0, rules=RULES) == 0.0
    assert volatility_factor(atr=0.0, atr_average=-1.0, rules=RULES) == 1.0


@pytest.mark.parametrize(
    ("correlation", "quantity"), [(0.49, 100), (0.5, 50), (0.9, 50), (-0.9, 100), (nan, 50)]
)
def test_a_correlated_position_halves_the_size(correlation: float, quantity: int):
    assert size(correlation=correlation).quantity == quantity


def test_every_step_is_named_and_none_grows():
    steps = size(book=replace(EMPTY, exposure_usd=Decimal(77_000)), correlation=0.6).steps
    assert [step.name for step in steps] == [
        "kelly",
        "fixed_fraction",
        "atr",
        "volatility",
        "max_position",
        "exposure",
        "buying_power",
        "action",
        "volatility_cut",
        "correlation_cut",
        "whole_shares",
    ]
    sizes = [step.size_usd for step in steps]
    assert sizes == sorted(sizes, reverse=True)
    assert all(step.note for step in steps)


@pytest.mark.parametrize(
    ("usd", "quantity", "shares"), [("1000", None, 10), (None, "7", 7), (None, "700", 100)]
)
def test_a_persons_wish_is_one_more_cap(usd: str | None, quantity: str | None, shares: int):
    wish = TradeWish(
        usd=Decimal(usd) if usd else None, quantity=Decimal(quantity) if quantity else None
    )
    asked = size(wish=wish)
    assert asked.quantity == shares
    assert "asked" in [step.name for step in asked.steps]


def test_cheap_shares_are_sized_too_and_the_odds_are_told():
    calm = builders.signal(atr=0.0005, atr_average=0.0005)
    cheap = size(price=Decimal("0.50"), stop_price=Decimal("0.49"), signal=calm)
    assert cheap.quantity == 20_000
    assert "55.0% win 6.0%, others lose 2.0%: 40.0% / 4" in cheap.steps[0].note
