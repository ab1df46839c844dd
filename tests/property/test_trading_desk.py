"""Execution and ledger against a broker that repeats itself, reorders and loses answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    Side,
)
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from catalyst_bot.execution.brackets import parent_id_of
from catalyst_bot.execution.order_states import is_at_broker, is_finished
from catalyst_bot.portfolio.ledger import account_view
from tests.builders import NOON, approved_order, bar, fill
from tests.builders import ticket as a_ticket
from tests.stages import START_USD, Stages, accepted, cancelled, of_type


@dataclass
class TheirOrder:
    """An order at the tiny broker."""

    order: ApprovedOrder
    side: Side
    quantity: Decimal
    filled: Decimal = Decimal(0)
    status: OrderStatus = OrderStatus.WORKING
    fills: list[Any] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status is OrderStatus.WORKING


@dataclass
class TinyBroker:
    """Holds the truth; says it in facts that wait in `outbox` until somebody delivers them."""

    orders: dict[str, TheirOrder] = field(default_factory=dict)
    held: dict[str, TheirOrder] = field(default_factory=dict)
    outbox: list[Any] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    positions: dict[str, Decimal] = field(default_factory=dict)

    def say(self, fact: Any) -> None:
        self.outbox.append(fact)
        self.said.append(fact)

    def obey(self, command: Any) -> None:
        match command:
            case c.SubmitOrder():
                self._submit(command.order)
            case c.CancelOrder():
                self._cancel(command.client_order_id)
            case c.ReplaceOrder():
                self._replace(command)
            case c.LookUpOrder():
                self._look_up(command.client_order_id)

    def _submit(self, order: ApprovedOrder) -> None:
        order_id = order.client_order_id
        assert order_id not in self.orders, "sent twice"
        self.orders[order_id] = TheirOrder(order, order.side, order.quantity)
        if order.role is OrderRole.ENTRY:
            for leg_id in (stop_leg_id(order_id), target_leg_id(order_id)):
                self.held[leg_id] = TheirOrder(order, Side.SELL, Decimal(0))
        self.say(accepted(order_id))

    def _cancel(self, order_id: str) -> None:
        theirs = self.orders.get(order_id)
        if theirs is None or not theirs.is_open:
            self.say(f.ChangeRefused(at=NOON, client_order_id=order_id, reason="not open"))
            return
        self.end(order_id)

    def end(self, order_id: str) -> None:
        self.orders[order_id].status = OrderStatus.CANCELLED
        self.say(cancelled(order_id))

    def _replace(self, command: c.ReplaceOrder) -> None:
        theirs = self.orders.get(command.client_order_id)
        if theirs is None or not theirs.is_open:
            self.say(
                f.ChangeRefused(at=NOON, client_order_id=command.client_order_id, reason="gone")
            )
            return
        self.say(
            f.OrderReplaced(
                at=NOON,
                client_order_id=command.client_order_id,
                stop_price=command.stop_price,
                limit_price=None,
            )
        )

    def _look_up(self, order_id: str) -> None:
        theirs = self.orders.get(order_id)
        if theirs is None and order_id in self.held:
            return  # not live yet: the answer is lost
        found = None
        if theirs is not None:
            found = a_ticket(
                client_order_id=order_id, status=theirs.status, filled_quantity=theirs.filled
            )
        self.say(f.OrderLookedUp(at=NOON, client_order_id=order_id, ticket=found))

    def fill(self, order_id: str, quantity: Decimal, price: Decimal) -> None:
        theirs = self.orders[order_id]
        theirs.filled += quantity
        if theirs.filled == theirs.quantity:
            theirs.status = OrderStatus.FILLED
        symbol = theirs.order.symbol
        one = fill(
            fill_id=ids.fill_id(order_id, str(theirs.filled)),
            client_order_id=order_id,
            symbol=symbol,
            side=theirs.side,
            quantity=quantity,
            price=price,
            fee_usd=Decimal("0.35"),
        )
        signed = quantity if theirs.side is Side.BUY else -quantity
        self.positions[symbol] = self.positions.get(symbol, Decimal(0)) + signed
        self.say(f.OrderFilled(at=NOON, fill=one))
        entry_id = theirs.order.client_order_id
        if order_id == entry_id and theirs.order.role is OrderRole.ENTRY:
            self._grow_legs(entry_id, quantity)
        elif theirs.order.role is OrderRole.ENTRY:
            self._one_cancels_other(order_id, entry_id, quantity)

    def _grow_legs(self, entry_id: str, quantity: Decimal) -> None:
        for leg_id in (stop_leg_id(entry_id), target_leg_id(entry_id)):
            if leg_id in self.held:
                self.orders[leg_id] = self.held.pop(leg_id)
                self.say(accepted(leg_id))
            if self.orders[leg_id].is_open:
                self.orders[leg_id].quantity += quantity

    def _one_cancels_other(self, leg_id: str, entry_id: str, quantity: Decimal) -> None:
        stop_id, target_id = stop_leg_id(entry_id), target_leg_id(entry_id)
        sibling_id = target_id if leg_id == stop_id else stop_id
        sibling = self.orders[sibling_id]
        if self.orders[entry_id].is_open:
            self.end(entry_id)
        if sibling.is_open:
            sibling.quantity -= quantity
            if sibling.quantity == sibling.filled:
                self.end(sibling_id)


class TradingDesk(RuleBasedStateMachine):
    """Orders come and go; facts arrive late, twice, and across orders in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = Stages()
        self.broker = TinyBroker()
        self.timers: set[str] = set()
        self.submitted: list[str] = []
        self.ended: dict[str, OrderStatus] = {}
        self.count = 0
        self.told: list[Any] = []

    # What the outside does

    def tell(self, message: Any) -> None:
        self.told.append(message)
        for outcome in self.stages.handle(message):
            if isinstance(outcome, c.SubmitOrder):
                self._check_submit(outcome.order)
            if isinstance(outcome, c.SetTimer):
                self.timers.add(outcome.timer_id)
            self.broker.obey(outcome)

    def _check_submit(self, order: ApprovedOrder) -> None:
        assert order.client_order_id not in self.submitted
        self.submitted.append(order.client_order_id)
        if order.role is OrderRole.EXIT:
            others = [
                t
                for t in self.stages.execution.open_tickets.values()
                if t.trade_id == order.trade_id and t.client_order_id != order.client_order_id
            ]
            assert not any(is_at_broker(ticket) for ticket in others), "a share promised twice"
            assert order.quantity <= self.stages.portfolio.positions[order.symbol].quantity

    @rule(quantity=st.integers(1, 200))
    def approve_entry(self, quantity: int) -> None:
        self.count += 1
        symbol = f"SYM{self.count}"
        self.tell(
            d.OrderApproved(
                order=approved_order(
                    signal_id=f"sig-{self.count}", symbol=symbol, quantity=Decimal(quantity)
                )
            )
        )

    @precondition(lambda self: self.stages.portfolio.positions)
    @rule(data=st.data())
    def approve_exit(self, data: st.DataObject) -> None:
        positions = self.stages.portfolio.positions
        position = positions[data.draw(st.sampled_from(sorted(positions)))]
        self.count += 1
        order = replace(
            approved_order(signal_id=f"sig-{self.count}", symbol=position.symbol),
            trade_id=position.trade_id,
            role=OrderRole.EXIT,
            side=Side.SELL,
            quantity=position.quantity,
            stop_loss_price=None,
            take_profit_price=None,
            exit_reason=ExitReason.TIME_EXIT,
        )
        self.tell(d.OrderApproved(order=order))

    def _open_orders(self) -> list[str]:
        return sorted(i for i, o in self.broker.orders.items() if o.is_open)

    @precondition(lambda self: self._open_orders())
    @rule(data=st.data(), price=st.decimals("1", "200", places=2))
    def broker_fills(self, data: st.DataObject, price: Decimal) -> None:
        order_id = data.draw(st.sampled_from(self._open_orders()))
        theirs = self.broker.orders[order_id]
        left = int(theirs.quantity - theirs.filled)
        quantity = Decimal(data.draw(st.integers(1, left)))
        self.broker.fill(order_id, quantity, price)

    @precondition(lambda self: self._open_orders())
    @rule(data=st.data())
    def broker_cancels(self, data: st.DataObject) -> None:
        self.broker.end(data.draw(st.sampled_from(self._open_orders())))

    @precondition(lambda self: self.broker.outbox)
    @rule()
    def deliver_next(self) -> None:
        self.tell(self.broker.outbox.pop(0))

    @precondition(lambda self: self.broker.outbox)
    @rule(data=st.data())
    def deliver_out_of_order(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.broker.outbox) - 1))
        self.tell(self.broker.outbox.pop(index))

    @precondition(lambda self: self.broker.said)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        delivered = [fact for fact in self.broker.said if fact not in self.broker.outbox]
        if delivered:
            self.tell(data.draw(st.sampled_from(delivered)))

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def timer_fires(self, data: st.DataObject) -> None:
        timer_id = data.draw(st.sampled_from(sorted(self.timers)))
        self.timers.discard(timer_id)
        self.stages.wait(1_000)
        self.tell(f.TimerFired(at=self.stages.now, timer_id=timer_id))

    @precondition(lambda self: self.stages.portfolio.positions)
    @rule(data=st.data(), close=st.integers(1, 200))
    def bar_closes(self, data: st.DataObject, close: int) -> None:
        symbol = data.draw(st.sampled_from(sorted(self.stages.portfolio.positions)))
        self.tell(f.BarClosed(at=NOON, bar=bar(symbol, close=float(close))))

    @rule()
    def trading_halts(self) -> None:
        self.tell(
            d.TradingHalted(
                cause=HaltCause.OPERATOR, positions_policy=PositionsPolicy.HOLD, detail=""
            )
        )
        open_entries = [
            t for t in self.stages.execution.open_tickets.values() if t.role is OrderRole.ENTRY
        ]
        assert all(t.client_order_id in self.stages.execution.cancelling for t in open_entries)

    # What must hold

    @invariant()
    def nothing_is_filled_beyond_its_quantity(self) -> None:
        execution = self.stages.execution
        for ticket in (*execution.open_tickets.values(), *execution.finished_tickets.values()):
            assert 0 <= ticket.filled_quantity <= ticket.quantity

    @invariant()
    def an_order_ends_once(self) -> None:
        execution = self.stages.execution
        assert not execution.open_tickets.keys() & execution.finished_tickets.keys()
        for order_id, status in self.ended.items():
            now = execution.finished_tickets[order_id].status
            assert now in {status, OrderStatus.FILLED}
        self.ended |= {i: t.status for i, t in execution.finished_tickets.items()}
        assert not any(is_finished(t) for t in execution.open_tickets.values())

    @invariant()
    def money_is_conserved(self) -> None:
        books = self.stages.portfolio.books
        cost = sum((record.cost_usd for record in books.trades.values()), start=Decimal(0))
        assert books.cash_usd + cost == START_USD + books.realised_usd
        account = account_view(self.stages.portfolio, NOON)
        assert account.equity_usd == START_USD + account.realised_usd + account.unrealised_usd

    @invariant()
    def positions_are_what_the_messages_said(self) -> None:
        said: dict[str, Any] = {}
        for message in of_type(
            self.stages.said, d.PositionOpened, d.PositionChanged, d.PositionClosed
        ):
            if isinstance(message, d.PositionClosed):
                del said[message.trade.symbol]
            else:
                said[message.position.symbol] = message.position.quantity
        held = {s: p.quantity for s, p in self.stages.portfolio.positions.items()}
        assert held == said

    def teardown(self) -> None:
        """Once everything was said in order, our books are the broker's."""
        while self.broker.outbox:
            self.tell(self.broker.outbox.pop(0))
        self._check_recovery()
        unbooked = any("held" in m.ours for m in of_type(self.stages.said, d.MismatchFound))
        if unbooked:
            return  # a sale overtook the purchase: told, and left to a person
        ours = {s: p.quantity for s, p in self.stages.portfolio.positions.items()}
        assert ours == {s: q for s, q in self.broker.positions.items() if q != 0}
        for order_id, theirs in self.broker.orders.items():
            mine = self.stages.execution.ticket(order_id)
            assert mine is not None
            if theirs.is_open and is_finished(mine) and not self._was_overtaken(mine):
                raise AssertionError(f"{order_id} is alive at the broker and finished here")

    def _was_overtaken(self, leg: Any) -> bool:
        """The end of a leg's entry was told before its last fill: a leg with nothing to sell was
        given up, and comparing the books finds it.
        """
        entry_id = parent_id_of(leg)
        told = [
            message
            for message in self.told
            if (isinstance(message, f.OrderCancelled) and message.client_order_id == entry_id)
            or (isinstance(message, f.OrderFilled) and message.fill.client_order_id == entry_id)
        ]
        kinds = [type(message) for message in told]
        is_ended = f.OrderCancelled in kinds
        return is_ended and f.OrderFilled in kinds[kinds.index(f.OrderCancelled) :]

    def _check_recovery(self) -> None:
        """What `evolve` alone makes of the messages is the state that `decide` saw."""
        recovered = self.stages.recovered()
        assert recovered.execution == self.stages.execution
        assert recovered.portfolio == self.stages.portfolio


TestTradingDesk = TradingDesk.TestCase
TestTradingDesk.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
