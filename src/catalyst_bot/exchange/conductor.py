"""Moves the exchange through time: every moment once, in order, to accounts and sockets.

Where the clock runs, `run` sleeps until the next moment; where it is told, `advance` plays all
moments up to a time. Either way the clock never passes a moment that was not played. All that
happens at one instant is kept in one transaction, and told after it; so a killed exchange goes on
between two instants, and none is lost or played twice.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import OpenPrint
from catalyst_bot.exchange.books.market_changes import MarketChange
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.clock import ClockKind, ExchangeClock
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import (
    ActionTaken,
    Auctioned,
    Closing,
    Halted,
    Moment,
    NewsPublished,
    Opening,
    Played,
    Resumed,
    SessionChanged,
    Traded,
)
from catalyst_bot.exchange.market.schedule import EdgeSchedule, TradeSchedule
from catalyst_bot.exchange.market.ticks import CorporateAction, Halt
from catalyst_bot.exchange.market.world import from_microseconds, microseconds
from catalyst_bot.exchange.streams.hubs import Channel, DataHub, NewsHub, Venue
from catalyst_bot.exchange.streams.publisher import Publisher
from catalyst_bot.market_data.session_times import to_seconds
from catalyst_bot.simulation.market_now import AuctionKind

_LONGEST_SLEEP_S = 1.0  # somebody may listen who did not say so
_TICK = timedelta(microseconds=1)
_PRICED = (Channel.TRADES, Channel.QUOTES)
_ENDING = frozenset({SessionPhase.POST, SessionPhase.CLOSED})


class Conductor:
    """Plays the moments of a market.

    With `holds_openings` an advance to T stops before the bars that begin at T print their open:
    that is the first thing of the next advance, so orders decided at T can meet that price.
    `since` is how far they were played before a restart, `until` the end of all of them; `breathe`
    is awaited in between.
    """

    def __init__(
        self,
        market: Market,
        clock: ExchangeClock,
        *,
        venue: Venue,
        data_hub: DataHub,
        news_hub: NewsHub,
        breathe: Callable[[], Awaitable[None]] | None = None,
        holds_openings: bool = False,
        since: Played | None = None,
        until: datetime | None = None,
    ) -> None:
        self._market = market
        self._clock = clock
        self._venue = venue
        self._publisher = Publisher(market, data_hub, news_hub)
        self._breathe = breathe
        self._holds_openings = holds_openings
        self._played_until = since.until if since else clock.now()
        self._until = until
        self._unopened = market.unprinted_from = (
            since.until if since is not None and since.is_to_open else None
        )
        self._trades = TradeSchedule()
        self._edges = EdgeSchedule()
        self._followed: tuple[frozenset[str], frozenset[str], int] | None = None
        self._held: datetime | None = None
        self._is_playing = False
        self._nudged = asyncio.Event()
        self._hold(self.next_moment())

    def played(self) -> Played:
        """Return how far the market was played."""
        if not self._is_playing:
            self._catch_up()
        return Played(until=self._played_until, is_to_open=self._unopened is not None)

    # Running

    async def run(self) -> None:
        """Play moments as the clock reaches them, until cancelled."""
        self._clock.begin()
        if self._unopened is not None and not self._holds_openings:
            self._open_held(self._unopened)  # it was stepped before it was started again
        while True:
            at = self.next_moment()
            self._hold(at)
            wait_s = math.inf if at is None else self._clock.wait_s(at)
            if at is None or wait_s > 0:
                await self._sleep(wait_s)
                self._catch_up()
                self._venue.settle()
                continue
            self._clock.move_to(max(at, self._clock.now()))
            self._play(at)
            await self.breathe()

    async def breathe(self) -> None:
        """Let the others work between moments; whoever is told of them may set the pace."""
        await (asyncio.sleep(0) if self._breathe is None else self._breathe())

    def nudge(self) -> None:
        """Look again what comes next: somebody's interest has changed.

        The clock is held at once, so that nothing the newcomer waits for can pass unseen.
        """
        if not self._is_playing:
            self._catch_up()
            self._hold(self.next_moment())
        self._nudged.set()

    def advance(self, to: datetime) -> datetime:
        """Play everything up to a time and show it. Raises `BadData` if the clock cannot."""
        for _ in self.steps(to):
            pass
        return self._clock.now()

    def steps(self, to: datetime) -> Iterator[datetime]:
        """Play everything up to a time, yielding after each instant.

        Raises `BadData` for the past, and on a wall clock, which nobody can move.
        """
        if self._clock.kind is ClockKind.WALL:
            raise BadData("the exchange runs on the wall clock, which cannot be moved")
        if to < self._clock.now():
            raise BadData(f"the clock shows {self._clock.now().isoformat()} and cannot go back")
        if self._unopened is not None:
            if to == self._unopened:
                return
            yield self._open_held(self._unopened)
        while (at := self.next_moment()) is not None and at <= to:
            self._hold(at)
            self._clock.move_to(max(at, self._clock.now()))
            if self._holds_openings and at == to:
                break
            self._play(at)
            yield at
        self._hold(to)
        self._clock.move_to(max(to, self._clock.now()))
        if self._holds_openings:
            self._hold_openings(to)
        self._played_until = max(self._played_until, to)
        self._venue.settle(is_exact=True)
        self.nudge()

    def next_moment(self) -> datetime | None:
        """Return when something happens next, None when nothing ever does."""
        after = self._played_until
        event, trade_us = self.next_event(), self._trades.next_us()
        trade = None if trade_us is None else from_microseconds(trade_us)
        candidates = (event, self._publisher.next_at(after), trade)
        return self._earliest(candidates)

    def next_event(self) -> datetime | None:
        """Return when something other than a trade inside a bar happens next, None when never."""
        after = self._played_until
        self._follow(after)
        world = self._market.world
        edge_us = self._edges.next_us(microseconds(after))
        candidates = (
            _next_session(self._market, after),
            world.actions.next_at(after),
            world.halt_starts.next_at(after),
            world.halt_ends.next_at(after),
            world.news.next_at(after),
            self._next_due(after),
            None if edge_us is None else from_microseconds(edge_us),
        )
        return self._earliest(candidates)

    def _earliest(self, candidates: Iterable[datetime | None]) -> datetime | None:
        at = min((at for at in candidates if at is not None), default=None)
        return None if at is None or (self._until is not None and at > self._until) else at

    # What an administrator does

    def halt(self, halt: Halt) -> Halt:
        """Halt a symbol, now at the earliest. Raises `BadData` for a halt that cannot be."""
        self._catch_up()
        halt = replace(halt, starts_at=max(halt.starts_at, self._clock.now()))
        self._market.world.add_halt(halt)
        if halt.starts_at <= self._played_until:
            self._show(Halted(at=halt.starts_at, symbol=halt.symbol, code=halt.code))
        self._remember(MarketChange(halt=halt))
        return halt

    def resume(self, symbol: str) -> Halt:
        """End the halt of a symbol now. Raises `BadData` when it is not halted."""
        self._catch_up()
        now = self._clock.now()
        halt = self._market.world.end_halt(symbol, now)
        if halt is None:
            raise BadData(f"{symbol} is not halted")
        if now <= self._played_until:
            self._show(Resumed(at=now, symbol=symbol, code=halt.code))
        self._remember(MarketChange(resumed=symbol, at=now))
        return replace(halt, ends_at=now)

    def take_action(self, action: CorporateAction) -> datetime:
        """Schedule a corporate action and return when it takes effect.

        Raises `BadData` when that has passed, or when it cannot be.
        """
        at = self._market.world.effective_at(action)
        if at <= max(self._clock.now(), self._played_until):
            raise BadData(f"{action.kind} of {action.symbol}: it is too late for {action.on}")
        self._market.world.add_corporate_action(action)
        self._remember(MarketChange(action=action))
        return at

    def _remember(self, change: MarketChange) -> None:
        self._venue.remember_change(change)
        self._keep()
        self.nudge()

    # One instant

    def _play(self, at: datetime) -> None:
        with self._playing(at):
            self._play_before_openings(at)
            self._play_openings(at)

    def _hold_openings(self, at: datetime) -> None:
        """Play an instant up to the bars that begin there."""
        self._market.unprinted_from = self._unopened = at
        with self._playing(at):
            self._play_before_openings(at)

    def _open_held(self, at: datetime) -> datetime:
        """Play the rest of the instant at which the last advance stopped."""
        self._follow(at)
        self._market.unprinted_from = self._unopened = None
        with self._playing(at):
            self._play_openings(at)
        return at

    @contextmanager
    def _playing(self, at: datetime) -> Iterator[None]:
        """Play an instant, or half of one: all of it is kept at once, then it is told."""
        self._is_playing = True
        try:
            yield
            self._played_until = max(self._played_until, at)
            self._keep()
        finally:
            self._is_playing = False

    def _keep(self) -> None:
        self._venue.settle()
        self._publisher.tell()

    def _play_before_openings(self, at: datetime) -> None:
        world, before = self._market.world, at - _TICK
        for action in world.actions.between(before, at):
            self._show(ActionTaken(at=at, action=action))
            self._followed = None  # another symbol may be meant from now on
        change = self._session_change(at)
        if change is not None and change.phase not in _ENDING:
            self._show(change)
        for halt in world.halt_ends.between(before, at):
            self._show(Resumed(at=at, symbol=halt.symbol, code=halt.code))
        for halt in world.halt_starts.between(before, at):
            self._show(Halted(at=at, symbol=halt.symbol, code=halt.code))
        self._close_bars(at)
        if change is not None and change.phase in _ENDING:
            if change.phase is SessionPhase.POST:
                self._close_auction(at)
            self._show(change)
        if (due_at := self._venue.next_due()) is not None and due_at <= at:
            self._venue.on_due(at)
        self._publisher.on_clock(at)
        for item in world.news.between(before, at):
            self._show(NewsPublished(at=at, item=item))
            self._publisher.on_news(item)

    def _play_openings(self, at: datetime) -> None:
        if at.microsecond == 0:
            seconds = to_seconds(at)
            found = (series.opening(seconds) for series in self._edges.series)
            prints = tuple(opening for opening in found if opening is not None)
            if prints:
                self._show(Opening(at=at, prints=prints))
                self._open_auction(at, prints)
        ticks = self._trades.take(microseconds(at))
        if not ticks:
            return
        trades = [self._market.trade_of(t.symbol, t.us, t.price, t.size) for t in ticks]
        interested = self._venue.interested()
        own = tuple(trade for trade in trades if trade.symbol in interested)
        if own:
            self._show(Traded(at=at, trades=own))
        self._publisher.on_trades(trades, at)

    def _close_bars(self, at: datetime) -> None:
        if at.microsecond:
            return
        seconds = to_seconds(at)
        bars = tuple(bar for each in self._edges.series for bar in each.bars_closing(seconds))
        if bars:
            self._show(Closing(at=at, bars=bars))
            self._publisher.on_closes([bar.symbol for bar in bars], at)

    def _open_auction(self, at: datetime, prints: tuple[OpenPrint, ...]) -> None:
        """The first trades of the regular session are the opening auctions of their symbols."""
        day = self._market.hours.day_at(at)
        if day is None or day.phase(at) is not SessionPhase.REGULAR:
            return
        opens_us = microseconds(day.opens_at)
        prices: dict[str, float] = {}
        for opening in prints:
            series = self._market.world.series(opening.symbol, at)
            earlier = series.last_trade(microseconds(at) - 1) if series else None
            if earlier is None or earlier[0] < opens_us:
                prices[opening.symbol] = opening.price
        if prices:
            self._show(Auctioned(at=at, kind=AuctionKind.OPEN, prices=prices))

    def _close_auction(self, at: datetime) -> None:
        """The last trades of the regular session are the closing auctions of their symbols."""
        day = self._market.hours.day_at(at)
        assert day is not None
        prices: dict[str, float] = {}
        for symbol in sorted(self._venue.interested()):
            trade = self._market.last_trade(symbol, at - _TICK)
            if trade is not None and trade.at >= day.opens_at:
                prices[symbol] = trade.price
        if prices:
            self._show(Auctioned(at=at, kind=AuctionKind.CLOSE, prices=prices))

    def _session_change(self, at: datetime) -> SessionChanged | None:
        day = self._market.hours.day_at(at)
        for changes_at, phase in day.changes() if day else ():
            if changes_at == at and day is not None:
                return SessionChanged(at=at, phase=phase, day=day.day)
        return None

    def _show(self, moment: Moment) -> None:
        self._venue.on_moment(moment)
        if isinstance(moment, Halted | Resumed):
            self._publisher.on_halt(moment)

    # Where we are

    def _next_due(self, after: datetime) -> datetime | None:
        """When the venue has something to do; what is overdue comes at once."""
        due_at = self._venue.next_due()
        return None if due_at is None else max(due_at, after + _TICK)

    def _follow(self, after: datetime) -> None:
        """Follow the prices of who somebody is interested in now."""
        interested = frozenset(self._venue.interested())
        heard = self._publisher.asked_for(_PRICED)
        version = self._market.world.version
        if self._followed == (interested, heard, version):
            return
        if self._followed is None or self._followed[2] != version:
            self._trades.clear()
        self._followed = (interested, heard, version)
        heard = self._publisher.symbols(heard, after)
        after_us = microseconds(after) - (self._unopened is not None)
        world = self._market.world
        found = {symbol: world.series(symbol, after) for symbol in sorted(interested | heard)}
        series = {symbol: each for symbol, each in found.items() if each is not None}
        self._trades.follow(series.values(), after_us)
        is_quoted = self._market.quote_rule is QuoteRule.BARS
        self._edges.follow(
            each for symbol, each in series.items() if is_quoted or symbol in interested
        )

    def _hold(self, at: datetime | None) -> None:
        self._held = at
        self._clock.hold(at)

    def _catch_up(self) -> None:
        """Nothing happened up to now, or to just before the moment that holds the clock."""
        now = self._clock.now()
        quiet_until = now if self._held is None else min(now, self._held - _TICK)
        self._played_until = max(self._played_until, quiet_until)

    async def _sleep(self, wait_s: float) -> None:
        self._nudged.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), min(wait_s, _LONGEST_SLEEP_S))


def _next_session(market: Market, after: datetime) -> datetime | None:
    try:
        return market.hours.next_change(after)[0]
    except BadData:  # the calendar ends
        return None
