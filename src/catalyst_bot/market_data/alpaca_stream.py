"""What Alpaca says on its stream of prices, and which symbols we listen to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.reading import alpaca_symbol
from catalyst_bot.alpaca.stream import Line
from catalyst_bot.alpaca.talk import log_in, refusal, rows_of

MAX_IEX_QUOTES = 30  # symbols that the free plan may listen to
EVERY = "*"
SYMBOL_LIMIT = 405
_BARS, _QUOTES, _STATUSES = "bars", "quotes", "statuses"


class Prices(Protocol):
    """Who takes what the stream tells; rows are as Alpaca writes them."""

    def take_bar(self, row: Mapping[str, Any]) -> None:
        """A minute bar."""
        ...

    def take_quote(self, row: Mapping[str, Any]) -> None:
        """Best bid and ask."""
        ...

    def take_status(self, row: Mapping[str, Any]) -> None:
        """A halt or resume of any symbol."""
        ...


class PriceTalk:
    """`Talk` of `/v2/iex` or `/v2/sip`. `on_fewer` hears that less is sent than was asked for.

    Everyone's halts, minute bars and quotes of what is wanted. Trades are not asked for: they
    would use up the free plan's symbols and tell nothing that a quote does not.
    """

    def __init__(
        self,
        access: Access,
        feed: str,
        prices: Prices,
        *,
        on_open: Callable[[], None],
        on_close: Callable[[Exception], None],
        on_fewer: Callable[[], None],
        silence_s: Callable[[], float | None],
    ) -> None:
        self.url = f"{access.data_stream_url}/v2/{feed}"
        self._access = access
        self._feed = feed
        self._prices = prices
        self._on_open = on_open
        self._on_close = on_close
        self._on_fewer = on_fewer
        self._silence_s = silence_s
        self._max_quotes: int | None = MAX_IEX_QUOTES if feed == "iex" else None
        self._wanted: list[str] = []
        self._asked: dict[str, list[str]] = {}
        self._confirmed: dict[str, list[str]] = {}

    def want(self, symbols: Sequence[str]) -> None:
        """Set which symbols are wanted, the most important first."""
        self._wanted = list(dict.fromkeys(alpaca_symbol(symbol) for symbol in symbols))

    def has_quotes_of(self, symbol: str) -> bool:
        """True when Alpaca confirmed that it sends the symbol's quotes."""
        return alpaca_symbol(symbol) in self._confirmed.get(_QUOTES, ())

    def changes(self) -> list[dict[str, Any]]:
        """Return what to say so that we hear what is wanted now, and count it as said."""
        new, old = self._channels(), self._asked
        self._asked = new
        messages = []
        for action, more, less in (("unsubscribe", old, new), ("subscribe", new, old)):
            parts = {
                name: [symbol for symbol in more[name] if symbol not in less.get(name, ())]
                for name in more
            }
            if any(parts.values()):
                messages.append({"action": action, **{k: v for k, v in parts.items() if v}})
        return messages

    async def begin(self, line: Line) -> None:
        """See `Talk.begin`."""
        self._asked, self._confirmed = {}, {}
        await log_in(line, self._access, what=f"prices ({self._feed})")
        for message in self.changes():
            await line.say(message)

    def take(self, message: Any) -> None:
        """See `Talk.take`."""
        for row in rows_of(message):
            match row.get("T"):
                case "b":
                    self._prices.take_bar(row)
                case "q":
                    self._prices.take_quote(row)
                case "s":
                    self._prices.take_status(row)
                case "subscription":
                    self._confirmed = {
                        name: [str(symbol) for symbol in row.get(name) or ()]
                        for name in self._channels()
                    }
                case "error":
                    self._on_error(row)

    def opened(self) -> None:
        """See `Talk.opened`."""
        self._on_open()

    def closed(self, why: Exception) -> None:
        """See `Talk.closed`."""
        self._confirmed = {}
        self._on_close(why)

    def longest_silence_s(self) -> float | None:
        """See `Talk.longest_silence_s`."""
        return self._silence_s()

    def _channels(self) -> dict[str, list[str]]:
        return {
            _BARS: list(self._wanted),
            _QUOTES: self._wanted[: self._max_quotes],
            _STATUSES: [EVERY],
        }

    def _on_error(self, row: Mapping[str, Any]) -> None:
        """Too many symbols: ask for fewer. Anything else: begin anew."""
        if row.get("code") == SYMBOL_LIMIT:
            asked_count = len(self._asked.get(_QUOTES, ()))
            self._max_quotes = max(len(self._confirmed.get(_QUOTES, ())), asked_count // 2)
            self._asked = dict(self._confirmed)
            self._on_fewer()
            return
        raise refusal(row, what=f"prices ({self._feed})")
