from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import mean, stdev
from typing import Any

import pytest

from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.domain.trading import ClosedTrade, stop_leg_id, target_leg_id
from catalyst_bot.portfolio.tracker import MIN_DAYS, PortfolioTracker, reference_prices
from tests import builders as b

DAY = timedelta(days=1)
ENTRY = b.approved_order()
ID = ENTRY.client_order_id
EXIT = b.approved_order(
    client_order_id="cb-exit",
    role=OrderRole.EXIT,
    side=Side.SELL,
    reference_price=Decimal(110),
    stop_loss_price=None,
    take_profit_price=None,
    exit_reason=ExitReason.TIME_EXIT,
)
SENT = (d.OrderApproved(order=ENTRY), c.SubmitOrder(order=ENTRY, valid_until=b.NOON))
LEAVING = (d.OrderApproved(order=EXIT), c.SubmitOrder(order=EXIT, valid_until=b.NOON))


def tracked(*told: Message | tuple[float, Message], since: Any = None) -> PortfolioTracker:
    """Messages at noon, or at noon and so many days."""
    tracker = PortfolioTracker(since)
    pairs = [one if isinstance(one, tuple) else (0.0, one) for one in told]
    tracker.learn(
        Recorded(seq=seq, at=b.NOON + days * DAY, cause_seq=None, trail_id="", body=message)
        for seq, (days, message) in enumerate(pairs, start=1)
    )
    return tracker


def worth(equity: str | int, **given: Any) -> d.EquityMarked:
    return d.EquityMarked(account=b.account(equity_usd=Decimal(equity), **given))


def opened(day: int) -> f.SessionOpened:
    return f.SessionOpened(at=b.OPEN, day=date(2025, 10, 6) + day * DAY, closes_at=b.CLOSE)


def fill(order_id: str, price: str, quantity: int = 100, **given: Any) -> f.OrderFilled:
    given.setdefault("fill_id", f"{order_id}-{price}-{quantity}")
    return f.OrderFilled(
        at=b.NOON,
        fill=b.fill(
            client_order_id=order_id, price=Decimal(price), quantity=Decimal(quantity), **given
        ),
    )


def closed(pnl: str, **given: Any) -> d.PositionClosed:
    values: dict[str, Any] = {
        "trade_id": "t",
        "catalyst_id": "c",
        "strategy_id": "s",
        "symbol": "ACME",
        "side": Side.BUY,
        "quantity": Decimal(1),
        "entry_at": b.NOON,
        "entry_price": Decimal(100),
        "exit_at": b.NOON + timedelta(hours=1),
        "exit_price": Decimal(100),
        "exit_reason": ExitReason.TIME_EXIT,
        "fees_usd": Decimal(0),
        "pnl_usd": Decimal(pnl),
        "pnl_fraction": 0.0,
    }
    return d.PositionClosed(trade=ClosedTrade(**(values | given)))


def test_without_a_message_there_is_nothing_to_say():
    report = PortfolioTracker().report()
    assert (report.trade_count, report.order_count, report.days) == (0, 0, ())
    rest = {field.name for field in fields(report)} - {"trade_count", "order_count", "days"}
    assert {name: getattr(report, name) for name in rest} == dict.fromkeys(rest)


def test_the_account_is_as_it_was_valued_last():
    given = {"cash_usd": Decimal(60_000), "exposure_usd": Decimal(41_000)}
    report = tracked(worth(100_000), worth(101_000, **given)).report()
    assert (report.equity_usd, report.cash_usd, report.exposure_usd) == (101_000, 60_000, 41_000)
    assert report.total_return == pytest.approx(0.01)


def test_a_day_counts_from_what_it_began_with_until_the_next_one_opens():
    tracker = tracked(
        worth(100_000),
        opened(0),
        worth(100_000),
        worth(103_000),
        worth(102_000),  # after the close still belongs to the day
        opened(1),
        worth(102_000),
        worth(96_900),
    )
    first, second = tracker.days()
    assert (first.day, first.pnl_usd, first.equity_usd) == (date(2025, 10, 6), 2_000, 102_000)
    assert first.day_return == pytest.approx(0.02)
    assert (second.pnl_usd, second.cumulative_return) == (-5_100, pytest.approx(-0.031))
    assert second.day_return == pytest.approx(-0.05)
    report = tracker.report()
    assert (report.day_pnl_usd, report.day_return) == (second.pnl_usd, second.day_return)
    assert report.max_drawdown == pytest.approx(1 - 96_900 / 103_000)


