"""A batch is written as its messages would be, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.storage import batch_codec, codec
from catalyst_bot.storage.batch_codec import BatchEncoder
from tests import builders as b

SIGNAL = b.signal()
ORDER = b.approved_order()
BATCH: tuple[Message, ...] = (
    d.SignalFormed(signal=SIGNAL),
    d.IntentFormed(intent=b.intent(signal=SIGNAL)),
    d.OrderApproved(order=ORDER),
    c.SubmitOrder(order=ORDER, valid_until=b.NOON + timedelta(seconds=30)),
)


def test_it_is_written_as_one_by_one():
    write = BatchEncoder().encode
    assert [write(message) for message in BATCH] == [codec.encode(message) for message in BATCH]


def test_a_part_is_written_once(monkeypatch: pytest.MonkeyPatch):
    written: list[object] = []
    canonical = batch_codec.canonical

    def watched(value: object, decoder: object) -> bytes:
        written.append(value)
        return canonical(value, decoder)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_codec, "canonical", watched)
    write = BatchEncoder().encode
    for message in BATCH:
        write(message)
    assert [sum(value is part for value in written) for part in (SIGNAL, ORDER)] == [1, 1]


def test_another_part_is_not_taken_for_it():
    write = BatchEncoder().encode
    for price in (10.0, 11.0):
        message = d.SignalFormed(signal=replace(SIGNAL, price=price))
        assert write(message) == codec.encode(message)


def test_an_int_given_for_a_float_is_written_as_the_float_it_is_read_as():
    message = d.IntentFormed(intent=b.intent(signal=replace(SIGNAL, price=10), action=1))
    assert BatchEncoder().encode(message) == codec.encode(message)


def test_words_that_look_like_numbers_are_no_numbers():
    message = d.SignalFormed(signal=replace(SIGNAL, strategy_id="Infinity"))
    assert BatchEncoder().encode(message) == codec.encode(message)


NAN = float("nan")
CATALYST = replace(SIGNAL.catalyst, edge_bps=NAN)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (d.SignalFormed(signal=replace(SIGNAL, price=NAN)), "SignalFormed"),
        (d.SignalFormed(signal=replace(SIGNAL, catalyst=CATALYST)), "edge_bps is nan"),
        (d.IntentFormed(intent=b.intent(action=NAN)), "IntentFormed"),
        (d.OrderApproved(order=replace(ORDER, quantity=Decimal("NaN"))), "quantity is NaN"),
        (d.OrderApproved(order=replace(ORDER, limit_price=Decimal("sNaN"))), "limit_price is sNaN"),
        (c.SubmitOrder(order=ORDER, valid_until="soon"), "SubmitOrder"),  # type: ignore[arg-type]
        (d.IntentFormed(intent=None), "IntentFormed"),  # type: ignore[arg-type]
        (d.SignalFormed(signal=replace(SIGNAL, strategy_id="\ud83d")), "SignalFormed"),
    ],
)
def test_what_could_not_be_read_back_is_refused(message: Message, place: str):
    with pytest.raises(BadData, match=place):
        BatchEncoder().encode(message)
