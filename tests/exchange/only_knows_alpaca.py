"""A program that knows nothing but Alpaca's host names: alpaca-py as it comes, paper trading.

Its surroundings (`sitecustomize` and two variables) lead it to an exchange on this machine. It
prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore", DeprecationWarning)

from alpaca.data.historical.stock import StockHistoricalDataClient  # noqa: E402
from alpaca.data.live.stock import StockDataStream  # noqa: E402
from alpaca.data.requests import StockLatestQuoteRequest  # noqa: E402
from alpaca.trading.client import TradingClient  # noqa: E402
from alpaca.trading.enums import OrderSide, TimeInForce  # noqa: E402
from alpaca.trading.requests import MarketOrderRequest  # noqa: E402
from alpaca.trading.stream import TradingStream  # noqa: E402

SYMBOL = "ARVQ"


async def main(key: str, secret: str) -> dict[str, Any]:
    client = TradingClient(key, secret, paper=True)
    updates = TradingStream(key, secret, paper=True)
    market = StockDataStream(key, secret)
    filled, traded = asyncio.Event(), asyncio.Event()
    seen: dict[str, Any] = {"cash": client.get_account().cash}

    async def on_update(update: Any) -> None:
        if update.event == "fill":
            seen["fill"] = update.price
            filled.set()

    async def on_trade(trade: Any) -> None:
        seen["trade"] = trade.symbol
        traded.set()

    updates.subscribe_trade_updates(on_update)
    market.subscribe_trades(on_trade, SYMBOL)
    tasks = [asyncio.create_task(stream._run_forever()) for stream in (updates, market)]
    while not (updates._running and market._running):  # noqa: ASYNC110 - the SDK does not tell
        await asyncio.sleep(0.01)
    order = MarketOrderRequest(
        symbol=SYMBOL, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
    )
    await asyncio.to_thread(client.submit_order, order)
    async with asyncio.timeout(30):
        await filled.wait()
        await traded.wait()
    quotes = StockHistoricalDataClient(key, secret).get_stock_latest_quote(
        StockLatestQuoteRequest(symbol_or_symbols=SYMBOL)
    )
    seen["ask"] = quotes[SYMBOL].ask_price
    for task in tasks:
        task.cancel()
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))  # noqa: T201 - its result
