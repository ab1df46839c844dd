"""What leaves for the browser is always JSON that a browser reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.monitoring.dashboard.encoding import moment, plain, to_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
    | st.sampled_from(TradingState),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


@given(values)
def test_any_row_becomes_strict_json_with_the_same_meaning(value: object) -> None:
    assert json.loads(to_json(value), parse_constant=refuse) == plain(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_money_keeps_every_digit(amount: Decimal) -> None:
    assert Decimal(plain(amount)) == amount


@given(st.datetimes(timezones=st.timezones()))
def test_times_are_written_in_utc_and_read_back(at: datetime) -> None:
    text = plain(at)
    assert text.endswith("Z")
    assert moment(text) == at.astimezone(UTC) == moment(at).astimezone(UTC)


def test_days_are_written_as_days() -> None:
    assert plain(date(2025, 10, 6)) == "2025-10-06"


def test_what_has_no_text_is_an_error() -> None:
    with pytest.raises(TypeError, match="object"):
        plain(object())
