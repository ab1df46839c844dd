"""A batch is written as its messages would be, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import BarSeries, MarketView, Quote
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.storage import batch_codec, codec
from catalyst_bot.storage.batch_codec import BatchEncoder
from tests import builders as b

PRICES = b"\x9e\xe9\x65" * 56  # 112 letters, all of them "null"
QUOTE = Quote(symbol="ACME", at=b.NOON, bid=10.0, ask=10.1)
VIEW = MarketView(
    symbol="ACME",
    as_of=b.NOON,
    bar_interval_s=300,
    bars=BarSeries(symbol="ACME", table=PRICES),
    benchmark_bars=BarSeries(symbol="SPY", table=b""),
    quote=QUOTE,
)
SIGNAL = b.signal()
ORDER = b.approved_order()


def seen(**fields: object) -> f.MarketViewReceived:
    view = replace(VIEW, **fields)  # type: ignore[arg-type]
    return f.MarketViewReceived(at=b.NOON, request_id="view:1", catalyst_id="1", view=view)


BATCH: tuple[Message, ...] = (
    seen(),
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


def test_tables_are_not_read_back(monkeypatch: pytest.MonkeyPatch):
    proved: list[object] = []
    canonical = batch_codec.canonical

    def watched(value: object, decoder: object) -> bytes:
        proved.append(value)
        return canonical(value, decoder)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_codec, "canonical", watched)
    BatchEncoder().encode(seen())
    assert QUOTE in proved
    assert VIEW.bars not in proved


@pytest.mark.parametrize(
    "fields",
    [
        {"bars": BarSeries(symbol="ACME", table=bytearray(PRICES))},  # type: ignore[arg-type]
        {"bars": BarSeries(symbol="ACME", table="AAAA")},  # type: ignore[arg-type]
        {"quote": replace(QUOTE, bid=10)},
    ],
)
def test_a_view_of_other_types_is_written_as_it_is_read(fields: dict[str, object]):
    body = BatchEncoder().encode(seen(**fields))
    assert body == codec.encode(seen(**fields))
    assert codec.encode(codec.decode("MarketViewReceived", body)) == body


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
        (seen(quote=replace(QUOTE, ask=NAN)), "MarketViewReceived"),
        (seen(bars=BarSeries(symbol="\ud83d", table=b"")), "MarketViewReceived"),
        (seen(bars=BarSeries(symbol=1, table=b"")), "MarketViewReceived"),  # type: ignore[arg-type]
        (seen(bars=BarSeries(symbol="A", table="no table")), "View"),  # type: ignore[arg-type]
        (seen(bars=QUOTE), "MarketViewReceived"),
    ],
)
def test_what_could_not_be_read_back_is_refused(message: Message, place: str):
    with pytest.raises(BadData, match=place):
        BatchEncoder().encode(message)
