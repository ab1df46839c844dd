"""The broker over real sockets: what it hears by stream, what by REST, and what it does when the
stream drops, lies silent, repeats itself or is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.alpaca import stream as stream_module
from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.stream import MAX_REFUSALS
from catalyst_bot.alpaca.wire import Host
from catalyst_bot.broker import alpaca_watch
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from tests.builders import approved_order, bar
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served
from tests.fake_orders import Refusal
from tests.fake_streams import TRADING

PATIENCE_S = 10.0
NEVER_S = 600.0
LISTS = "GET /v2/orders"


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Bench:
    """A running broker and its service. Without events of the stream only `poll_s` counts."""

    poll_s: float = NEVER_S
    calm_poll_s: float = NEVER_S
    said: list[Any] = field(default_factory=list)

    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.service = FakeAlpaca(now=self.clock.now)
        self.journal: list[Any] = []
        self.broker: AlpacaBrokerClient

    @asynccontextmanager
    async def running(self, url: str) -> AsyncIterator[Bench]:
        access = access_of(base_url=url, environ={"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET})
        async with AlpacaClient(access, per_min=10_000, pace=self.pace) as client:
            self.broker = AlpacaBrokerClient(
                client,
                sink=self.hear,
                clock=self.clock,
                poll_s=self.poll_s,
                calm_poll_s=self.calm_poll_s,
            )
            self.due = self.broker.recover(self.journal, self.clock.now())
            task = asyncio.ensure_future(self.broker.run())
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def hear(self, fact: Any) -> None:
        self.said.append(fact)
        self.journal.append(fact)

    def send(self, order_id: str = "cb-1") -> None:
        order = approved_order(client_order_id=order_id, approved_at=self.clock.now())
        valid_until = self.clock.now() + timedelta(seconds=10)
        command = c.SubmitOrder(order=order, valid_until=valid_until)
        self.journal.append(command)
        self.broker.submit(command)

    async def trade(self, price: float) -> None:
        prices = dict.fromkeys(("open", "high", "low", "close"), price)
        now = self.clock.now()
        one = bar(opened_at=now, volume=1e6, **(prices | {"closed_at": now}))
        await asyncio.to_thread(self.service.trade, one)

    async def until_said(self, kind: type, count: int = 1) -> list[Any]:
        await until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.said if isinstance(fact, kind)]

    async def is_listened_to(self) -> None:
        """Wait until the stream is open and the look that follows is over."""
        await until(lambda: self.broker._watch.stream.is_up)
        await self.is_quiet()

    async def is_quiet(self) -> None:
        """Wait until nobody is asked any more."""
        while True:
            asked = len(self.service.asked)
            await asyncio.sleep(0.5)
            if len(self.service.asked) == asked:
                return


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - the other side has no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(stream_module, "BUSY_PAUSE_S", 0.02)


async def test_what_happens_is_heard_on_the_stream_without_waiting_for_a_poll():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            await bench.trade(100.0)
            (filled,) = await bench.until_said(f.OrderFilled)
            assert filled.fill.quantity == Decimal(100)
            await bench.until_said(f.OrderAccepted, 3)
    legs = {stop_leg_id("cb-1"), target_leg_id("cb-1")}
    assert {x.client_order_id for x in bench.of(f.OrderAccepted)} == {"cb-1", *legs}


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_leg_that_sold_ends_its_sibling_even_if_the_stream_says_nothing_of_it(
    is_told: bool,
):
    bench = Bench()
    bench.service.venue.tells_sibling_cancels = is_told
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            await bench.trade(100.0)
            await bench.until_said(f.OrderAccepted, 3)
            await bench.trade(109.0)
            (cancelled,) = await bench.until_said(f.OrderCancelled)
    assert cancelled.client_order_id == stop_leg_id("cb-1")
    sold = bench.of(f.OrderFilled)[-1]
    assert sold.fill.client_order_id == target_leg_id("cb-1")
    assert bench.said.index(sold) < bench.said.index(cancelled)


async def test_what_was_missed_while_the_stream_was_down_is_found_after_it_is_back():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            bench.service.streams.refuse[TRADING] = 503
            bench.service.streams.close(TRADING)
            await bench.until_said(f.AdapterFailed)
            await bench.is_quiet()
            await bench.trade(100.0)
            assert bench.of(f.OrderFilled) == []
            del bench.service.streams.refuse[TRADING]
            await bench.until_said(f.OrderFilled)
            await bench.until_said(f.AdapterRecovered)
    assert {fact.adapter for fact in bench.of(f.AdapterFailed)} == {"broker stream"}


async def test_every_connection_is_followed_by_a_look():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            for count in range(1, 4):
                await until(lambda: bench.service.streams.count(TRADING) == 1)
                await bench.is_listened_to()
                looks = bench.service.asked.count(LISTS)
                assert looks >= count
                bench.service.streams.close(TRADING)
                await until(lambda n=count: bench.service.streams.connections[TRADING] > n)


async def test_messages_that_come_five_times_are_told_once():
    bench = Bench()
    bench.service.streams.repeat = 5
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.trade(100.0)
            await bench.until_said(f.OrderAccepted, 1)
            await bench.trade(100.0)
            await bench.until_said(f.OrderFilled)
            await bench.is_quiet()
    assert len(bench.of(f.OrderFilled)) == 1
    assert len(bench.of(f.OrderAccepted)) == 3


async def test_unknown_events_and_statuses_are_no_fault():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            (order, *_) = bench.service.orders.values()
            shown = bench.service.json_of(order, nested=False) | {"status": "of_next_year"}
            told = [
                {"stream": "trade_updates", "data": {"event": "of_next_year", "order": shown}},
                {"stream": "trade_updates", "data": {"event": "fill", "order": {"id": "x"}}},
                {"stream": "trade_updates", "data": {"event": "fill", "order": None}},
                {"stream": "trade_updates", "data": None},
                {"stream": "of_next_year", "data": {}},
                {},
            ]
            for message in told:
                bench.service.streams.push(TRADING, message)
            await bench.trade(100.0)
            await bench.until_said(f.OrderFilled)
    assert bench.service.streams.connections[TRADING] == 1


async def test_a_mute_stream_is_noticed_by_the_look_at_the_orders_and_made_anew(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(alpaca_watch, "STREAM_DELAY", timedelta(seconds=0.2))
    bench = Bench(calm_poll_s=0.5)
    with served(bench.service.app) as url:
        async with bench.running(url):
            await until(lambda: bench.broker._watch.stream.is_up)
            bench.send()
            await bench.until_said(f.OrderAccepted)
            bench.service.streams.mute.add(TRADING)
            await bench.trade(100.0)
            await bench.until_said(f.OrderFilled)
            await until(lambda: bench.service.streams.connections[TRADING] == 2)


async def test_refused_keys_on_the_stream_leave_polling_and_end_the_tries():
    bench = Bench(poll_s=0.2)
    bench.service.streams.say[TRADING] = (402, "auth failed")
    with served(bench.service.app) as url:
        async with bench.running(url):
            await until(lambda: bench.service.streams.connections[TRADING] == MAX_REFUSALS)
            bench.send()
            await bench.until_said(f.OrderAccepted)
            await bench.trade(100.0)
            await bench.until_said(f.OrderFilled)
            await asyncio.sleep(0.3)
    assert bench.service.streams.connections[TRADING] == MAX_REFUSALS
    (failed,) = bench.of(f.AdapterFailed)
    assert "keys are refused" in failed.error


async def test_polls_are_rare_while_the_stream_is_up_and_frequent_when_it_is_down():
    bench = Bench(poll_s=0.05)
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            calm = bench.service.asked.count(LISTS)
            await asyncio.sleep(0.5)
            assert bench.service.asked.count(LISTS) == calm
            bench.service.streams.refuse[TRADING] = 503
            bench.service.streams.close(TRADING)
            await until(lambda: bench.service.asked.count(LISTS) >= calm + 4)


async def test_what_a_person_trades_is_told_once_by_stream_and_after_a_restart():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            by_hand = await asyncio.to_thread(bench.service.by_hand, "ACME", 7)
            (told,) = await bench.until_said(f.ForeignFilled)
            await bench.is_quiet()
        await asyncio.to_thread(bench.service.by_hand, "ACME", 3, "sell", 101.0)
        async with bench.running(url):
            await bench.until_said(f.ForeignFilled, 2)
            await bench.is_quiet()
        async with bench.running(url):
            await bench.is_listened_to()
    assert (told.fill.client_order_id, told.fill.quantity) == (by_hand, Decimal(7))
    sold = bench.of(f.ForeignFilled)[1].fill
    assert (sold.side, sold.quantity, sold.price) == ("sell", Decimal(3), Decimal("101.0"))
    assert len(bench.of(f.ForeignFilled)) == 2


async def test_our_own_fills_are_never_taken_for_a_persons_not_even_after_a_restart():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            await bench.trade(100.0)
            await bench.until_said(f.OrderAccepted, 3)
            bench.broker.replace(
                c.ReplaceOrder(
                    client_order_id=stop_leg_id("cb-1"),
                    catalyst_id="cat",
                    stop_price=Decimal(99),
                )
            )
            await bench.until_said(f.OrderReplaced)
            await bench.trade(98.0)
            await bench.until_said(f.OrderCancelled)
        for order in bench.service.orders.values():
            order.submitted_at -= timedelta(hours=1)
        async with bench.running(url):  # the orders are over: only their executions are listed
            await bench.is_listened_to()
            assert any("/v2/orders/" in line for line in bench.service.asked[-6:])
    assert len(bench.of(f.OrderFilled)) == 2
    assert bench.of(f.ForeignFilled) == []


async def test_a_cancel_gets_through_when_every_other_request_is_used_up():
    bench = Bench()
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.send()
            await bench.until_said(f.OrderAccepted)
            await bench.is_quiet()
            limit = bench.broker._client._limits[Host.TRADING]
            limit.learn(429, {})  # the gate is closed for everyone but cancels
            bench.broker.cancel(c.CancelOrder(client_order_id="cb-1", catalyst_id="cat"))
            await until(lambda: any(line.startswith("DELETE") for line in bench.service.asked))
            assert limit._closed_until > limit._pace.seconds()
            (cancelled,) = await bench.until_said(f.OrderCancelled)
    assert cancelled.client_order_id == "cb-1"


async def test_revoked_keys_halt_trading_whenever_they_are_refused():
    bench = Bench(poll_s=0.05)
    with served(bench.service.app) as url:
        async with bench.running(url):
            await bench.is_listened_to()
            bench.service.streams._keys = ("other", "keys")
            bench.service._check_keys = refuse  # type: ignore[method-assign]
            bench.service.streams.close(TRADING)
            await until(lambda: len(bench.of(f.OperatorHalted)) > 1)
    assert {halted.by for halted in bench.of(f.OperatorHalted)} == {"alpaca"}


def refuse(_: Any) -> None:
    raise Refusal(401, 0, "unauthorized.")


async def test_where_we_move_the_time_it_looks_only_when_there_is_a_reason():
    bench = Bench(poll_s=0.01, calm_poll_s=0.01, pace=Pace(is_stepped=True))
    with served(bench.service.app) as url:
        async with bench.running(url):
            await until(lambda: bench.broker.stream.is_up)
            assert LISTS not in bench.service.asked
            await bench.broker.idle()
            asked = bench.service.asked.count(LISTS)
            assert asked, "after the stream was opened"
            await bench.broker.idle()
            assert bench.service.asked.count(LISTS) == asked
            bench.send()
            await bench.broker.idle()
            assert bench.of(f.OrderAccepted)
