from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.messages.registry import MESSAGES, Recorded
from catalyst_bot.storage import codec
from catalyst_bot.storage.batch_codec import BatchEncoder
from catalyst_bot.storage.rows import START_OF_CHAIN, to_record, to_row
from tests.property.message_strategies import messages, values


@pytest.mark.parametrize("name", MESSAGES)
@given(data=st.data())
def test_every_message_is_read_back_exactly(name: str, data: st.DataObject):
    message = data.draw(values(MESSAGES[name]))
    body = codec.encode(message)
    again = codec.decode(name, body)
    assert again == message
    assert codec.encode(again) == body
    assert BatchEncoder().encode(message) == body
    assert repr(again) == repr(message)  # equal is not enough: 1 == 1.0 == Decimal("1.00")


@given(
    message=messages(),
    seq=st.integers(1, 2**60),
    at=st.datetimes(timezones=st.just(UTC)),
    cause_seq=st.none() | st.integers(1, 2**60),
    trail_id=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)
def test_every_record_survives_its_row(
    message: Any, seq: int, at: datetime, cause_seq: int | None, trail_id: str
):
    record = Recorded(seq=seq, at=at, cause_seq=cause_seq, trail_id=trail_id, body=message)
    assert to_record(to_row(record, previous_chain=START_OF_CHAIN)) == record


@given(value=st.decimals(allow_nan=False, allow_infinity=False))
def test_money_text_is_exact_and_plain(value: Decimal):
    text = codec.wire_decimal(value)
    assert Decimal(text) == value
    assert "E" not in text
