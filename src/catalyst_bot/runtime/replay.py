"""The replay driver: recorded days as one ordered stream of fact batches.

Order at one instant T, the same in every mode:
  1. the session opens            5. the session closes, day orders expire
  2. halts and resumes            6. timers that are due
  3. the venue matches closed bars 7. headlines received at T
  4. closed bars reach the core   8. bars that open at T print their open at the venue
so an order decided at T can meet the open of the bar that begins at T, and nothing earlier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.timers import TimerBook

NewsFact = f.HeadlineReceived | f.HeadlineUnreadable
HaltFact = f.SymbolHalted | f.SymbolResumed


class Venue(Protocol):
    """What the driver needs of the embedded venue: it sees the market before the core does."""

    def on_bars(self, bars: Sequence[Bar], at: datetime) -> list[Fact]:
        """Match working orders against complete bars."""
        ...

    def on_open_prints(self, prints: Sequence[OpenPrint], at: datetime) -> list[Fact]:
        """Match waiting orders at the first price of new bars."""
        ...

    def on_session_close(self, at: datetime) -> list[Fact]:
        """Expire day orders."""
        ...

    def on_halt(self, symbol: str, at: datetime) -> None:
        """Stop filling the symbol."""
        ...

    def on_resume(self, symbol: str, at: datetime) -> None:
        """Fill the symbol again."""
        ...

    def working_symbols(self) -> set[str]:
        """Symbols with unfinished orders."""
        ...


class BarSource(Protocol):
    """Recorded bars by time."""

    def instants(self, start: datetime, end: datetime) -> list[datetime]:
        """Times in [start, end] at which a bar opens or closes, sorted."""
        ...

    def closing_at(self, at: datetime, symbols: Iterable[str]) -> list[Bar]:
        """Bars that close at `at`, in the order of `symbols`."""
        ...

    def opening_at(self, at: datetime, symbols: Iterable[str]) -> list[OpenPrint]:
        """First prices of the bars that open at `at`, in the order of `symbols`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """What is replayed: bars, news and halts in the order of their time, and the sessions."""

    bars: BarSource
    news: tuple[NewsFact, ...]
    halts: tuple[HaltFact, ...]
    sessions: tuple[Session, ...]
    start: datetime
    end: datetime

    def starting_at(self, at: datetime) -> Tape:
        """The rest of the tape from a time on (a session that is already open is left out)."""
        return replace(
            self,
            start=max(at, self.start),
            news=tuple(item for item in self.news if item.at >= at),
            halts=tuple(item for item in self.halts if item.at >= at),
        )


class Inlet:
    """The sink of a replay: answers due now, and answers that arrive later (latency)."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []

    def __call__(self, fact: Fact) -> None:
        """See `Sink`."""
        self._facts.append(fact)

    def take_due(self, at: datetime) -> list[Fact]:
        """Remove and return the facts due at or before `at`, in order of time, then of arrival."""
        if not self._facts:
            return []
        due = sorted((fact for fact in self._facts if fact.at <= at), key=lambda fact: fact.at)
        self._facts = [fact for fact in self._facts if fact.at > at]
        return due

    def next_due(self) -> datetime | None:
        """Time of the earliest fact under way."""
        return min((fact.at for fact in self._facts), default=None)


class ReplayDriver:
    """Drives clock, venue and market data through a tape and yields what the core must see."""

    def __init__(
        self,
        tape: Tape,
        *,
        clock: SimulatedClock,
        venue: Venue,
        watched: Callable[[], Iterable[str]],
        timers: TimerBook,
        inlet: Inlet,
    ) -> None:
        self._tape = tape
        self._clock = clock
        self._venue = venue
        self._watched = watched
        self._timers = timers
        self._inlet = inlet
        self._news = deque(tape.news)
        self._halts = deque(tape.halts)
        self._opens = {session.opens_at: session for session in tape.sessions}
        self._closes = {session.closes_at: session for session in tape.sessions}
        fixed = {*tape.bars.instants(tape.start, tape.end), *self._opens, *self._closes}
        self._instants = deque(sorted(at for at in fixed if tape.start <= at <= tape.end))

    def batches(self) -> Iterator[list[Fact]]:
        """Yield facts that arrive together; the caller processes each batch before the next.

        Answers to the commands of a batch come right after it, or at their own later time.
        """
        yield from self._answers()
        while (at := self._next_instant()) is not None:
            self._clock.advance_to(max(at, self._clock.now()))
            for phase in (
                self._session_opens,
                self._halts_and_resumes,
                self._venue_matches,
                self._bars_close,
                self._session_closes,
                self._timers_fire,
                self._headlines_arrive,
                self._bars_open,
            ):
                facts = phase(at)
                if facts:
                    yield facts
                yield from self._answers()

    def _next_instant(self) -> datetime | None:
        """The earliest time at which anything happens; None after the tape's end."""
        candidates = [
            self._instants[0] if self._instants else None,
            self._news[0].at if self._news else None,
            self._halts[0].at if self._halts else None,
            self._timers.next_due(),
            self._inlet.next_due(),
        ]
        at = min((c for c in candidates if c is not None), default=None)
        if at is None or at > self._tape.end:
            return None
        while self._instants and self._instants[0] <= at:
            self._instants.popleft()
        return at

    def _answers(self) -> Iterator[list[Fact]]:
        while facts := self._inlet.take_due(self._clock.now()):
            yield facts

    def _session_opens(self, at: datetime) -> list[Fact]:
        session = self._opens.get(at)
        if session is None:
            return []
        return [f.SessionOpened(at=at, day=session.day, closes_at=session.closes_at)]

    def _halts_and_resumes(self, at: datetime) -> list[Fact]:
        facts: list[Fact] = []
        while self._halts and self._halts[0].at <= at:
            fact = self._halts.popleft()
            if isinstance(fact, f.SymbolHalted):
                self._venue.on_halt(fact.symbol, at)
            else:
                self._venue.on_resume(fact.symbol, at)
            facts.append(fact)
        return facts

    def _venue_matches(self, at: datetime) -> list[Fact]:
        bars = self._tape.bars.closing_at(at, sorted(self._venue.working_symbols()))
        self._tell(self._venue.on_bars(bars, at))
        return []

    def _bars_close(self, at: datetime) -> list[Fact]:
        bars = self._tape.bars.closing_at(at, sorted(self._watched()))
        return [f.BarClosed(at=at, bar=bar) for bar in bars]

    def _session_closes(self, at: datetime) -> list[Fact]:
        session = self._closes.get(at)
        if session is None:
            return []
        self._tell(self._venue.on_session_close(at))
        return [f.SessionClosed(at=at, day=session.day)]

    def _timers_fire(self, at: datetime) -> list[Fact]:
        return list(self._timers.take_due(at))

    def _headlines_arrive(self, at: datetime) -> list[Fact]:
        facts: list[Fact] = []
        while self._news and self._news[0].at <= at:
            facts.append(self._news.popleft())
        return facts

    def _bars_open(self, at: datetime) -> list[Fact]:
        prints = self._tape.bars.opening_at(at, sorted(self._venue.working_symbols()))
        self._tell(self._venue.on_open_prints(prints, at))
        return []

    def _tell(self, facts: Iterable[Fact]) -> None:
        """What the venue says reaches the core at its own time: a fill at the open, say, after
        the latency of the order.
        """
        for fact in facts:
            self._inlet(fact)
