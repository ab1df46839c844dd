"""Bars from Alpaca: as they were traded, the close adjusted for splits and dividends beside it.

Two questions for each symbol, because Alpaca adjusts whole bars or none: the prices that were paid
fill orders, the adjusted ones decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import polars as pl

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.reading import alpaca_symbol, rfc3339, time_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.patience import Busy, Patience
from catalyst_bot.downloads.wanted import NEW_YORK, Fetched, Known, NothingThere, Period, with_day
from catalyst_bot.market_data.alpaca_rows import part_of
from catalyst_bot.market_data.load import ADJUSTED, VALUES

MAX_PAGES = 500  # of 10,000 bars: four years of minutes with extended hours are a hundred
_FORBIDDEN = 403
_TIMEFRAMES = {Interval.DAY: "1Day", Interval.FIVE_MINUTES: "5Min", Interval.MINUTE: "1Min"}
_KEYS = dict(zip(VALUES, "ohlcv", strict=True))


class AlpacaBars:
    """Bars of one interval: a `Source`. `feed` is iex or sip."""

    name = "alpaca"
    vendor = "Alpaca"
    adjustment = "prices as traded, adj_close adjusted for splits and dividends"
    terms = "for your own use under Alpaca's data agreement, not to be passed on"

    def __init__(
        self, client: AlpacaClient, patience: Patience, *, feed: str, interval: Interval
    ) -> None:
        self._client = client
        self._patience = patience
        self._feed = feed
        self.interval: Interval | None = interval
        self._timeframe = _TIMEFRAMES[interval]
        self.place = f"{client.access.data_url}, feed {feed}"

    async def fetch(self, symbol: str, period: Period, _: Known | None) -> Fetched | None:
        """See `Source`."""
        traded = await self._bars(symbol, period, "raw")
        if not traded:
            raise NothingThere(f"{symbol}: Alpaca has no bars in these days")
        adjusted = await self._bars(symbol, period, "all")
        opened_at = sorted(traded)
        rows = pl.DataFrame(
            {
                "symbol": [symbol] * len(opened_at),
                **self._times(opened_at),
                **{name: [traded[at].get(key) for at in opened_at] for name, key in _KEYS.items()},
                ADJUSTED: [adjusted.get(at, {}).get("c") for at in opened_at],
            },
            schema_overrides=dict.fromkeys((*VALUES, ADJUSTED), pl.Float64),
            strict=False,
        )
        return Fetched(rows=with_day(rows))

    def _times(self, opened_at: list[datetime]) -> dict[str, list[Any]]:
        """A daily bar is stamped with midnight in New York, which is a date, not an opening."""
        if self.interval is Interval.DAY:
            return {"date": [at.astimezone(NEW_YORK).date() for at in opened_at]}
        return {"timestamp": opened_at}

    async def _bars(
        self, symbol: str, period: Period, adjustment: str
    ) -> dict[datetime, Mapping[str, Any]]:
        """Return the rows of all pages by their time; the first of two of one time counts."""
        query = {
            "symbols": alpaca_symbol(symbol),
            "timeframe": self._timeframe,
            "start": rfc3339(datetime.combine(period.first, time(), NEW_YORK)),
            "end": rfc3339(
                datetime.combine(period.last + timedelta(days=1), time(), NEW_YORK)
                - timedelta(seconds=1)
            ),
            "feed": self._feed,
            "adjustment": adjustment,
            "limit": "10000",
            "sort": "asc",
        }
        found: dict[datetime, Mapping[str, Any]] = {}
        for _ in range(MAX_PAGES):
            told = await self._patience.ask(lambda: self._ask(symbol, query))
            for row in part_of(told, "bars").get(alpaca_symbol(symbol)) or ():
                if not isinstance(row, Mapping):
                    raise BadData(f"{symbol}: Alpaca told {row!r} for a bar")
                found.setdefault(time_of(row, "t"), row)
            token = told.get("next_page_token")
            if not token:
                return found
            query["page_token"] = str(token)
        raise BadData(f"{symbol}: bars on more than {MAX_PAGES} pages; ask for fewer days")

    async def _ask(self, symbol: str, query: Mapping[str, str]) -> Any:
        try:
            return await self._client.data("/v2/stocks/bars", query)
        except AlpacaSilent as error:
            raise Busy(f"Alpaca ({self._client.access.data_url}): {error}") from error
        except AlpacaRefused as error:
            if error.is_rate_limit:
                raise Busy(f"Alpaca: {error}", 30.0) from error
            if error.is_about_keys or error.status == _FORBIDDEN:
                raise ConfigError(
                    f"Alpaca refuses to tell bars: {error}; check the keys in the environment and "
                    f"alpaca.feed = {self._feed}"
                ) from error
            raise BadData(f"{symbol}: Alpaca refuses: {error}") from error
