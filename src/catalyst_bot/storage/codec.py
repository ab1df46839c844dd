"""Messages to canonical bytes and back.

The journal is the truth, so what cannot be read back exactly is never written: `encode` reads its
own output before it returns it. JSON keeps a journal readable with any tool, for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, cast, get_args, get_type_hints

import msgspec

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.finite import first_not_finite
from catalyst_bot.domain.messages.registry import MESSAGES, Message

SCHEMA_VERSION = 2  # of all message types together; see fingerprints.py
_NOT_FINITE = (b"NaN", b"Infinity")  # of a Decimal, or a word in a text
_NULL = b"null"  # of NaN and infinity too, and where a float may be left out that is read as None

_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in MESSAGES.items()
}


def _holds(kind: Any, is_sought: Callable[[Any], bool]) -> bool:
    """Tell whether a value of a type may hold, at any depth, one of a type that is sought."""
    return is_sought(kind) or any(_holds(part, is_sought) for part in _parts_of(kind))


@cache
def _parts_of(kind: Any) -> tuple[Any, ...]:
    """Types of the fields of a record, or what a list or a union is of."""
    is_record = is_dataclass(kind) and isinstance(kind, type)
    return tuple(get_type_hints(kind).values()) if is_record else get_args(kind)


def _names_of(is_sought: Callable[[Any], bool]) -> frozenset[str]:
    return frozenset(name for name, kind in MESSAGES.items() if _holds(kind, is_sought))


_HOLD_OPTIONAL_FLOATS = _names_of(lambda kind: {float, type(None)} <= set(get_args(kind)))
# Views of the market have no place for a `Decimal`, and to search their long tables for words takes
# longer than to write them.
_HOLD_DECIMALS = _names_of(lambda kind: kind is Decimal)


def encode(message: Message) -> bytes:
    """Return the canonical JSON of a message: equal messages of a type give equal bytes.

    Writing, reading and writing again turns an int given for a float into that float, so that a
    message that came from a journal is written as it was the first time. Raises `BadData` for
    NaN, infinity and values of the wrong type.
    """
    name = type(message).__name__
    try:
        again = _DECODERS[name].decode(_ENCODER.encode(message))
        body = _ENCODER.encode(again)
    except (msgspec.MsgspecError, TypeError, UnicodeEncodeError) as error:
        raise BadData(
            f"{name} cannot be journalled: {error} (NaN and infinity read as null)"
        ) from error
    # NaN came back as None: a comparison tells so in a tenth of the time of a search for numbers.
    is_suspect = (name in _HOLD_DECIMALS and any(word in body for word in _NOT_FINITE)) or (
        name in _HOLD_OPTIONAL_FLOATS and _NULL in body and again != message
    )
    if is_suspect and (place := first_not_finite(message, name)):
        raise BadData(f"{name} cannot be journalled: {place}")
    return body


class Unclear(Exception):
    """Bytes that may hide a number that is none: the whole message has to be searched."""


def canonical(value: object, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """Return the canonical JSON of a part of a message, as `encode` writes it.

    Raises `Unclear`, or an error of msgspec, where `encode` has to say what is wrong, if anything.
    """
    again = decoder.decode(_ENCODER.encode(value))
    body = _ENCODER.encode(again)
    if any(word in body for word in _NOT_FINITE) or (_NULL in body and again != value):
        raise Unclear
    return body


def is_plain(kind: Any) -> bool:
    """True for a record of nothing but texts and bytes."""
    parts = _parts_of(kind)
    return is_dataclass(kind) and {str, bytes}.issuperset(parts)


def verbatim(value: object, kind: type) -> bytes:
    """Return the canonical JSON of a plain record: what can be written of it is read back alike.

    Raises `Unclear` when the value, or something in it, is of another type.
    """
    parts, fields_of = _parts_of(kind), _fields_of(kind)
    if type(value) is not kind or tuple(map(type, fields_of(value))) != parts:
        raise Unclear
    return _ENCODER.encode(value)


@cache
def _fields_of(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*get_type_hints(kind))


def decode(name: str, body: bytes, *, version: int = SCHEMA_VERSION) -> Message:
    """Return the message of the wire name `name`. Raises `BadData` for what it cannot read."""
    if version != SCHEMA_VERSION:
        raise BadData(f"{name} has schema version {version}; this program reads {SCHEMA_VERSION}")
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise BadData(f"{name} is no message of this program")
    try:
        return cast("Message", decoder.decode(body))
    except msgspec.MsgspecError as error:
        raise BadData(f"{name} cannot be read: {error}") from error


def wire_time(at: datetime) -> str:
    """Return RFC 3339 in UTC with Z. Raises `BadData` for a naive or non-UTC time."""
    if at.tzinfo is UTC:
        return _utc_text(at)
    if at.utcoffset() != timedelta(0):
        raise BadData(f"{at.isoformat()} is not UTC")
    return _utc_text(at.astimezone(UTC))


@lru_cache(maxsize=8)  # all rows of a batch have the time of its fact
def _utc_text(at: datetime) -> str:
    return f"{at.isoformat().removesuffix('+00:00')}Z"


def wire_decimal(value: Decimal) -> str:
    """Return plain digits, never an exponent."""
    return f"{value:f}"


def wire_json(value: object) -> str:
    """Return JSON of a domain value, for a text column."""
    return _ENCODER.encode(value).decode()
