from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.books.due import Chore, DueList
from catalyst_bot.exchange.books.rates import RateLimit
from catalyst_bot.exchange.knobs import ClientIdScope, Knobs, Profile, knobs_from
from catalyst_bot.exchange.wire.errors import ApiError, refusal_error
from catalyst_bot.exchange.wire.replies import decimal_text, parse_object, read_moment, rfc3339
from catalyst_bot.simulation.refusals import Refusal, RefusalKind

NOON = datetime(2025, 10, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("150.00", "150"),
        ("1E+3", "1000"),
        ("0.000000001", "0.000000001"),
        ("-0.00", "0"),
        ("-1.50", "-1.5"),
        ("0", "0"),
    ],
)
def test_numbers_are_written_plainly(given: str, text: str) -> None:
    assert decimal_text(Decimal(given)) == text


def test_times_are_written_as_go_writes_them() -> None:
    assert rfc3339(NOON) == "2025-10-22T12:00:00Z"
    assert rfc3339(NOON + timedelta(milliseconds=120)) == "2025-10-22T12:00:00.12Z"
    assert rfc3339(NOON + timedelta(microseconds=1)) == "2025-10-22T12:00:00.000001Z"


@pytest.mark.parametrize(
    "given",
    [
        "2025-10-22T12:00:00Z",
        "2025-10-22T08:00:00-04:00",
        "2025-10-22T12:00:00.000000000Z",
        "2025-10-22T14:00:00 02:00",
        "1761134400",
    ],
)
def test_times_are_read_in_every_form(given: str) -> None:
    assert read_moment(given, "after") == NOON


@pytest.mark.parametrize("given", ["", "noon", "9" * 30, "0001-01-01T00:00:00+23:00", "2025-13-01"])
def test_times_that_are_none(given: str) -> None:
    with pytest.raises(ApiError, match="after is invalid format"):
        read_moment(given, "after")


def test_bodies_keep_the_digits_of_their_numbers() -> None:
    assert parse_object(b'{"a": 1.10, "b": 12345678901234567890123}') == {
        "a": Decimal("1.10"),
        "b": 12345678901234567890123,
    }


def test_every_refusal_has_its_status_and_code() -> None:
    answers = {
        kind: refusal_error(Refusal(kind=kind, message="no", context={"z": "1", "a": "2"}))
        for kind in RefusalKind
    }
    assert {(error.status, error.code) for error in answers.values()} == {
        (403, 40310000),
        (422, 42210000),
        (422, 40010001),
        (404, 40410000),
    }
    for error in answers.values():
        assert list(error.body()) == ["a", "code", "message", "z"]
    shares = Refusal(
        kind=RefusalKind.QUANTITY_AVAILABLE, message="no", related_orders=("one", "two")
    )
    assert refusal_error(shares).body()["related_orders"] == ["one", "two"]


def test_requests_are_counted_by_the_minute() -> None:
    rate = RateLimit(2)
    first, second, third = (rate.take(at) for at in (119.0, 120.0, 121.0))
    assert (first.remaining, first.reset_s) == (1, 120)
    assert (second.remaining, second.reset_s, third.remaining) == (1, 180, 0)
    refused = rate.take(179.9)
    assert not refused.is_allowed
    assert refused.headers() == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "180",
    }
    assert rate.take(180.0).is_allowed


def test_no_limit_has_no_headers() -> None:
    rate = RateLimit(0)
    assert all(rate.take(1.0).is_allowed for _ in range(1000))
    assert rate.take(1.0).headers() == {}


def test_chores_come_in_the_order_of_their_times() -> None:
    due = DueList()
    due.add(NOON, Chore.ACKNOWLEDGE, "a", "second")
    due.add(NOON - timedelta(seconds=1), Chore.CONFIRM_CANCEL, "a", "first")
    due.add(NOON, Chore.ACKNOWLEDGE, "a", "third")
    due.add(NOON + timedelta(seconds=1), Chore.ACKNOWLEDGE, "a", "later")
    assert [each.order_id for each in due.take(NOON)] == ["first", "second", "third"]
    assert due.next_at() == NOON + timedelta(seconds=1)


def test_knobs_are_read_from_a_table() -> None:
    knobs = knobs_from(
        {
            "seed": 7,
            "profile": "ours",
            "partial_probability": 0.25,
            "client_id_scope": "active_only",
            "emits_sibling_cancel": False,
            "starting_cash_usd": "2500.50",
            "ack_delay_s": 1,
        }
    )
    assert knobs == Knobs(
        seed=7,
        profile=Profile.OURS,
        partial_probability=Decimal("0.25"),
        client_id_scope=ClientIdScope.ACTIVE_ONLY,
        emits_sibling_cancel=False,
        starting_cash_usd=Decimal("2500.50"),
        ack_delay_s=1.0,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 1),
        ("profile", "theirs"),
        ("seed", 1.5),
        ("seed", -1),
        ("seed", True),
        ("ack_delay_s", "soon"),
        ("ack_delay_s", "NaN"),
        ("partial_probability", 2),
        ("emits_sibling_cancel", 1),
    ],
)
def test_wrong_knobs_are_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        knobs_from({name: value})
