"""Core, Alpaca adapter and a small Alpaca together, with faults and crashes at random.

Whatever happens: no order is placed twice, no fact is told twice, the books never part for good,
and in the end the bot holds what the account holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalyst_bot.broker import alpaca
from catalyst_bot.domain.enums import OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.engine.recovery import unanswered
from catalyst_bot.simulation.fill_profile import FillProfile
from tests.alpaca_desk import AlpacaDesk
from tests.builders import approved_order, bar
from tests.fake_alpaca import FakeAlpaca
from tests.stages import COMMANDS, Stages, run_started

FAULTS = ("", "", "504 after", "500 before", "429", "429 after", "page after")


@dataclass
class Bot:
    """The stages that work orders, with the adapter as their broker."""

    stages: Stages = field(default_factory=Stages)
    inbox: list[Any] = field(default_factory=list)
    timers: dict[str, datetime] = field(default_factory=dict)
    deaf: bool = False

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(now=self.now, profile=FillProfile.OURS)
        self.desk = AlpacaDesk(self.hear, clock=self, service=self.service)

    def now(self) -> datetime:
        return self.stages.now

    def hear(self, fact: Any) -> None:
        if not self.deaf:
            self.inbox.append(fact)

    def handle(self, *messages: Any) -> None:
        self.execute(self.stages.handle(*messages))

    def execute(self, commands: list[Any]) -> None:
        broker = self.desk.broker
        calls = (broker.submit, broker.cancel, broker.replace, broker.look_up, broker.snapshot)
        for command in commands:
            if isinstance(command, c.SetTimer):
                self.timers[command.timer_id] = command.due_at
            for kind, call in zip(COMMANDS, calls, strict=True):
                if isinstance(command, kind):
                    call(command)

    def work(self) -> None:
        """Until Alpaca answers again and nobody has anything to say."""
        self.desk.settle()
        while self.service.failing or self.inbox or not self.desk.broker._jobs.empty():
            while self.inbox:
                self.handle(self.inbox.pop(0))
            self.desk.settle()

    def fire_timers(self) -> None:
        due = [timer for timer, at in self.timers.items() if at <= self.now()]
        for timer in due:
            del self.timers[timer]
            self.handle(f.TimerFired(at=self.now(), timer_id=timer))

    def crash(self) -> None:
        """A new process over the same journal (see `bootstrap.outside`)."""
        said = list(self.stages.said)
        now = self.now()
        self.stages = self.stages.recovered()
        self.stages.now = now
        self.stages.said = said
        self.stages.said_at = [now] * len(said)
        self.inbox.clear()
        self.timers.clear()
        self.deaf = False
        undone = unanswered(SimpleNamespace(body=message) for message in said)
        due = self.desk.restart(said)
        self.execute([command for command in undone if not isinstance(command, c.SubmitOrder)])
        for fact in due:
            self.handle(fact)
        self.handle(run_started())


class Trading(RuleBasedStateMachine):
    """Orders, prices, faults and crashes in any order."""

    def __init__(self) -> None:
        super().__init__()
        alpaca.RATE_LIMIT_PAUSE_S = alpaca.SETTLING_S = 0.0
        self.bot = Bot()
        self.orders = 0

    @property
    def position(self) -> Any:
        return self.bot.stages.portfolio.positions.get("ACME")

    @property
    def is_busy(self) -> bool:
        return bool(self.position or self.bot.stages.execution.open_tickets)

    @precondition(lambda self: not self.is_busy)
    @rule(fault=st.sampled_from(FAULTS), dies=st.booleans())
    def enter(self, fault: str, dies: bool):
        self.orders += 1
        if fault:
            self.bot.service.faults.append(fault)
        order = approved_order(
            signal_id=f"sig-{self.orders}", approved_at=self.bot.now(), quantity=Decimal(100)
        )
        self.bot.handle(d.OrderApproved(order=order))
        self.maybe_die(dies)

    @precondition(lambda self: self.position is not None)
    @rule(fault=st.sampled_from(FAULTS), dies=st.booleans())
    def leave(self, fault: str, dies: bool):
        self.orders += 1
        if fault:
            self.bot.service.faults.append(fault)
        order = approved_order(
            client_order_id=f"cb-exit-{self.orders}",
            trade_id=self.position.trade_id,
            role=OrderRole.EXIT,
            side=Side.SELL,
            quantity=self.position.quantity,
            stop_loss_price=None,
            take_profit_price=None,
            approved_at=self.bot.now(),
        )
        self.bot.handle(d.OrderApproved(order=order))
        self.maybe_die(dies)

    def maybe_die(self, dies: bool) -> None:
        """Die after Alpaca was told, before anything came back, or live on."""
        self.bot.deaf = dies
        if dies:
            self.bot.desk.settle()
            self.bot.crash()
        self.bot.work()

    @rule(price=st.integers(95, 109), volume=st.sampled_from((300.0, 1e6)), fails=st.integers(0, 3))
    def trade(self, price: int, volume: float, fails: int):
        prices = dict.fromkeys(("open", "high", "low", "close"), float(price))
        one = bar(opened_at=self.bot.now(), volume=volume, **prices)
        self.bot.stages.now = one.closed_at
        self.bot.service.trade(one)
        self.bot.service.failing = fails
        self.bot.work()
        self.bot.fire_timers()
        self.bot.work()

    @precondition(lambda self: self.position is not None)
    @rule(price=st.sampled_from(("98.00", "99.00", "99.50")))
    def raise_stop(self, price: str):
        position = self.position
        stops = [
            t
            for t in self.bot.stages.execution.open_tickets.values()
            if t.role is OrderRole.STOP_LOSS and t.status is OrderStatus.WORKING
        ]
        for stop in stops:
            self.bot.handle(
                d.StopMoved(
                    trade_id=position.trade_id,
                    catalyst_id=position.catalyst_id,
                    symbol="ACME",
                    old_stop_price=stop.stop_price,
                    stop_price=Decimal(price),
                    high_water_price=Decimal(105),
                    is_trailing=True,
                )
            )
        self.bot.work()

    @rule()
    def crash(self):
        self.bot.crash()
        self.bot.work()

    @invariant()
    def no_order_is_placed_twice(self):
        sent = [body["client_order_id"] for body in self.bot.service.posts]
        assert len(sent) == len(set(sent))

    @invariant()
    def no_fill_is_told_twice(self):
        fills = [m.fill.fill_id for m in self.bot.stages.said if isinstance(m, f.OrderFilled)]
        assert len(fills) == len(set(fills))

    @invariant()
    def the_books_never_part(self):
        parted = [m for m in self.bot.stages.said if isinstance(m, d.MismatchFound)]
        assert parted == []

    @invariant()
    def the_bot_holds_what_the_account_holds(self):
        theirs = {p.symbol: p.quantity for p in self.bot.service.engine.snapshot().positions}
        ours = {s: p.quantity for s, p in self.bot.stages.portfolio.positions.items()}
        assert ours == theirs

    @invariant()
    def a_whole_position_has_its_stop_at_alpaca(self):
        position = self.position
        if position is None or position.quantity < position.entry_quantity:
            return
        tickets = self.bot.stages.execution
        entry_ids = [
            t.client_order_id
            for t in tickets.finished_tickets.values()
            if t.role is OrderRole.ENTRY and t.trade_id == position.trade_id
        ]
        for entry_id in entry_ids:
            stop = tickets.open_tickets.get(stop_leg_id(entry_id))
            venue_stop = self.bot.service.engine.state.by_client_id(stop_leg_id(entry_id))
            assert venue_stop is not None
            assert (stop is None) == (not venue_stop.is_open)


Trading.TestCase.settings = settings(max_examples=40, stateful_step_count=10, deadline=None)
TestTrading = Trading.TestCase
