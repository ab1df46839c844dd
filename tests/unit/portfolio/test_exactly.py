"""Books and measures at the cent, the share and the second where they turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.portfolio import decide, evolve, ledger
from catalyst_bot.portfolio import performance as p
from catalyst_bot.portfolio.foreign import adoption
from catalyst_bot.portfolio.state import Books, Origin, State
from catalyst_bot.portfolio.tracker import reference_prices
from tests import builders as b
from tests.unit.portfolio.test_ledger import BOOKS, ORIGIN, buy, sell
from tests.unit.portfolio.test_performance import HOUR, curve, trade
from tests.unit.portfolio.test_tracker import (
    DAY,
    ENTRY,
    ID,
    SENT,
    closed,
    tracked,
    worth,
)
from tests.unit.portfolio.test_tracker import fill as filled

NOON = b.NOON


def doubled() -> f.SplitApplied:
    return f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(2), effective_on=NOON.date()
    )


# The ledger


def test_an_account_of_a_cent_has_begun():
    begun = ledger.start(Books(), Decimal("0.01"))
    assert ledger.start(begun, Decimal(5)) is begun


def test_fees_of_both_sides_add_up():
    books = sell(buy(BOOKS, "10", "100", "1").books, "10", "100", "2").books
    assert (books.fees_usd, books.realised_usd, books.cash_usd) == (3, -3, 9_997)


@pytest.mark.parametrize(
    ("quantity", "price", "shown"), [("3", "100", "100"), ("3", "1", "1"), ("4", "0.125", "0.125")]
)
def test_prices_are_shown_as_they_are_written(quantity: str, price: str, shown: str):
    after = buy(BOOKS, quantity, price).after
    assert after is not None
    assert str(after.average_cost) == shown


@pytest.mark.parametrize(("is_in_cash", "cash"), [(True, 8_998), (False, 10_000)])
def test_what_was_held_before_moved_no_cash_not_even_its_fee(is_in_cash: bool, cash: int):
    bought = b.fill(quantity=Decimal(10), price=Decimal(100), fee_usd=Decimal(2))
    booked = ledger.adopt_fill(BOOKS, bought, ORIGIN, is_in_cash=is_in_cash)
    assert booked.books.cash_usd == cash


@pytest.mark.parametrize(
    ("is_flow", "fees", "start"), [(False, Decimal("2.50"), 10_000), (True, 0, Decimal("9997.50"))]
)
def test_what_went_is_a_fee_or_a_flow(is_flow: bool, fees, start):
    gone = d.CashAdjusted(amount_usd=Decimal("-2.50"), is_flow=is_flow, reason="")
    books = ledger.adjust_cash(BOOKS, gone)
    assert (books.fees_usd, books.start_equity_usd) == (fees, start)
    assert books.cash_usd == Decimal("9997.50")


def test_a_split_doubles_what_was_bought_and_what_was_sold():
    books = sell(buy(BOOKS, "10", "100").books, "4", "100").books
    booked = ledger.split(books, "ACME", Decimal(2), NOON)
    assert booked.after is not None
    assert booked.record is not None
    assert (booked.after.quantity, booked.after.entry_quantity) == (12, 20)
    assert (booked.record.bought_quantity, booked.record.sold_quantity) == (20, 8)
    assert booked.unbooked_quantity == 0


@pytest.mark.parametrize(
    ("quantity", "ratio", "left", "paid"),
    [
        ("3", "0.5", "1", "100"),  # half a new share of $200 is paid
        ("2", "0.5", "1", "0"),
        ("1.5", "0.5", "0.75", "0"),  # fractions were held before
        ("1", "1.5", "1", "33.33333334"),
    ],
)
def test_only_what_a_split_leaves_of_a_share_is_paid(quantity, ratio, left, paid):
    before = buy(BOOKS, quantity, "100").books
    booked = ledger.split(before, "ACME", Decimal(ratio), NOON)
    assert booked.after is not None
    assert booked.after.quantity == Decimal(left)
    assert booked.books.cash_usd - before.cash_usd == pytest.approx(Decimal(paid))


def test_records_go_with_their_positions():
    books = buy(BOOKS, "10", "100").books
    other = b.position(symbol="OTHER")
    books = replace(
        books,
        positions={**books.positions, "OTHER": other},
        trades={**books.trades, "OTHER": books.trades["ACME"]},
    )
    renamed = ledger.rename(books, "ACME", "NEWC")
    assert set(renamed.positions) == set(renamed.trades) == {"OTHER", "NEWC"}
    without = replace(books, trades={})
    assert ledger.rename(without, "ACME", "NEWC") is without
    assert ledger.split(without, "ACME", Decimal(2), NOON).books is without


# The stage


def test_less_than_a_share_too_much_is_told():
    state = State(books=buy(BOOKS, "10", "100").books, origins={"cb-test": ORIGIN})
    sold = b.fill(side=Side.SELL, quantity=Decimal("10.5"), price=Decimal(100))
    said = decide.on_order_filled(state, f.OrderFilled(at=NOON, fill=sold), b.FakeDesk(), None)
    assert [m.ours for m in said if isinstance(m, d.MismatchFound)] == ["10 held"]


@pytest.mark.parametrize(
    ("middle", "after_s", "is_told"),
    [(100.0, 60, True), (100.0, 59.9, False), (100.5, 1, True), (100.48, 1, False)],
)
def test_a_quote_is_told_after_a_minute_or_a_move(middle, after_s, is_told: bool):
    books = buy(BOOKS, "10", "100").books
    state = State(books=books, marked_usd=Decimal(10_000), marked_at=NOON)
    assert Decimal("0.0005") == decide.TELL_MOVE
    desk = b.FakeDesk(now=NOON + timedelta(seconds=after_s))
    sampled = f.QuoteSampled(
        at=desk.now, quote=b.quote(at=desk.now, bid=middle - 0.01, ask=middle + 0.01)
    )
    assert bool(decide.on_quote(state, sampled, desk, None)) is is_told


@pytest.mark.parametrize(("part", "fee"), [("0.5", "0.5"), ("2", "2"), ("1", "1")])
def test_part_of_a_share_is_adopted_with_its_part_of_the_fee(part: str, fee: str):
    bought = b.fill(quantity=Decimal(2), price=Decimal(100), fee_usd=Decimal(2))
    judged = d.ForeignTradeJudged(
        fill=bought, adopted_quantity=Decimal(part), is_in_cash=True, reason=""
    )
    ours, _ = adoption(BOOKS, judged)
    assert ours.fee_usd == Decimal(fee)
    state = State(books=BOOKS)
    assert decide.on_foreign_trade(state, judged, b.FakeDesk(), None)
    evolve.book_foreign(state, judged, NOON)
    assert state.positions["ACME"].quantity == Decimal(part)


def test_a_mark_raises_the_peak_and_a_closed_trade_is_kept():
    state = State(books=BOOKS)
    evolve.raise_peak(state, worth(10_500), NOON)
    assert (state.books.peak_equity_usd, state.marked_usd, state.marked_at) == (
        10_500,
        10_500,
        NOON,
    )
    evolve.raise_peak(state, worth(10_400), NOON)
    assert (state.books.peak_equity_usd, state.marked_usd) == (10_500, 10_400)
    message = closed("5")
    evolve.keep_trade(state, message, NOON)
    assert list(state.closed_trades) == [message.trade]


@pytest.mark.parametrize(("more", "left"), [(0, evolve.MAX_ORIGINS), (1, evolve.MAX_ORIGINS)])
def test_as_many_origins_as_fit_are_kept(more: int, left: int):
    origin = Origin(trade_id="t", catalyst_id="c", strategy_id="s")
    state = State(origins={str(n): origin for n in range(evolve.MAX_ORIGINS + more)})
    evolve._forget_origins(state)
    assert len(state.origins) == left
    assert ("0" in state.origins) is (more == 0)


# Measures


def test_money_brought_in_moves_the_beginning_and_the_peak():
    drawn = curve("100")
    drawn.add(NOON + DAY, Decimal(150), Decimal(50))
    assert (drawn.first_usd, drawn.peak_usd, p.total_return(drawn)) == (150, 150, 0.0)
    drawn.add(NOON + 2 * DAY, Decimal(75), Decimal(-50))
    assert (drawn.first_usd, drawn.peak_usd) == (100, 100)
    assert drawn.deepest_fall == Decimal("0.25")


def test_cents_have_peaks_and_returns():
    drawn = curve("0.50", "0.25")
    assert drawn.deepest_fall == Decimal("0.5")
    assert p.total_return(drawn) == -0.5
    assert p.total_return(curve("0", "5")) is None
    assert p.total_return(p.Curve()) is None


def test_a_cent_is_a_win_or_a_loss_and_nothing_is_neither():
    trades = [trade("0.50"), trade("0.30"), trade("-0.20"), trade("0")]
    assert p.win_rate(trades) == 0.5
    assert p.win_rate([trade("-1")]) == 0.0
    assert p.profit_factor(trades) == pytest.approx(4.0)
    assert p.average_win_usd(trades) == Decimal("0.40")
    assert p.average_loss_usd(trades) == Decimal("-0.20")


def test_two_returns_have_a_ratio():
    assert p.sharpe_ratio([0.01, 0.03], periods_per_year=1) == pytest.approx(2**0.5)
    assert p.sortino_ratio([-0.01, 0.03], periods_per_year=1) == pytest.approx(2**0.5)
    over = p.sortino_ratio([0.00, 0.03], periods_per_year=1, target_return=0.01)
    assert over == pytest.approx(0.005 / (0.0001 / 2) ** 0.5)


def test_trades_that_end_before_the_time_cover_none_of_it():
    past = trade("1", entry_h=-3, exit_h=-1)
    now = trade("1", entry_h=1, exit_h=2)
    assert p.exposure_fraction([past, now], start=NOON, end=NOON + 4 * HOUR) == 0.25


# The tracker


def test_what_happens_as_the_period_begins_belongs_to_it():
    since = NOON + DAY
    late = tracked((1.0, worth(100)), (1.0, closed("5")), since=since)
    assert late.report().trade_count == 1
    early = tracked((0.999, worth(100)), (0.999, closed("5")), since=since)
    assert early.report().trade_count == 0


def test_exposure_needs_a_valuation():
    assert tracked(closed("5")).report().exposure_fraction is None
    hours = {"as_of": NOON + 2 * HOUR}
    known = tracked(worth(100), worth(101, **hours), closed("5")).report()
    assert known.exposure_fraction == 0.5


def test_a_split_keeps_the_share_that_was_filled():
    told = tracked(*SENT, filled(ID, "100", 25), doubled(), filled(ID, "50", 75, fill_id="b"))
    cancelled = f.OrderCancelled(at=NOON, client_order_id=ID, reason="")
    assert told.report().fill_rate is None  # 125 of 200: not over
    done = tracked(*SENT, filled(ID, "100", 25), doubled(), cancelled)
    assert done.report().fill_rate == 0.25
    over = tracked(*SENT, filled(ID, "100", 100), doubled())
    assert over.report().fill_rate == 1.0


def test_an_order_that_was_never_sent_is_no_order():
    suppressed = f.SubmitSuppressed(at=NOON, client_order_id=ID, reason="dry run")
    assert tracked(*SENT, suppressed).report().order_count == 0


@pytest.mark.parametrize(
    ("quantity", "is_known", "count"), [(0, False, 0), (1, False, 1), (0, True, 1)]
)
def test_an_order_the_broker_never_had_is_no_order(quantity: int, is_known: bool, count: int):
    theirs = b.ticket(client_order_id=ID, status=OrderStatus.WORKING) if is_known else None
    answer = f.OrderLookedUp(at=NOON, client_order_id=ID, ticket=theirs)
    fills = [filled(ID, "100", quantity)] if quantity else []
    assert tracked(*SENT, *fills, answer).report().order_count == count


def test_slippage_counts_in_cents_too():
    cheap = replace(ENTRY, reference_price=Decimal("0.50"), quantity=Decimal(1))
    told = tracked(
        d.OrderApproved(order=cheap),
        c.SubmitOrder(order=cheap, valid_until=NOON),
        filled(ID, "0.51", 1),
    )
    assert told.report().entry_slippage_bps == pytest.approx(200)


def test_a_return_counts_from_cents_too():
    days = tracked(
        worth("0.50"),
        f.SessionOpened(at=b.OPEN, day=b.OPEN.date(), closes_at=b.CLOSE),
        worth("0.75"),
    ).days()
    assert [day.day_return for day in days] == [0.5]


@pytest.mark.parametrize(
    ("role", "price"),
    [
        (OrderRole.TAKE_PROFIT, 107),
        (OrderRole.STOP_LOSS, 95),
        (OrderRole.EXIT, 100),
        (OrderRole.ENTRY, 100),
    ],
)
def test_a_protection_is_measured_at_the_price_it_protects_at(role: OrderRole, price: int):
    order = b.approved_order(
        role=role,
        kind=OrderKind.LIMIT,
        limit_price=Decimal(107),
        stop_loss_price=Decimal(95),
        take_profit_price=None,
    )
    assert reference_prices(order)[order.client_order_id] == price
