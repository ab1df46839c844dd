"""Alpaca's prices by REST: closed bars of the regular session, and quotes, adjusted for splits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.reading import alpaca_symbol, rfc3339
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, Quote
from catalyst_bot.market_data.alpaca_rows import INTERVAL, part_of, read_quote, readable_bars
from catalyst_bot.ports.clock import Clock

FINISHED_AFTER = timedelta(seconds=3)  # Alpaca finishes a bar some moments after its end
MAX_PAGES = 50


class RestPrices:
    """Asks for bars and quotes; every method raises `AlpacaRefused`, `AlpacaSilent`, `BadData`.

    `is_replay`: who answers makes its quotes from bars.
    """

    def __init__(
        self,
        client: AlpacaClient,
        *,
        calendar: TradingCalendar,
        clock: Clock,
        feed: str,
        finished_after: timedelta = FINISHED_AFTER,
        is_replay: bool = False,
    ) -> None:
        self._client = client
        self._calendar = calendar
        self._clock = clock
        self._feed = feed
        self.finished_after = finished_after
        self._is_replay = is_replay

    def is_session(self, at: datetime) -> bool:
        """True inside a regular session."""
        return self._calendar.session_at(at) is not None

    async def closed_bars(
        self, symbols: Iterable[str], since: datetime, now: datetime
    ) -> dict[str, list[Bar]]:
        """Return the bars of the regular session that began since a time and are finished."""
        names = {alpaca_symbol(symbol): symbol for symbol in symbols}
        query = {
            "symbols": ",".join(names),
            "timeframe": f"{int(INTERVAL.total_seconds()) // 60}Min",
            "start": rfc3339(since),
            "feed": self._feed,
            "adjustment": "split",
            "limit": "10000",
            "sort": "asc",
        }
        found: dict[str, list[Bar]] = {}
        for _ in range(MAX_PAGES):
            told = await self._client.data("/v2/stocks/bars", query)
            for name, rows in part_of(told, "bars").items():
                if name in names:
                    found.setdefault(names[name], []).extend(
                        bar
                        for bar in readable_bars(names[name], rows)
                        if bar.closed_at <= now - self.finished_after
                        and self.is_session(bar.opened_at)
                    )
            token = told.get("next_page_token")
            if not token:
                return found
            query["page_token"] = str(token)
        raise BadData(f"bars on more than {MAX_PAGES} pages")

    async def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Return the newest quotes that have both sides."""
        names = {alpaca_symbol(symbol): symbol for symbol in symbols}
        query = {"symbols": ",".join(names), "feed": self._feed}
        told = part_of(await self._client.data("/v2/stocks/quotes/latest", query), "quotes")
        now = self._clock.now()
        read = [
            read_quote(names[name], row, now, is_synthetic=self._is_replay)
            for name, row in told.items()
            if name in names
        ]
        return {quote.symbol: quote for quote in read if quote is not None}
