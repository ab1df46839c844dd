"""Whatever happens in whatever order: nothing is bought while halted or paused, nothing is sold
twice, no stop falls, and recovery from the record gives the same state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from catalyst_bot.domain.enums import OrderRole, PositionsPolicy, Side, TradingState
from catalyst_bot.domain.messages.decisions import (
    EquityMarked,
    IntentFormed,
    OrderApproved,
    OrderRefused,
    PositionClosed,
    PositionOpened,
    ResumeRefused,
    StopMoved,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    BarClosed,
    OperatorHalted,
    OperatorReduced,
    OperatorResumed,
    SessionOpened,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.risk.breakers import BROKER_TIMER
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.risk.checklist import checklist
from catalyst_bot.risk.evolve import EVOLVE
from catalyst_bot.risk.state import State
from tests import builders
from tests.unit.risk.bench import Bench, trade

ITEMS = ("cause", "books", "orders", "protection", "daily_loss", "drawdown", "broker")
SYMBOLS = st.sampled_from(["AAA", "BBB", "CCC"])
STRATEGIES = st.sampled_from(["one", "two"])


class RiskDay(RuleBasedStateMachine):
    """The risk stage on a day with trades, losses, failures and an operator."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.record: list[Message] = []
        self.stops: dict[str, Decimal] = {}
        self.count = 0

    def tell(self, message: Message) -> list[Message]:
        followed = self.bench.tell(message)
        self.record += [message, *followed]
        self._keep_desk(followed)
        return followed

    def _keep_desk(self, followed: list[Message]) -> None:
        desk = self.bench.desk
        for message in followed:
            if isinstance(message, OrderApproved):
                order = message.order
                assert order.client_order_id not in desk.orders
                ticket = builders.ticket(
                    client_order_id=order.client_order_id,
                    trade_id=order.trade_id,
                    catalyst_id=order.catalyst_id,
                    symbol=order.symbol,
                    role=order.role,
                    side=order.side,
                    quantity=order.quantity,
                    reference_price=order.reference_price,
                )
                desk.orders = {**desk.orders, order.client_order_id: ticket}
            if isinstance(message, StopMoved):
                assert message.stop_price > message.old_stop_price

    @rule(symbol=SYMBOLS, strategy=STRATEGIES, action=st.floats(-1, 1))
    def wish(self, symbol: str, strategy: str, action: float) -> None:
        """An intent to buy or sell."""
        self.count += 1
        of_headline = builders.headline(title=f"news {self.count}")
        catalyst = builders.catalyst(headline=of_headline, symbol=symbol)
        quote = builders.quote(symbol, self.bench.desk.now)
        signal = builders.signal(catalyst=catalyst, strategy_id=strategy, quote=quote)
        side = Side.BUY if action > 0 else Side.SELL
        was_halted = self.bench.state.trading_state is not TradingState.ACTIVE
        was_paused = self.bench.state.strategy(strategy).is_paused
        intent = builders.intent(signal=signal, side=side, action=action)
        (verdict,) = self.tell(IntentFormed(intent=intent))
        assert isinstance(verdict, OrderApproved | OrderRefused)
        if side is Side.BUY:
            checks = verdict.order.checks if isinstance(verdict, OrderApproved) else verdict.checks
            assert len(checks) == len(ENTRY_CHECKS)
            assert isinstance(verdict, OrderRefused) or not (was_halted or was_paused)

    @rule()
    def fill(self) -> None:
        """The oldest working order fills: an entry opens a position, an exit closes it."""
        desk = self.bench.desk
        if not desk.orders:
            return
        order_id, ticket = next(iter(desk.orders.items()))
        desk.orders = {k: t for k, t in desk.orders.items() if k != order_id}
        if ticket.role is OrderRole.EXIT:
            self._close(ticket.symbol, -0.01)
            return
        held = builders.position(
            symbol=ticket.symbol,
            trade_id=ticket.trade_id,
            catalyst_id=ticket.catalyst_id,
            strategy_id="one",
            quantity=ticket.quantity,
            opened_at=desk.now,
        )
        desk.positions = {**desk.positions, ticket.symbol: held}
        self.tell(PositionOpened(position=held))

    @rule(pnl=st.sampled_from([-0.03, -0.01, 0.02]))
    def leg_fills(self, pnl: float) -> None:
        """The venue's stop or target closes a position."""
        if self.bench.desk.positions:
            self._close(next(iter(self.bench.desk.positions)), pnl)

    def _close(self, symbol: str, pnl: float) -> None:
        desk = self.bench.desk
        held = desk.positions.get(symbol)
        if held is None:
            return
        desk.positions = {k: p for k, p in desk.positions.items() if k != symbol}
        desk.orders = {k: t for k, t in desk.orders.items() if t.trade_id != held.trade_id}
        closed = trade(
            pnl,
            trade_id=held.trade_id,
            symbol=symbol,
            strategy_id=held.strategy_id,
            exit_at=desk.now,
        )
        self.tell(PositionClosed(trade=closed))

    @rule(symbol=SYMBOLS, close=st.floats(80, 140), swing=st.floats(0, 10))
    def bar(self, symbol: str, close: float, swing: float) -> None:
        """A bar of any symbol closes."""
        self._pass(minutes=5)
        made = builders.bar(
            symbol,
            self.bench.desk.now - timedelta(minutes=5),
            close=close,
            high=close + swing,
        )
        self.tell(BarClosed(at=made.closed_at, bar=made))

    def _pass(self, *, minutes: int) -> None:
        later = self.bench.desk.now + timedelta(minutes=minutes)
        self.bench.desk.now = min(later, builders.CLOSE - timedelta(minutes=1))

    @rule(equity=st.integers(85_000, 105_000))
    def mark(self, equity: int) -> None:
        """The account is valued."""
        peak = max(self.bench.desk.account.peak_equity_usd, Decimal(equity))
        account = builders.account(equity_usd=Decimal(equity), peak_equity_usd=peak)
        self.tell(EquityMarked(account=account))
        self.bench.desk.account = account

    @rule(policy=st.sampled_from(list(PositionsPolicy)))
    def operator_halts(self, policy: PositionsPolicy) -> None:
        """A person halts; asked to close, every position has an exit afterwards."""
        now = self.bench.desk.now
        self.tell(OperatorHalted(at=now, by="ada", reason="drill", positions_policy=policy))
        if policy is PositionsPolicy.CLOSE:
            leaving = {t.trade_id for t in self._exits()}
            assert {p.trade_id for p in self.bench.desk.positions.values()} <= leaving

    @rule(confirmed=st.sets(st.sampled_from(ITEMS)))
    def operator_resumes(self, confirmed: set[str]) -> None:
        """A person resumes, who looked at some of the checklist."""
        bench = self.bench
        before = bench.state.trading_state
        waiting = {
            item.name
            for item in checklist(bench.state, bench.desk, bench.rules.limits)
            if not item.is_met
        }
        resumed = OperatorResumed(
            at=bench.desk.now, by="ada", reason="reviewed", confirmed=tuple(sorted(confirmed))
        )
        told = self.tell(resumed)
        goes_on = before is TradingState.ACTIVE or waiting <= confirmed
        assert any(isinstance(m, TradingResumed) for m in told) is goes_on
        assert any(isinstance(m, ResumeRefused) for m in told) is not goes_on
        assert bench.state.trading_state is (TradingState.ACTIVE if goes_on else before)

    @rule()
    def operator_reduces(self) -> None:
        """A person lets positions end."""
        before = self.bench.state.trading_state
        self.tell(OperatorReduced(at=self.bench.desk.now, by="ada", reason="holiday"))
        expected = TradingState.REDUCING if before is TradingState.ACTIVE else before
        assert self.bench.state.trading_state is expected

    @rule(is_up=st.booleans())
    def broker(self, is_up: bool) -> None:
        """The broker fails or recovers, and the timer may ring."""
        now = self.bench.desk.now
        if is_up:
            self.tell(AdapterRecovered(at=now, adapter="broker"))
        else:
            self.tell(AdapterFailed(at=now, adapter="broker", error="timeout"))
        self._pass(minutes=6)
        self.tell(TimerFired(at=self.bench.desk.now, timer_id=BROKER_TIMER))

    @rule()
    def new_day(self) -> None:
        """The counters of the day begin again."""
        now = self.bench.desk.now
        self.tell(SessionOpened(at=now, day=now.date(), closes_at=builders.CLOSE))

    def _exits(self) -> list:
        return [t for t in self.bench.desk.orders.values() if t.role is OrderRole.EXIT]

    @invariant()
    def no_stop_falls(self) -> None:
        """The stop of a plan is never below what it was."""
        for trade_id, plan in self.bench.state.plans.items():
            assert plan.stop_price >= self.stops.get(trade_id, Decimal(0))
            self.stops[trade_id] = plan.stop_price

    @invariant()
    def one_exit_per_trade(self) -> None:
        """No position is sold twice."""
        trades = [ticket.trade_id for ticket in self._exits()]
        assert len(trades) == len(set(trades))

    @invariant()
    def no_verdict_is_open(self) -> None:
        """Between batches every intent has its verdict."""
        assert self.bench.state.pending == {}

    def teardown(self) -> None:
        """Folding the record gives the state; times of the fold do not matter but for orders."""
        folded = State()
        for message in self.record:
            if type(message) in EVOLVE:
                EVOLVE[type(message)](folded, message, self.bench.desk.now)
        live = self.bench.state
        assert folded.last_entry_at.keys() == live.last_entry_at.keys()
        assert folded.last_exit_at.keys() == live.last_exit_at.keys()
        timeless: dict[str, Any] = {"last_entry_at": {}, "last_exit_at": {}, "approved_at": ()}
        assert replace(folded, **timeless) == replace(live, **timeless)


RiskDay.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
test_risk_day = RiskDay.TestCase