def test_a_restart_in_the_session_does_not_begin_the_day_anew():
    days = tracked(worth(100), opened(0), worth(110), opened(0), worth(121)).days()
    assert [day.pnl_usd for day in days] == [21]


def marked_days(equities: list[int]) -> list[tuple[float, Message]]:
    told: list[tuple[float, Message]] = [(0, worth(equities[0]))]
    for number, equity in enumerate(equities[1:]):
        at = b.NOON + number * DAY
        told += [(number, opened(number)), (number, worth(equity, as_of=at))]
    return told


def test_a_year_is_not_told_from_too_few_days():
    equities = [100, 110, 99, 120, 118, 121, 125, 119, 130, 128, 131]
    assert len(equities) == MIN_DAYS + 1
    report = tracked(*marked_days(equities)).report()
    daily = [after / before - 1 for before, after in pairwise(equities)]
    assert report.sharpe_ratio == pytest.approx(mean(daily) / stdev(daily) * sqrt(252))
    assert report.sortino_ratio is not None
    assert report.calmar_ratio is not None
    assert report.annual_return is not None
    short = tracked(*marked_days(equities[:-1])).report()
    assert short.sharpe_ratio is short.sortino_ratio is short.calmar_ratio is None
    assert short.annual_return is None
    assert short.total_return == pytest.approx(0.28)


def test_money_brought_in_is_no_profit_and_taken_out_no_loss():
    def start(usd: int) -> dict[str, Any]:
        return {"start_equity_usd": Decimal(usd)}

    tracker = tracked(
        worth(100, **start(100)),
        opened(0),
        worth(110, **start(100)),
        worth(210, **start(200)),  # a deposit of 100
        opened(1),
        worth(189, **start(200)),
        worth(89, **start(100)),  # and out again
    )
    first, second = tracker.days()
    assert (first.pnl_usd, second.pnl_usd) == (10, -21)
    assert first.day_return == pytest.approx(10 / 200)
    assert second.day_return == pytest.approx(89 / 110 - 1)
    report = tracker.report()
    assert report.total_return == pytest.approx(-0.11)
    assert report.max_drawdown == pytest.approx(1 - 89 / 110)


def test_an_account_that_lost_everything_is_still_told():
    report = tracked(*marked_days([100, 50, 0, *([0] * MIN_DAYS)])).report()
    assert report.total_return == -1.0
    assert report.sharpe_ratio is None
    assert report.days[-1].day_return is None


def test_measures_of_trades_are_those_of_the_formulas():
    report = tracked(closed("60"), closed("-20"), closed("30"), closed("0")).report()
    assert (report.trade_count, report.win_rate, report.profit_factor) == (4, 0.5, 4.5)
    assert (report.average_win_usd, report.average_loss_usd) == (45, -20)
    assert (report.expectancy_usd, report.average_holding_s) == (Decimal("17.5"), 3600.0)


def test_slippage_is_against_the_price_of_the_decision_and_counts_dollars():
    report = tracked(*SENT, fill(ID, "100.10", 50), fill(ID, "100.30", 50)).report()
    assert report.entry_slippage_bps == pytest.approx(20)
    assert report.exit_slippage_bps is None
    assert report.slippage_bps == pytest.approx(20)
    report = tracked(*SENT, fill(ID, "99.90"), *LEAVING, fill("cb-exit", "108.90", side=Side.SELL))
    measured = report.report()
    assert measured.entry_slippage_bps == pytest.approx(-10), "bought cheaper than decided"
    assert measured.exit_slippage_bps == pytest.approx(100), "sold for less than decided"
    assert measured.slippage_bps == pytest.approx(1e4 * (-10 + 110) / (10_000 + 11_000))


def test_a_protection_is_measured_at_its_own_price_where_it_stands_then():
    stop_id = stop_leg_id(ID)
    sold = fill(stop_id, "97.00", side=Side.SELL)
    assert tracked(*SENT, sold).report().exit_slippage_bps == pytest.approx(0.6 / 97.6 * 1e4)
    moved = f.OrderReplaced(
        at=b.NOON, client_order_id=stop_id, stop_price=Decimal(97), limit_price=None
    )
    assert tracked(*SENT, moved, sold).report().exit_slippage_bps == 0.0
    repriced = f.OrderReplaced(
        at=b.NOON, client_order_id=ID, stop_price=None, limit_price=Decimal(101)
    )
    assert tracked(*SENT, repriced, fill(ID, "101")).report().slippage_bps == pytest.approx(100)


