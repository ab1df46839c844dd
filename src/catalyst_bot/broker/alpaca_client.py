"""An account at Alpaca as the broker.

An order is posted once: what is unclear is looked up, and only an order that Alpaca is known not
to have is posted again. Everything else is asked as often as needed. What comes of it is watched
by `OrderWatch`; so a lost answer, a restart or a second look lead to the same facts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.reading import alpaca_symbol
from catalyst_bot.alpaca.stream import Stream
from catalyst_bot.broker.alpaca_book import TAKEN, give_up
from catalyst_bot.broker.alpaca_lines import Line, Placed
from catalyst_bot.broker.alpaca_mapping import Report, on_tick, order_request, read_order
from catalyst_bot.broker.alpaca_reader import Found
from catalyst_bot.broker.alpaca_watch import FAILURES, LOOK_BACK, OrderWatch
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import (
    UNDER_WAY,
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
    TakeBrokerSnapshot,
)
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

if TYPE_CHECKING:
    from datetime import datetime

RATE_LIMIT_PAUSE_S = 2.0
MAX_POSTS = 3  # of an order that Alpaca is known not to have: its limit of requests was full
RATE_LIMITED = "rate limited"

Job = Callable[[], Coroutine[Any, Any, None]]


class AlpacaBrokerClient:
    """`Broker` over Alpaca's trading API. Commands stand in line until `run` takes them."""

    name = "alpaca"

    def __init__(
        self,
        client: AlpacaClient,
        *,
        sink: Sink,
        clock: Clock,
        poll_s: float = 2.0,
        calm_poll_s: float = 15.0,
    ) -> None:
        self._client = client
        self._sink = sink
        self._clock = clock
        self._watch = OrderWatch(
            client, sink=sink, clock=clock, poll_s=poll_s, calm_poll_s=calm_poll_s
        )
        self._book = self._watch.book
        self._health = self._watch.health
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._in_line: set[tuple[str, str]] = set()
        self._turns: dict[str, asyncio.Lock] = {}
        self._silent_since_s: dict[str, float] = {}  # by order, on the stop-watch of the pace

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
        given = {"stop_price": command.stop_price, "limit_price": command.limit_price}
        prices = {name: on_tick(price) for name, price in given.items() if price is not None}
        assert len(prices) == 1, "a replacement moves the stop or the limit, exactly one"
        self._change(f"move to {prices}", command.client_order_id, partial(self._move, prices))

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
        self._watch.learn(list(messages))
        detail = "the process ended before the broker answered"
        unclear = self._book.unanswered()
        self._silent_since_s = dict.fromkeys(unclear, self._client.pace.seconds())
        return [
            f.SubmitOutcomeUnknown(at=at, client_order_id=order_id, detail=detail)
            for order_id in unclear
        ]

    async def run(self) -> None:
        """Carry out commands and watch the account until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            while True:
                job = await self._jobs.get()
                group.create_task(self._do(job))

    async def _do(self, job: Job) -> None:
        try:
            await job()
        finally:
            self._jobs.task_done()

    @property
    def stream(self) -> Stream:
        """The stream of the account."""
        return self._watch.stream

    async def idle(self) -> None:
        """Wait until every command is carried out, and look at what came of it."""
        await self._jobs.join()
        await self._watch.look_if_due()

    async def poll(self) -> None:
        """Ask once how our orders stand and tell what is new."""
        await self._watch.poll()

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
        """Post the order; again only when Alpaca's limit was full and it is known not to be there.

        Its id is taken once it arrived, so that even then there is one order at most.
        """
        async with self._turn(ours):
            if self._clock.now() > ours.valid_until:
                self._suppress(ours)
                return
            for _ in range(MAX_POSTS):
                try:
                    await self._post(ours)
                except AlpacaRefused as error:
                    if not error.is_rate_limit:
                        await self._on_refusal(ours, error)
                        return
                    if not await self._is_free_to_post(ours, error):
                        return
                except (AlpacaSilent, BadData) as error:
                    self._lose_sight(ours, str(error))
                    return
                else:
                    return
            self._reject(ours, RATE_LIMITED)

    async def _post(self, ours: Placed) -> None:
        body = order_request(ours.order)
        left_s = (ours.valid_until - self._clock.now()).total_seconds()
        told = await self._client.trading("POST", "/v2/orders", body=body, patience_s=left_s)
        report = read_order(told)
        if report.client_order_id != ours.line.order_id:
            raise BadData(f"the answer is about order {report.client_order_id}")
        self._watch.tell([report])

    async def _is_free_to_post(self, ours: Placed, error: AlpacaRefused) -> bool:
        """Pause after a full limit and look: True when the order is not there and still wanted."""
        if error.was_sent:
            await self._client.pace.sleep(RATE_LIMIT_PAUSE_S)
            try:
                found = await self._watch.find(ours.line.order_id)
            except FAILURES as silence:
                self._note_keys(silence)
                self._lose_sight(ours, f"{error}; then {silence}")
                return False
            if found:
                self._watch.tell(found.values())
                return False
        if self._clock.now() >= ours.valid_until:
            self._reject(ours, RATE_LIMITED)
            return False
        return True

    async def _on_refusal(self, ours: Placed, error: AlpacaRefused) -> None:
        """A taken id means that the order is there, or another one; every other no is one."""
        if error.is_duplicate:
            try:
                found = await self._watch.find(ours.line.order_id)
            except FAILURES as silence:
                self._note_keys(silence)
                self._lose_sight(ours, f"{error}; then {silence}")
                return
            if not found:
                self._lose_sight(ours, f"{error}, but Alpaca does not find it")
            elif _is_same(ours, found.values()):
                self._watch.tell(found.values())
            else:
                self._reject(ours, TAKEN)
                self._book.forget(ours)
            return
        self._note_keys(error)
        self._reject(ours, str(error))

    async def _repeat(self, ours: Placed) -> None:
        """Answer a second submit of the same order as the first."""
        async with self._turn(ours):
            line = ours.line
            if ours.rejection:
                self._reject(ours, ours.rejection)
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
            refusal = await self._watch.until_answered(partial(self._delete, place))
            if refusal:
                self._refuse(line.order_id, refusal)
        self._watch.look_soon()

    async def _delete(self, place: str) -> str:
        """Cancel; return why Alpaca would not. An order may be cancelled twice."""
        try:
            await self._client.trading("DELETE", place, is_urgent=True)
        except AlpacaRefused as error:
            if error.is_rate_limit or error.is_about_keys:
                raise
            return str(error)
        return ""

    async def _move(self, prices: dict[str, str], ours: Placed, line: Line) -> None:
        """Replace the order by one with another price; silence is cleared up by the next look.

        The answer is the new order. It may still be rejected, when the old one fills first.
        """
        async with self._turn(ours):
            place = await self._place_of(ours, line)
            if place is None:
                return
            try:
                told = await self._client.trading("PATCH", place, body=prices)
                self._watch.tell([read_order(told)], is_whole=False)
            except AlpacaRefused as error:
                self._note_keys(error)
                self._refuse(line.order_id, str(error))
            except (AlpacaSilent, BadData) as error:
                self._health.failed(error)
        self._watch.look_soon()

    async def _place_of(self, ours: Placed, line: Line) -> str | None:
        """Return the address of an order; when it cannot be changed any more, tell so."""
        if line.report is None:
            find = partial(self._watch.find, ours.line.order_id)
            self._watch.tell((await self._watch.until_answered(find)).values())
        if line.report is None:
            self._refuse(line.order_id, "order not found")
            return None
        return f"/v2/orders/{line.report.broker_order_id}"

    async def _look_up(self, ours: Placed, line: Line) -> None:
        """Say how the order stands; that it is not there only once it can no longer arrive.

        The stop-watch decides that: when the clock jumps, the order is no sooner there.
        """
        found = await self._find(ours)
        if not found and (wait_s := self._may_arrive_for_s(ours)) > 0:
            await self._client.pace.sleep(wait_s)
            found = await self._find(ours)
        self._watch.tell(found.values())
        ticket = ours.ticket(line) if found else None
        now = self._clock.now()
        answer = f.OrderLookedUp(at=now, client_order_id=line.order_id, ticket=ticket)
        give_up(ours, answer, now)
        self._sink(answer)

    async def _find(self, ours: Placed) -> Found:
        async with self._turn(ours):
            find = partial(self._watch.find, ours.line.order_id)
            return await self._watch.until_answered(find)

    def _may_arrive_for_s(self, ours: Placed) -> float:
        """Return how much longer an order without an answer may be on its way.

        An exchange whose time we move has it or will never have it.
        """
        since_s = self._silent_since_s.get(ours.line.order_id)
        if since_s is None or self._client.pace.is_stepped:
            return 0.0
        return since_s + UNDER_WAY.total_seconds() - self._client.pace.seconds()

    async def _snapshot(self) -> None:
        books = await self._watch.books()
        self._sink(f.BrokerSnapshotReceived(at=self._clock.now(), snapshot=books))

    def _suppress(self, ours: Placed) -> None:
        """The order stood in line for too long."""
        ours.line.is_over = True
        self._sink(
            f.SubmitSuppressed(
                at=self._clock.now(),
                client_order_id=ours.line.order_id,
                reason="promise_too_old",
            )
        )

    def _reject(self, ours: Placed, reason: str) -> None:
        ours.rejection = reason
        ours.line.is_over = True
        self._sink(
            f.OrderRejected(at=self._clock.now(), client_order_id=ours.line.order_id, reason=reason)
        )

    def _refuse(self, order_id: str, reason: str) -> None:
        self._sink(f.ChangeRefused(at=self._clock.now(), client_order_id=order_id, reason=reason))

    def _lose_sight(self, ours: Placed, detail: str) -> None:
        """Say that the outcome is unclear, unless a look has cleared it up meanwhile."""
        if not ours.line.is_accepted:
            self._silent_since_s[ours.line.order_id] = self._client.pace.seconds()
            self._sink(
                f.SubmitOutcomeUnknown(
                    at=self._clock.now(), client_order_id=ours.line.order_id, detail=detail
                )
            )

    def _note_keys(self, error: Exception) -> None:
        """Who we are may be refused at any request: then no other will work either."""
        if isinstance(error, AlpacaRefused) and error.is_about_keys:
            self._health.failed(error)

    def _turn(self, ours: Placed) -> asyncio.Lock:
        """One request about an order at a time: a cancel waits for its submit."""
        return self._turns.setdefault(ours.line.order_id, asyncio.Lock())


def _is_same(ours: Placed, found: Iterable[Report]) -> bool:
    """True when what has the order's id is the order, not one of a journal that was lost."""
    order = ours.order
    told = next(report for report in found if report.client_order_id == order.client_order_id)
    is_alike = (told.symbol, told.side) == (alpaca_symbol(order.symbol), order.side)
    is_of_now = told.submitted_at >= order.approved_at - LOOK_BACK
    return is_alike and told.quantity == order.quantity and is_of_now
