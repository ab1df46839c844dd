"""Bars, trades and quotes as the data API writes them: one from an object, many from columns."""

from __future__ import annotations

import numpy as np

from catalyst_bot.exchange.api.pages import Row
from catalyst_bot.exchange.market.bar_table import BarTable
from catalyst_bot.exchange.market.market import Market, Ticks, usual_conditions
from catalyst_bot.exchange.market.price_path import Counts, Floats
from catalyst_bot.exchange.market.ticks import TopOfBook, Trade, TradedBar
from catalyst_bot.exchange.wire.replies import rfc3339


def bar_row(bar: TradedBar) -> Row:
    """Return a bar."""
    return {
        "c": bar.close,
        "h": bar.high,
        "l": bar.low,
        "n": bar.trade_count,
        "o": bar.open,
        "t": rfc3339(bar.at),
        "v": bar.volume,
        "vw": bar.average_price,
    }


def bar_rows(table: BarTable) -> list[Row]:
    """Return many bars."""
    times = np.datetime_as_string(table.opened_s.astype("datetime64[s]"), timezone="UTC").tolist()
    _, *values = table.values()
    return [
        {"c": close, "h": high, "l": low, "n": count, "o": open_, "t": at, "v": volume, "vw": price}
        for at, open_, high, low, close, volume, count, price in zip(times, *values, strict=True)
    ]


def trade_row(trade: Trade, letter: str | None) -> Row:
    """Return a trade; `letter` is the exchange of a feed that has one only."""
    return {
        "c": list(trade.conditions),
        "i": trade.trade_id,
        "p": trade.price,
        "s": trade.size,
        "t": rfc3339(trade.at),
        "x": letter or trade.exchange,
        "z": trade.tape.value,
    }


def trade_rows(market: Market, symbol: str, ticks: Ticks, letter: str | None) -> list[Row]:
    """Return many trades."""
    asset = market.world.assets.of_symbol(symbol)
    assert asset is not None
    times_us, prices, sizes = ticks
    codes = [list(usual_conditions(asset, is_regular=regular)) for regular in (False, True)]
    exchange, tape = letter or asset.exchange_letter, asset.tape.value
    columns = (times_us, prices, sizes, market.are_regular(times_us))
    return [
        {"c": codes[regular], "i": us, "p": price, "s": size, "t": at, "x": exchange, "z": tape}
        for at, us, price, size, regular in zip(
            _times(times_us), *(column.tolist() for column in columns), strict=True
        )
    ]


def quote_row(book: TopOfBook, letter: str | None) -> Row:
    """Return a quote."""
    return {
        "ap": book.ask,
        "as": book.ask_size,
        "ax": letter or book.exchange,
        "bp": book.bid,
        "bs": book.bid_size,
        "bx": letter or book.exchange,
        "c": ["R"],
        "t": rfc3339(book.at),
        "z": book.tape.value,
    }


def quote_rows(
    market: Market, symbol: str, times_us: Counts, prices: Floats, letter: str | None
) -> list[Row]:
    """Return many quotes."""
    asset = market.world.assets.of_symbol(symbol)
    assert asset is not None
    exchange, tape = letter or asset.exchange_letter, asset.tape.value
    columns = market.books(symbol, times_us, prices)
    return [
        {
            "ap": ask,
            "as": ask_size,
            "ax": exchange,
            "bp": bid,
            "bs": bid_size,
            "bx": exchange,
            "c": ["R"],
            "t": at,
            "z": tape,
        }
        for at, bid, ask, bid_size, ask_size in zip(
            _times(times_us), *(column.tolist() for column in columns), strict=True
        )
    ]


def _times(times_us: Counts) -> list[str]:
    """Times as `rfc3339` writes them."""
    texts: list[str] = np.datetime_as_string(times_us.astype("datetime64[us]")).tolist()
    return [f"{text.rstrip('0').rstrip('.')}Z" for text in texts]
