"""A paper account at Alpaca as the broker.

An order is posted once and never again: what is unclear is looked up. Everything else is asked as
often as needed. How orders fare is polled, and the `Book` turns it into facts; so a lost answer, a
restart or a second look lead to the same facts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.broker.alpaca_book import Book, give_up
from catalyst_bot.broker.alpaca_lines import Line, Placed
from catalyst_bot.broker.alpaca_mapping import flat, on_tick, order_request, read_order
from catalyst_bot.broker.alpaca_reader import AlpacaReader, Found
from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
    TakeBrokerSnapshot,
)
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

ADAPTER = "broker"
LOOK_BACK = timedelta(minutes=10)  # more than our clock and Alpaca's can differ
RATE_LIMIT_PAUSE_S = 2.0
SETTLING_S = 1.0  # Alpaca's orders and positions may disagree for some seconds
SETTLING_TRIES = 10
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)

Job = Callable[[], Coroutine[Any, Any, None]]
T = TypeVar("T")


class AlpacaBroker:
    """`Broker` over Alpaca's trading API. Commands stand in line until `run` takes them."""

    name = "alpaca"

    def __init__(
        self, client: AlpacaClient, *, sink: Sink, clock: Clock, poll_s: float = 2.0
    ) -> None:
        self._client = client
        self._sink = sink
        self._clock = clock
        self._poll_s = poll_s
        self._book = Book()
        self._reader = AlpacaReader(client, self._book.missing)
        self._health = Health(ADAPTER, sink=sink, clock=clock)
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._in_line: set[tuple[str, str]] = set()
        self._turns: dict[str, asyncio.Lock] = {}
        self._look_now = asyncio.Event()
        self._told = 0

    def submit(self, command: SubmitOrder) -> None:
        """See `Broker.submit`."""
        is_known = self._book.find(command.order.client_order_id) is not None
        ours = self._book.add(command)
        self._jobs.put_nowait(partial(self._repeat if is_known else self._place, ours))

    def cancel(self, command: CancelOrder) -> None:
        """See `Broker.cancel`."""
        self._change("cancel", command.client_order_id, self._cancel)

    def replace(self, command: ReplaceOrder) -> None:
        """See `Broker.replace`."""
        assert command.stop_price is not None
        to_price = partial(self._move_stop, on_tick(command.stop_price))
        self._change(f"move to {command.stop_price}", command.client_order_id, to_price)

    def look_up(self, command: LookUpOrder) -> None:
        """See `Broker.look_up`."""
        order_id = command.client_order_id
        known = self._book.find(order_id)
        if known is None:
            now = self._clock.now()
            self._sink(f.OrderLookedUp(at=now, client_order_id=order_id, ticket=None))
        else:
            self._line_up("look up", order_id, partial(self._look_up, *known))

    def snapshot(self, command: TakeBrokerSnapshot) -> None:  # noqa: ARG002 - the port's shape
        """See `Broker.snapshot`."""
        self._line_up("snapshot", "", self._snapshot)

    def recover(self, messages: Iterable[Message], at: datetime) -> list[Fact]:
        """Learn from the journal what was told; return that the rest is unclear.

        A promised order without an answer may have reached Alpaca before the process died: it is
        looked up, not sent again.
        """
        self._book.learn(messages)
        detail = "the process ended before the broker answered"
        return [
            f.SubmitOutcomeUnknown(at=at, client_order_id=order_id, detail=detail)
            for order_id in self._book.unanswered()
        ]

    async def run(self) -> None:
        """Carry out commands and poll until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll_forever())
            while True:
                job = await self._jobs.get()
                group.create_task(job())

    async def poll(self) -> None:
        """Ask once how our orders stand and tell what is new."""
        try:
            found = await self._list()
        except FAILURES as error:
            self._health.failed(error)
            return
        self._health.worked()
        self._tell(found)

    async def _poll_forever(self) -> None:
        while True:
            await self.poll()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._health.pause_s(self._poll_s)):
                    await self._look_now.wait()
            self._look_now.clear()

    def _line_up(self, what: str, order_id: str, job: Job) -> None:
        """Put a question in line, unless the same one is being asked already."""
        key = (what, order_id)
        if key not in self._in_line:
            self._in_line.add(key)
            self._jobs.put_nowait(partial(self._finish, key, job))

    async def _finish(self, key: tuple[str, str], job: Job) -> None:
        try:
            await job()
        finally:
            self._in_line.discard(key)

    def _change(
        self, what: str, order_id: str, change: Callable[[Placed, Line], Coroutine[Any, Any, None]]
    ) -> None:
        known = self._book.find(order_id)
        if known is None:
            self._refuse(order_id, "no order of ours")
        else:
            self._line_up(what, order_id, partial(change, *known))

    async def _place(self, ours: Placed) -> None:
        """Post the order: the one request that is never made twice."""
        async with self._turn(ours):
            try:
                body = order_request(ours.order)
                report = read_order(await self._client.trading("POST", "/v2/orders", body=body))
                if report.client_order_id != ours.line.order_id:
                    raise BadData(f"the answer is about order {report.client_order_id}")
            except AlpacaRefused as error:
                await self._on_refusal(ours, error)
            except (AlpacaSilent, BadData) as error:
                self._lose_sight(ours, str(error))
            else:
                self._tell(flat([report]))

    async def _on_refusal(self, ours: Placed, error: AlpacaRefused) -> None:
        """A taken id or a full rate limit say nothing about the order: look before telling."""
        reason = str(error)
        if error.is_duplicate or error.is_rate_limit:
            if error.is_rate_limit:
                await asyncio.sleep(RATE_LIMIT_PAUSE_S)
            try:
                found = await self._find(ours)
            except FAILURES as silence:
                self._lose_sight(ours, f"{error}; then {silence}")
                return
            if found:
                self._tell(found)
                return
            if error.is_duplicate:
                self._lose_sight(ours, f"{error}, but Alpaca does not find it")
                return
            reason = "rate limited"
        elif error.is_about_keys:
            self._health.failed(error)
        ours.rejection = reason
        ours.line.is_over = True
        self._reject(ours)

    async def _repeat(self, ours: Placed) -> None:
        """Answer a second submit of the same order as the first."""
        async with self._turn(ours):
            line = ours.line
            if ours.rejection:
                self._reject(ours)
            elif line.is_accepted and line.report is not None:
                self._sink(
                    f.OrderAccepted(
                        at=self._clock.now(),
                        client_order_id=line.order_id,
                        broker_order_id=line.report.broker_order_id,
                    )
                )
            else:
                self._lose_sight(ours, "sent before, not sent again")

    async def _cancel(self, ours: Placed, line: Line) -> None:
        async with self._turn(ours):
            place = await self._place_of(ours, line)
            if place is None:
                return
            refusal = await self._until_answered(partial(self._delete, place))
            if refusal:
                self._refuse(line.order_id, refusal)
        self._look_now.set()

    async def _delete(self, place: str) -> str:
        """Cancel; return why Alpaca would not. An order may be cancelled twice."""
        try:
            await self._client.trading("DELETE", place)
        except AlpacaRefused as error:
            if error.is_rate_limit or error.is_about_keys:
                raise
            return str(error)
        return ""

    async def _move_stop(self, price: str, ours: Placed, line: Line) -> None:
        """Replace the order by one with another stop; silence is cleared up by the next poll."""
        async with self._turn(ours):
            place = await self._place_of(ours, line)
            if place is None:
                return
            try:
                await self._client.trading("PATCH", place, body={"stop_price": price})
            except AlpacaRefused as error:
                self._refuse(line.order_id, str(error))
            except AlpacaSilent as error:
                self._health.failed(error)
        self._look_now.set()

    async def _place_of(self, ours: Placed, line: Line) -> str | None:
        """Return the address of an order; when it cannot be changed any more, tell so."""
        if line.report is None:
            self._tell(await self._until_answered(partial(self._find, ours)))
        if line.report is None:
            self._refuse(line.order_id, "order not found")
            return None
        return f"/v2/orders/{line.report.broker_order_id}"

    async def _look_up(self, ours: Placed, line: Line) -> None:
        async with self._turn(ours):
            found = await self._until_answered(partial(self._find, ours))
            self._tell(found)
            ticket = ours.ticket(line) if found else None
            now = self._clock.now()
            answer = f.OrderLookedUp(at=now, client_order_id=line.order_id, ticket=ticket)
            give_up(ours, answer, now)
            self._sink(answer)

    async def _snapshot(self) -> None:
        """Take the books when orders and positions agree, or stay apart for ten seconds.

        Books during whose reading something was told are old: the core knows more by now.
        """
        tries = 0
        while True:
            told_before = self._told
            books = await self._until_answered(self._read_books)
            if self._told != told_before:
                continue
            tries += 1
            held = {position.symbol: position.quantity for position in books.positions}
            if held == self._book.held() or tries > SETTLING_TRIES:
                break
            await asyncio.sleep(SETTLING_S)
        self._sink(f.BrokerSnapshotReceived(at=self._clock.now(), snapshot=books))

    async def _read_books(self) -> BrokerSnapshot:
        """Tell what is new first: the books must not know more than the core."""
        found = await self._list()
        self._tell(found)
        cash_usd = await self._reader.cash_usd()
        positions = await self._reader.positions()
        others = self._book.others(await self._reader.open_orders())
        names = self._book.our_symbols()
        return BrokerSnapshot(
            cash_usd=cash_usd,
            positions=tuple(
                replace(held, symbol=names.get(held.symbol, held.symbol)) for held in positions
            ),
            open_orders=(*self._book.open_orders(found), *others),
        )

    async def _list(self) -> Found:
        """Return every order since the oldest to which something may still happen."""
        since = self._book.open_since(self._clock.now()) - LOOK_BACK
        return await self._reader.orders_since(since)

    async def _find(self, ours: Placed) -> Found:
        return await self._reader.order(ours.line.order_id)

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat what may be repeated, ever slower."""
        while True:
            try:
                answer = await ask()
            except FAILURES as error:
                self._health.failed(error)
            else:
                self._health.worked()
                return answer
            await asyncio.sleep(self._health.pause_s(self._poll_s))

    def _tell(self, found: Found) -> None:
        for fact in self._book.news(found, self._clock.now()):
            self._told += 1
            self._sink(fact)

    def _reject(self, ours: Placed) -> None:
        self._sink(
            f.OrderRejected(
                at=self._clock.now(), client_order_id=ours.line.order_id, reason=ours.rejection
            )
        )

    def _refuse(self, order_id: str, reason: str) -> None:
        self._sink(f.ChangeRefused(at=self._clock.now(), client_order_id=order_id, reason=reason))

    def _lose_sight(self, ours: Placed, detail: str) -> None:
        """Say that the outcome is unclear, unless a poll has cleared it up meanwhile."""
        if not ours.line.is_accepted:
            self._sink(
                f.SubmitOutcomeUnknown(
                    at=self._clock.now(), client_order_id=ours.line.order_id, detail=detail
                )
            )

    def _turn(self, ours: Placed) -> asyncio.Lock:
        """One request about an order at a time: a cancel waits for its submit."""
        return self._turns.setdefault(ours.line.order_id, asyncio.Lock())
