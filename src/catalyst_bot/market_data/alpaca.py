"""Alpaca's prices: bars and quotes by REST, closed bars of the regular session only.

A view is answered from one question for the bars and one for the quote; bars of watched symbols
are fetched after each boundary. Alpaca finishes a bar some moments after its end, so a bar counts
as closed `FINISHED_AFTER` later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.alpaca.reading import alpaca_symbol, price, rfc3339, time_of, volume
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, MarketView, Quote
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    MarketViewUnavailable,
)
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

ADAPTER = "market data"
INTERVAL = timedelta(minutes=5)
FINISHED_AFTER = timedelta(seconds=3)
HISTORY = timedelta(days=14)  # holds 400 bars of a symbol that trades all day
WATCH_HISTORY = timedelta(days=1)
CLOCK_DIFFERENCE = timedelta(seconds=2)
CHECK_EVERY_S = 1.0
MAX_PAGES = 50
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)

Job = Callable[[], Coroutine[Any, Any, None]]


class AlpacaMarketData:
    """Implements `MarketData`; `run` is its task. `feed` is iex (free) or sip."""

    def __init__(
        self,
        client: AlpacaClient,
        *,
        calendar: TradingCalendar,
        clock: Clock,
        sink: Sink,
        benchmark: str,
        feed: str,
        bars: int = 400,
        benchmark_bars: int = 100,
    ) -> None:
        self._client = client
        self._calendar = calendar
        self._clock = clock
        self._sink = sink
        self._benchmark = benchmark
        self._feed = feed
        self._bars = bars
        self._benchmark_bars = benchmark_bars
        self._health = Health(ADAPTER, sink=sink, clock=clock)
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._told_until: dict[str, datetime] = {}

    def request_view(self, command: RequestMarketView) -> None:
        """See `MarketData.request_view`."""
        self._jobs.put_nowait(partial(self._answer, command))

    def watch(self, symbol: str) -> None:
        """See `MarketData.watch`."""
        self._told_until.setdefault(symbol, self._clock.now())

    def unwatch(self, symbol: str) -> None:
        """See `MarketData.unwatch`."""
        self._told_until.pop(symbol, None)

    async def run(self) -> None:
        """Answer questions and send bars of watched symbols until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_bars_forever())
            while True:
                job = await self._jobs.get()
                group.create_task(job())

    async def send_bars(self) -> None:
        """Send what closed since the last time, oldest first, each bar once."""
        if not self._told_until:
            return
        now = self._clock.now()
        since = max(min(self._told_until.values()), now - WATCH_HISTORY)
        try:
            found = await self._closed_bars(sorted(self._told_until), since - INTERVAL, now)
        except FAILURES as error:
            self._health.failed(error)
            return
        self._health.worked()
        bars = [bar for bars in found.values() for bar in bars]
        for bar in sorted(bars, key=lambda bar: (bar.closed_at, bar.symbol)):
            told_until = self._told_until.get(bar.symbol)
            if told_until is not None and bar.closed_at > told_until:
                self._told_until[bar.symbol] = bar.closed_at
                self._sink(BarClosed(at=self._clock.now(), bar=bar))

    async def _send_bars_forever(self) -> None:
        """Ask once per boundary of the session; after a failure again, ever slower."""
        asked_for = self._last_boundary()
        while True:
            await asyncio.sleep(self._health.pause_s(CHECK_EVERY_S))
            boundary = self._last_boundary()
            if boundary == asked_for and self._health.is_good:
                continue
            if self._is_session(boundary - INTERVAL):
                await self.send_bars()
            asked_for = boundary

    def _last_boundary(self) -> datetime:
        """Return the newest end of a bar that is finished at Alpaca."""
        finished = self._clock.now() - FINISHED_AFTER
        return finished - timedelta(seconds=finished.timestamp() % INTERVAL.total_seconds())

    def _is_session(self, at: datetime) -> bool:
        return self._calendar.session_at(at) is not None

    async def _answer(self, command: RequestMarketView) -> None:
        asked_at = self._clock.now()
        try:
            found = await self._closed_bars(
                [command.symbol, self._benchmark], asked_at - HISTORY, asked_at
            )
            quote = await self._quote(command.symbol)
        except FAILURES as error:
            is_symbol = isinstance(error, AlpacaRefused) and "invalid symbol" in str(error)
            if not is_symbol:
                self._health.failed(error)
            self._refuse(command, "unknown_symbol" if is_symbol else "source_down")
            return
        self._health.worked()
        bars = found.get(command.symbol, ())
        if not bars or quote is None:
            names = {(True, False): "no_quote", (False, True): "no_bars"}
            reason = names.get((bool(bars), quote is not None), "unknown_symbol")
            self._refuse(command, reason)
            return
        now = self._clock.now()
        view = MarketView(
            symbol=command.symbol,
            as_of=now,
            bar_interval_s=int(INTERVAL.total_seconds()),
            bars=tuple(bars[-self._bars :]),
            benchmark_bars=tuple(found.get(self._benchmark, ())[-self._benchmark_bars :]),
            quote=quote,
        )
        self._sink(
            MarketViewReceived(
                at=now, request_id=command.request_id, catalyst_id=command.catalyst_id, view=view
            )
        )

    def _refuse(self, command: RequestMarketView, reason: str) -> None:
        self._sink(
            MarketViewUnavailable(
                at=self._clock.now(),
                request_id=command.request_id,
                catalyst_id=command.catalyst_id,
                symbol=command.symbol,
                reason=reason,
            )
        )

    async def _closed_bars(
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
            for name, rows in _part(told, "bars").items():
                if name in names:
                    found.setdefault(names[name], []).extend(
                        bar
                        for bar in readable_bars(names[name], rows)
                        if bar.closed_at <= now - FINISHED_AFTER and self._is_session(bar.opened_at)
                    )
            token = told.get("next_page_token")
            if not token:
                return found
            query["page_token"] = str(token)
        raise BadData(f"bars on more than {MAX_PAGES} pages")

    async def _quote(self, symbol: str) -> Quote | None:
        """Return the newest quote; None when there is none with both sides."""
        name = alpaca_symbol(symbol)
        query = {"symbols": name, "feed": self._feed}
        told = _part(await self._client.data("/v2/stocks/quotes/latest", query), "quotes")
        row = told.get(name)
        if not isinstance(row, Mapping) or not (row.get("bp") and row.get("ap")):
            return None
        return read_quote(symbol, row, self._clock.now())


def readable_bars(symbol: str, rows: Any) -> Iterator[Bar]:
    """Read bars, leaving out those that cannot be right: a missing price beats a wrong one."""
    for row in rows if isinstance(rows, list) else ():
        with suppress(BadData):
            yield read_bar(symbol, row)


def read_bar(symbol: str, row: Any) -> Bar:
    """Read a bar. Raises `BadData` for one that cannot be right."""
    if not isinstance(row, Mapping):
        raise BadData(f"{symbol}: a bar is {row!r}")
    opened_at = time_of(row, "t")
    bar = Bar(
        symbol=symbol,
        opened_at=opened_at,
        closed_at=opened_at + INTERVAL,
        open=price(row, "o"),
        high=price(row, "h"),
        low=price(row, "l"),
        close=price(row, "c"),
        volume=volume(row, "v"),
    )
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise BadData(f"{symbol}: open or close outside low and high in the bar of {opened_at}")
    return bar


def read_quote(symbol: str, row: Mapping[str, Any], now: datetime) -> Quote:
    """Read a quote; a time just ahead of our clock is a difference of clocks, not the future.

    Raises `BadData` for one that cannot be right.
    """
    at = time_of(row, "t")
    is_ahead = now < at <= now + CLOCK_DIFFERENCE
    return Quote(
        symbol=symbol,
        at=now if is_ahead else at,
        bid=price(row, "bp"),
        ask=price(row, "ap"),
        is_synthetic=False,
    )


def _part(told: Any, key: str) -> Mapping[str, Any]:
    part = told.get(key) if isinstance(told, Mapping) else None
    if part is None and isinstance(told, Mapping):
        return {}
    if not isinstance(part, Mapping):
        raise BadData(f"the answer holds no {key}")
    return part
