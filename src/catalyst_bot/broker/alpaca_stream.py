"""What Alpaca says on the stream of the account: one message for each step of an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.stream import Line, StreamRefused
from catalyst_bot.broker.alpaca_mapping import Report, read_order
from catalyst_bot.domain.errors import BadData

TRADE_UPDATES = "trade_updates"
_CHANGES = frozenset(
    {"fill", "partial_fill", "canceled", "expired", "replaced", "rejected", "restated", "held"}
)


@dataclass(frozen=True, slots=True)
class Update:
    """One step of one order, with the order as it stands after it; None when that is unreadable."""

    event: str
    order: Report | None

    @property
    def is_change(self) -> bool:
        """Shares moved or the order ended: others may have changed with it."""
        return self.event in _CHANGES


class TradeUpdates:
    """`Talk` of the trading stream. Events and statuses that are not known are no fault."""

    def __init__(
        self,
        access: Access,
        *,
        on_update: Callable[[Update], None],
        on_open: Callable[[], None],
        on_close: Callable[[Exception], None],
    ) -> None:
        self.url = access.trading_stream_url
        self._access = access
        self._on_update = on_update
        self._on_open = on_open
        self._on_close = on_close

    async def begin(self, line: Line) -> None:
        """See `Talk.begin`."""
        keys = {"key_id": self._access.key_id, "secret_key": self._access.secret}
        await line.say({"action": "authenticate", "data": keys})
        told = await self._wait_for(line, "authorization")
        if told.get("status") != "authorized":
            raise StreamRefused("the keys are refused on the stream", is_final=True)
        await line.say({"action": "listen", "data": {"streams": [TRADE_UPDATES]}})
        told = await self._wait_for(line, "listening")
        if TRADE_UPDATES not in (told.get("streams") or ()):
            raise StreamRefused(f"the stream offers no {TRADE_UPDATES}")

    async def _wait_for(self, line: Line, stream: str) -> Mapping[str, Any]:
        """Return the answer on a stream; what comes before it is news already."""
        while True:
            message = await line.hear()
            if isinstance(message, Mapping) and message.get("stream") == stream:
                told = message.get("data")
                return told if isinstance(told, Mapping) else {}
            self.take(message)

    def take(self, message: Any) -> None:
        """See `Talk.take`."""
        if not isinstance(message, Mapping):
            raise BadData(f"a message that is no object: {str(message)[:40]!r}")
        told = message.get("data")
        if message.get("action") == "error":
            raise BadData(f"the stream tells an error: {str(told)[:100]}")
        if message.get("stream") != TRADE_UPDATES or not isinstance(told, Mapping):
            return
        try:
            order = read_order(told.get("order"))
        except BadData:
            order = None
        self._on_update(Update(str(told.get("event") or ""), order))

    def opened(self) -> None:
        """See `Talk.opened`."""
        self._on_open()

    def closed(self, why: Exception) -> None:
        """See `Talk.closed`."""
        self._on_close(why)

    def longest_silence_s(self) -> float | None:
        """See `Talk.longest_silence_s`: an account may be quiet for days; pings tell the rest."""
        return None
