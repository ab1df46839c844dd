"""JSON answers of services: decoded, unwrapped, and the vendor's own word told without its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.entries import Draft, read_page, refuse_flood
from catalyst_bot.feeds.lines import json_of, kind_of
from catalyst_bot.feeds.page import Page, refuse_html

Item: TypeAlias = Mapping[str, Any]
_MARKS = (b"{", b"[", b",")
_SAID_CHARACTERS = 4_000
_SAYINGS = (  # the first that fits; a word about a limit also speaks of keys and plans
    ("a limit of requests is reached", ("limit", "too many", "frequency", "quota")),
    ("the key is not accepted", ("api key", "apikey", "token", "auth", "forbidden", "credential")),
    ("the plan does not hold this", ("premium", "subscri", "plan", "upgrade", "legacy")),
)


def read_answer(
    content: bytes,
    draft_of: Callable[[Item], Draft],
    *,
    under: tuple[str, ...],
    source: str,
    received_at: datetime,
) -> Page:
    """Read the list of items that lies in an answer `under` these keys.

    Raises `BadData` when the answer is no JSON or holds no such list.
    """
    answer = _decoded(content, source)
    found = answer
    for key in under:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise BadData(f"{source}: answered without news: {_what_it_says(content)}")
    return read_page(
        found, lambda item: draft_of(_object(item)), source=source, received_at=received_at
    )


def text(item: Item, *keys: str) -> str:
    """Return the first of the fields that is not empty. Raises `ValueError` for one of no text."""
    for key in keys:
        value = item.get(key)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise ValueError(f"has a {key} that is {kind_of(value)}, no text")
        return value
    return ""


def number(item: Item, key: str) -> str:
    """Return a whole number as text, or nothing where the field holds none."""
    value = item.get(key)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def objects(item: Item, key: str) -> Iterator[Item]:
    """Yield the objects of a list; whatever else stands there names nothing."""
    value = item.get(key)
    return (
        (part for part in value if isinstance(part, dict)) if isinstance(value, list) else iter(())
    )


def _decoded(content: bytes, source: str) -> Any:
    refuse_html(content, source)
    refuse_flood(content, source, _MARKS)
    try:
        return json_of(content)
    except ValueError as error:
        raise BadData(f"{source}: {error}") from error


def _object(item: Any) -> Item:
    if not isinstance(item, dict):
        raise ValueError("is no JSON object")
    return item


def _what_it_says(content: bytes) -> str:
    """Say what a vendor means. Its words are not repeated: some quote the key that asked."""
    said = content[:_SAID_CHARACTERS].decode("utf-8", "replace").lower()
    for meaning, words in _SAYINGS:
        if any(word in said for word in words):
            return meaning
    return "no list of items where one belongs"
