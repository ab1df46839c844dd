"""Alpaca's prices: a stream for what we watch, REST for what we ask and for what it leaves out.

A view is answered by REST. Of watched symbols a decision bar is told once: as soon as its last
minute came, if the stream brought every minute; else by REST, three seconds after its end. Quotes
are sampled, from the stream where it brings them, by REST where it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.alpaca.reading import our_symbol
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, MarketView, series_of
from catalyst_bot.domain.messages.commands import RequestMarketView, UnwatchSymbol, WatchSymbol
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    MarketViewUnavailable,
)
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.market_data.alpaca_actions import PRE_MARKET, CorporateActions
from catalyst_bot.market_data.alpaca_rest import FINISHED_AFTER, RestPrices
from catalyst_bot.market_data.alpaca_rows import INTERVAL, MINUTE, read_bar, read_quote
from catalyst_bot.market_data.alpaca_stream import PriceTalk
from catalyst_bot.market_data.alpaca_watch import (
    SAMPLE_EVERY,
    Halts,
    MinuteBars,
    QuoteSamples,
)
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS
from catalyst_bot.ports.sink import Sink

ADAPTER = "market data"
STREAM = "market data stream"
HISTORY = timedelta(days=14)  # holds 400 bars of a symbol that trades all day
WATCH_HISTORY = timedelta(days=1)
AFTER_HOURS = timedelta(hours=4)
CHECK_EVERY_S = 1.0
FLUSH_EVERY_S = 0.25
SAMPLES_APART_S = 0.25  # of the wall, at the least
ASK_QUOTES_EVERY_S = 2.0
ASK_ACTIONS_AGAIN_S = 60.0
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)

Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Watched:
    """A symbol that is followed: since when, until when its bars were told and asked for."""

    since: datetime
    told_until: datetime
    asked_until: datetime


class AlpacaMarketData:
    """Implements `MarketData`; `run` is its task. `feed` is iex (free) or sip.

    `is_replay`: what answers is an exchange that replays bars, and makes its quotes from them.
    A stream that is silent for `silence_s` in the session is made anew; None for never.
    """

    def __init__(
        self,
        client: AlpacaClient,
        *,
        calendar: TradingCalendar,
        clock: Clock,
        sink: Sink,
        benchmark: str,
        feed: str,
        silence_s: float | None = 60.0,
        finished_after: timedelta = FINISHED_AFTER,
        is_replay: bool = False,
        bars: int = VIEW_BARS,
        benchmark_bars: int = BENCHMARK_VIEW_BARS,
    ) -> None:
        self._pace = client.pace
        self._calendar = calendar
        self._clock = clock
        self._sink = sink
        self._benchmark = benchmark
        self._silence_s = silence_s
        self._bars = bars
        self._benchmark_bars = benchmark_bars
        self._rest = RestPrices(
            client,
            calendar=calendar,
            clock=clock,
            feed=feed,
            finished_after=finished_after,
            is_replay=is_replay,
        )
        self._is_replay = is_replay
        self._actions = CorporateActions(client, calendar)
        self._minutes, self._halts = MinuteBars(), Halts()
        # where days are replayed, the journal's disk is not faster than the wall
        most_often = timedelta(seconds=SAMPLES_APART_S * self._pace.speed)
        self._samples = QuoteSamples(max(SAMPLE_EVERY, most_often))
        self._health = Health(ADAPTER, sink=sink, clock=clock)
        self._stream_health = Health(STREAM, sink=sink, clock=clock)
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._watched: dict[str, Watched] = {}
        self._watched_before: dict[str, datetime] = {}
        self._wants_changed = asyncio.Event()
        self._talk = PriceTalk(
            client.access,
            feed,
            self,
            on_open=self._stream_health.worked,
            on_close=self._stream_health.failed,
            on_fewer=self._wants_changed.set,
            silence_s=self._longest_silence_s,
        )
        self.stream = client.stream(self._talk)
        self._actions_due_at: datetime | None = None
        self._talk.want([benchmark])

    def learn(self, records: Iterable[Recorded]) -> None:
        """Fold a journal: since when symbols are watched, what is halted, what was split."""
        for record in records:
            match record.body:
                case WatchSymbol(symbol=symbol):
                    self._watched_before.setdefault(symbol, record.at)
                case UnwatchSymbol(symbol=symbol):
                    self._watched_before.pop(symbol, None)
            self._halts.learn([record.body])
            self._actions.learn([record.body])

    def request_view(self, command: RequestMarketView) -> None:
        """See `MarketData.request_view`."""
        self._jobs.put_nowait(partial(self._answer, command))

    def watch(self, symbol: str) -> None:
        """See `MarketData.watch`."""
        now = self._clock.now()
        if symbol in self._watched:
            self._jobs.put_nowait(partial(self._tell_quote_again, symbol))
        since = self._watched_before.pop(symbol, now)
        self._watched.setdefault(symbol, Watched(since, now, now))
        self._change_wants()

    def unwatch(self, symbol: str) -> None:
        """See `MarketData.unwatch`."""
        if symbol == self._benchmark:
            return
        self._watched.pop(symbol, None)
        self._minutes.forget(symbol)
        self._samples.forget(symbol)
        self._change_wants()

    async def run(self) -> None:
        """Answer questions and send what is watched until cancelled; where we move the time, `look`
        sends it.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stream.run())
            group.create_task(self._subscribe_forever())
            if not self._pace.is_stepped:
                group.create_task(self._send_bars_forever())
                group.create_task(self._sample_forever())
                group.create_task(self._ask_quotes_forever())
                group.create_task(self._look_at_actions_forever())
            while True:
                job = await self._jobs.get()
                doing = group.create_task(self._do(job))
                if self._pace.is_stepped:  # answers in the order of the questions, as in a replay
                    await doing

    async def _do(self, job: Job) -> None:
        try:
            await job()
        finally:
            self._jobs.task_done()

    async def idle(self) -> None:
        """Wait until every question is answered, and what we want to hear is said."""
        await self._jobs.join()
        if self._wants_changed.is_set():
            await self._subscribe()

    async def look(self) -> None:
        """Send what is news now: corporate actions, bars, quotes."""
        await self._look_at_actions_if_due()
        await self.send_bars()
        await self.ask_quotes()
        self._sample()

    # the stream

    def take_bar(self, row: Mapping[str, Any]) -> None:
        """See `Prices.take_bar`; a minute that cannot be right is left to REST."""
        with suppress(BadData):
            minute = read_bar(our_symbol(str(row.get("S") or "")), row, MINUTE)
            if resumed := self._halts.trades(minute, self._clock.now()):
                self._sink(resumed)
            bar = self._minutes.take(minute)
            if bar is not None:
                self._send_whole(bar)

    def take_quote(self, row: Mapping[str, Any]) -> None:
        """See `Prices.take_quote`."""
        symbol = our_symbol(str(row.get("S") or ""))
        if symbol in self._watched:
            with suppress(BadData):
                now = self._clock.now()
                quote = read_quote(symbol, row, now, is_synthetic=self._is_replay)
                if quote is not None:
                    self._samples.take(quote)

    def take_status(self, row: Mapping[str, Any]) -> None:
        """See `Prices.take_status`."""
        if changed := self._halts.take(row, self._clock.now()):
            self._sink(changed)

    def _send_whole(self, bar: Bar) -> None:
        """Tell a bar of the stream, if nothing before it is still to be asked for."""
        watched = self._watched.get(bar.symbol)
        if watched is None or not self._rest.is_session(bar.opened_at):
            return
        known_until = max(watched.told_until, watched.asked_until)
        if watched.told_until < bar.closed_at and known_until >= bar.opened_at:
            watched.told_until = bar.closed_at
            self._sink(BarClosed(at=self._clock.now(), bar=bar))

    def _longest_silence_s(self) -> float | None:
        """In the session the benchmark is quoted all the time; outside it nobody need speak."""
        return self._silence_s if self._rest.is_session(self._clock.now()) else None

    def _change_wants(self) -> None:
        self._talk.want([self._benchmark, *self._watched])
        self._wants_changed.set()

    async def _subscribe_forever(self) -> None:
        while True:
            await self._wants_changed.wait()
            await self._subscribe()

    async def _subscribe(self) -> None:
        self._wants_changed.clear()
        if self.stream.is_up:
            for message in self._talk.changes():
                await self.stream.say(message)

    async def _sample_forever(self) -> None:
        while True:
            self._sample()
            await self._pace.sleep(FLUSH_EVERY_S)

    def _sample(self) -> None:
        for fact in self._samples.due(self._clock.now()):
            self._sink(fact)

    # by REST

    async def _ask_quotes_forever(self) -> None:
        while True:
            await self._pace.sleep(self._health.pause_s(ASK_QUOTES_EVERY_S))
            await self.ask_quotes()

    async def ask_quotes(self) -> None:
        """Ask for the quotes that the stream does not bring, while anything trades at all."""
        symbols = [symbol for symbol in self._watched if not self._talk.has_quotes_of(symbol)]
        if symbols and self._is_trading_day():
            await self._ask_quotes_of(symbols)

    async def _tell_quote_again(self, symbol: str) -> None:
        """A quote that Alpaca confirms counts as new: nothing happened, and we would know."""
        for found in await self._ask_quotes_of([symbol]):
            self._samples.tell_again(found)

    async def _ask_quotes_of(self, symbols: list[str]) -> list[str]:
        """Return the symbols, still watched, of which a quote was found."""
        try:
            quotes = await self._rest.quotes(symbols)
        except FAILURES as error:
            self._health.failed(error)
            return []
        self._health.worked()
        found = [symbol for symbol in quotes if symbol in self._watched]
        for symbol in found:
            self._samples.take(quotes[symbol])
        return found

    def _is_trading_day(self) -> bool:
        """True from the beginning of the pre-market to the end of the after-market."""
        now = self._clock.now()
        return bool(self._calendar.between(now - AFTER_HOURS, now + PRE_MARKET))

    async def _look_at_actions_forever(self) -> None:
        while True:
            due_at = await self._look_at_actions_if_due()
            left_s = (due_at - self._clock.now()).total_seconds()
            await self._pace.sleep(min(max(left_s, 0.0), ASK_ACTIONS_AGAIN_S))

    async def _look_at_actions_if_due(self) -> datetime:
        """Look at them when it is time to; return when it is next."""
        now = self._clock.now()
        if self._actions_due_at is None or now >= self._actions_due_at:
            self._actions_due_at = self._actions.next_look(now)
            if not await self.look_at_actions():
                again_at = now + timedelta(seconds=ASK_ACTIONS_AGAIN_S)
                self._actions_due_at = min(self._actions_due_at, again_at)
        return self._actions_due_at

    async def look_at_actions(self) -> bool:
        """Tell splits and new names of what is watched; False when nobody answered."""
        since = {symbol: watched.since for symbol, watched in self._watched.items()}
        try:
            actions = await self._actions.look(since, self._clock.now())
        except FAILURES as error:
            self._health.failed(error)
            return False
        for action in actions:
            self._sink(replace(action, at=self._clock.now()))
        return True

    async def send_bars(self) -> None:
        """Send what closed since the last time, oldest first, each bar once."""
        boundary = self._last_boundary()
        behind = sorted(s for s, watched in self._watched.items() if watched.told_until < boundary)
        if not behind:
            return
        now = self._clock.now()
        told_until = min(self._watched[symbol].told_until for symbol in behind)
        since = max(told_until, now - WATCH_HISTORY)
        try:
            found = await self._rest.closed_bars(behind, since - INTERVAL, now)
        except FAILURES as error:
            self._health.failed(error)
            return
        self._health.worked()
        bars = [bar for bars in found.values() for bar in bars]
        for bar in sorted(bars, key=lambda bar: (bar.closed_at, bar.symbol)):
            watched = self._watched.get(bar.symbol)
            if watched is not None and bar.closed_at > watched.told_until:
                watched.told_until = bar.closed_at
                self._sink(BarClosed(at=self._clock.now(), bar=bar))
        for symbol in behind:
            if symbol in self._watched:
                self._watched[symbol].asked_until = boundary

    async def _send_bars_forever(self) -> None:
        """Ask once per boundary of the session; after a failure again, ever slower."""
        asked_for = self._last_boundary()
        while True:
            await self._pace.sleep(self._health.pause_s(CHECK_EVERY_S))
            boundary = self._last_boundary()
            if boundary == asked_for and self._health.is_good:
                continue
            if self._rest.is_session(boundary - INTERVAL):
                await self.send_bars()
            asked_for = boundary

    def _last_boundary(self) -> datetime:
        """Return the newest end of a bar that is finished at Alpaca."""
        finished = self._clock.now() - self._rest.finished_after
        return finished - timedelta(seconds=finished.timestamp() % INTERVAL.total_seconds())

    async def _answer(self, command: RequestMarketView) -> None:
        asked_at = self._clock.now()
        symbols = [command.symbol, self._benchmark]
        try:
            found, quotes = await asyncio.gather(
                self._rest.closed_bars(symbols, asked_at - HISTORY, asked_at),
                self._rest.quotes([command.symbol]),
            )
        except FAILURES as error:
            is_symbol = isinstance(error, AlpacaRefused) and "invalid symbol" in str(error)
            if not is_symbol:
                self._health.failed(error)
            self._refuse(command, "unknown_symbol" if is_symbol else "source_down")
            return
        self._health.worked()
        bars, quote = found.get(command.symbol, ()), quotes.get(command.symbol)
        if not bars or quote is None:
            names = {(True, False): "no_quote", (False, True): "no_bars"}
            reason = names.get((bool(bars), quote is not None), "unknown_symbol")
            self._refuse(command, reason)
            return
        now = self._clock.now()
        view = MarketView(
            symbol=command.symbol,
            as_of=now,
            bar_interval_s=int(INTERVAL.total_seconds()),
            bars=series_of(command.symbol, bars[-self._bars :]),
            benchmark_bars=series_of(
                self._benchmark, found.get(self._benchmark, ())[-self._benchmark_bars :]
            ),
            quote=quote,
        )
        self._sink(
            MarketViewReceived(
                at=now, request_id=command.request_id, catalyst_id=command.catalyst_id, view=view
            )
        )

    def _refuse(self, command: RequestMarketView, reason: str) -> None:
        self._sink(
            MarketViewUnavailable(
                at=self._clock.now(),
                request_id=command.request_id,
                catalyst_id=command.catalyst_id,
                symbol=command.symbol,
                reason=reason,
            )
        )
