"""Lines of a plain or zstd-compressed file and the JSON on them, with a clear word about what is
wrong with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backports import zstd

from catalyst_bot.domain.errors import BadData

_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    type(None): "nothing",
}
_CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 4 << 20


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line that is not blank.

    Raises `BadData` naming the file and the line reached: unreadable, not zstd, or an archive
    that ends in the middle of a frame.
    """
    number, rest = 0, b""
    try:
        for chunk in _chunks(path):
            *complete, rest = (rest + chunk).split(b"\n")
            for line in complete:
                number += 1
                if line.strip():
                    yield number, line
            if len(rest) > MAX_LINE_BYTES:
                raise BadData(f"{path}:{number + 1}: a line of more than {MAX_LINE_BYTES} bytes")
    except OSError as error:
        raise BadData(f"{path}:{number + 1}: cannot be read: {error.strerror or error}") from error
    except (zstd.ZstdError, EOFError) as error:
        raise BadData(
            f"{path}:{number + 1}: not readable as zstd ({error}); compress or fetch it again"
        ) from error
    if rest.strip():
        yield number + 1, rest


def json_of(content: bytes) -> Any:
    """Return the JSON of bytes in UTF-8; NaN and Infinity are none and read as null.

    Raises `ValueError` that says in plain words what is wrong and where.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:]
        raise ValueError(
            f"is not JSON at line {error.lineno}, column {error.colno}: {what}"
        ) from error
    except RecursionError as error:
        raise ValueError("is not JSON: it is nested too deeply") from error
    except ValueError as error:  # Python's guard against very long numbers
        raise ValueError("is not JSON: a number has thousands of digits") from error


def kind_of(value: Any) -> str:
    """Return what a JSON value is, with its article: a text, a list, a number."""
    return _KINDS.get(type(value), "something else")


def _chunks(path: Path) -> Iterator[bytes]:
    """Pieces of the content; a cut-off archive raises `EOFError` after its last whole piece."""
    with zstd.open(path, "rb") if path.suffix == ".zst" else path.open("rb") as file:
        yield from iter(lambda: file.read1(_CHUNK_BYTES), b"")
