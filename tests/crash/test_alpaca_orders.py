"""Orders at the exchange while requests fail, the stream lies and the broker dies again and again.

The exchange is the real one, with faults by its own script: answers lost after the order was taken,
errors before it, hanging requests, full limits, events dropped, doubled and out of order. A broker
that dies knows afterwards only what the journal holds: commands that were given, facts that were
told. In the end: no order twice, no fill lost or doubled, books equal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx2 as httpx
import pytest

from catalyst_bot.alpaca import client as client_module
from catalyst_bot.alpaca import stream as stream_module
from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.domain.enums import OrderKind, OrderRole, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from tests.builders import approved_order
from tests.exchange.process import Running, exchange

PATIENCE_S = 60.0
DEATHS = 25
ORDERS_PER_LIFE = 3
FAULTS = """
[[rule]]
match = { method = "POST", path = "^/v2/orders$" }
when = { probability = 0.25 }
action = { status = 504, stage = "after", html = "<h1>504</h1>" }
[[rule]]
match = { method = "POST", path = "^/v2/orders$" }
when = { probability = 0.15 }
action = { status = 500 }
[[rule]]
match = { method = "POST", path = "^/v2/orders$" }
when = { probability = 0.1 }
action = { hang = true, stage = "after" }
[[rule]]
match = { method = "POST", path = "^/v2/orders$" }
when = { probability = 0.1 }
action = { status = 429 }
[[rule]]
match = { method = "GET", path = "^/v2/" }
when = { probability = 0.05 }
action = { status = 502, html = "<h1>502</h1>" }
[[rule]]
match = { method = "DELETE", path = "^/v2/orders" }
when = { probability = 0.3 }
action = { status = 503, stage = "after" }
[[rule]]
stream = "trading"
when = { probability = 0.3 }
action = { drop = true }
[[rule]]
stream = "trading"
when = { probability = 0.3 }
action = { duplicate = true }
[[rule]]
stream = "trading"
when = { probability = 0.2 }
action = { reorder = true }
"""
KNOBS = "rate_limit_per_min = 1000000\n"
ENDS = (f.OrderRejected, f.OrderCancelled, f.OrderExpired)


@dataclass
class Desk:
    """A journal, and brokers that live one after the other."""

    venue: Running
    time: datetime
    journal: list[Any] = field(default_factory=list)
    broker: AlpacaBrokerClient | None = None

    def now(self) -> datetime:
        return self.time

    @asynccontextmanager
    async def life(self) -> AsyncIterator[AlpacaBrokerClient]:
        """One process: it learns from the journal, and is gone at once in the end."""
        key, secret = self.venue.keys
        environ = {"ALPACA_API_KEY": key, "ALPACA_SECRET": secret}
        access = access_of(base_url=self.venue.url, environ=environ)
        client = AlpacaClient(access, pace=Pace(20), per_min=10**6)
        self.broker = broker = AlpacaBrokerClient(
            client, sink=self.hear, clock=self, poll_s=2.0, calm_poll_s=4.0
        )
        for fact in broker.recover(list(self.journal), self.time):
            self.hear(fact)
        task = asyncio.ensure_future(broker.run())
        try:
            yield broker
        finally:
            self.broker = None  # what it would still say is never heard
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await client.__aexit__()

    def hear(self, fact: Any) -> None:
        if self.broker is None:
            return
        self.journal.append(fact)
        if isinstance(fact, f.SubmitOutcomeUnknown):
            self.broker.look_up(c.LookUpOrder(client_order_id=fact.client_order_id))

    def send(self, **given: Any) -> str:
        order = approved_order(
            client_order_id=f"cb-{len(self.journal)}", approved_at=self.time, **given
        )
        valid_until = self.time + timedelta(seconds=10)
        command = c.SubmitOrder(order=order, valid_until=valid_until)
        self.journal.append(command)
        assert self.broker is not None
        self.broker.submit(command)
        return order.client_order_id

    def of(self, *kinds: type) -> list[Any]:
        return [message for message in self.journal if isinstance(message, kinds)]

    def open_ids(self) -> list[str]:
        over = {fact.client_order_id for fact in self.of(*ENDS)}
        return [
            x.client_order_id for x in self.of(f.OrderAccepted) if x.client_order_id not in over
        ]

    def ask(self, path: str) -> Any:
        key, secret = self.venue.keys
        headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        answer = httpx.get(self.venue.url + path, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            token = f"&page_token={found[-1]['id']}" if found else ""
            page = self.ask(f"/v2/account/activities/FILL?page_size=100&direction=asc{token}")
            found += page
            if len(page) < 100:
                return found


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "faults.toml").write_text(FAULTS)
    (tmp_path / "knobs.toml").write_text(KNOBS)
    files = ("--faults", str(tmp_path / "faults.toml"), "--knobs", str(tmp_path / "knobs.toml"))
    with exchange("--speed", "step", "--seed", "3", *files) as running:
        yield running


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(stream_module, "BUSY_PAUSE_S", 0.05)


def random_order(desk: Desk, chance: Random, prices: dict[str, float]) -> None:
    symbol = chance.choice(sorted(prices))
    price = Decimal(str(round(prices[symbol], 2)))
    kind = chance.choice(("bracket", "bracket", "limit", "sell"))
    given: dict[str, Any] = {"symbol": symbol, "quantity": Decimal(chance.randint(1, 30))}
    if kind == "bracket":
        desk.send(
            **given,
            stop_loss_price=round(price * Decimal("0.9"), 2),
            take_profit_price=round(price * Decimal("1.1"), 2),
        )
        return
    bare = {"stop_loss_price": None, "take_profit_price": None}
    if kind == "limit":
        limit_price = round(price * Decimal(str(chance.choice((0.95, 1.05)))), 2)
        desk.send(**given, **bare, kind=OrderKind.LIMIT, limit_price=limit_price)
    else:
        desk.send(**given, **bare, role=OrderRole.EXIT, side=Side.SELL)


async def live_once(desk: Desk, chance: Random, prices: dict[str, float]) -> None:
    """Give some orders and cancels, let time pass, die."""
    async with desk.life() as broker:
        for _ in range(ORDERS_PER_LIFE):
            random_order(desk, chance, prices)
            await asyncio.sleep(chance.uniform(0, 0.15))
        for order_id in desk.open_ids():
            if chance.random() < 0.1:
                broker.cancel(c.CancelOrder(client_order_id=order_id, catalyst_id="cat-test"))
        await asyncio.sleep(chance.uniform(0, 0.4))


async def settle(desk: Desk, broker: AlpacaBrokerClient) -> None:
    """Ask for what is unclear until it is clear, and for the books."""
    books = len(desk.of(f.BrokerSnapshotReceived))
    async with asyncio.timeout(PATIENCE_S):
        while broker._book.unanswered():
            for order_id in broker._book.unanswered():
                broker.look_up(c.LookUpOrder(client_order_id=order_id))
            await asyncio.sleep(0.2)
        broker.snapshot(c.TakeBrokerSnapshot(reason="test"))
        while len(desk.of(f.BrokerSnapshotReceived)) == books:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_no_order_twice_and_no_fill_lost_however_often_the_broker_dies(venue: Running):
    chance = Random(5)
    desk = Desk(venue, datetime.fromisoformat(venue["now"]) + timedelta(minutes=1))
    desk.time = step_to(venue, desk.time)
    names = [asset["symbol"] for asset in desk.ask("/v2/assets?status=active")][:8]
    prices = {
        name: row["bp"]
        for name, row in desk.ask(f"/v2/stocks/quotes/latest?symbols={','.join(names)}")[
            "quotes"
        ].items()
    }
    for _ in range(DEATHS):
        await live_once(desk, chance, prices)
        desk.time = step_to(venue, desk.time + timedelta(seconds=90))
    venue.admin("DELETE", "/admin/faults")
    desk.time = step_to(venue, desk.time + timedelta(minutes=1))  # what is unclear is too late now
    async with desk.life() as broker:
        await settle(desk, broker)
    check_orders(desk)
    check_fills(desk)


def step_to(venue: Running, at: datetime) -> datetime:
    venue.advance(at.isoformat().replace("+00:00", "Z"))
    return at


def check_orders(desk: Desk) -> None:
    placed = desk.ask("/v2/orders?status=all&limit=500&nested=true")
    theirs = [order["client_order_id"] for order in placed if not order["replaces"]]
    assert len(theirs) == len(set(theirs))
    promised = {message.order.client_order_id for message in desk.of(c.SubmitOrder)}
    assert set(theirs) <= promised
    accepted = {fact.client_order_id for fact in desk.of(f.OrderAccepted)}
    known = {x for x in accepted if not x.endswith(("-sl", "-tp"))}
    ended_at_once = {x.client_order_id for x in desk.of(*ENDS)}
    assert set(theirs) - ended_at_once <= known <= set(theirs)
    assert len(desk.of(f.OrderAccepted)) == len(accepted)
    assert len(desk.of(c.SubmitOrder)) == DEATHS * ORDERS_PER_LIFE
    assert desk.of(f.SubmitOutcomeUnknown)  # the faults did happen


def check_fills(desk: Desk) -> None:
    fills = [fact.fill for fact in desk.of(f.OrderFilled)]
    assert len({fill.fill_id for fill in fills}) == len(fills)
    executions = desk.executions()
    for side in ("buy", "sell"):
        ours = [fill for fill in fills if fill.side == side]
        theirs = [row for row in executions if row["side"] == side]
        assert sum(x.quantity for x in ours) == sum(Decimal(row["qty"]) for row in theirs)
        ours_usd = sum(x.quantity * x.price for x in ours)
        theirs_usd = sum(Decimal(row["qty"]) * Decimal(row["price"]) for row in theirs)
        assert abs(ours_usd - theirs_usd) < Decimal("0.01")
    books = desk.of(f.BrokerSnapshotReceived)[-1].snapshot
    held: dict[str, Decimal] = {}
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        held[fill.symbol] = held.get(fill.symbol, Decimal(0)) + sign * fill.quantity
    assert {p.symbol: p.quantity for p in books.positions} == {s: q for s, q in held.items() if q}
    assert desk.of(f.ForeignFilled) == []
    assert len(executions) > DEATHS
