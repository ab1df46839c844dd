"""The signals stage alone on daily bars, joined as the engine joins it, with a market that answers.

A session is one bar of every symbol; timers that are due at its close fire after the bars are told,
in the order of their ids.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.market import DAY_S, MarketView, series_of
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.domain.trading import ClosedTrade, Signal
from catalyst_bot.signals.decide import DECIDE
from catalyst_bot.signals.evolve import EVOLVE
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State
from tests.builders import FakeDesk, bar, calendar, catalyst, headline, position, quote, ticket

CALENDAR = calendar()
SESSIONS = CALENDAR.sessions
HISTORY = 40  # sessions before the first that is played


@dataclass
class WatchDesk:
    """Plays sessions; `signals` are all that were formed, `said` every message."""

    rules: Rules = field(default_factory=lambda: Rules(reviews=True))
    state: State = field(default_factory=lambda: State(bar_interval_s=DAY_S))
    number: int = HISTORY
    now: datetime = SESSIONS[HISTORY].opens_at
    held: set[str] = field(default_factory=set)
    ordered: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    timers: dict[str, datetime] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)
    count: int = 0
    spread: float = 0.02

    @property
    def session(self) -> Session:
        return SESSIONS[self.number]

    @property
    def signals(self) -> list[Signal]:
        return [m.signal for m in self.said if isinstance(m, d.SignalFormed)]

    def said_since(self, before: int, kind: type) -> list[Any]:
        return [message for message in self.said[before:] if isinstance(message, kind)]

    def news(self, symbol: str = "ACME", *, days: float = 3.0, **given: Any) -> Catalyst:
        """A catalyst is found now, with a horizon of so many days."""
        self.count += 1
        self.now += timedelta(seconds=1)
        told = headline(title=f"news {self.count}", published_at=self.now - timedelta(minutes=1))
        found = catalyst(**{"headline": told, "symbol": symbol, "horizon_s": days * DAY_S, **given})
        self.tell(d.CatalystDetected(catalyst=found))
        return found

    def close(self, symbols: Iterable[str] = ("ACME",)) -> None:
        """The session ends: bars of watched symbols, then what is due."""
        self.now = self.session.closes_at
        self._bars(symbols)
        while due := sorted((at, name) for name, at in self.timers.items() if at <= self.now):
            for _, name in due:
                del self.timers[name]
            self.tell(*(f.TimerFired(at=self.now, timer_id=name) for _, name in due), apart=True)
        self.number += 1
        self.now = self.session.opens_at

    def _bars(self, symbols: Iterable[str]) -> None:
        bars = [self._bar(symbol, self.session) for symbol in sorted(symbols)]
        self.tell(*(f.BarClosed(at=self.now, bar=b) for b in bars if b.symbol in self.watched))

    def buy(self, symbol: str = "ACME") -> None:
        self.held.add(symbol)

    def sell(self, symbol: str = "ACME") -> None:
        """The position is closed; as the portfolio does, the symbol is then not watched."""
        self.held.discard(symbol)
        self.tell(d.PositionClosed(trade=_trade(symbol, self.now)), c.UnwatchSymbol(symbol=symbol))

    def order(self, symbol: str = "ACME") -> None:
        """An entry that works by quotes is on its way."""
        self.ordered.add(symbol)
        self.tell(c.WatchSymbol(symbol=symbol))

    def end_unfilled(self, symbol: str = "ACME") -> None:
        """The entry bought nothing; execution needs no more quotes of what is not held."""
        self.ordered.discard(symbol)
        if symbol not in self.held:
            self.tell(c.UnwatchSymbol(symbol=symbol))

    def rename(self, old: str = "ACME", new: str = "APEX") -> None:
        """The company has a new symbol; of what is held, the portfolio watches it."""
        renamed = f.SymbolRenamed(
            at=self.now, symbol=old, new_symbol=new, effective_on=self.now.date()
        )
        moved = [c.UnwatchSymbol(symbol=old), c.WatchSymbol(symbol=new)] if old in self.held else []
        self.tell(renamed, *moved)
        for names in (self.held, self.ordered):
            if old in names:
                names.remove(old)
                names.add(new)

    def tell(self, *messages: Any, apart: bool = False) -> None:
        """Decide, then evolve, first in first out; then what was asked for is answered."""
        asked: list[c.RequestMarketView] = []
        lines = [deque([message]) for message in messages] if apart else [deque(messages)]
        for line in lines:
            while line:
                message = line.popleft()
                before = deepcopy(self.state)
                handler = DECIDE.get(type(message))
                if handler is not None:
                    line.extend(handler(self.state, message, self._desk(), self.rules))
                assert self.state == before, "decide changed the state"
                evolver = EVOLVE.get(type(message))
                if evolver is not None:
                    evolver(self.state, message, self.now)
                self.said.append(message)
                self._do(message, asked)
        for request in asked:
            self.tell(self._answer(request))

    def _do(self, message: Any, asked: list[c.RequestMarketView]) -> None:
        match message:
            case c.SetTimer():
                self.timers[message.timer_id] = message.due_at
            case c.WatchSymbol():
                self.watched.add(message.symbol)
            case c.UnwatchSymbol():
                self.watched.discard(message.symbol)
            case c.RequestMarketView():
                asked.append(message)
            case _:
                pass

    def _desk(self) -> FakeDesk:
        return FakeDesk(
            now=self.now,
            calendar=CALENDAR,
            positions={symbol: position(symbol=symbol) for symbol in self.held},
            orders={symbol: ticket(symbol=symbol) for symbol in self.ordered},
        )

    def _answer(self, request: c.RequestMarketView) -> f.MarketViewReceived:
        known = [s for s in SESSIONS[: self.number + 1] if s.closes_at <= self.now]
        bars = [self._bar(request.symbol, session) for session in known]
        view = MarketView(
            symbol=request.symbol,
            as_of=self.now,
            bar_interval_s=DAY_S,
            bars=series_of(request.symbol, bars),
            benchmark_bars=series_of("SPY", ()),
            quote=quote(
                request.symbol,
                known[-1].closes_at,
                bid=100.0 - self.spread / 2,
                ask=100.0 + self.spread / 2,
            ),
        )
        return f.MarketViewReceived(
            at=self.now, request_id=request.request_id, catalyst_id=request.catalyst_id, view=view
        )

    @staticmethod
    def _bar(symbol: str, session: Session) -> Any:
        return bar(symbol, session.opens_at, close=100.0, closed_at=session.closes_at)


def _trade(symbol: str, at: datetime) -> ClosedTrade:
    held = position(symbol=symbol)
    return ClosedTrade(
        trade_id=held.trade_id,
        catalyst_id=held.catalyst_id,
        strategy_id=held.strategy_id,
        symbol=symbol,
        side=Side.BUY,
        quantity=held.quantity,
        entry_at=at,
        entry_price=held.average_cost,
        exit_at=at,
        exit_price=held.average_cost,
        exit_reason=ExitReason.STOP_LOSS,
        fees_usd=held.entry_fees_usd,
        pnl_usd=held.realised_usd,
        pnl_fraction=0.0,
    )
