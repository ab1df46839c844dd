from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain import ids

PARTS = st.lists(
    st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=8),
    min_size=1,
    max_size=4,
)
SHAPE = re.compile(r"[a-z]+-[0-9a-f]{20}")


@given(PARTS)
def test_the_same_parts_give_the_same_id_of_the_promised_shape(parts: list[str]):
    assert ids.content_id("cat", *parts) == ids.content_id("cat", *parts)
    assert SHAPE.fullmatch(ids.content_id("cat", *parts))


@given(PARTS, PARTS)
def test_different_parts_give_different_ids(ours: list[str], theirs: list[str]):
    if ours != theirs:
        assert ids.content_id("x", *ours) != ids.content_id("x", *theirs)


def test_the_border_between_parts_counts():
    assert ids.content_id("x", "ab", "c") != ids.content_id("x", "a", "bc")
    assert ids.content_id("x", "ab", "") != ids.content_id("x", "ab")


def test_every_sort_of_id_is_its_own_even_for_the_same_source():
    made = [
        ids.item_id("s", "k"),
        ids.catalyst_id("s", "k"),
        ids.signal_id("s"),
        ids.intent_id("s"),
        ids.client_order_id("s", "entry"),
        ids.client_order_id("s", "exit"),
        ids.trade_id("s"),
        ids.fill_id("s", "1"),
        ids.fill_id("s", "2"),
    ]
    assert len(set(made)) == len(made)


def test_ids_never_change_between_versions():
    """Journals hold them: another hash would make the same headline a new one."""
    assert ids.content_id("cat", "a", "b") == "cat-" + ids.content_id("x", "a", "b")[2:]
    assert ids.signal_id("cat-1") == "sig-01d92a2a7670bfdd884d"
