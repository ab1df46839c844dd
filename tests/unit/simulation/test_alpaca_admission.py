"""What Alpaca refuses, in its own words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest, PositionIntent
from catalyst_bot.simulation.refusals import RefusalKind
from catalyst_bot.simulation.venue_rules import ClientIdScope
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    bracket,
    exchange_venue,
    limit,
    market,
    oco,
    refusal_of,
    request,
    second,
    status,
    submit,
    trade,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def stop(name: str, price: str, side: Side = SELL, **given: Any) -> OrderRequest:
    return request(name, side, **({"kind": OrderKind.STOP, "stop_price": D(price)} | given))


def test_an_order_beyond_the_buying_power():
    refusal = refusal_of(exchange_venue(), request(quantity=D(4_001)))
    assert refusal.kind is RefusalKind.BUYING_POWER
    assert refusal.message == "insufficient buying power"
    assert refusal.context == {"buying_power": "400000", "cost_basis": "400100"}


@pytest.mark.parametrize(
    ("order", "cost_usd"),
    [
        (limit("x", "90"), 9_000),
        (request("x"), 10_000),
        (request("x", quantity=None, notional_usd=D(750)), 750),
        (stop("x", "110", BUY), 110 * D("1.025") * 100),
        (request("x", SELL), D("100.05") * D("1.03") * 100),
        (limit("x", "110", SELL), 11_000),
    ],
)
def test_what_an_opening_order_reserves(order: OrderRequest, cost_usd: Decimal):
    engine = exchange_venue()
    submit(engine, order)
    assert engine.figures({}).reserved_usd == pytest.approx(cost_usd, abs=D("1"))
    engine.cancel("o-x", second(1))
    assert engine.figures({}).reserved_usd == 0


def test_an_exit_holds_shares_and_no_money():
    engine = bought(exchange_venue())
    submit(engine, limit("half", "105", SELL, quantity=D(50)))
    refusal = refusal_of(engine, limit("all", "106", SELL))
    assert refusal.kind is RefusalKind.QUANTITY_AVAILABLE
    assert refusal.message == "insufficient qty available for order (requested: 100, available: 50)"
    assert refusal.context == {
        "available": "50",
        "existing_qty": "100",
        "held_for_orders": "50",
        "symbol": "ACME",
    }
    assert refusal.related_orders == ("o-half",)
    assert engine.figures({}).reserved_usd == 0


@pytest.mark.parametrize(("held", "side"), [("100", SELL), ("-100", BUY)])
def test_one_order_does_not_cross_zero(held: str, side: Side):
    refusal = refusal_of(bought(exchange_venue(), held), request(side=side, quantity=D(101)))
    assert "(requested: 101, available: 100)" in refusal.message


HARD = "opposite side market/stop order exists"
SOFT = "opposite side limit order exists"


@pytest.mark.parametrize(
    ("resting", "order", "reason"),
    [
        (stop("rest", "95"), request("x"), HARD),
        (stop("rest", "95"), limit("x", "90"), HARD),
        (limit("rest", "105", SELL), request("x"), HARD),
        (limit("rest", "105", SELL), limit("x", "105"), SOFT),
        (limit("rest", "105", SELL), limit("x", "104.99"), None),
        (stop("rest", "95", kind=OrderKind.STOP_LIMIT, limit_price=D(94)), limit("x", "94"), SOFT),
        (limit("rest", "99"), stop("x", "98"), HARD),
        (limit("rest", "99"), limit("x", "99", SELL), SOFT),
        (limit("rest", "99"), limit("x", "99.01", SELL), None),
        (stop("rest", "95"), bracket("x"), None),
        (oco("rest"), request("x"), None),
        (request("rest", SELL, kind=OrderKind.TRAILING_STOP, trail_price=D(1)), request("x"), None),
        (limit("rest", "99"), oco("x"), None),
    ],
)
def test_the_wash_trade_matrix(resting: OrderRequest, order: OrderRequest, reason: str | None):
    engine = bought(exchange_venue(), "200")
    submit(engine, resting)
    if reason is None:
        assert submit(engine, order, 1)
        return
    refusal = refusal_of(engine, order)
    assert refusal.kind is RefusalKind.WASH_TRADE
    assert refusal.message == "potential wash trade detected. use complex orders"
    assert refusal.context == {"existing_order_id": "o-rest", "reject_reason": reason}


def test_orders_in_another_symbol_are_no_wash_trade():
    engine = bought(exchange_venue())
    submit(engine, stop("rest", "95"))
    assert submit(engine, request("x", symbol="BETA"), 1)


BASE = "stop_loss.stop_price must be {} base_price {} 0.01"
AIM = "take_profit.limit_price must be {} base_price {} 0.01"


@pytest.mark.parametrize(
    ("order", "message", "base"),
    [
        (bracket(stop_loss_price=D(100)), BASE.format("<=", "-"), "100"),
        (bracket(take_profit_price=D(100)), AIM.format(">=", "+"), "100"),
        (bracket(side=SELL, stop_loss_price=D(100)), BASE.format(">=", "+"), "100"),
        (bracket(side=SELL, take_profit_price=D(100)), AIM.format("<=", "-"), "100"),
        (
            bracket(kind=OrderKind.LIMIT, limit_price=D(98), stop_loss_price=D(98)),
            BASE.format("<=", "-"),
            "98",
        ),
        (
            bracket(order_class=OrderClass.OTO, take_profit_price=None, stop_loss_price=D(101)),
            BASE.format("<=", "-"),
            "100",
        ),
    ],
)
def test_exits_lie_beyond_the_base_price(order: OrderRequest, message: str, base: str):
    refusal = refusal_of(exchange_venue(), order)
    assert refusal.kind is RefusalKind.BASE_PRICE
    assert (refusal.message, refusal.context) == (message, {"base_price": base})


def test_the_stop_of_a_pair_lies_beyond_the_market():
    engine = bought(exchange_venue())
    refusal = refusal_of(engine, oco(stop_loss_price=D(101)))
    assert (refusal.message, refusal.context) == (BASE.format("<=", "-"), {"base_price": "100"})


@pytest.mark.parametrize(("side", "sign"), [(BUY, ">"), (SELL, "<")])
def test_exits_are_not_swapped(side: Side, sign: str):
    stop_price, target = (D(105), D(95)) if side is BUY else (D(95), D(105))
    order = bracket(side=side, stop_loss_price=stop_price, take_profit_price=target)
    refusal = refusal_of(exchange_venue(), order)
    assert refusal.kind is RefusalKind.LEG_PRICES
    assert refusal.message == f"take_profit.limit_price must be {sign} stop_loss.stop_price"


@pytest.mark.parametrize(
    ("order", "word"), [(stop("x", "100"), "less"), (stop("x", "100", BUY), "greater")]
)
def test_a_stop_that_the_market_has_met(order: OrderRequest, word: str):
    refusal = refusal_of(bought(exchange_venue(), "100" if word == "less" else "-100"), order)
    assert refusal.message == f"stop price must be {word} than current price"
    assert refusal.context == {"market_price": "100", "stop_price": "100"}


def test_a_market_that_is_not_known_refuses_no_stop():
    assert submit(bought(exchange_venue()), stop("x", "101"), 1, MarketNow())


@pytest.mark.parametrize(
    "given",
    [
        {"allow_short": False},
        {"buying_power_multiplier": D(1)},
        {"starting_cash_usd": D(1_999)},
    ],
)
def test_who_may_not_sell_short(given: dict[str, Any]):
    refusal = refusal_of(exchange_venue(**given), request(side=SELL, quantity=D(1)))
    assert refusal.kind is RefusalKind.SHORTING
    assert refusal.message == "account is not allowed to short"


@pytest.mark.parametrize(
    ("resting", "order"),
    [(limit("rest", "90"), request("x", SELL)), (limit("rest", "110", SELL), request("x"))],
)
def test_a_flat_account_opens_on_one_side_only(resting: OrderRequest, order: OrderRequest):
    engine = exchange_venue()
    submit(engine, resting)
    refusal = refusal_of(engine, order)
    assert refusal.kind is RefusalKind.OPPOSITE_ORDER
    assert refusal.message == "cannot have a short sell order open at the same time as a long buy"


@pytest.mark.parametrize(
    ("held", "side", "right", "wrong"),
    [
        ("", BUY, PositionIntent.BUY_TO_OPEN, PositionIntent.BUY_TO_CLOSE),
        ("", SELL, PositionIntent.SELL_TO_OPEN, PositionIntent.SELL_TO_CLOSE),
        ("100", SELL, PositionIntent.SELL_TO_CLOSE, PositionIntent.SELL_TO_OPEN),
        ("-100", BUY, PositionIntent.BUY_TO_CLOSE, PositionIntent.BUY_TO_OPEN),
    ],
)
def test_the_intent_must_fit_the_position(
    held: str, side: Side, right: PositionIntent, wrong: PositionIntent
):
    engine = exchange_venue()
    if held:
        bought(engine, held)
    refusal = refusal_of(engine, request(side=side, position_intent=wrong))
    assert refusal.message == (
        f"position intent mismatch, inferred: {right.value}, specified: {wrong.value}"
    )
    assert submit(engine, request("right", side, position_intent=right), 2)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (
            request(quantity=D("1.5"), time_in_force=TimeInForce.GTC),
            "fractional orders must be DAY orders",
        ),
        (bracket(quantity=D("1.5")), "fractional orders must be simple orders"),
        (request(side=SELL, quantity=D("1.5")), "fractional orders cannot be sold short"),
        (
            request(side=SELL, quantity=None, notional_usd=D(50)),
            "fractional orders cannot be sold short",
        ),
    ],
)
def test_fractions(order: OrderRequest, message: str):
    refusal = refusal_of(exchange_venue(), order)
    assert (refusal.kind, refusal.message) == (RefusalKind.FRACTIONAL, message)


def test_dollars_do_not_open_beside_a_closing_order():
    engine = bought(exchange_venue())
    submit(engine, limit("exit", "105", SELL))
    refusal = refusal_of(engine, request(quantity=None, notional_usd=D(50)))
    assert refusal.kind is RefusalKind.NOTIONAL
    assert "unable to open new notional orders" in refusal.message


@pytest.mark.parametrize(
    "order", [limit("x", "0.99", quantity=D(1)), request(quantity=None, notional_usd=D("0.99"))]
)
def test_an_order_is_worth_a_dollar(order: OrderRequest):
    refusal = refusal_of(exchange_venue(), order)
    assert refusal.kind is RefusalKind.COST_BASIS
    assert refusal.message == "cost basis must be >= minimal amount of order 1"


def test_a_position_that_is_too_large_may_only_be_closed():
    engine = bought(exchange_venue(), "3900")
    now = market("100", marks={"ACME": D(100)})
    submit(engine, limit("more", "1", quantity=D(1)), 1, now)
    crashed = market("80", marks={"ACME": D(80)})  # $390,000 of credit, equity $22,000
    refusal = refusal_of(engine, limit("again", "1", quantity=D(1)), crashed)
    assert refusal.kind is RefusalKind.CLOSING_ONLY
    assert submit(engine, limit("less", "90", SELL), 2, crashed)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (bracket(side=SELL), "bracket orders must be entry orders"),
        (
            bracket(side=SELL, order_class=OrderClass.OTO, take_profit_price=None),
            "oto orders must be entry orders",
        ),
        (oco(side=BUY), "oco orders must be exit orders"),
    ],
)
def test_a_class_fits_the_position(order: OrderRequest, message: str):
    assert refusal_of(bought(exchange_venue()), order).message == message


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (limit("x", "99.005"), "invalid limit_price 99.005. sub-penny"),
        (stop("x", "101.001", BUY), "invalid stop_price 101.001. sub-penny"),
        (bracket(stop_loss_price=D("95.001")), "invalid stop_loss.stop_price 95.001. sub-penny"),
        (request(quantity=D(0)), "qty must be > 0"),
        (request(quantity=None), "qty or notional is required"),
    ],
)
def test_the_books_are_guarded_against_senseless_fields(order: OrderRequest, message: str):
    assert refusal_of(exchange_venue(), order).message.startswith(message)


@pytest.mark.parametrize("scope", ClientIdScope)
def test_a_client_order_id_is_used_once(scope: ClientIdScope):
    engine = exchange_venue(rules=alpaca_rules(client_ids=scope))
    submit(engine, request("x"))
    refusal = refusal_of(engine, request("x"))
    assert (refusal.kind, refusal.message) == (
        RefusalKind.CLIENT_ORDER_ID,
        "client_order_id must be unique",
    )
    trade(engine, 100.0, 1)
    assert status(engine, "x") == "filled"
    if scope is ClientIdScope.ALWAYS:
        assert refusal_of(engine, request("x")).kind is RefusalKind.CLIENT_ORDER_ID


def test_a_queued_order_reserves_too():
    engine = bought(exchange_venue())
    closed = market(phase=SessionPhase.CLOSED)
    submit(engine, request("exit", SELL), now=closed)
    assert refusal_of(engine, request("again", SELL), closed).context["available"] == "0"
