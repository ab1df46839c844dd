from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.alerts.notice import Notice
from catalyst_bot.alerts.payload import (
    BY_SERVICE,
    DISCORD,
    OTHERS,
    Limits,
    Payload,
    fitted,
    harmless,
    plain_payload,
    problem,
    rich_payload,
    units,
)
from catalyst_bot.domain.enums import Severity
from tests import builders

LIMITS = [*BY_SERVICE.values(), OTHERS]
texts = st.text(max_size=200) | st.text(alphabet="a*_[\\😀@ ", min_size=3_000, max_size=9_000)
pairs = st.lists(st.tuples(texts, texts), max_size=40)


def notice(title: str = "ACME: offering", text: str = "priced", symbol: str = "ACME") -> Notice:
    return Notice(
        notice_id="note-1",
        at=builders.NOON,
        severity=Severity.CRITICAL,
        title=title,
        text=text,
        symbol=symbol,
    )


@given(title=texts, text=texts, symbol=texts, more=pairs, limits=st.sampled_from(LIMITS))
def test_whatever_is_said_every_payload_is_within_its_limits(
    title: str, text: str, symbol: str, more: list[tuple[str, str]], limits: Limits
):
    said = notice(title, text, symbol)
    plain = plain_payload(said, limits)
    assert problem(plain, limits) == ""
    assert units(plain.title) + units(plain.text) <= limits.plain
    if limits.is_rich:
        rich = rich_payload(said, limits, more)
        assert problem(rich, limits) == ""
        assert rich.size() <= limits.total
        assert units(rich.title) + 1 + units(rich.markdown()) <= limits.total + 1


@given(text=texts, limit=st.integers(1, 300))
def test_what_is_cut_fits_and_begins_as_it_was(text: str, limit: int):
    cut = fitted(text, limit)
    assert units(cut) <= limit
    assert cut == text or text.startswith(cut.removesuffix("…"))


@given(words=st.lists(st.text(alphabet="abc😀", min_size=1, max_size=20), min_size=3, max_size=40))
def test_a_cut_ends_behind_a_word(words: list[str]):
    text = " ".join(words)
    cut = fitted(text, max(units(text) - 1, 22))
    assert cut == text or cut.removesuffix("…").split(" ") == words[: len(cut.split(" "))]


def test_a_word_longer_than_a_line_is_cut_inside():
    assert fitted("x" * 100, 60) == "x" * 59 + "…"


def test_what_is_cut_says_where_the_whole_is():
    said = notice(text="priced " * 2_000)
    for payload in (plain_payload(said, DISCORD), rich_payload(said, DISCORD)):
        assert "priced…\nThe whole: catalyst-bot alerts show note-1" in payload.text
    assert "The whole" not in plain_payload(notice(), DISCORD).text


def test_a_cut_never_leaves_half_an_escape():
    assert fitted("ab\\*cd", 4) == "ab…"


def test_strangers_text_calls_nobody_and_formats_nothing():
    said = harmless("@everyone <!channel> <@123> `x`\x00\x07")
    assert "@everyone" not in said
    assert not set("<>`\x00\x07") & set(said)
    rich = rich_payload(notice(text="[here](http://evil.example) *now*\n# big"), DISCORD)
    assert "[here]" not in rich.text
    assert "\\*now\\*" in rich.text
    assert "\n\\# big" in rich.text


def test_empty_text_is_said_as_a_dash():
    assert rich_payload(notice(text=" \n"), DISCORD).text == "-"


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        (Payload(title="t" * 257, text="x"), "title of 257"),
        (Payload(title="t", text="x", fields=(("n", "v"),) * 26), "number of fields of 26"),
        (Payload(title="t", text="x", fields=(("n", "v" * 1025),)), "field of 1025"),
        (Payload(title="t", text="x", fields=(("n" * 257, "v"),)), "name of a field of 257"),
        (Payload(title="t", text="x" * 6_000, fields=(("n", "v"),)), "whole of"),
        (Payload(title="t", text="x" * 2_001), "whole of"),
        (Payload(title="t", text="x", fields=(("n", " "),)), "an empty part"),
        (Payload(title="", text="x"), "an empty part"),
    ],
)
def test_what_discord_would_refuse_is_found_before_it_is_sent(payload: Payload, what: str):
    assert what in problem(payload, DISCORD)


def test_an_emoji_counts_two():
    assert units("a😀") == 3
