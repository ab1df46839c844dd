"""What the stream's messages come to: decision bars, samples of quotes, halts. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.alpaca.reading import our_symbol
from catalyst_bot.domain.market import Bar, Quote
from catalyst_bot.domain.messages.facts import QuoteSampled, SymbolHalted, SymbolResumed
from catalyst_bot.market_data.alpaca_rows import INTERVAL, MINUTE

SAMPLE_EVERY = timedelta(seconds=1)
_HALTS = frozenset({"2", "H", "P"})  # both tapes' codes: halt, pause
_RESUMES = frozenset({"3", "T"})
_MINUTES = INTERVAL // MINUTE


class MinuteBars:
    """Minute bars on their way to a decision bar.

    Only a whole bar is made of them: a minute that is missing had no trade, or was lost, and REST
    knows which.
    """

    def __init__(self) -> None:
        self._minutes: defaultdict[str, dict[datetime, Bar]] = defaultdict(dict)

    def take(self, minute: Bar) -> Bar | None:
        """Take in a minute; return the decision bar that it completes."""
        since = minute.opened_at.timestamp() % INTERVAL.total_seconds()
        opened_at = minute.opened_at - timedelta(seconds=since)
        known = self._minutes[minute.symbol]
        for at in [at for at in known if at < opened_at]:
            del known[at]
        known[minute.opened_at] = minute
        wanted = [opened_at + n * MINUTE for n in range(_MINUTES)]
        if minute.closed_at != opened_at + INTERVAL or any(at not in known for at in wanted):
            return None
        return _joined([known.pop(at) for at in wanted])

    def forget(self, symbol: str) -> None:
        """Forget the minutes of a symbol."""
        self._minutes.pop(symbol, None)


def _joined(minutes: list[Bar]) -> Bar:
    first, last = minutes[0], minutes[-1]
    return Bar(
        symbol=first.symbol,
        opened_at=first.opened_at,
        closed_at=last.closed_at,
        open=first.open,
        high=max(bar.high for bar in minutes),
        low=min(bar.low for bar in minutes),
        close=last.close,
        volume=sum(bar.volume for bar in minutes),
    )


class QuoteSamples:
    """The newest quote of every watched symbol, told when it changed, and not too often."""

    def __init__(self, every: timedelta = SAMPLE_EVERY) -> None:
        self._every = every
        self._newest: dict[str, Quote] = {}
        self._told: dict[str, tuple[datetime, float, float]] = {}

    def take(self, quote: Quote) -> None:
        """Take in a quote; an older one than the newest is none."""
        known = self._newest.get(quote.symbol)
        if known is None or quote.at >= known.at:
            self._newest[quote.symbol] = quote

    def due(self, now: datetime) -> Iterator[QuoteSampled]:
        """Yield what is to be told now."""
        for symbol, quote in self._newest.items():
            told_at, bid, ask = self._told.get(symbol, (None, 0.0, 0.0))
            if told_at is not None and now - told_at < self._every:
                continue
            if (quote.bid, quote.ask) != (bid, ask):
                self._told[symbol] = (now, quote.bid, quote.ask)
                yield QuoteSampled(at=now, quote=quote)

    def tell_again(self, symbol: str) -> None:
        """Tell the newest quote of the symbol once more, though it did not change."""
        self._told.pop(symbol, None)

    def forget(self, symbol: str) -> None:
        """Forget the quotes of a symbol."""
        self._newest.pop(symbol, None)
        self._told.pop(symbol, None)


class Halts:
    """Which symbols are halted, by what was told. A trade in a halted symbol ends the halt too:
    its resume may have been missed while the stream was down.
    """

    def __init__(self) -> None:
        self._halted_at: dict[str, datetime] = {}

    def learn(self, messages: Iterable[object]) -> None:
        """Fold a journal."""
        for message in messages:
            match message:
                case SymbolHalted(symbol=symbol, at=at):
                    self._halted_at[symbol] = at
                case SymbolResumed(symbol=symbol):
                    self._halted_at.pop(symbol, None)

    @property
    def halted(self) -> set[str]:
        """Symbols that are halted."""
        return set(self._halted_at)

    def take(self, row: Mapping[str, Any], now: datetime) -> SymbolHalted | SymbolResumed | None:
        """Take in a status; return what it changes."""
        symbol, code = our_symbol(str(row.get("S") or "")), str(row.get("sc") or "")
        if symbol and code in _HALTS and symbol not in self._halted_at:
            self._halted_at[symbol] = now
            return SymbolHalted(at=now, symbol=symbol, code=str(row.get("rc") or code))
        if code in _RESUMES:
            return self._resume(symbol, now)
        return None

    def trades(self, bar: Bar, now: datetime) -> SymbolResumed | None:
        """Take in a bar: one that began after the halt shows that it is over."""
        halted_at = self._halted_at.get(bar.symbol)
        if halted_at is None or bar.opened_at <= halted_at or not bar.volume > 0:
            return None
        return self._resume(bar.symbol, now)

    def _resume(self, symbol: str, now: datetime) -> SymbolResumed | None:
        if self._halted_at.pop(symbol, None) is None:
            return None
        return SymbolResumed(at=now, symbol=symbol)
