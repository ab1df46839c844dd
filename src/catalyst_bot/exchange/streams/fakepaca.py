"""FAKEPACA, the symbol of `/v2/test`: trades, quotes and bars at any hour, by the wall clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from catalyst_bot.exchange.streams.data import DataHub, stock_events
from catalyst_bot.simulation.draws import unit_draw

SYMBOL: Final = "FAKEPACA"
TICK_S: Final = 1.0
_MIDDLE, _SWING, _HALF_SPREAD = 133.0, 2.0, 0.01
_MINUTE: Final = timedelta(minutes=1)
_SECONDS_OF_BAR: Final = 60


def trade_and_quote(second: datetime) -> list[dict[str, Any]]:
    """Return what happens to FAKEPACA in one second, the same whenever it is asked."""
    price, size, number = _price(second), 1 + int(100 * _draw("size", second)), _number(second)
    head = {"S": SYMBOL, "t": second, "c": ["@"], "z": "C"}
    return [
        {"T": "t", **head, "i": number, "x": "V", "p": price, "s": size},
        {
            "T": "q",
            **head,
            "c": ["R"],
            "ax": "V",
            "ap": round(price + _HALF_SPREAD, 2),
            "as": size,
            "bx": "V",
            "bp": round(price - _HALF_SPREAD, 2),
            "bs": size,
        },
    ]


def bar(minute: datetime) -> dict[str, Any]:
    """Return the bar of the minute that begins at `minute`."""
    seconds = [minute + timedelta(seconds=n) for n in range(_SECONDS_OF_BAR)]
    trades = [trade_and_quote(second)[0] for second in seconds]
    prices, volume = [trade["p"] for trade in trades], sum(trade["s"] for trade in trades)
    worth = sum(trade["p"] * trade["s"] for trade in trades)
    return {
        "T": "b",
        "S": SYMBOL,
        "o": prices[0],
        "h": max(prices),
        "l": min(prices),
        "c": prices[-1],
        "v": volume,
        "n": len(trades),
        "vw": round(worth / volume, 6),
        "t": minute,
    }


async def run(hub: DataHub, *, tick_s: float = TICK_S) -> None:
    """Feed `/v2/test` for as long as the exchange runs."""
    said_until = _this_second()
    while True:
        await asyncio.sleep(tick_s)
        now = _this_second()
        if now <= said_until or not hub.has_clients("test"):
            said_until = now
            continue
        messages = trade_and_quote(now)
        if now.replace(second=0) > said_until:
            messages.append(bar(now.replace(second=0) - _MINUTE))
        hub.put_on("test", stock_events(messages))
        said_until = now


def _this_second() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _price(second: datetime) -> float:
    return round(_MIDDLE + _SWING * (2 * _draw("price", second) - 1), 2)


def _draw(what: str, second: datetime) -> float:
    return unit_draw(SYMBOL, what, second.isoformat())


def _number(second: datetime) -> int:
    return int(second.timestamp())
