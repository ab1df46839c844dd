"""Lists of halts turned into facts: what began, what is over, and which of it is news.

Several exchanges list the same halts, one to the second and one to the millisecond, and the lists
lag each other; so all of them share one board, and a halt is known by its symbol and second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.messages.facts import HeadlineReceived, SymbolHalted, SymbolResumed
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.page import Halt

HaltFact = SymbolHalted | SymbolResumed | HeadlineReceived
# Pauses after a fast price move, of one symbol or the market: they follow news, they are none.
_PAUSES = frozenset({"LUDP", "LUDS", "M", "MWC0", "MWC1", "MWC2", "MWC3", "MWCQ"})
_REASONS = {
    "T1": "news pending",
    "T2": "news released",
    "T5": "single-stock trading pause",
    "T6": "extraordinary market activity",
    "T8": "exchange-traded fund",
    "T12": "additional information requested",
    "H4": "non-compliance",
    "H9": "filings not current",
    "H10": "SEC trading suspension",
    "H11": "regulatory concern",
    "O1": "operations",
    "D": "security deleted",
}


class HaltBoard:
    """Which symbols are halted, by all lists together."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}  # the last halt of each symbol, to the second
        self._halted: set[str] = set()
        self._learned: set[str] = set()
        self._resumes_at: datetime | None = None

    def learn(self, messages: Iterable[object]) -> None:
        """Fold a journal: what was halted when it ended."""
        for message in messages:
            match message:
                case SymbolHalted(symbol=symbol):
                    self._learned.add(symbol)
                case SymbolResumed(symbol=symbol):
                    self._learned.discard(symbol)
        self._halted |= self._learned

    def take(self, halts: Iterable[Halt], *, publisher: str, now: datetime) -> list[HaltFact]:
        """Take in a list; return what it changes, oldest halt first.

        Of a symbol's halts the last one counts. A halt that begins or ends in the future has not
        done so yet; `seconds_to_change` tells when.
        """
        latest = {
            halt.symbol: halt
            for halt in sorted(halts, key=lambda halt: halt.halted_at)
            if halt.halted_at <= now
        }
        gone = sorted(self._learned - latest.keys())  # it ended on a day that was not followed
        self._learned.clear()
        facts = [fact for symbol in gone for fact in self._resume(symbol, now)]
        for halt in latest.values():
            facts += self._take(halt, publisher, now)
        ends = [h.resumes_at for h in latest.values() if h.resumes_at and h.resumes_at > now]
        self._resumes_at = min(ends, default=None)
        return facts

    def seconds_to_change(self, now: datetime) -> float:
        """Return how long until the next resume that is announced."""
        if self._resumes_at is None or self._resumes_at <= now:
            return float("inf")
        return (self._resumes_at - now).total_seconds()

    def _take(self, halt: Halt, publisher: str, now: datetime) -> list[HaltFact]:
        second = halt.halted_at.replace(microsecond=0)
        known = self._since.get(halt.symbol)
        if known is not None and second < known:
            return []  # a list that lags
        self._since[halt.symbol] = second
        if halt.resumes_at is not None and halt.resumes_at <= now:
            return self._resume(halt.symbol, now)
        if second == known or halt.symbol in self._halted:
            return []
        self._halted.add(halt.symbol)
        halted = SymbolHalted(at=now, symbol=halt.symbol, code=halt.code)
        if halt.code in _PAUSES:
            return [halted]
        return [halted, HeadlineReceived(at=now, headline=_headline(halt, publisher, now))]

    def _resume(self, symbol: str, now: datetime) -> list[HaltFact]:
        if symbol not in self._halted:
            return []
        self._halted.remove(symbol)
        return [SymbolResumed(at=now, symbol=symbol)]


def _headline(halt: Halt, publisher: str, now: datetime) -> Headline:
    second = halt.halted_at.replace(microsecond=0)
    reason = _REASONS.get(halt.code, halt.code or "no reason given")
    return Headline(
        item_id=item_id("halt", f"{halt.symbol} {second.isoformat()}"),
        source=publisher,
        title=f"Trading halted in {halt.company or halt.symbol} ({halt.symbol}): {reason}",
        symbols=(halt.symbol,),
        published_at=halt.halted_at,
        received_at=now,
    )
