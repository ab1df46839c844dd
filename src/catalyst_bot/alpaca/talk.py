"""How every stream of the data host begins, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.stream import Line, StreamRefused
from catalyst_bot.domain.errors import BadData

_KEYS_REFUSED, _BUSY = 402, 406
_NOT_PAID_FOR = frozenset({409, 411})


async def log_in(line: Line, access: Access, *, what: str) -> None:
    """Say who we are on a stream of the data host. Raises `StreamRefused` and `BadData`."""
    await _expect(line, "connected", what)
    await line.say({"action": "auth", "key": access.key_id, "secret": access.secret})
    await _expect(line, "authenticated", what)


async def _expect(line: Line, word: str, what: str) -> None:
    for row in rows_of(await line.hear()):
        if row.get("T") == "error":
            raise refusal(row, what=what)
        if row.get("msg") == word:
            return
    raise BadData(f"the stream of {what} does not say {word!r}")


def rows_of(message: Any) -> list[Mapping[str, Any]]:
    """Return the parts of a frame. Raises `BadData`."""
    if not isinstance(message, list):
        raise BadData(f"a frame that is no list: {str(message)[:40]!r}")
    return [row for row in message if isinstance(row, Mapping)]


def refusal(row: Mapping[str, Any], *, what: str) -> StreamRefused:
    """Return what an error on a stream of the data host means."""
    code, text = row.get("code"), str(row.get("msg") or "")[:100]
    if code == _KEYS_REFUSED:
        return StreamRefused(f"the keys are refused ({text})", is_final=True)
    if code in _NOT_PAID_FOR:
        return StreamRefused(
            f"{what} are not in the subscription ({text}): they are asked by REST", is_final=True
        )
    return StreamRefused(f"{what}: {code} {text}", is_busy=code == _BUSY)
