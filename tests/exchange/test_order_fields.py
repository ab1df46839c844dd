from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.order_fields import read_order
from catalyst_bot.simulation.order_request import OrderClass, PositionIntent

SUB_PENNY = "sub-penny increment does not fulfill minimum pricing criteria"
MARKET: dict[str, Any] = {
    "symbol": "AAPL",
    "qty": "2",
    "side": "buy",
    "type": "market",
    "time_in_force": "day",
}
LIMIT = MARKET | {"type": "limit", "limit_price": "150"}
STOP = MARKET | {"type": "stop", "stop_price": "150"}
TRAILING = MARKET | {"type": "trailing_stop", "trail_percent": "1"}
BRACKET = MARKET | {
    "order_class": "bracket",
    "take_profit": {"limit_price": "170"},
    "stop_loss": {"stop_price": "140"},
}
OCO = MARKET | {
    "side": "sell",
    "type": "limit",
    "order_class": "oco",
    "take_profit": {"limit_price": "170"},
    "stop_loss": {"stop_price": "140", "limit_price": "139"},
}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def test_numbers_come_as_text_or_numbers_and_stay_exact() -> None:
    for given in ("90.1", 90.1, Decimal("90.1")):
        fields = read_order(LIMIT | {"qty": 2, "limit_price": given})
        assert (fields.quantity, fields.limit_price) == (Decimal(2), Decimal("90.1"))
    assert read_order(LIMIT | {"qty": 2.0}).quantity == 2


