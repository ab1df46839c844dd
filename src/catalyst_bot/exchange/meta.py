"""Codes of the market data: exchanges, and conditions of trades and quotes."""

from __future__ import annotations

from typing import Final

EXCHANGES: Final = {
    "A": "NYSE American (AMEX)",
    "B": "NASDAQ OMX BX",
    "C": "National Stock Exchange",
    "D": "FINRA ADF",
    "E": "Market Independent",
    "H": "MIAX",
    "I": "International Securities Exchange",
    "J": "Cboe EDGA",
    "K": "Cboe EDGX",
    "L": "Long Term Stock Exchange",
    "M": "Chicago Stock Exchange",
    "N": "New York Stock Exchange",
    "P": "NYSE Arca",
    "Q": "NASDAQ OMX",
    "S": "NASDAQ Small Cap",
    "T": "NASDAQ Int",
    "U": "Members Exchange",
    "V": "IEX",
    "W": "CBOE",
    "X": "NASDAQ OMX PSX",
    "Y": "Cboe BYX",
    "Z": "Cboe BZX",
}
_TRADES_AB: Final = {
    " ": "Regular Sale",
    "6": "CAP Election Trade",
    "I": "Odd Lot Trade",
    "M": "Market Center Close Price",
    "O": "Market Center Opening Trade",
    "Q": "Market Center Open Price",
    "T": "Extended Hours Trade",
}
_TRADES_C: Final = {
    "6": "Closing Prints",
    "@": "Regular Sale",
    "I": "Odd Lot Trade",
    "M": "Market Center Official Close",
    "O": "Opening Prints",
    "Q": "Market Center Official Open",
    "T": "Form T",
}
_QUOTES: Final = {
    "A": "Slow Quote Offer Side",
    "B": "Slow Quote Bid Side",
    "L": "Closed Quote",
    "N": "Non Firm Quote",
    "O": "Opening Quote Automated",
    "R": "Regular Two Sided Open",
}
TICK_TYPES: Final = ("trade", "quote")
TAPES: Final = ("A", "B", "C")


def conditions(tick_type: str, tape: str) -> dict[str, str]:
    """Return the conditions trades or quotes of a tape can have here."""
    if tick_type == "quote":
        return _QUOTES
    return _TRADES_C if tape == "C" else _TRADES_AB
