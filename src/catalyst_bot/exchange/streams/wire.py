"""What travels over the WebSockets: JSON as text, JSON in binary frames, MessagePack.

Messages are made of plain values; times are aware datetimes. In JSON they become RFC 3339, in
MessagePack the timestamp extension (type -1), which clients unpack as a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

MSGPACK_MEDIA_TYPE: Final = "application/msgpack"
MAX_FRAME_BYTES: Final = 256 * 1024  # SDKs refuse frames above 1 MiB
_JSON_STARTS: Final = frozenset(b'{[" \t\r\n')
_ARRAY_16, _ARRAY_32 = b"\xdc", b"\xdd"


class BadFrame(Exception):
    """A frame that is neither JSON nor MessagePack."""


class Encoding(StrEnum):
    """How one socket is spoken to."""

    JSON_TEXT = "json in text frames"
    JSON_BINARY = "json in binary frames"
    MSGPACK = "msgpack"


def encode(message: Any, encoding: Encoding) -> bytes:
    """Return a message as the bytes of one frame."""
    if encoding is Encoding.MSGPACK:
        return msgspec.msgpack.encode(message)
    return msgspec.json.encode(message)


def decode(frame: str | bytes) -> Any:
    """Return what a client sent: text is JSON, binary is MessagePack or JSON.

    A MessagePack map or array never begins with a byte that JSON can begin with.

    Raises:
        BadFrame: it is neither.
    """
    try:
        if isinstance(frame, str) or (frame and frame[0] in _JSON_STARTS):
            return msgspec.json.decode(frame)
        return msgspec.msgpack.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError, TypeError) as error:
        raise BadFrame(str(error)) from error


def arrays(items: Iterable[bytes], encoding: Encoding) -> list[bytes]:
    """Join encoded messages to arrays, each short enough for one frame."""
    frames: list[bytes] = []
    batch: list[bytes] = []
    size = 0
    for item in items:
        if batch and size + len(item) > MAX_FRAME_BYTES:
            frames.append(_array(batch, encoding))
            batch, size = [], 0
        batch.append(item)
        size += len(item)
    if batch:
        frames.append(_array(batch, encoding))
    return frames


def is_object(value: Any) -> bool:
    """Whether a decoded frame is a JSON object with text for keys."""
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _array(items: Sequence[bytes], encoding: Encoding) -> bytes:
    if encoding is not Encoding.MSGPACK:
        return b"[" + b",".join(items) + b"]"
    count = len(items)
    if count < 16:
        head = bytes((0x90 | count,))
    elif count < 65_536:
        head = _ARRAY_16 + count.to_bytes(2, "big")
    else:
        head = _ARRAY_32 + count.to_bytes(4, "big")
    return head + b"".join(items)
