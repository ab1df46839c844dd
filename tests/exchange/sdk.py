"""alpaca-py as it is: its import warns of the old `websockets` interface it still uses."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.live.news import NewsDataStream
    from alpaca.data.live.stock import StockDataStream
    from alpaca.data.requests import StockBarsRequest
    from alpaca.data.timeframe import TimeFrame
    from alpaca.trading.client import TradingClient
    from alpaca.trading.requests import (
        LimitOrderRequest,
        MarketOrderRequest,
        StopLossRequest,
        TakeProfitRequest,
    )
    from alpaca.trading.stream import TradingStream

__all__ = [
    "LimitOrderRequest",
    "MarketOrderRequest",
    "NewsDataStream",
    "StockBarsRequest",
    "StockDataStream",
    "StockHistoricalDataClient",
    "StopLossRequest",
    "TakeProfitRequest",
    "TimeFrame",
    "TradingStream",
    "collector",
    "streaming",
    "trading",
]

HEARD_WITHIN_S = 20.0


class Heard(list[Any]):
    """What a handler of a stream was given."""

    async def handler(self, value: Any) -> None:
        self.append(value)

    async def until(self, is_enough: Callable[[list[Any]], object]) -> None:
        async with asyncio.timeout(HEARD_WITHIN_S):
            while not is_enough(self):  # noqa: ASYNC110 - the SDK calls a handler, no event
                await asyncio.sleep(0.01)


def collector() -> tuple[Heard, Callable[[Any], Any]]:
    """A handler as the SDK wants it (a coroutine function), and where it puts what it gets."""
    heard = Heard()

    async def on_value(value: Any) -> None:
        await heard.handler(value)

    return heard, on_value


@contextmanager
def trading(keys: tuple[str, str], url: str) -> Iterator[TradingClient]:
    """The trading client, its connections closed in the end."""
    client = TradingClient(*keys, url_override=url)
    try:
        yield client
    finally:
        client._session.close()


@asynccontextmanager
async def streaming(*streams: Any) -> AsyncIterator[None]:
    """Run streams of the SDK in this loop, from the moment the server has their subscriptions."""
    tasks = [asyncio.create_task(stream._run_forever()) for stream in streams]
    try:
        async with asyncio.timeout(HEARD_WITHIN_S):
            for stream in streams:
                while not stream._running:  # noqa: ASYNC110 - the SDK does not tell
                    await asyncio.sleep(0.01)
                await (await stream._ws.ping())
        yield
    finally:
        for stream, task in zip(streams, tasks, strict=True):
            await stream.stop_ws()
            await stream.close()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
