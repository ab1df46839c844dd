from __future__ import annotations

from dataclasses import make_dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import Mode, Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.storage import codec, fingerprints
from tests import builders as b


def bar_closed(**given: float) -> f.BarClosed:
    return f.BarClosed(at=b.NOON, bar=b.bar(**given))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_not_finite_is_refused(bad: float):
    with pytest.raises(BadData, match=r"BarClosed.*bar\.close"):
        codec.encode(bar_closed(close=bad))


@pytest.mark.parametrize("bad", ["NaN", "sNaN", "-NaN123", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_finite_is_refused(bad: str):
    with pytest.raises(BadData, match=r"fill\.price is"):
        codec.encode(f.OrderFilled(at=b.NOON, fill=b.fill(price=Decimal(bad), fill_id="f")))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_may_be_left_out_is_not_left_out_for_being_none(bad: float):
    """NaN is written as null, and null would be read as no edge at all."""
    with pytest.raises(BadData, match=r"catalyst\.edge_bps is"):
        codec.encode(d.CatalystDetected(catalyst=b.catalyst(edge_bps=bad)))


def test_only_messages_with_a_place_for_money_are_searched_for_words(
    monkeypatch: pytest.MonkeyPatch,
):
    searched: list[str] = []
    monkeypatch.setattr(codec, "first_not_finite", lambda _, name: searched.append(name))
    codec.encode(f.BarClosed(at=b.NOON, bar=b.bar("NaN")))
    assert searched == []
    wish = f.OperatorTradeRequested(
        at=b.NOON, request_id="op", by="NaN", side=Side.BUY, symbol="ACME", usd=Decimal(9)
    )
    codec.encode(wish)
    assert searched == ["OperatorTradeRequested"]


def test_words_that_look_like_numbers_are_no_numbers():
    message = f.HeadlineReceived(at=b.NOON, headline=b.headline(title="NaN", body="Infinity"))
    assert codec.decode("HeadlineReceived", codec.encode(message)) == message


def test_a_value_of_the_wrong_type_is_refused():
    with pytest.raises(BadData, match="BarClosed"):
        codec.encode(bar_closed(close="much"))  # type: ignore[arg-type]


def test_text_that_is_no_unicode_is_refused():
    headline = b.headline(body="half \ud83d")
    with pytest.raises(BadData, match="HeadlineReceived"):
        codec.encode(f.HeadlineReceived(at=b.NOON, headline=headline))


def test_an_int_given_for_a_float_is_written_as_the_float_it_is_read_as():
    assert codec.encode(bar_closed(volume=100)) == codec.encode(bar_closed(volume=100.0))


def test_times_are_written_in_utc_with_z():
    assert b'"at":"2025-10-06T16:00:00Z"' in codec.encode(bar_closed())
    assert codec.wire_time(b.NOON + timedelta(microseconds=5)) == "2025-10-06T16:00:00.000005Z"


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=-4))])
def test_a_time_that_is_not_utc_is_refused(zone: timezone | None):
    with pytest.raises(BadData, match="not UTC"):
        codec.wire_time(datetime(2025, 10, 6, 12, tzinfo=zone))


def test_an_unknown_name_or_version_is_refused():
    with pytest.raises(BadData, match="Nonsense"):
        codec.decode("Nonsense", b"{}")
    with pytest.raises(BadData, match="version 999"):
        codec.decode("BarClosed", codec.encode(bar_closed()), version=999)


def test_no_message_changed_its_shape_silently():
    assert fingerprints.current() == fingerprints.committed(), (
        "A message changed its shape, so journals written before can no longer be read as they "
        "are. Either take the change back; or raise SCHEMA_VERSION in storage/codec.py, teach "
        "`decode` to lift the old bodies if old journals must stay readable, and run "
        "`python -m catalyst_bot.storage.fingerprints`."
    )


def test_a_fingerprint_sees_fields_types_and_words():
    shapes = [
        make_dataclass("M", [("a", int)]),
        make_dataclass("M", [("b", int)]),
        make_dataclass("M", [("a", float)]),
        make_dataclass("M", [("a", int | None)]),
        make_dataclass("M", [("a", Side)]),
        make_dataclass("M", [("a", Mode)]),
        make_dataclass("M", [("a", tuple[int, ...])]),
        make_dataclass("M", [("a", make_dataclass("N", [("x", int)]))]),
    ]
    assert len({fingerprints.fingerprint(shape) for shape in shapes}) == len(shapes)
