"""What the stream and REST tell of the same orders comes to the same facts, whatever the order.

A story of orders is played at a small Alpaca. One book is shown how everything stands after each
step; that is the honest telling. Another hears the events of the stream shuffled, doubled and
lost, with answers of REST in between that are older than what it knows. In the end both look once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.broker.alpaca_book import Book
from catalyst_bot.broker.alpaca_mapping import Report, order_request, read_order, read_orders
from catalyst_bot.domain.enums import OrderKind, OrderRole, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import ApprovedOrder
from tests.builders import NOON, approved_order, bar
from tests.fake_alpaca import FakeAlpaca
from tests.fake_orders import FakeOrder, Refusal

EVERYTHING = {"status": "all", "nested": "true", "limit": "500"}
STEP = st.tuples(
    st.sampled_from(
        ("trade", "trade", "trade", "enter", "pair", "stop", "leave", "cancel", "move")
    ),
    st.sampled_from((94, 98, 100, 101, 109)),
    st.sampled_from((300.0, 1e6, 1e6)),
)
BOUGHT = [("enter", 100, 1e6), ("trade", 100, 1e6)]
SOLD = [("enter", 100, 1e6), ("trade", 100, 300.0), ("trade", 100, 1e6), ("trade", 94, 1e6)]
STEPS = st.tuples(st.sampled_from(([], BOUGHT, SOLD)), st.lists(STEP, min_size=1, max_size=12))


@dataclass
class Story:
    """Orders at the small Alpaca, with everything that was said and could be read of them."""

    at: datetime = NOON
    orders: list[ApprovedOrder] = field(default_factory=list)
    moments: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(now=lambda: self.at, participation=0.1)

    def step(self, what: str, price: int, volume: float) -> None:
        told = len(self.service.events)
        try:
            getattr(self, f"_{what}")(price, volume)
        except Refusal:
            return
        self.at += timedelta(seconds=1)
        self.moments += [("event", event) for event in self.service.events[told:]]
        self.moments.append(("look", self.service._list(EVERYTHING)))

    def _send(self, **given: Any) -> None:
        order_id = f"cb-{len(self.orders)}"
        order = approved_order(client_order_id=order_id, approved_at=self.at, **given)
        self.service.venue.submit(order_request(order), 100.0)
        self.orders.append(order)

    def _enter(self, price: int, volume: float) -> None:
        if volume > 300:
            self._send()
        else:
            self._send(kind=OrderKind.LIMIT, limit_price=Decimal(price))

    def _sell(self, role: OrderRole, **given: Any) -> None:
        held = self.service.venue.held("ACME")
        if held > 0:
            self._send(
                role=role, side=Side.SELL, quantity=held, **({"take_profit_price": None} | given)
            )

    def _pair(self, price: int, volume: float) -> None:
        self._sell(OrderRole.TAKE_PROFIT, kind=OrderKind.LIMIT, limit_price=Decimal(107))

    def _stop(self, price: int, volume: float) -> None:
        self._sell(OrderRole.STOP_LOSS, kind=OrderKind.STOP)

    def _leave(self, price: int, volume: float) -> None:
        self._sell(OrderRole.EXIT, stop_loss_price=None)

    def _trade(self, price: int, volume: float) -> None:
        prices = dict.fromkeys(("open", "high", "low", "close"), float(price))
        one = bar(opened_at=self.at, volume=volume, **prices)
        self.at = one.closed_at
        self.service.trade(one)

    def _open(self, number: int) -> FakeOrder | None:
        at_work = [order for order in self.service.orders.values() if order.is_open]
        return at_work[number % len(at_work)] if at_work else None

    def _cancel(self, price: int, volume: float) -> None:
        if order := self._open(price):
            self.service.venue.cancel(order)

    def _move(self, price: int, volume: float) -> None:
        order = self._open(price)
        if order is not None and order.kind != "market":
            self.service.venue.replace(order, {f"{order.kind}_price": str(price)})


@dataclass
class Teller:
    """A book and what it told."""

    story: Story
    facts: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = Book()
        for order in self.story.orders:
            self.book.add(c.SubmitOrder(order=order, valid_until=self.story.at))

    def take(self, kind: str, content: Any) -> None:
        before = self.reports()
        if kind == "event":
            self.facts += self.book.news([read_order(content["order"])], NOON, is_whole=False)
        else:
            self.facts += self.book.news(read_orders(content), NOON)
        for order_id, report in self.reports().items():
            if known := before.get(order_id):
                assert report.filled_quantity >= known.filled_quantity
                assert report.is_final or not known.is_final or report.replaces

    def reports(self) -> dict[str, Report]:
        """How every order and leg stands, as far as the book knows."""
        lines = [line for _, line in self.book._lines.values()]
        return {line.order_id: line.report for line in lines if line.report is not None}

    def sums(self) -> dict[str, Any]:
        """What the core knows in the end: fills and ends of every order and leg."""
        known: dict[str, dict[str, Any]] = {}
        for fact in self.facts:
            if isinstance(fact, f.OrderFilled):
                of_order = known.setdefault(fact.fill.client_order_id, {})
                of_order["shares"] = of_order.get("shares", 0) + fact.fill.quantity
                spent_usd = of_order.get("usd", 0) + fact.fill.quantity * fact.fill.price
                of_order["usd"] = spent_usd.quantize(Decimal("0.0001"))
            else:
                of_order = known.setdefault(fact.client_order_id, {})  # type: ignore[union-attr]
                of_order[type(fact).__name__] = of_order.get(type(fact).__name__, 0) + 1
        for of_order in known.values():
            if of_order.keys() & {"OrderCancelled", "OrderExpired"} and "shares" not in of_order:
                of_order.pop("OrderAccepted", None)  # first heard of when it was over
            of_order.pop("OrderReplaced", None)  # only the last price counts
        return {order_id: of_order for order_id, of_order in known.items() if of_order}

    def at_work(self) -> dict[str, Any]:
        """The orders that are open in the end, with the prices that were told last."""
        lines = [
            self.book.find(o.client_order_id) for o in self.book.open_orders(final(self.story))
        ]
        return {
            known[1].order_id: (
                known[1].stop_price,
                known[1].limit_price,
                known[0].ticket(known[1]),
            )
            for known in lines
            if known is not None
        }


def honest(story: Story) -> Teller:
    teller = Teller(story)
    for kind, content in story.moments:
        if kind == "look":
            teller.take(kind, content)
    return teller


def jumbled(story: Story, chance: Random) -> Teller:
    """Events come up to some places early or late, not at all or several times; so do answers."""
    teller = Teller(story)
    moments = [
        (number + chance.uniform(0, 6), kind, content)
        for number, (kind, content) in enumerate(story.moments)
        for _ in range(chance.choice((0, 1, 1, 2)))
    ]
    for _, kind, content in sorted(moments, key=lambda moment: moment[0]):
        teller.take(kind, content)
    teller.take(*story.moments[-1])
    return teller


@settings(max_examples=300)
@given(steps=STEPS, chance=st.randoms(use_true_random=False))
def test_a_jumbled_telling_comes_to_the_honest_one(steps: Any, chance: Random):
    story = Story()
    for step in (*steps[0], *steps[1]):
        story.step(*step)
    if not story.moments:
        return
    wanted, found = honest(story), jumbled(story, chance)
    assert found.sums() == wanted.sums()
    assert found.book.held() == wanted.book.held() == story.service.positions()
    assert found.at_work() == wanted.at_work()
    for teller in (wanted, found):
        check_order_of_facts(teller)


def final(story: Story) -> dict[str, Any]:
    reports = read_orders(story.service._list(EVERYTHING))
    return {each.broker_order_id: each for report in reports for each in (report, *report.legs)}


def sibling_of(order_id: str) -> str:
    head, _, leg = order_id.rpartition("-")
    return {"sl": f"{head}-tp", "tp": f"{head}-sl"}.get(leg, "")


def check_order_of_facts(teller: Teller) -> None:
    """Nothing is sold before it is bought, nothing filled before it is taken, ids come once; and
    a leg does not end before it is told that its sibling sold.
    """
    shares = Decimal(0)
    accepted, fills, ended = set(), set(), set()
    for fact in teller.facts:
        if isinstance(fact, f.OrderCancelled):
            ended.add(fact.client_order_id)
        if isinstance(fact, f.OrderAccepted):
            assert fact.client_order_id not in accepted
            accepted.add(fact.client_order_id)
        if isinstance(fact, f.OrderFilled):
            fill = fact.fill
            assert fill.fill_id not in fills
            assert fill.client_order_id in accepted
            assert sibling_of(fill.client_order_id) not in ended
            fills.add(fill.fill_id)
            shares += fill.quantity if fill.side is Side.BUY else -fill.quantity
            assert shares >= 0
