"""alpaca-py as it is: its import warns of the old `websockets` interface it still uses."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.live.news import NewsDataStream
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.stream import TradingStream

__all__ = ["NewsDataStream", "StockDataStream", "TradingStream"]
