"""Every kind and time in force, as Alpaca's paper service fills them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import AuctionKind
from catalyst_bot.simulation.venue_order import VenueStatus
from tests.builders import bar
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    exchange_venue,
    limit,
    market,
    order,
    request,
    second,
    status,
    story,
    submit,
    trade,
)

D = Decimal
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def stop(name: str, price: str, side: Side = Side.SELL, **given: object):
    fields = {"kind": OrderKind.STOP, "stop_price": D(price), "time_in_force": GTC}
    return request(name, side, **(fields | given))


def stop_limit(name: str, price: str, limit_price: str, side: Side = Side.SELL):
    return stop(name, price, side, kind=OrderKind.STOP_LIMIT, limit_price=D(limit_price))


@pytest.mark.parametrize(
    ("side", "price", "filled"),
    [(Side.BUY, "100.05", 100), (Side.BUY, "100.04", 0), (Side.SELL, "99.95", -100)],
)
def test_a_limit_fills_when_the_quote_reaches_it(side: Side, price: str, filled: int):
    engine = exchange_venue()
    submit(engine, limit("x", price, side))
    trade(engine, 100.0, 1)
    assert engine.state.account.held("ACME") == filled


def test_a_trade_fills_when_it_happens():
    engine = exchange_venue()
    submit(engine, request("x"))
    (fill,) = trade(engine, 100.0, 0)
    assert fill.at == fill.filled_at == second(0)


def test_a_marketable_limit_pays_the_quote_not_its_limit():
    engine = exchange_venue()
    submit(engine, limit("x", "103"))
    assert story(trade(engine, 100.0, 1)) == ["OrderFilled x 100 @ 100.05"]


def test_without_a_quote_there_is_half_a_spread_around_the_trade():
    engine = exchange_venue()
    submit(engine, request("x"))
    events = trade(engine, 100.0, 1, bid=None, ask=None)
    assert story(events) == ["OrderFilled x 100 @ 100.10"]


def test_a_fill_names_what_is_left_and_one_in_ten_is_partial():
    split = 0
    for number in range(400):
        engine = exchange_venue(rules=alpaca_rules(partial_probability=None), seed=3)
        submit(engine, request(f"x{number}"))
        (fill,) = trade(engine, 100.0, 1)
        assert fill.quantity + fill.leaves_quantity == 100
        split += fill.leaves_quantity > 0
    assert 20 <= split <= 60


def test_the_rest_of_a_partial_fill_follows_at_the_next_trade():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, request("x"))
    fills = [event for at in range(1, 200) for event in trade(engine, 100.0, at)]
    assert len(fills) > 2
    assert sum(fill.quantity for fill in fills) == 100
    assert status(engine, "x") is VenueStatus.FILLED
    assert order(engine, "x").average_price == D("100.05")


def test_a_sell_stop_becomes_a_market_order_when_a_trade_meets_it():
    engine = bought(exchange_venue())
    submit(engine, stop("x", "97"))
    assert trade(engine, 97.01, 1, bid=96.0, ask=96.1) == []  # the quote elects nothing
    events = trade(engine, 96.5, 2)
    assert story(events) == ["StopTriggered x", "OrderFilled x 100 @ 96.45"]


@pytest.mark.parametrize(
    ("stop_price", "collar", "trades_at", "fills"),
    [("40", "41.60", 41.55, True), ("40", "41.60", 41.56, False), ("60", "61.50", 61.4, True)],
)
def test_a_buy_stop_pays_at_most_its_collar(
    stop_price: str, collar: str, trades_at: float, fills: bool
):
    engine = exchange_venue()
    submit(engine, stop("x", stop_price, Side.BUY), now=market(str(D(stop_price) - 1)))
    assert order(engine, "x").collar_price == D(collar)
    assert order(engine, "x").limit_price is None
    events = story(trade(engine, trades_at, 1))
    assert events[0] == "StopTriggered x"
    assert (len(events) == 2) is fills
    if not fills:  # it waits as a limit order at its collar
        assert story(trade(engine, float(stop_price), 2))[0].startswith("OrderFilled x 100")


def test_our_profile_has_no_collar():
    engine = exchange_venue(FillProfile.OURS)
    submit(engine, stop("x", "101", Side.BUY))
    assert order(engine, "x").collar_price is None


def test_a_stop_limit_waits_at_its_limit_once_triggered():
    engine = bought(exchange_venue())
    submit(engine, stop_limit("x", "97", "96.50"))
    assert story(trade(engine, 96.0, 1)) == ["StopTriggered x"]
    assert trade(engine, 96.5, 2) == []
    assert story(trade(engine, 96.6, 3)) == ["OrderFilled x 100 @ 96.55"]


def test_a_stop_limit_in_bars_may_be_jumped_over():
    engine = bought(exchange_venue(FillProfile.OURS), at=-400)
    submit(engine, stop_limit("x", "97", "96.50"))
    below = bar(
        opened_at=second(0), closed_at=second(300), open=96.0, high=96.2, low=95.0, close=95.5
    )
    assert story(engine.on_bar(below, below.closed_at)) == ["StopTriggered x"]
    assert status(engine, "x") is VenueStatus.NEW


@pytest.mark.parametrize(
    ("side", "trail", "prices", "mark", "stop_price"),
    [
        (Side.SELL, {"trail_percent": D(10)}, [13.0, 13.965, 13.5], "13.965", "12.5685"),
        (Side.SELL, {"trail_price": D(1)}, [13.0, 14.0], "14", "13"),
        (Side.BUY, {"trail_percent": D(10)}, [13.0, 12.5, 12.9], "12.5", "13.75"),
    ],
)
def test_a_trailing_stop_follows_the_best_price(side, trail, prices, mark, stop_price):
    engine = exchange_venue()
    if side is Side.SELL:
        bought(engine)
    now = market("13")
    submit(engine, request("x", side, kind=OrderKind.TRAILING_STOP, **trail), now=now)
    for number, price in enumerate(prices, 1):
        trade(engine, price, number)
    trailing = order(engine, "x")
    assert (trailing.high_water_mark, trailing.stop_price) == (D(mark), D(stop_price))
    assert trailing.status is VenueStatus.NEW


def test_a_trailing_stop_sells_at_the_market_when_it_is_met():
    engine = bought(exchange_venue())
    submit(engine, request("x", Side.SELL, kind=OrderKind.TRAILING_STOP, trail_percent=D(1)))
    assert story(trade(engine, 101.0, 1)) == ["TrailMoved x"]
    assert trade(engine, 100.0, 2) == []
    assert story(trade(engine, 99.99, 3)) == ["StopTriggered x", "OrderFilled x 100 @ 99.94"]


def test_a_trailing_stop_sleeps_outside_the_session():
    engine = bought(exchange_venue())
    trailing = request("x", Side.SELL, kind=OrderKind.TRAILING_STOP, trail_percent=D(1))
    submit(engine, trailing)
    assert trade(engine, 50.0, 1, SessionPhase.POST) == []
    assert order(engine, "x").high_water_mark == 100


@pytest.mark.parametrize(("tif", "filled"), [(IOC, 1), (FOK, 0)])
def test_ioc_takes_a_part_and_fok_takes_none(tif: TimeInForce, filled: int):
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, limit("x", "101", time_in_force=tif))
    events = trade(engine, 100.0, 1)
    assert status(engine, "x") is VenueStatus.CANCELED
    assert len([line for line in story(events) if "OrderFilled" in line]) == filled
    assert story(events)[-1] == "OrderCanceled x"


@pytest.mark.parametrize("tif", [IOC, FOK])
@pytest.mark.parametrize(("price", "end"), [("101", "filled"), ("99", "canceled")])
def test_what_lives_for_a_moment_ends_in_it(tif: TimeInForce, price: str, end: str):
    engine = exchange_venue()
    submit(engine, limit("x", price, time_in_force=tif))
    trade(engine, 100.0, 0, only=["o-x"])
    assert status(engine, "x") == end


def test_what_lives_for_a_moment_ends_in_a_halt_too():
    engine = exchange_venue()
    engine.halt("ACME", second(0))
    submit(engine, request("x", time_in_force=IOC))
    assert story(trade(engine, 100.0, 1)) == ["OrderCanceled x"]


@pytest.mark.parametrize(
    ("tif", "kind"), [(TimeInForce.OPG, AuctionKind.OPEN), (TimeInForce.CLS, AuctionKind.CLOSE)]
)
def test_an_auction_fills_its_own_orders_and_ends_them(tif: TimeInForce, kind: AuctionKind):
    engine = exchange_venue()
    submit(engine, request("market", time_in_force=tif), now=market(phase=SessionPhase.CLOSED))
    submit(engine, limit("limit", "90", time_in_force=tif))
    submit(engine, limit("day", "101"))
    other = AuctionKind.CLOSE if kind is AuctionKind.OPEN else AuctionKind.OPEN
    assert engine.on_auction("ACME", 100.0, second(1), other) == []
    assert story(engine.on_auction("ACME", 100.0, second(2), kind)) == [
        "OrderActivated market",
        "OrderFilled market 100 @ 100.10",
        "OrderCanceled limit",
    ]
    assert status(engine, "day") is VenueStatus.NEW


def test_an_order_for_an_auction_ignores_other_trades_and_lapses_at_the_close():
    engine = exchange_venue()
    submit(engine, request("x", time_in_force=TimeInForce.CLS))
    assert trade(engine, 100.0, 1) == []
    assert story(engine.on_session_close(second(2))) == ["OrderExpired x"]


def test_dollars_buy_the_shares_they_are_worth_when_they_fill():
    engine = exchange_venue()
    submit(engine, request("x", quantity=None, notional_usd=D(1_000)))
    assert order(engine, "x").quantity == 10  # an estimate at the reference price
    (fill,) = trade(engine, 99.0, 1)
    assert fill.quantity == D("10.095911155")
    assert fill.leaves_quantity == 0
    assert D("999.99") < order(engine, "x").filled_usd <= 1_000
    assert (status(engine, "x"), order(engine, "x").quantity) == ("filled", fill.quantity)


def test_dollars_never_sell_more_than_is_held():
    engine = bought(exchange_venue(), "10")
    submit(engine, request("x", Side.SELL, quantity=None, notional_usd=D(999)))
    (fill,) = trade(engine, 50.0, 1)
    assert (fill.quantity, fill.leaves_quantity) == (10, 0)
    assert engine.state.account.holdings == {}


def test_fractions_of_a_share_trade():
    engine = bought(exchange_venue(), "0.123456789")
    submit(engine, request("x", Side.SELL, quantity=D("0.023456789")), 1)
    trade(engine, 100.0, 2)
    assert engine.state.account.held("ACME") == D("0.1")


@pytest.mark.parametrize("session", [SessionPhase.PRE, SessionPhase.POST])
def test_only_flagged_limits_trade_outside_the_session(session: SessionPhase):
    engine = exchange_venue()
    now = market(phase=session)
    submit(engine, limit("flagged", "101", extended_hours=True), now=now)
    submit(engine, limit("plain", "101"), now=now)
    submit(engine, request("market"), now=now)
    assert [status(engine, name) for name in ("flagged", "plain", "market")] == [
        "new",
        "accepted",
        "accepted",
    ]
    assert story(trade(engine, 100.0, 1, session)) == ["OrderFilled flagged 100 @ 100.05"]


@pytest.mark.parametrize("session", [SessionPhase.PRE, SessionPhase.POST])
def test_an_order_of_the_regular_session_sleeps_outside_it(session: SessionPhase):
    engine = exchange_venue()
    submit(engine, limit("x", "101", time_in_force=GTC))
    assert trade(engine, 100.0, 1, session) == []
    assert len(trade(engine, 100.0, 2)) == 1


def test_an_order_fills_once_at_a_moment():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, request("x"))
    assert len(trade(engine, 100.0, 1)) == 1
    assert trade(engine, 100.0, 1) == []
    assert len(trade(engine, 100.0, 1.5)) == 1


def test_nothing_trades_when_the_market_is_closed():
    engine = exchange_venue()
    closed = market(phase=SessionPhase.CLOSED)
    submit(engine, limit("flagged", "101", extended_hours=True), now=closed)
    submit(engine, request("market"), now=closed)
    assert trade(engine, 100.0, 1, SessionPhase.CLOSED) == []
    assert story(engine.on_session_open(second(2), phase=SessionPhase.PRE)) == [
        "OrderActivated flagged"
    ]
    assert story(engine.on_session_open(second(3))) == ["OrderActivated market"]


def test_an_order_that_was_not_acknowledged_waits():
    engine = exchange_venue()
    engine.submit(request("x"), second(0), market=market(), is_acknowledged=False)
    assert (status(engine, "x"), trade(engine, 100.0, 1)) == ("accepted", [])
    assert story(engine.acknowledge("o-x", second(2))) == ["OrderActivated x"]
    assert engine.acknowledge("o-x", second(2)) == []
    assert len(trade(engine, 100.0, 3)) == 1


def test_a_price_may_be_shown_to_one_order_only():
    engine = exchange_venue()
    for name in ("one", "two"):
        submit(engine, request(name))
    assert story(trade(engine, 100.0, 1, only=["o-two"])) == ["OrderFilled two 100 @ 100.05"]


def test_a_short_sale_owes_shares():
    engine = bought(exchange_venue(), "-100")
    assert engine.state.account.cash_usd == D(100_000) + 100 * D("99.95")
    submit(engine, request("cover", quantity=D(100)), 1)
    trade(engine, 90.0, 2)
    assert engine.state.account.cash_usd == D(100_000) + 100 * (D("99.95") - D("90.05"))
    assert engine.state.account.holdings == {}
