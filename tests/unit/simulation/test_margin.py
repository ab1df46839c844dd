"""Equity, margin and buying power as Alpaca defines them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import Side
from catalyst_bot.simulation.margin import buying_power_usd, maintenance_margin_usd
from catalyst_bot.simulation.venue_rules import MoneyRule
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    exchange_venue,
    limit,
    request,
    second,
    submit,
    trade,
)

D = Decimal


@pytest.mark.parametrize(
    ("quantity", "price", "margin"),
    [
        ("100", "100", "3000"),
        ("100", "2.50", "75"),
        ("100", "2.49", "249"),
        ("-100", "100", "3000"),
        ("-100", "5", "500"),
        ("-100", "4", "400"),
        ("-100", "1", "250"),
        ("0.5", "10", "1.5"),
    ],
)
def test_maintenance_margin(quantity: str, price: str, margin: str):
    assert maintenance_margin_usd(D(quantity), D(price)) == D(margin)


def test_the_example_of_the_specification():
    day_usd = (D("103529.24") - D("38000.832")) * 4
    assert day_usd == D("262113.632")
    power = buying_power_usd(D(4), cash_usd=D(0), free_margin_usd=D(0), day_usd=day_usd)
    assert power == D("262113.632")


def test_a_new_account():
    figures = exchange_venue().figures({})
    assert (figures.equity_usd, figures.last_equity_usd) == (100_000, 100_000)
    assert (figures.buying_power_usd, figures.regt_buying_power_usd) == (400_000, 200_000)
    assert figures.cash_buying_power_usd == 100_000


def test_a_long_position_at_the_price_of_now():
    figures = bought(exchange_venue()).figures({"ACME": D(110)})
    paid_usd = 100 * D("100.05")
    assert figures.long_market_value_usd == 11_000
    assert figures.equity_usd == 100_000 - paid_usd + 11_000
    assert figures.initial_margin_usd == 5_500
    assert figures.maintenance_margin_usd == 3_300
    assert figures.buying_power_usd == 400_000 - paid_usd


def test_a_short_position_at_the_price_of_now():
    figures = bought(exchange_venue(), "-100").figures({"ACME": D(110)})
    got_usd = 100 * D("99.95")
    assert figures.cash_usd == 100_000 + got_usd
    assert figures.short_market_value_usd == -11_000
    assert figures.equity_usd == 100_000 + got_usd - 11_000
    assert figures.buying_power_usd == 400_000 - got_usd
    assert figures.cash_buying_power_usd == 100_000 + got_usd - 11_000


def test_the_next_day_begins_with_what_the_last_one_left():
    engine = bought(exchange_venue())
    (rolled,) = engine.roll_day(second(1), {"ACME": D(110)})
    equity_usd = 100_000 - 100 * D("100.05") + 11_000
    assert (rolled.equity_usd, rolled.maintenance_margin_usd) == (equity_usd, 3_300)
    marks = {"ACME": D(50)}
    assert engine.figures(marks).buying_power_usd == (equity_usd - 3_300) * 4
    submit(engine, request("more"), 2)
    trade(engine, 50.0, 3)
    assert engine.figures(marks).buying_power_usd == (equity_usd - 3_300) * 4 - 100 * D("50.05")


def test_a_position_turned_round_was_opened_today():
    engine = bought(exchange_venue())
    engine.roll_day(second(1), {})
    before_usd = engine.figures({}).buying_power_usd
    submit(engine, request("out", Side.SELL), 2)
    trade(engine, 100.0, 2)
    assert engine.figures({}).buying_power_usd == before_usd  # what was closed frees nothing
    submit(engine, request("short", Side.SELL), 3)
    trade(engine, 100.0, 3)
    assert engine.figures({}).buying_power_usd == before_usd - 100 * D("99.95")


def test_twofold_margin_lends_what_no_position_binds():
    engine = bought(exchange_venue(buying_power_multiplier=D(2)))
    figures = engine.figures({"ACME": D(100)})
    equity_usd = 100_000 - 100 * D("0.05")
    assert figures.buying_power_usd == (equity_usd - 5_000) * 2


def test_where_holdings_count_at_cost_debts_are_spent_too():
    engine = exchange_venue(rules=alpaca_rules(money=MoneyRule.COST))
    got_usd = 100 * D("99.95")
    assert bought(engine, "-100").figures({"ACME": D(1)}).buying_power_usd == 400_000 - got_usd


def test_below_two_thousand_dollars_there_is_no_credit():
    engine = exchange_venue(starting_cash_usd=D("1999.99"))
    assert engine.figures({}).multiplier == 1
    assert engine.figures({}).buying_power_usd == D("1999.99")


def test_open_orders_reduce_every_buying_power():
    engine = exchange_venue()
    submit(engine, limit("x", "90"))
    figures = engine.figures({})
    assert figures.reserved_usd == 9_000
    assert figures.buying_power_usd == 391_000
    assert figures.regt_buying_power_usd == 191_000
    assert figures.cash_buying_power_usd == 91_000
