"""Messages of one batch to bytes: what several of them hold is written once.

A signal is most of the intent that follows from it, an approved order nearly all of the command
that sends it, and to write and read back either takes a tenth of a millisecond of the order's time.
So do the tables of a market view, which are not read back at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import msgspec

from catalyst_bot.domain.market import MarketView
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import IntentFormed, OrderApproved, SignalFormed
from catalyst_bot.domain.messages.facts import MarketViewReceived
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder, Signal, TradeIntent
from catalyst_bot.storage.codec import Unclear, canonical, encode, is_plain, verbatim

_PARTS = frozenset({Signal, ApprovedOrder})
_KINDS = (
    *(MarketViewReceived, MarketView),
    *(SignalFormed, IntentFormed, TradeIntent),
    *(OrderApproved, SubmitOrder),
)
_HOLDERS: Mapping[type, tuple[tuple[bytes, str, Any], ...]] = {
    kind: tuple(
        (b'%b"%b":' % (b"," if place else b"{", name.encode()), name, part)
        for place, (name, part) in enumerate(get_type_hints(kind).items())
    )
    for kind in _KINDS
}
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {
    part: msgspec.json.Decoder(part) for fields in _HOLDERS.values() for _, _, part in fields
}
_PLAIN = frozenset({kind for kind in _DECODERS if is_plain(kind)})  # tables of bars
_NOT_WRITTEN = (Unclear, msgspec.MsgspecError, AttributeError, TypeError, UnicodeEncodeError)


class BatchEncoder:
    """Writes the messages of one batch; made anew for each, for it keeps the parts alive."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[object, bytes]] = {}

    def encode(self, message: Message) -> bytes:
        """Return the bytes that `codec.encode` returns; raises what it raises."""
        if type(message) not in _HOLDERS:
            return encode(message)
        try:
            return b"".join(self._pieces(message, type(message)))
        except _NOT_WRITTEN:
            return encode(message)  # which looks closer, and names the place

    def _pieces(self, record: object, kind: type) -> Iterator[bytes]:
        for head, name, part in _HOLDERS[kind]:
            yield head
            value = getattr(record, name)
            if part in _HOLDERS:
                yield from self._pieces(value, part)
            elif part in _PLAIN:
                yield verbatim(value, part)
            else:
                yield self._part(value, part)
        yield b"}"

    def _part(self, value: object, kind: Any) -> bytes:
        if kind not in _PARTS:
            return canonical(value, _DECODERS[kind])
        if id(value) not in self._written:
            self._written[id(value)] = value, canonical(value, _DECODERS[kind])
        return self._written[id(value)][1]