@pytest.mark.parametrize(
    "given", ["\uff11", "1_0", " 1", "1 ", "٣", "0x1", "1e", "NaN", "Infinity", "."]
)
@pytest.mark.parametrize("name", ["qty", "limit_price"])
def test_a_number_is_written_in_plain_digits(name: str, given: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_order(LIMIT | {name: given})
    assert (caught.value.status, caught.value.code) == (400, 40010000)


@pytest.mark.parametrize(("given", "qty"), [("+2", "2"), ("2.", "2"), (".5", "0.5"), ("1e1", "10")])
def test_all_usual_ways_to_write_a_number_are_read(given: str, qty: str) -> None:
    assert read_order(MARKET | {"qty": given}).quantity == Decimal(qty)


@pytest.mark.parametrize("leg", [{}, {"limit_price": None}, {"stop_price": "90"}])
@pytest.mark.parametrize("name", ["take_profit", "stop_loss"])
def test_a_simple_order_has_no_leg_not_even_an_empty_one(name: str, leg: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="simple orders must not have") as caught:
        read_order(MARKET | {name: leg})
    assert (caught.value.status, caught.value.code) == (422, 40010001)
    assert read_order(MARKET | {name: None}).order_class is OrderClass.SIMPLE


def test_all_fields_arrive() -> None:
    fields = read_order(
        LIMIT
        | {
            "time_in_force": "gtc",
            "extended_hours": True,
            "client_order_id": "mine",
            "position_intent": "buy_to_open",
            "order_class": "simple",
            "stop_price": None,
        }
    )
    assert fields.side is Side.BUY
    assert fields.kind is OrderKind.LIMIT
    assert fields.time_in_force is TimeInForce.GTC
    assert fields.extended_hours
    assert fields.client_order_id == "mine"
    assert fields.position_intent is PositionIntent.BUY_TO_OPEN
    assert fields.order_class is OrderClass.SIMPLE
    request = fields.request("AAPL", "mine", Decimal(151))
    assert request.limit_price == 150
    assert request.reference_price == 151


def test_the_take_profit_of_an_oco_is_its_own_limit() -> None:
    fields = read_order(OCO)
    assert (fields.limit_price, fields.take_profit_price) == (Decimal(170), Decimal(170))
    assert fields.stop_loss_limit_price == 139
    plain = without(OCO, "take_profit") | {"limit_price": 171}
    assert read_order(plain).limit_price == 171


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (without(MARKET, "symbol"), 422, 40010001, "symbol is required"),
        (without(MARKET, "qty"), 422, 40010001, "qty or notional is required"),
        (MARKET | {"notional": 5}, 422, 40010001, "only one of qty or notional is accepted"),
        (MARKET | {"qty": 0}, 422, 40010001, "qty must be > 0"),
        (MARKET | {"qty": "-1"}, 422, 40010001, "qty must be > 0"),
        (
            MARKET | {"qty": "0.0000000001"},
            422,
            40010001,
            "qty must be limited to 9 decimal places",
        ),
        (MARKET | {"side": "hold"}, 422, 40010001, "invalid side"),
        (without(MARKET, "type"), 422, 40010001, "invalid order type"),
        (MARKET | {"type": "Market"}, 422, 40010001, "invalid order type"),
        (MARKET | {"time_in_force": "week"}, 422, 40010001, "invalid time_in_force"),
        (MARKET | {"order_class": "many"}, 422, 40010001, "invalid order_class"),
        (MARKET | {"position_intent": "buy"}, 422, 40010001, "invalid position_intent"),
        (
            MARKET | {"client_order_id": "x" * 129},
            422,
            40010001,
            "client_order_id must be no more than 128 characters",
        ),
        (
            MARKET | {"limit_price": 1},
            422,
            40010001,
            "market orders require no stop or limit price",
        ),
        (LIMIT | {"limit_price": 0}, 422, 40010001, "limit price must be > 0"),
        (without(LIMIT, "limit_price"), 422, 40010001, "limit orders require a limit price"),
        (LIMIT | {"stop_price": 1}, 422, 40010001, "limit orders must not have stop_price"),
        (without(STOP, "stop_price"), 422, 40010001, "stop orders require a stop price"),
        (STOP | {"stop_price": -1}, 422, 40010001, "stop price must be > 0"),
        (
            STOP | {"type": "stop_limit"},
            422,
            40010001,
            "stop limit orders require both stop and limit price",
        ),
        (
            TRAILING | {"trail_price": 1},
            422,
            40010001,
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        (
            TRAILING | {"trail_percent": "0.05"},
            422,
            40010001,
            "trail_percent must be greater than or equal to 0.1",
        ),
        (
            LIMIT | {"limit_price": "290.123"},
            422,
            42210000,
            f"invalid limit_price 290.123. {SUB_PENNY}",
        ),
        (
            STOP | {"stop_price": "0.12345"},
            422,
            42210000,
            f"invalid stop_price 0.12345. {SUB_PENNY}",
        ),
        (
            BRACKET | {"stop_loss": {"stop_price": 140.001}},
            422,
            42210000,
            f"invalid stop_loss.stop_price 140.001. {SUB_PENNY}",
        ),
        (
            without(BRACKET, "take_profit"),
            422,
            42210000,
            "bracket orders require take_profit.limit_price",
        ),
        (
            without(BRACKET, "stop_loss"),
            422,
            42210000,
            "bracket orders require stop_loss.stop_price",
        ),
        (
            BRACKET | {"order_class": "oto"},
            422,
            40010001,
            "oto orders require either take_profit or stop_loss",
        ),
        (OCO | {"type": "market"}, 422, 42210000, "oco orders must be limit orders"),
        (MARKET | {"qty": "1.5", "time_in_force": "gtc"}, 422, 42210000, "must be DAY orders"),
        (BRACKET | {"qty": "1.5"}, 422, 42210000, "fractional orders must be simple orders"),
        (
            MARKET | {"extended_hours": True},
            422,
            42210000,
            "extended hours order must be DAY or GTC limit orders",
        ),
        (
            LIMIT | {"extended_hours": True, "time_in_force": "ioc"},
            422,
            42210000,
            "extended hours order must be DAY or GTC limit orders",
        ),
        (
            STOP | {"extended_hours": True},
            422,
            42210000,
            "stop orders are not eligible for extended hours trading",
        ),
        (
            BRACKET | {"type": "trailing_stop", "trail_price": 1},
            422,
            42210000,
            "trailing stop orders must be simple orders",
        ),
        (MARKET | {"order_class": "mleg"}, 403, 40310000, "account not eligible to trade options"),
        (MARKET | {"qty": True}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"qty": [1]}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"qty": "many"}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"qty": "NaN"}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"qty": "1e400"}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"symbol": 7}, 400, 40010000, "request body format is invalid"),
        (MARKET | {"extended_hours": "yes"}, 400, 40010000, "request body format is invalid"),
        (BRACKET | {"stop_loss": 140}, 400, 40010000, "request body format is invalid"),
    ],
)
def test_wrong_fields_are_refused_in_alpacas_words(
    body: dict[str, Any], status: int, code: int, message: str
) -> None:
    with pytest.raises(ApiError) as refusal:
        read_order(body)
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert message in refusal.value.message


@pytest.mark.parametrize(
    "body",
    [
        MARKET | {"qty": "0.5"},
        without(MARKET, "qty") | {"notional": "12.345"},
        LIMIT | {"qty": "0.000000001"},
        STOP | {"qty": "1.5"},
        LIMIT | {"limit_price": "0.1234"},
        LIMIT | {"time_in_force": "opg"},
        MARKET | {"time_in_force": "cls"},
        LIMIT | {"time_in_force": "fok"},
        TRAILING | {"time_in_force": "gtc"},
        BRACKET,
        OCO,
        BRACKET | {"order_class": "oto", "stop_loss": None},
    ],
)
def test_right_fields_are_taken(body: dict[str, Any]) -> None:
    assert read_order(body).symbol == "AAPL"
