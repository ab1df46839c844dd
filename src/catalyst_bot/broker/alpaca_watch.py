"""Watching the account: orders by stream and by REST, every fact told once, whoever saw it first.

The stream is fast and forgets; REST is slow and knows everything. So the stream tells what happens,
and REST is asked after every connection, after everything that the stream leaves out (the end of a
leg, an order that is not known), and now and then in between. When REST finds a fill that a
healthy stream should have told, the stream is mute and is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.broker.alpaca_book import Book
from catalyst_bot.broker.alpaca_foreign import Execution, Foreign
from catalyst_bot.broker.alpaca_mapping import Report
from catalyst_bot.broker.alpaca_reader import MAX_REPLACEMENTS, AlpacaReader, Found
from catalyst_bot.broker.alpaca_stream import TradeUpdates, Update
from catalyst_bot.domain import ids
from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

ADAPTER = "broker"
STREAM = "broker stream"
LOOK_BACK = timedelta(minutes=10)  # more than our clock and Alpaca's can differ
SETTLING = timedelta(seconds=10)  # so long may Alpaca's orders and positions disagree
SETTLING_S = 1.0
SETTLING_TRIES = 10
STREAM_DELAY = timedelta(seconds=5)  # a stream that is later than this is mute
LOOK_AGAIN_S = 0.2  # between looks, however many reasons there are for one
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)

T = TypeVar("T")


class OrderWatch:
    """The book of our orders, kept up to date. `calm_poll_s` is the pace while the stream is up."""

    def __init__(
        self,
        client: AlpacaClient,
        *,
        sink: Sink,
        clock: Clock,
        poll_s: float,
        calm_poll_s: float,
    ) -> None:
        self.book = Book()
        self.health = Health(ADAPTER, sink=sink, clock=clock, halts=True)
        self._stream_health = Health(STREAM, sink=sink, clock=clock)
        self._foreign = Foreign()
        self._reader = AlpacaReader(client, self.book.missing)
        self._sink = sink
        self._clock = clock
        self._pace = client.pace
        self._poll_s = poll_s
        self._calm_poll_s = calm_poll_s
        self._look_now = asyncio.Event()
        self._told = 0
        self._told_at: datetime | None = None
        self._has_looked_back = False
        self._lost_ids: set[str] = set()
        talk = TradeUpdates(
            client.access, on_update=self.take, on_open=self._opened, on_close=self._closed
        )
        self.stream = client.stream(talk)

    def learn(self, messages: list[Message]) -> None:
        """Fold a journal."""
        self.book.learn(messages)
        self._foreign.learn(messages)
        for message in messages:
            if isinstance(message, f.LostOrdersFound):
                self._lost_ids.update(message.order_ids)

    async def run(self) -> None:
        """Listen and look until cancelled; where we move the time, listen only."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stream.run())
            if not self._pace.is_stepped:
                group.create_task(self._look_forever())

    def look_soon(self) -> None:
        """Ask by REST as soon as possible: something happened or was asked for."""
        self._look_now.set()

    async def look_if_due(self) -> None:
        """Ask by REST if something happened or was asked for since the last look."""
        if self._look_now.is_set():
            self._look_now.clear()
            await self.poll()

    def take(self, update: Update) -> None:
        """Take in what the stream says of one order, and ask for what it leaves out."""
        report = update.order
        if report is None:  # of a kind that we do not trade, or unreadable
            self.look_soon()
        elif self.book.is_ours(report):
            self.tell([report], is_whole=False)
            if update.is_change or report.is_final:
                self.look_soon()
        elif update.is_change:
            self.look_soon()  # a leg we have not heard of, or a person's order

    def tell(self, reports: Iterable[Report], *, is_whole: bool = True) -> list[Fact]:
        """Hand on what is news in reports; return it."""
        facts = self.book.news(reports, self._clock.now(), is_whole=is_whole)
        self._hand_on(facts)
        return facts

    async def poll(self) -> None:
        """Ask once how our orders stand and tell what is new."""
        try:
            facts = await self._look()
        except FAILURES as error:
            self.health.failed(error)
            return
        self.health.worked()
        if self._is_mute(facts):
            await self.stream.renew()

    async def find(self, order_id: str) -> Found:
        """Ask for one order of ours by its client id; nothing when Alpaca does not know it."""
        return await self._reader.order(order_id)

    async def books(self) -> BrokerSnapshot:
        """Take the books when orders and positions agree, or stay apart for ten seconds.

        Books during whose reading something was told are old: the core knows more by now. Only
        what traded a moment ago can be on its way from one list to the other; a difference without
        that is one, and is told at once.
        """
        await self.until_answered(self._look_back)
        tries = 0
        while True:
            told_before = self._told
            books = await self.until_answered(self._read_books)
            if self._told != told_before:
                continue
            tries += 1
            held = {position.symbol: position.quantity for position in books.positions}
            is_settled = held == self.book.held() or not self._has_just_traded()
            if is_settled or tries > SETTLING_TRIES:
                return books
            await self._pace.sleep(SETTLING_S)

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat what may be repeated, ever slower."""
        while True:
            try:
                answer = await ask()
            except FAILURES as error:
                self.health.failed(error)
            else:
                self.health.worked()
                return answer
            await self._pace.sleep(self.health.pause_s(self._poll_s))

    async def _look_forever(self) -> None:
        while True:
            await self.poll()
            usual_s = self._calm_poll_s if self.stream.is_up else self._poll_s
            pause_s = self._pace.on_the_wall(self.health.pause_s(usual_s))
            await self._pace.sleep(min(LOOK_AGAIN_S, usual_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._look_now.wait()
            self._look_now.clear()

    async def _look(self) -> list[Fact]:
        facts = self.tell((await self._orders()).values())
        await self._look_for_others()
        return facts

    async def _orders(self) -> Found:
        """Return every order since the oldest to which something may still happen."""
        since = self.book.open_since(self._clock.now()) - LOOK_BACK
        return await self._reader.orders_since(since)

    async def _look_for_others(self) -> None:
        """Tell executions of orders that are not ours.

        The legs of an order are known from lists of orders alone, and the last one may be older
        than the executions: so it is read again before an order counts as somebody else's.
        """
        asked_at = self._clock.now()
        rows = await self._reader.executions_since(self._foreign.since(asked_at))
        if self._strange(rows):
            self.tell((await self._orders()).values())
        candidates = self._strange(rows)
        owners = {
            order_id: await self._owner_of(order_id)
            for order_id in sorted({row.broker_order_id for row in candidates})
        }
        names = self.book.our_symbols()
        foreign = [
            replace(row, symbol=names.get(row.symbol, row.symbol))
            for row in candidates
            if owners[row.broker_order_id] is not None
        ]
        self._hand_on(list(self._foreign.news(foreign, owners, self._clock.now())))
        self._foreign.read_at(asked_at)

    def _strange(self, rows: Iterable[Execution]) -> list[Execution]:
        """Return the executions that are news, of orders not known as ours."""
        return [
            row
            for row in rows
            if self._foreign.is_new(row) and not self.book.is_our_id(row.broker_order_id)
        ]

    async def _owner_of(self, broker_order_id: str) -> str | None:
        """Return the client id of a foreign order; None when it is one of ours after all.

        It may have replaced one of ours, long finished, of which only the journal knows.
        """
        report = link = await self._reader.order_by_id(broker_order_id)
        for _ in range(MAX_REPLACEMENTS):
            if self.book.is_ours(link) or self.book.is_our_id(link.broker_order_id):
                self.tell([report])
                self.book.note_id(broker_order_id)
                return None
            if not link.replaces:
                break
            link = await self._reader.order_by_id(link.replaces)
        return report.client_order_id

    async def _look_back(self) -> None:
        """Tell, once in a journal, of orders in our name from after its end: it was restored, and
        their ids are taken.
        """
        if self._has_looked_back:
            return
        since = self._foreign.since(self._clock.now()) - LOOK_BACK
        found = (await self._reader.orders_since(since)).values()
        lost = sorted(each.client_order_id for each in found if self._is_lost(each))
        self._has_looked_back = True
        if lost:
            self._hand_on([f.LostOrdersFound(at=self._clock.now(), order_ids=tuple(lost))])

    def _is_lost(self, report: Report) -> bool:
        order_id = report.client_order_id
        is_known = order_id in self._lost_ids or self.book.is_ours(report)
        return order_id.startswith(ids.OUR_PREFIX) and not is_known

    async def _read_books(self) -> BrokerSnapshot:
        """Tell what is new first: the books must not know more than the core."""
        found = await self._orders()
        self.tell(found.values())
        await self._look_for_others()
        cash_usd = await self._reader.cash_usd()
        positions = await self._reader.positions()
        others = self.book.others(await self._reader.open_orders())
        names = self.book.our_symbols()
        return BrokerSnapshot(
            cash_usd=cash_usd,
            positions=tuple(
                replace(held, symbol=names.get(held.symbol, held.symbol)) for held in positions
            ),
            open_orders=(*self.book.open_orders(found), *others),
        )

    def _hand_on(self, facts: list[Fact]) -> None:
        for fact in facts:
            self._told += 1
            self._sink(fact)
            if isinstance(fact, f.OrderFilled | f.ForeignFilled):
                self._told_at = self._clock.now()

    def _has_just_traded(self) -> bool:
        return self._told_at is not None and self._clock.now() - self._told_at < SETTLING

    def _is_mute(self, facts: list[Fact]) -> bool:
        """True when REST found a fill that the stream was up for and did not tell."""
        now = self._clock.now()
        up_since = now - timedelta(seconds=self.stream.up_for_s())
        return self.stream.is_up and any(
            isinstance(fact, f.OrderFilled) and up_since < fact.fill.filled_at < now - STREAM_DELAY
            for fact in facts
        )

    def _opened(self) -> None:
        self._stream_health.worked()
        self.look_soon()

    def _closed(self, why: Exception) -> None:
        self._stream_health.failed(why)
        self.look_soon()
