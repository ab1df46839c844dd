"""However intents, fills and a person's orders mix: what may be held is within the limits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import EntryKind, OrderStatus, Side
from catalyst_bot.domain.limits import ExecutionRules, RiskLimits
from catalyst_bot.domain.messages.decisions import IntentFormed, OrderApproved
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.risk.rules import Rules
from tests import builders
from tests.unit.risk.bench import Bench

ZERO = Decimal(0)


@dataclass(frozen=True)
class Wishes:
    """Intents that stand in line together: (price of the symbol, action)."""

    of: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Fills:
    """Part of the oldest open entry is bought, at its worst price or below."""

    part: float
    discount: float


@dataclass(frozen=True)
class Foreign:
    """A person places an order, or takes all back (`quantity` 0)."""

    quantity: int
    limit_price: int
    side: Side | None


@dataclass
class World:
    """The risk stage with a book that its approvals fill."""

    bench: Bench
    count: int = 0
    open: dict[str, ApprovedOrder] = field(default_factory=dict)
    approved: int = 0

    def intents(self, wishes: Wishes) -> None:
        line: deque[Any] = deque(self._intent(price, action) for price, action in wishes.of)
        while line:
            message = line.popleft()
            line.extend(self.bench.decide(message))
            self.bench.remember(message)
            if isinstance(message, OrderApproved):
                self._remember(message.order)

    def _intent(self, price: float, action: float) -> IntentFormed:
        self.count += 1
        symbol = f"S{self.count}"
        told = builders.quote(symbol, bid=price, ask=price)
        catalyst = builders.catalyst(catalyst_id=f"cat-{self.count}", symbol=symbol)
        signal = builders.signal(
            catalyst=catalyst, price=price, quote=told, atr=price / 100, atr_average=price / 100
        )
        return IntentFormed(intent=builders.intent(signal=signal, action=action))

    def _remember(self, order: ApprovedOrder) -> None:
        self.approved += 1
        desk = self.bench.desk
        ticket = builders.ticket(
            client_order_id=order.client_order_id,
            trade_id=order.trade_id,
            symbol=order.symbol,
            kind=order.kind,
            quantity=order.quantity,
            reference_price=order.reference_price,
            worst_price=order.worst_price,
            status=OrderStatus.PLANNED,
        )
        desk.orders = {**desk.orders, order.client_order_id: ticket}
        self.open[order.client_order_id] = order
        equity = desk.account.equity_usd
        limits = self.bench.rules.limits
        assert self.at_worst() <= equity * Decimal(str(limits.max_exposure_fraction))
        assert self.at_worst() <= desk.account.cash_usd + desk.account.exposure_usd
        size = order.quantity * worst_of(order)
        assert size <= equity * Decimal(str(limits.max_position_fraction))

    def at_worst(self) -> Decimal:
        """What is held once everything open has bought at the worst price it may."""
        desk = self.bench.desk
        ours = (
            (t.quantity - t.filled_quantity) * worst_of(self.open[i])
            for i, t in desk.orders.items()
        )
        theirs = (
            o.quantity * (o.limit_price or ZERO)
            for o in desk.foreign_orders.values()
            if o.side is not Side.SELL
        )
        return desk.account.exposure_usd + sum(ours, start=ZERO) + sum(theirs, start=ZERO)

    def fill(self, fills: Fills) -> None:
        desk = self.bench.desk
        ticket = next(iter(desk.orders.values()), None)
        if ticket is None:
            return
        left = ticket.quantity - ticket.filled_quantity
        bought = max(Decimal(int(float(left) * fills.part)), Decimal(1))
        order = self.open[ticket.client_order_id]
        price = worst_of(order) * Decimal(str(1 - fills.discount))
        held = desk.positions.get(order.symbol)
        quantity = bought + (held.quantity if held is not None else ZERO)
        position = builders.position(
            trade_id=order.trade_id,
            catalyst_id=order.catalyst_id,
            symbol=order.symbol,
            quantity=quantity,
            last_price=price,
        )
        desk.positions = {**desk.positions, order.symbol: position}
        exposure = sum((p.quantity * p.last_price for p in desk.positions.values()), start=ZERO)
        cash = desk.account.cash_usd - bought * price
        desk.account = replace(
            desk.account, cash_usd=cash, exposure_usd=exposure, equity_usd=cash + exposure
        )
        changed = replace(ticket, filled_quantity=ticket.filled_quantity + bought)
        rest = {i: t for i, t in desk.orders.items() if i != ticket.client_order_id}
        is_done = changed.filled_quantity == changed.quantity
        desk.orders = rest if is_done else {changed.client_order_id: changed, **rest}

    def foreign(self, foreign: Foreign) -> None:
        desk = self.bench.desk
        if foreign.quantity == 0:
            desk.foreign_orders = {}
            return
        self.count += 1
        order = BrokerOrder(
            client_order_id=f"theirs-{self.count}",
            broker_order_id=f"b-{self.count}",
            symbol=f"S{self.count}",
            quantity=Decimal(foreign.quantity),
            filled_quantity=ZERO,
            side=foreign.side,
            limit_price=Decimal(foreign.limit_price),
        )
        desk.foreign_orders = {**desk.foreign_orders, order.client_order_id: order}


def worst_of(order: ApprovedOrder) -> Decimal:
    return order.worst_price if order.worst_price is not None else order.reference_price


PRICES = st.floats(2, 800).map(lambda price: round(price, 2))
WISHES = st.lists(st.tuples(PRICES, st.floats(0.05, 1)), min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.builds(Wishes, WISHES.map(tuple)),
        st.builds(Wishes, WISHES.map(tuple)),
        st.builds(Fills, st.floats(0, 1), st.floats(0, 0.02)),
        st.builds(
            Foreign,
            st.integers(0, 300),
            st.integers(1, 200),
            st.sampled_from([Side.BUY, Side.SELL, None]),
        ),
    ),
    max_size=20,
)
MANY = [Wishes(((97.31, 1.0), (12.17, 1.0)) * 3), Fills(0.5, 0.01)] * 4


@given(
    steps=STEPS,
    kind=st.sampled_from(EntryKind),
    fraction=st.sampled_from([0.1, 0.25, 0.8, 2.0]),
)
@example(steps=MANY, kind=EntryKind.LIMIT, fraction=0.8)
@example(steps=MANY, kind=EntryKind.LIMIT, fraction=0.25)
@example(steps=[Foreign(300, 200, None), *MANY], kind=EntryKind.MARKET, fraction=0.8)
@settings(max_examples=60, deadline=None)
def test_what_is_approved_never_passes_the_limits(
    steps: list[Any], kind: EntryKind, fraction: float
):
    limits = RiskLimits(
        max_exposure_fraction=fraction, max_open_positions=1000, max_daily_trades=1000
    )
    rules = Rules(limits=limits, execution=ExecutionRules(entry_kind=kind))
    world = World(bench=Bench(rules=rules))
    for step in steps:
        match step:
            case Wishes():
                world.intents(step)
            case Fills():
                world.fill(step)
            case Foreign():
                world.foreign(step)
