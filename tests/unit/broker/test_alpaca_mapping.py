"""Orders in Alpaca's words and back, and sums turned into executions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.broker.alpaca_lines import AVERAGE_STEP, PRICE_STEP, Line
from catalyst_bot.broker.alpaca_mapping import (
    chain,
    flat,
    on_tick,
    order_request,
    plain,
    read_order,
    read_orders,
    read_positions,
    standing,
)
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side, TimeInForce
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import OUR_PREFIX, client_order_id
from catalyst_bot.domain.messages import facts as f
from tests.builders import NOON, approved_order

prices = st.decimals(min_value="0.0001", max_value="99999", places=4)
quantities = st.integers(1, 100_000).map(Decimal)


def told(**given: Any) -> dict[str, Any]:
    """An order as Alpaca tells it."""
    return {
        "id": "a-1",
        "client_order_id": "cb-1",
        "submitted_at": "2025-10-06T16:00:00.123456789Z",
        "updated_at": "2025-10-06T12:00:01-04:00",
        "filled_at": None,
        "symbol": "ACME",
        "qty": "100",
        "filled_qty": "0",
        "filled_avg_price": None,
        "type": "market",
        "side": "buy",
        "status": "new",
        "stop_price": None,
        "replaced_by": None,
        "legs": None,
    } | given


def test_an_entry_is_one_bracket_that_outlives_the_day():
    assert order_request(approved_order(client_order_id="cb-1")) == {
        "client_order_id": "cb-1",
        "symbol": "ACME",
        "qty": "100",
        "side": "buy",
        "type": "market",
        "time_in_force": "gtc",
        "order_class": "bracket",
        "take_profit": {"limit_price": "107.2"},
        "stop_loss": {"stop_price": "97.6"},
    }


def test_an_entry_with_one_leg_only_is_no_bracket():
    body = order_request(approved_order(take_profit_price=None))
    assert body["order_class"] == "oto"
    assert "take_profit" not in body


def held(role: OrderRole, kind: OrderKind, **given: Any) -> dict[str, Any]:
    """The body of an order that protects what is held."""
    return order_request(
        approved_order(
            client_order_id="cb-1",
            role=role,
            side=Side.SELL,
            kind=kind,
            time_in_force=TimeInForce.GTC,
            take_profit_price=None,
            **given,
        )
    )


def test_a_stop_for_what_is_held_is_a_plain_stop():
    body = held(OrderRole.STOP_LOSS, OrderKind.STOP)
    assert (body["type"], body["side"], body["stop_price"]) == ("stop", "sell", "97.6")
    assert body["time_in_force"] == "gtc"
    assert not {"order_class", "stop_loss", "take_profit", "limit_price"} & body.keys()


def test_a_target_with_a_stop_for_what_is_held_is_a_pair():
    body = held(OrderRole.TAKE_PROFIT, OrderKind.LIMIT, limit_price=Decimal("107.2"))
    assert body == {
        "client_order_id": "cb-1",
        "symbol": "ACME",
        "qty": "100",
        "side": "sell",
        "type": "limit",
        "time_in_force": "gtc",
        "order_class": "oco",
        "take_profit": {"limit_price": "107.2"},
        "stop_loss": {"stop_price": "97.6"},
    }


def test_a_target_alone_is_a_plain_limit():
    given = {"limit_price": Decimal("107.2"), "stop_loss_price": None}
    body = held(OrderRole.TAKE_PROFIT, OrderKind.LIMIT, **given)
    assert (body["type"], body["limit_price"]) == ("limit", "107.2")
    assert not {"order_class", "stop_loss", "take_profit"} & body.keys()


def test_an_order_for_all_hours_says_so():
    given = {"kind": OrderKind.LIMIT, "limit_price": Decimal("99.5"), "extended_hours": True}
    body = order_request(approved_order(stop_loss_price=None, take_profit_price=None, **given))
    assert (body["extended_hours"], body["type"], body["limit_price"]) == (True, "limit", "99.5")
    assert "extended_hours" not in order_request(approved_order())


def test_an_exit_has_no_legs_even_if_prices_are_given():
    body = order_request(approved_order(role=OrderRole.EXIT, side=Side.SELL))
    assert not {"order_class", "stop_loss", "take_profit"} & body.keys()
    assert body["time_in_force"] == "day"


@given(
    quantity=quantities,
    kind=st.sampled_from(OrderKind),
    limit=prices,
    stop=prices,
    target=st.none() | prices,
    lives=st.sampled_from(TimeInForce),
)
def test_numbers_are_text_without_exponent_and_on_the_tick(
    quantity: Decimal,
    kind: OrderKind,
    limit: Decimal,
    stop: Decimal,
    target: Decimal | None,
    lives: TimeInForce,
):
    order = approved_order(
        quantity=quantity,
        kind=kind,
        limit_price=limit,
        stop_loss_price=stop,
        take_profit_price=target,
        time_in_force=lives,
    )
    body = order_request(order)
    legs = [leg for leg in (body.get("take_profit"), body["stop_loss"]) if leg]
    texts = [body["qty"], *(text for leg in legs for text in leg.values())]
    texts += [body[key] for key in ("limit_price", "stop_price") if key in body]
    for text in texts:
        assert isinstance(text, str)
        assert set(text) <= set("0123456789.")
    for text in texts[1:]:
        decimals = -Decimal(text).as_tuple().exponent  # type: ignore[operator]
        assert decimals <= (2 if Decimal(text) >= 1 else 4)
    assert Decimal(body["qty"]) == quantity
    assert ("limit_price" in body) == (kind is OrderKind.LIMIT)


@pytest.mark.parametrize(
    ("price", "text"),
    [("100.00", "100"), ("97.6000", "97.6"), ("0.1234", "0.1234"), ("1E+2", "100")],
)
def test_prices_are_plain(price: str, text: str):
    assert on_tick(Decimal(price)) == text


def test_our_ids_are_recognised_by_their_prefix():
    assert client_order_id("sig-1", "entry").startswith(OUR_PREFIX)


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("pending_new", OrderStatus.WORKING),
        ("accepted", OrderStatus.WORKING),
        ("a status of next year", OrderStatus.WORKING),
        ("held", OrderStatus.HELD),
        ("partially_filled", OrderStatus.PARTIALLY_FILLED),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELLED),
        ("expired", OrderStatus.EXPIRED),
        ("rejected", OrderStatus.REJECTED),
    ],
)
def test_statuses(status: str, ours: OrderStatus):
    assert read_order(told(status=status)).order_status is ours


@pytest.mark.parametrize(
    "broken",
    [
        {"id": None},
        {"side": "both"},
        {"filled_qty": "NaN"},
        {"filled_qty": "many"},
        {"filled_qty": "-1"},
        {"filled_qty": "5", "filled_avg_price": None},
        {"filled_qty": "5", "filled_avg_price": "Infinity"},
        {"submitted_at": "yesterday"},
        {"submitted_at": "2025-10-06T16:00:00"},
        {"legs": [{"id": "leg"}]},
    ],
)
def test_what_cannot_be_right_is_refused(broken: dict[str, Any]):
    with pytest.raises(BadData):
        read_order(told(**broken))
    with pytest.raises(BadData):
        read_orders([told(**broken)])
    assert read_orders([told(**broken, client_order_id="by-hand")]) == []


def test_a_short_position_is_negative_whatever_the_sign_says():
    row = {"symbol": "ACME", "qty": "-5", "side": "short", "avg_entry_price": "10"}
    assert [p.quantity for p in read_positions([row])] == [Decimal(-5)]
    assert [p.quantity for p in read_positions([row | {"qty": "5"}])] == [Decimal(-5)]


def test_a_chain_of_replacements_sums_its_fills():
    known = flat(
        [
            read_order(
                told(
                    id="1",
                    status="replaced",
                    replaced_by="2",
                    filled_qty="40",
                    filled_avg_price="10",
                )
            ),
            read_order(told(id="2", status="replaced", replaced_by="3")),
            read_order(
                told(id="3", stop_price="9", qty="60", filled_qty="10", filled_avg_price="20")
            ),
        ]
    )
    stands = standing(known["1"], known)
    assert (stands.broker_order_id, stands.stop_price) == ("3", Decimal(9))
    assert (stands.filled_quantity, stands.average_price) == (Decimal(50), Decimal(12))


def test_a_refused_replacement_leaves_the_order_where_it_was():
    known = flat(
        [
            read_order(told(id="1", status="new", replaced_by="2")),
            read_order(told(id="2", status="rejected")),
        ]
    )
    assert standing(known["1"], known).broker_order_id == "1"


def test_a_circle_of_replacements_ends():
    known = flat(
        [
            read_order(told(id="1", status="replaced", replaced_by="2")),
            read_order(told(id="2", status="replaced", replaced_by="1")),
        ]
    )
    assert len(chain(known["1"], known)) == 2


@given(
    fills=st.lists(
        st.tuples(st.integers(1, 500), st.integers(100, 20_000)), min_size=1, max_size=8
    ),
    looks=st.sets(st.integers(0, 7)),
)
def test_any_looks_at_the_sums_tell_the_same_executions(
    fills: list[tuple[int, int]], looks: set[int]
):
    """However often we looked: quantities add up, money does but for rounding, ids are unique."""
    line = Line("cb-1", OrderRole.ENTRY, Side.BUY, "ACME")
    filled, spent, heard = 0, Decimal(0), []
    for number, (quantity, cents) in enumerate(fills):
        filled += quantity
        spent += quantity * Decimal(cents) / 100
        if number in looks or number == len(fills) - 1:
            average = (spent / filled).quantize(Decimal("0.000001"))
            report = read_order(told(filled_qty=str(filled), filled_avg_price=str(average)))
            heard += [
                fact.fill for fact in line.fills(report, NOON) if isinstance(fact, f.OrderFilled)
            ]
            heard += [
                fact.fill for fact in line.fills(report, NOON) if isinstance(fact, f.OrderFilled)
            ]
    assert sum(fill.quantity for fill in heard) == filled
    assert all(fill.price > 0 for fill in heard)
    told_usd = sum(fill.quantity * fill.price for fill in heard)
    assert abs(told_usd - spent) <= filled * (2 * AVERAGE_STEP + PRICE_STEP)
    assert len({fill.fill_id for fill in heard}) == len(heard)


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(100, 20_000)), min_size=1, max_size=8))
def test_a_look_after_every_execution_tells_its_price_to_the_cent(fills: list[tuple[int, int]]):
    line = Line("cb-1", OrderRole.ENTRY, Side.BUY, "ACME")
    filled, spent, heard = 0, Decimal(0), []
    for quantity, cents in fills:
        filled += quantity
        spent += quantity * Decimal(cents) / 100
        average = (spent / filled).quantize(Decimal("0.000001"))
        report = read_order(told(filled_qty=str(filled), filled_avg_price=str(average)))
        heard += [fact.fill for fact in line.fills(report, NOON) if isinstance(fact, f.OrderFilled)]
    assert [fill.price for fill in heard] == [Decimal(cents) / 100 for _, cents in fills]


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_plain_digits_keep_their_value(value: Decimal):
    assert Decimal(plain(value)) == value


def test_the_rest_of_a_replaced_order_is_counted_with_what_it_filled_before():
    old = told(id="a-1", status="replaced", replaced_by="a-2", qty="100", filled_qty="40")
    new = told(id="a-2", replaces="a-1", qty="60", filled_qty="10", filled_avg_price="110")
    reports = flat(read_orders([old | {"filled_avg_price": "100"}, new]))
    stands = standing(reports["a-1"], reports)
    assert (stands.quantity, stands.filled_quantity) == (Decimal(100), Decimal(50))
    assert stands.filled_usd == Decimal(5_100)
