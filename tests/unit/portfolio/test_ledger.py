from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.state import Books, Origin
from tests.builders import NOON, fill

ORIGIN = Origin(trade_id="trd-1", catalyst_id="cat-1", strategy_id="news-rule")
BOOKS = ledger.start(Books(), Decimal(10_000))


def buy(books: Books, quantity: str, price: str, fee: str = "0") -> ledger.Booked:
    return ledger.apply_fill(books, _fill(Side.BUY, quantity, price, fee), ORIGIN)


def sell(books: Books, quantity: str, price: str, fee: str = "0") -> ledger.Booked:
    return ledger.apply_fill(books, _fill(Side.SELL, quantity, price, fee), ORIGIN)


def _fill(side: Side, quantity: str, price: str, fee: str):
    return fill(side=side, quantity=Decimal(quantity), price=Decimal(price), fee_usd=Decimal(fee))


def test_a_buy_moves_cash_into_a_position_and_its_fee_is_lost():
    booked = buy(BOOKS, "10", "100", "1")
    assert booked.before is None
    assert booked.after is not None
    assert (booked.after.quantity, booked.after.average_cost) == (10, 100)
    assert booked.after.trade_id == "trd-1"
    assert booked.books.cash_usd == 8_999
    assert booked.books.realised_usd == -1
    assert booked.books.fees_usd == 1
    assert ledger.equity_usd(booked.books) == 9_999


def test_further_buys_average_the_cost():
    books = buy(BOOKS, "10", "100").books
    after = buy(books, "20", "106", "2").after
    assert after is not None
    assert (after.quantity, after.average_cost) == (30, 104)
    assert (after.entry_quantity, after.entry_fees_usd) == (30, 2)


def test_a_partial_sale_realises_its_share_and_keeps_the_average_cost():
    books = buy(BOOKS, "30", "104", "3").books
    booked = sell(books, "10", "110", "1")
    assert booked.after is not None
    assert (booked.after.quantity, booked.after.average_cost) == (20, 104)
    assert booked.after.realised_usd == 59
    assert booked.books.realised_usd == 56


def test_the_round_trip_is_weighted_by_volume_and_net_of_all_fees():
    books = buy(BOOKS, "10", "100", "1").books
    books = buy(books, "30", "104", "3").books
    books = sell(books, "30", "110", "3").books
    last = _fill(Side.SELL, "10", "90", "1")
    booked = ledger.apply_fill(books, last, ORIGIN)
    assert booked.after is None
    assert booked.before is not None
    assert booked.record is not None
    trade = ledger.closed_trade(
        booked.before, booked.record, fill=last, reason=ExitReason.STOP_LOSS
    )
    assert (trade.quantity, trade.entry_price, trade.exit_price) == (40, 103, 105)
    assert trade.fees_usd == 8
    assert trade.pnl_usd == 40 * 2 - 8
    assert trade.pnl_fraction == pytest.approx(72 / 4120)
    assert booked.books.cash_usd == 10_072
    assert booked.books.realised_usd == 72
    assert not booked.books.positions
    assert not booked.books.trades


def test_a_sale_beyond_what_is_held_is_not_booked():
    booked = sell(buy(BOOKS, "10", "100").books, "15", "100")
    assert booked.unbooked_quantity == 5
    assert booked.after is None
    assert booked.books.cash_usd == 10_000
    nothing = sell(BOOKS, "15", "100", "1")
    assert nothing.books is BOOKS
    assert nothing.unbooked_quantity == 15


def test_uneven_costs_leave_no_remainder():
    books = buy(BOOKS, "3", "100").books
    books = buy(books, "4", "101.37").books
    for _ in range(7):
        books = sell(books, "1", "100").books
    assert books.cash_usd == Decimal(10_000) - 4 * Decimal("1.37")
    assert books.realised_usd == -4 * Decimal("1.37")


def test_prices_finer_than_our_rounding_leave_no_remainder_either():
    bought = buy(BOOKS, "3", "33.3333333333").books
    books = sell(sell(bought, "1", "40").books, "2", "40").books
    assert books.realised_usd == books.cash_usd - 10_000 == Decimal("20.0000000001")


def test_prices_move_equity_and_unrealised_only():
    books = buy(BOOKS, "10", "100").books
    marked = ledger.mark_price(books, "ACME", Decimal(103), NOON)
    account = ledger.view(marked, NOON)
    assert account.equity_usd == 10_030
    assert account.unrealised_usd == 30
    assert account.exposure_usd == 1_030
    assert account.realised_usd == 0
    assert marked.cash_usd == books.cash_usd
    assert ledger.mark_price(books, "ELSE", Decimal(1), NOON) is books


def test_a_price_changes_nothing_else():
    books = ledger.raise_peak(buy(BOOKS, "10", "100", "1").books, Decimal(7_000_000))
    later = NOON + timedelta(minutes=1)
    marked = ledger.mark_price(books, "ACME", Decimal(103), later)
    position = replace(books.positions["ACME"], last_price=Decimal(103), marked_at=later)
    assert marked == replace(books, positions={"ACME": position})


def test_the_day_counts_from_its_open_and_the_peak_only_rises():
    books = ledger.mark_price(buy(BOOKS, "10", "100").books, "ACME", Decimal(110), NOON)
    books = ledger.open_day(ledger.raise_peak(books, ledger.equity_usd(books)))
    books = ledger.mark_price(books, "ACME", Decimal(99), NOON)
    books = ledger.raise_peak(books, ledger.equity_usd(books))
    account = ledger.view(books, NOON + timedelta(days=1))
    assert account.day_open_equity_usd == account.peak_equity_usd == 10_100
    assert account.day_return == pytest.approx(-110 / 10_100)
    assert account.drawdown == pytest.approx(110 / 10_100)


def test_money_is_set_once():
    assert ledger.start(BOOKS, Decimal(5)) is BOOKS
