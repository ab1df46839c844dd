from __future__ import annotations

import pytest

from tests.exchange.openapi import DATA, document, validate


def test_the_documents_own_examples_are_valid() -> None:
    spec = document()
    order = spec["components"]["examples"]["EquityOrderResponse"]["value"]
    bracket = spec["components"]["examples"]["BracketOrderResponse"]["value"]
    fill = spec["components"]["schemas"]["TradingActivities"]["examples"][0]
    validate("POST", "/v2/orders", 200, order)
    validate("GET", "/v2/orders", 200, [order, bracket])
    validate("GET", "/v2/account/activities/{activity_type}", 200, [fill])
    assert document(DATA)["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": "somewhere"}, "status"),
        ({"qty": 2}, "qty"),
        ({"id": "order-1"}, "id"),
        ({"legs": {}}, "legs"),
        ({"created_at": "2025-01-01 10:00"}, "created_at"),
    ],
)
def test_a_wrong_body_is_named(change: dict[str, object], says: str) -> None:
    order = document()["components"]["examples"]["EquityOrderResponse"]["value"]
    with pytest.raises(AssertionError, match=says):
        validate("POST", "/v2/orders", 200, order | change)


def test_a_wrong_fill_is_named() -> None:
    fill = document()["components"]["schemas"]["TradingActivities"]["examples"][0]
    with pytest.raises(AssertionError, match="valid under any of"):
        validate("GET", "/v2/account/activities/{activity_type}", 200, [fill | {"qty": 1}])


def test_an_empty_answer_has_no_body() -> None:
    validate("DELETE", "/v2/orders/{order_id}", 204, b"")
    with pytest.raises(AssertionError):
        validate("DELETE", "/v2/orders/{order_id}", 204, {})
