"""Messages of the market-data stream, as clients get them; times are datetimes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from catalyst_bot.exchange.assets import Asset
from catalyst_bot.exchange.ticks import Tape, TopOfBook, Trade, TradedBar

Message = dict[str, Any]
_LULD_CODE: Final = "LUDP"
_BAND_FRACTION: Final = 0.05  # tier 1 from three dollars up
_WIDE_BAND_FRACTION: Final = 0.20
_WIDE_BELOW_USD: Final = 3.0
# Tapes A and B have their own letters for a reason.
_CTA_REASONS: Final = {"T1": "P", "T2": "D", "LUDP": "M", "M": "M"}
_CTA_OTHER_REASON: Final = "X"  # operational
_REASON_TEXTS: Final = {
    "T1": "Halt - News Pending",
    "T2": "Halt - News Dissemination",
    "T3": "News and Resumption Times",
    "T12": "Halt - Additional Information Requested by NASDAQ",
    "LUDP": "Volatility Trading Pause",
    "H10": "Halt - SEC Trading Suspension",
    "M": "Volatility Trading Pause",
    "P": "News Pending",
    "D": "News Released (formerly News Dissemination)",
    "X": "Operational",
}


def trade_message(trade: Trade) -> Message:
    """Return a `t`."""
    return {
        "T": "t",
        "S": trade.symbol,
        "i": trade.trade_id,
        "x": trade.exchange,
        "p": trade.price,
        "s": trade.size,
        "t": trade.at,
        "c": list(trade.conditions),
        "z": trade.tape.value,
    }


def quote_message(book: TopOfBook) -> Message:
    """Return a `q`."""
    return {
        "T": "q",
        "S": book.symbol,
        "ax": book.exchange,
        "ap": book.ask,
        "as": book.ask_size,
        "bx": book.exchange,
        "bp": book.bid,
        "bs": book.bid_size,
        "t": book.at,
        "c": ["R"],
        "z": book.tape.value,
    }


def bar_message(kind: str, symbol: str, bar: TradedBar) -> Message:
    """Return a `b` (minute), `u` (minute again) or `d` (day so far)."""
    return {
        "T": kind,
        "S": symbol,
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": bar.trade_count,
        "vw": bar.average_price,
        "t": bar.at,
    }


def status_message(asset: Asset, at: datetime, *, code: str, is_halt: bool) -> Message:
    """Return an `s`: a halt (a volatility pause with its own code) or the resume after it."""
    if asset.tape is Tape.C:
        halted = ("P", "Volatility Trading Pause") if code == _LULD_CODE else ("H", "Trading Halt")
        status = halted if is_halt else ("T", "Trading Resumption")
        reason = code if is_halt or code == _LULD_CODE else "T3"
    else:
        status = ("2", "Trading Halt") if is_halt else ("3", "Resume")
        reason = _CTA_REASONS.get(code, _CTA_OTHER_REASON) if is_halt else ""
    return {
        "T": "s",
        "S": asset.symbol,
        "sc": status[0],
        "sm": status[1],
        "rc": reason,
        "rm": _REASON_TEXTS.get(reason, ""),
        "t": at,
        "z": asset.tape.value,
    }


def luld_message(asset: Asset, at: datetime, price: float) -> Message:
    """Return an `l`: the price band around a reference price."""
    band = _BAND_FRACTION if price >= _WIDE_BELOW_USD else _WIDE_BAND_FRACTION
    digits = 2 if price >= 1.0 else 4
    return {
        "T": "l",
        "S": asset.symbol,
        "u": round(price * (1 + band), digits),
        "d": round(price * (1 - band), digits),
        "i": "B",
        "t": at,
        "z": asset.tape.value,
    }
