"""The roadmap's risk metrics, folded from records."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.monitoring.risk_figures import (
    PATH,
    WIN_TRADES,
    Metric,
    RiskFigures,
    percentile_95,
    rolling_sharpe,
)
from catalyst_bot.portfolio.tracker import PortfolioTracker
from tests import builders as b
from tests.unit.storage import stories

MINUTE = timedelta(minutes=1)


def at(minutes: float, body: Message) -> Recorded:
    return Recorded(
        seq=int(minutes * 60) + 1,
        at=b.NOON + minutes * MINUTE,
        cause_seq=None,
        trail_id="",
        body=body,
    )


def metric(figures: RiskFigures, name: str, *, held: int = 0, **account: Any) -> Metric:
    measured = PortfolioTracker().report()
    found = figures.metrics(b.account(**account), measured, held)
    return next(each for each in found if each.name == name)


@pytest.mark.parametrize(
    ("value", "threshold", "is_most", "unit", "state"),
    [
        (None, 1.0, True, "count", "ok"),
        (nan, 1.0, True, "count", "alert"),
        (0.0269, 0.03, True, "fraction", "ok"),
        (0.0270, 0.03, True, "fraction", "near"),
        (0.03, 0.03, True, "fraction", "near"),
        (0.0301, 0.03, True, "fraction", "alert"),
        (0.98, 0.97, False, "fraction", "ok"),
        (0.973, 0.97, False, "fraction", "near"),
        (0.969, 0.97, False, "fraction", "alert"),
        (1.2, 1.0, False, "ratio", "ok"),
        (1.05, 1.0, False, "ratio", "near"),
        (0.9, 1.0, False, "ratio", "alert"),
        (-3.0, 1.0, False, "ratio", "alert"),
    ],
)
def test_a_metric_says_how_near_it_is(
    value: float | None, threshold: float, is_most: bool, unit: str, state: str
):
    made = Metric(name="m", value=value, threshold=threshold, is_most=is_most, unit=unit)
    assert made.state == state
    assert made.as_dict()["state"] == state


def test_thresholds_are_the_roadmaps():
    figures = RiskFigures()
    assert metric(figures, "open_positions", held=5).state == "near"
    assert metric(figures, "open_positions", held=6).state == "alert"
    assert metric(figures, "portfolio_value", equity_usd=Decimal(96_999)).state == "alert"
    assert metric(figures, "daily_loss", equity_usd=Decimal(96_999)).state == "alert"
    assert metric(figures, "daily_loss", equity_usd=Decimal(105_000)).value == 0.0


def test_latency_is_from_sending_an_entry_to_the_brokers_yes():
    figures = RiskFigures()
    order = b.approved_order()
    sent = c.SubmitOrder(order=order, valid_until=b.NOON + MINUTE)
    accepted = f.OrderAccepted(
        at=b.NOON, client_order_id=order.client_order_id, broker_order_id="B"
    )
    figures.learn([at(0, sent), at(1.5 / 60, accepted), at(1, accepted)])
    found = metric(figures, "api_latency_p95")
    assert found.value == pytest.approx(1500.0)
    assert found.state == "alert"
    assert percentile_95([]) is None
    assert percentile_95(list(range(100))) == 95


def test_downtime_is_what_lies_between_the_last_record_and_the_next_start():
    figures = RiskFigures()
    assert metric(figures, "uptime").value is None
    started = stories.run_started()
    figures.learn([at(0, started), at(80, b_stop()), at(100, started), at(100, b_stop())])
    assert metric(figures, "uptime").value == pytest.approx(0.8)


def b_stop() -> f.RunStopped:
    return f.RunStopped(at=b.NOON, run_id="r", reason="stopped")


def test_errors_are_counted_in_minutes_of_the_last_hour():
    figures = RiskFigures()
    fails = f.AdapterFailed(at=b.NOON, adapter="edgar", error="HTTP 500")
    figures.learn([at(minute, fails) for minute in (-70, -30, -29.9, -10, -5)])
    assert metric(figures, "error_minutes").value == pytest.approx(3 / 60)
    figures.learn([at(-1, fails)])
    assert metric(figures, "error_minutes").state == "alert"


def test_a_win_rate_needs_its_twenty_trades():
    figures = RiskFigures()
    lost = stories.closed_trade(stories.entry_order())
    won = replace(lost, trade=replace(lost.trade, pnl_usd=Decimal(1)))
    figures.learn([at(minute, won) for minute in range(7)])
    assert metric(figures, "win_rate_20").value is None
    figures.learn([at(minute, lost) for minute in range(10, 10 + WIN_TRADES - 7)])
    found = metric(figures, "win_rate_20")
    assert found.value == pytest.approx(7 / 20)
    assert found.state == "alert"


def test_the_path_keeps_the_deepest_of_each_step_and_is_bounded():
    figures = RiskFigures()

    def marked(minute: float, equity: int) -> Recorded:
        account = b.account(equity_usd=Decimal(equity), peak_equity_usd=Decimal(100))
        return at(minute, d.EquityMarked(account=account))

    figures.learn([marked(0, 99), marked(1, 90), marked(2, 98), marked(6, 97)])
    assert [round(deep, 3) for _, deep in figures.drawdown_path] == [0.1, 0.03]
    figures.learn([marked(minute * 10, 95) for minute in range(1, PATH + 10)])
    assert len(figures.drawdown_path) == PATH


def test_the_timeline_tells_what_touched_risk_in_sentences():
    figures = RiskFigures()
    figures.learn(stories.record(stories.a_day()))
    kinds = {each.kind for each in figures.timeline}
    assert "TradingHalted" in kinds
    assert "HeadlineReceived" not in kinds
    assert all(each.text and isinstance(each.at, datetime) for each in figures.timeline)


@given(st.lists(st.floats(-0.5, 0.5), max_size=60))
def test_a_rolling_sharpe_looks_at_thirty_days(returns: list[float]):
    found = rolling_sharpe(returns)
    assert found == rolling_sharpe(returns[-30:])
    assert (found is None) or len(returns) >= 10
