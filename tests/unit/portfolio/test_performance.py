from datetime import timedelta
from decimal import Decimal
from math import sqrt
from statistics import mean, stdev

import pytest

from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.portfolio import performance as p
from tests.builders import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def trade(pnl: str, *, entry_h: float = 0, exit_h: float = 1) -> ClosedTrade:
    return ClosedTrade(
        trade_id="t",
        catalyst_id="c",
        strategy_id="s",
        symbol="ACME",
        side=Side.BUY,
        quantity=Decimal(1),
        entry_at=NOON + entry_h * HOUR,
        entry_price=Decimal(100),
        exit_at=NOON + exit_h * HOUR,
        exit_price=Decimal(100),
        exit_reason=ExitReason.TIME_EXIT,
        fees_usd=Decimal(0),
        pnl_usd=Decimal(pnl),
        pnl_fraction=0.0,
    )


def curve(*equities: str, step: timedelta = DAY) -> p.Curve:
    drawn = p.Curve()
    for number, equity in enumerate(equities):
        drawn.add(NOON + number * step, Decimal(equity))
    return drawn


MIXED = [trade("60"), trade("-20"), trade("30"), trade("0")]


def test_measures_of_trades():
    assert p.win_rate(MIXED) == 0.5
    assert p.profit_factor(MIXED) == 4.5
    assert p.average_win_usd(MIXED) == 45
    assert p.average_loss_usd(MIXED) == -20
    assert p.expectancy_usd(MIXED) == Decimal("17.5")


@pytest.mark.parametrize(
    "measure",
    [
        p.win_rate,
        p.profit_factor,
        p.average_win_usd,
        p.average_loss_usd,
        p.expectancy_usd,
        p.average_holding_s,
    ],
)
def test_without_trades_there_is_nothing_to_say(measure):
    assert measure([]) is None


def test_without_losses_there_is_no_profit_factor_and_without_wins_it_is_nought():
    assert p.profit_factor([trade("5")]) is None
    assert p.profit_factor([trade("-5")]) == 0.0


def test_sharpe_is_the_textbook_formula():
    values = [0.01, -0.02, 0.03, 0.005]
    expected = mean(values) / stdev(values) * sqrt(252)
    assert p.sharpe_ratio(values, periods_per_year=252) == pytest.approx(expected)
    over = p.sharpe_ratio(values, periods_per_year=252, risk_free_return=0.001)
    assert over == pytest.approx((mean(values) - 0.001) / stdev(values) * sqrt(252))
    assert p.sharpe_ratio([0.01], periods_per_year=252) is None
    assert p.sharpe_ratio([0.01, 0.01], periods_per_year=252) is None


def test_sortino_counts_shortfalls_over_all_periods():
    values = [0.01, -0.02, 0.03, -0.01]
    downside = sqrt((0.02**2 + 0.01**2) / 4)
    assert p.sortino_ratio(values, periods_per_year=252) == pytest.approx(
        mean(values) / downside * sqrt(252)
    )
    assert p.sortino_ratio([0.01, 0.02], periods_per_year=252) is None


def test_drawdown_is_the_deepest_fall_from_a_peak():
    assert p.max_drawdown(curve("100", "120", "90", "130", "110")) == pytest.approx(0.25)
    assert p.max_drawdown(curve("100", "110")) == 0.0
    assert p.max_drawdown(p.Curve()) is None


def test_annual_return_and_calmar_over_calendar_time():
    year = curve("100", "95", "110", step=p.YEAR / 4)
    assert p.total_return(year) == pytest.approx(0.10)
    assert p.annual_return(year) == pytest.approx(0.21)
    assert p.calmar_ratio(year) == pytest.approx(0.21 / 0.05)
    assert p.calmar_ratio(curve("100", "110")) is None


def test_a_morning_is_not_annualised():
    assert p.annual_return(curve("100", "101", step=HOUR)) is None


def test_a_total_loss_is_minus_one_and_a_fantasy_is_nothing():
    assert p.annual_return(curve("100", "0")) == -1.0
    assert p.annual_return(curve("1", "1000000000000")) is None


def test_the_mean_holding_time():
    held = [trade("1", entry_h=0, exit_h=1), trade("1", entry_h=1, exit_h=4)]
    assert p.average_holding_s(held) == 7200.0


def test_exposure_counts_overlapping_trades_once_and_only_inside():
    trades = [
        trade("1", entry_h=1, exit_h=3),
        trade("1", entry_h=2, exit_h=4),
        trade("1", entry_h=2, exit_h=2.5),
        trade("1", entry_h=8, exit_h=12),
        trade("1", entry_h=-2, exit_h=0.5),
    ]
    share = p.exposure_fraction(trades, start=NOON, end=NOON + 10 * HOUR)
    assert share == pytest.approx((0.5 + 3 + 2) / 10)
    assert p.exposure_fraction(trades, start=NOON, end=NOON) is None