def test_reference_prices_of_protections_placed_later():
    stop = replace(ENTRY, role=OrderRole.STOP_LOSS, kind=OrderKind.STOP, take_profit_price=None)
    assert reference_prices(stop)[ID] == Decimal("97.60")
    pair = replace(
        ENTRY,
        role=OrderRole.TAKE_PROFIT,
        kind=OrderKind.LIMIT,
        limit_price=Decimal(120),
        take_profit_price=None,
    )
    assert reference_prices(pair) == {ID: Decimal(120), stop_leg_id(ID): Decimal("97.60")}
    assert reference_prices(ENTRY)[target_leg_id(ID)] == Decimal("107.20")


def test_after_a_split_old_prices_are_read_in_new_shares():
    split = f.SplitApplied(
        at=b.NOON, symbol="ACME", shares_per_share=Decimal(10), effective_on=b.NOON.date()
    )
    sold = fill(stop_leg_id(ID), "9.76", 1000, side=Side.SELL)
    report = tracked(*SENT, fill(ID, "100", 40), split, fill(ID, "10", 600), sold).report()
    assert report.entry_slippage_bps == 0.0
    assert report.exit_slippage_bps == 0.0
    assert report.fill_rate == 1.0


def test_a_fill_told_twice_counts_once():
    report = tracked(*SENT, fill(ID, "101", 50), fill(ID, "101", 50)).report()
    assert report.slippage_bps == pytest.approx(100)
    assert report.fill_rate is None, "half of it still works"


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        ([fill(ID, "100")], 1.0),
        ([fill(ID, "100", 25), f.OrderCancelled(at=b.NOON, client_order_id=ID, reason="x")], 0.25),
        ([f.OrderExpired(at=b.NOON, client_order_id=ID)], 0.0),
        ([f.OrderRejected(at=b.NOON, client_order_id=ID, reason="x")], 0.0),
        ([f.SubmitSuppressed(at=b.NOON, client_order_id=ID, reason="dry run")], None),
        ([f.OrderLookedUp(at=b.NOON, client_order_id=ID, ticket=None)], None),
        ([fill(stop_leg_id(ID), "97.6", side=Side.SELL)], None),
        ([fill(ID, "100", 150)], 1.0),
    ],
)
def test_the_fill_rate_is_of_orders_that_were_sent_and_ended(
    told: list[Message], rate: float | None
):
    assert tracked(*SENT, *told).report().fill_rate == rate


def test_a_late_fill_still_counts():
    cancelled = f.OrderCancelled(at=b.NOON, client_order_id=ID, reason="timeout")
    assert tracked(*SENT, cancelled, fill(ID, "100", 50)).report().fill_rate == 0.5


def test_orders_are_counted_by_share_not_by_size():
    small = replace(ENTRY, client_order_id="cb-small", quantity=Decimal(1))
    report = tracked(
        *SENT,
        fill(ID, "100"),
        d.OrderApproved(order=small),
        c.SubmitOrder(order=small, valid_until=b.NOON),
        f.OrderExpired(at=b.NOON, client_order_id="cb-small"),
    ).report()
    assert (report.order_count, report.fill_rate) == (2, 0.5)


def test_a_period_begins_with_what_was_before_it():
    told = [
        (0, worth(100)),
        (0, opened(0)),
        (0, closed("5")),
        (0, SENT[0]),
        (0, SENT[1]),
        (0, fill(ID, "101", 50)),
        (0.1, worth(110)),
        (1, opened(1)),
        (1, worth(110)),
        (1, fill(ID, "102", 50)),
        (1, closed("-3")),
        (1.1, worth(99)),
    ]
    report = tracked(*told, since=b.NOON + 0.5 * DAY).report()
    assert [day.pnl_usd for day in report.days] == [-11]
    assert report.total_return == pytest.approx(-0.1)
    assert (report.trade_count, report.average_loss_usd) == (1, -3)
    assert report.slippage_bps == pytest.approx(200)
    assert report.order_count == 0, "the order was sent before"


def test_it_names_what_it_hears():
    heard = PortfolioTracker().heard
    assert {"EquityMarked", "OrderFilled", "PositionClosed", "SessionOpened"} <= {*heard}
