"""The whole order path against a venue with habits, faults, people, nights and splits.

Whatever happens: no id is sent twice, no share is sold twice, what is said to protect a position
does, a naked one is acted on within the grace, a start sends nothing before it has looked, no stop
is sent where the bot's own watch needs the shares, every order ends once, and a fold of what was
said is the state. When the faults stop, the books are the venue's and every position has its stop
there, unless a person was called to a halt.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    ManualPositions,
    OrderKind,
    OrderRole,
    OrderStatus,
    ProtectedBy,
    SessionPhase,
    Severity,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.execution.brackets import LEGS
from catalyst_bot.execution.order_states import is_finished
from catalyst_bot.execution.protection import protected_by
from catalyst_bot.execution.rules import Rules
from catalyst_bot.portfolio.ledger import account_view
from tests.builders import CLOSE, NOON, OPEN, approved_order, bar, quote
from tests.stages import Stages, of_type, run_started
from tests.tiny_venue import Habits, TinyVenue

SYMBOLS = ("AAA", "BBB")
GRACE = timedelta(seconds=ExecutionRules().naked_grace_s)
SECONDS = (0.1, 1.0, 2.5, 11.0, 61.0, 301.0, 1000.0, 6 * 3600.0, 20 * 3600.0)


class OrderPath(RuleBasedStateMachine):
    """Bot and venue, with a clock, timers and sessions between them."""

    def __init__(self) -> None:
        super().__init__()
        self.venue = TinyVenue()
        self.timers: dict[str, datetime] = {}
        self.count = 0
        self.ended: dict[str, OrderStatus] = {}
        self.prices = dict.fromkeys(SYMBOLS, Decimal(100))
        self.late: list[Any] = []
        self.is_disturbed = False

    @initialize(
        extended=st.booleans(),
        flags=st.booleans(),
        waits=st.booleans(),
        keeps=st.booleans(),
        begins_at=st.sampled_from([NOON, OPEN - timedelta(hours=1), CLOSE]),
    )
    def start(
        self, extended: bool, flags: bool, waits: bool, keeps: bool, begins_at: datetime
    ) -> None:
        manual = ManualPositions.FLAG if flags else ManualPositions.ADOPT
        self.stages = Stages(
            working=ExecutionRules(extended_hours=extended, manual_positions=manual),
            now=begins_at,
            is_checked=False,
            is_compared=False,
        )
        self.venue.habits = Habits(
            legs_wait_for_the_whole_entry=waits,
            tells_siblings=not waits,
            cancels_at_the_open=keeps,
        )
        self.venue.now = begins_at
        self.obey(self.stages.said)
        self.deliver_all()

    # The way between them

    def tell(self, message: Any) -> None:
        """What was late about a group of orders is told before anything else about it."""
        group = self.venue.group_of(message)
        for fact in [x for x in self.late if group and self.venue.group_of(x) == group]:
            self.late.remove(fact)
            self.obey(self.stages.handle(fact))
        self.obey(self.stages.handle(message))

    def obey(self, outcome: list[Any]) -> None:
        is_sent = any(isinstance(message, c.SubmitOrder) for message in outcome)
        assert not (is_sent and self.stages.execution.books.is_starting), "sent before the look"
        for message in outcome:
            if isinstance(message, c.SetTimer):
                self.timers[message.timer_id] = message.due_at
            elif isinstance(message, c.ClearTimer):
                self.timers.pop(message.timer_id, None)
            else:
                self.venue.obey(message)

    def deliver_all(self) -> None:
        while self.venue.outbox:
            self.tell(self.venue.outbox.pop(0))

    def _advance(self, to: datetime) -> None:
        """Let time pass: sessions open and close, timers fire, in their order.

        No fact is later than a minute.
        """
        is_long = to - self.stages.now > timedelta(minutes=1)
        while True:
            if is_long:
                self.deliver_all()
            due = min(self.timers.items(), key=lambda item: item[1], default=None)
            session = self._next_session_event()
            times = [at for at in (due[1] if due else None, session[0]) if at is not None]
            at = min([t for t in times if t <= to], default=None)
            if at is None:
                break
            self._set_clock(max(at, self.stages.now))
            if session[0] == at:
                if isinstance(session[1], f.SessionOpened):
                    self.venue.open_session()
                self.tell(session[1])
            elif due is not None:
                del self.timers[due[0]]
                self.tell(f.TimerFired(at=self.stages.now, timer_id=due[0]))
        self._set_clock(to)

    def _set_clock(self, at: datetime) -> None:
        self.stages.now = self.venue.now = at

    def _next_session_event(self) -> tuple[datetime, Any]:
        now = self.stages.now
        calendar = self.stages.desk().calendar
        session = calendar.session_at(now)
        if session is not None:
            closes_at = session.closes_at
            return closes_at, f.SessionClosed(at=closes_at, day=session.day)
        following = calendar.next_session(now)
        opened = f.SessionOpened(
            at=following.opens_at, day=following.day, closes_at=following.closes_at
        )
        return following.opens_at, opened

    @property
    def phase(self) -> SessionPhase:
        return self.stages.desk().calendar.phase_or_closed(self.stages.now)

    # What the bot wants

    def _flat_symbols(self) -> list[str]:
        busy = set(self.stages.portfolio.positions)
        busy |= {t.symbol for t in self.stages.execution.open_tickets.values()}
        busy |= {s for s, q in self.venue.shares.items() if q != 0}
        return [symbol for symbol in SYMBOLS if symbol not in busy]

    @precondition(lambda self: self._flat_symbols())
    @rule(data=st.data(), quantity=st.integers(2, 100), is_limit=st.booleans())
    def approve_entry(self, data: st.DataObject, quantity: int, is_limit: bool) -> None:
        is_extended = self.stages.working.extended_hours and self.phase in {
            SessionPhase.PRE,
            SessionPhase.POST,
        }
        if self.phase is not SessionPhase.REGULAR and not is_extended:
            return
        self.count += 1
        symbol = data.draw(st.sampled_from(self._flat_symbols()))
        price = self.prices[symbol]
        order = approved_order(
            signal_id=f"sig-{self.count}",
            catalyst_id=f"cat-{self.count}",
            symbol=symbol,
            quantity=Decimal(quantity),
            reference_price=price,
            stop_loss_price=price * Decimal("0.95"),
            take_profit_price=price * Decimal("1.10"),
        )
        if is_limit or is_extended:
            order = replace(order, kind=OrderKind.LIMIT, limit_price=price, worst_price=price + 1)
        if is_extended:
            order = replace(
                order,
                extended_hours=True,
                watched_stop_price=order.stop_loss_price,
                watched_target_price=order.take_profit_price,
                stop_loss_price=None,
                take_profit_price=None,
            )
        self.tell(d.OrderApproved(order=order))

    @precondition(lambda self: self.stages.portfolio.positions)
    @rule(data=st.data(), part=st.sampled_from([1, 2]))
    def approve_exit(self, data: st.DataObject, part: int) -> None:
        positions = self.stages.portfolio.positions
        position = positions[data.draw(st.sampled_from(sorted(positions)))]
        if self.stages.execution.pending_exits.get(position.trade_id):
            return
        self.count += 1
        self.tell(d.OrderApproved(order=self._exit_of(position, part)))

    def _exit_of(self, position: Any, part: int) -> ApprovedOrder:
        return replace(
            approved_order(signal_id=f"sig-{self.count}", symbol=position.symbol),
            trade_id=position.trade_id,
            catalyst_id=position.catalyst_id,
            role=OrderRole.EXIT,
            side=Side.SELL,
            quantity=max(position.quantity // part, Decimal(1)),
            stop_loss_price=None,
            take_profit_price=None,
            exit_reason=ExitReason.TIME_EXIT,
        )

    @precondition(lambda self: self.stages.portfolio.positions)
    @rule(data=st.data())
    def raise_stop(self, data: st.DataObject) -> None:
        positions = self.stages.portfolio.positions
        position = positions[data.draw(st.sampled_from(sorted(positions)))]
        plan = self.stages.risk.plans.get(position.trade_id)
        if plan is None or not plan.stop_price > 0:
            return
        price = min(plan.stop_price + Decimal("0.05"), self.prices[position.symbol] - 1)
        if price > plan.stop_price:
            self.tell(
                d.StopMoved(
                    trade_id=plan.trade_id,
                    catalyst_id=plan.catalyst_id,
                    symbol=plan.symbol,
                    old_stop_price=plan.stop_price,
                    stop_price=price,
                    high_water_price=self.prices[position.symbol],
                    is_trailing=True,
                )
            )

    # What the venue and the market do

    def _open_orders(self) -> list[str]:
        halted = self.stages.execution.halted_symbols
        return sorted(
            i for i, o in self.venue.orders.items() if o.is_open and o.symbol not in halted
        )

    @precondition(lambda self: self._open_orders())
    @rule(data=st.data())
    def venue_fills(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(self._open_orders()))
        held = self.venue.orders[order_id]
        is_at_work = self.phase is SessionPhase.REGULAR or held.approved.extended_hours
        if not is_at_work or held.left <= 0:
            return
        quantity = Decimal(data.draw(st.integers(1, int(held.left))))
        price = held.stop_price or held.limit_price or self.prices[held.symbol]
        self.venue.fill(order_id, quantity, price)

    @precondition(lambda self: self._open_orders())
    @rule(data=st.data(), lapses=st.booleans())
    def venue_ends(self, data: st.DataObject, lapses: bool) -> None:
        self.venue.end(data.draw(st.sampled_from(self._open_orders())), lapses=lapses)

    @rule(refuses=st.booleans(), silent=st.booleans())
    def venue_is_in_a_mood(self, refuses: bool, silent: bool) -> None:
        self.venue.habits.refuses = refuses
        self.venue.habits.is_silent = silent

    @rule(symbol=st.sampled_from(SYMBOLS), move=st.sampled_from([-20, -3, 0, 3]))
    def quote_comes(self, symbol: str, move: int) -> None:
        self.prices[symbol] = max(self.prices[symbol] + move, Decimal(5))
        price = float(self.prices[symbol])
        told = quote(symbol, at=self.stages.now, bid=price - 0.01, ask=price + 0.01)
        self.tell(f.QuoteSampled(at=self.stages.now, quote=told))

    @rule(symbol=st.sampled_from(SYMBOLS))
    def bar_comes(self, symbol: str) -> None:
        one = bar(symbol, self.stages.now - timedelta(minutes=5), close=float(self.prices[symbol]))
        self.tell(f.BarClosed(at=self.stages.now, bar=one))

    @rule(symbol=st.sampled_from(SYMBOLS))
    def halt_or_resume(self, symbol: str) -> None:
        if symbol in self.stages.execution.halted_symbols:
            self.tell(f.SymbolResumed(at=self.stages.now, symbol=symbol))
        else:
            self.tell(f.SymbolHalted(at=self.stages.now, symbol=symbol, code="LUDP"))

    @rule(recovers=st.booleans(), adapter=st.sampled_from(["market data", "broker"]))
    def adapter_fails(self, recovers: bool, adapter: str) -> None:
        if recovers:
            self.tell(f.AdapterRecovered(at=self.stages.now, adapter=adapter))
        else:
            self.tell(f.AdapterFailed(at=self.stages.now, adapter=adapter, error="gone"))

    @rule(symbol=st.sampled_from(SYMBOLS), side=st.sampled_from(Side), quantity=st.integers(1, 60))
    def person_trades(self, symbol: str, side: Side, quantity: int) -> None:
        self.is_disturbed = True
        self.venue.trade_foreign(symbol, side, Decimal(quantity), self.prices[symbol])

    @precondition(lambda self: not self.venue.outbox and self.phase is SessionPhase.CLOSED)
    @rule(symbol=st.sampled_from(SYMBOLS))
    def shares_are_split(self, symbol: str) -> None:
        if any(o.symbol == symbol for o in self._waiting_for_an_answer()):
            return
        self.venue.split(symbol, 2)
        self.prices[symbol] /= 2
        self.deliver_all()

    def _waiting_for_an_answer(self) -> list[Any]:
        unclear = {OrderStatus.SUBMITTED, OrderStatus.UNKNOWN}
        return [t for t in self.stages.execution.open_tickets.values() if t.status in unclear]

    # How facts arrive

    @precondition(lambda self: self.venue.outbox)
    @rule()
    def deliver_next(self) -> None:
        self.tell(self.venue.outbox.pop(0))

    @precondition(lambda self: self.venue.outbox)
    @rule()
    def deliver_everything(self) -> None:
        self.deliver_all()

    @precondition(lambda self: self.venue.outbox)
    @rule()
    def deliver_twice(self) -> None:
        fact = self.venue.outbox.pop(0)
        self.tell(fact)
        self.tell(fact)

    @precondition(lambda self: self.venue.outbox)
    @rule()
    def delay_one(self) -> None:
        """The stream drops a fact about an order: the next report of it, or a question, tells."""
        kinds = (f.OrderAccepted, f.OrderFilled, f.OrderCancelled, f.OrderExpired)
        found = next((x for x in self.venue.outbox if isinstance(x, kinds)), None)
        if found is not None:
            self.venue.outbox.remove(found)
            self.late.append(found)
            self.is_disturbed = True

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds: float) -> None:
        self._advance(self.stages.now + timedelta(seconds=seconds))

    @rule()
    def restart(self) -> None:
        """The process dies; the next one folds what was said."""
        stages = self.stages
        recovered = stages.recovered()
        assert recovered.states == stages.states
        recovered.said, recovered.said_at = list(stages.said), list(stages.said_at)
        recovered.now = stages.now
        self.stages = recovered
        self.tell(run_started())

    # What must hold

    def _looked_at(self) -> list[Position]:
        """Positions of which something may be sent: of others nothing is known for sure."""
        positions = self.stages.portfolio.positions.values()
        return [p for p in positions if not self.stages.execution.books.holds(p.symbol)]

    @invariant()
    def what_is_said_to_protect_does(self) -> None:
        rules = Rules(working=self.stages.working)
        desk = self.stages.desk()
        for position in self._looked_at():
            guard = self.stages.execution.guards[position.trade_id]
            now = protected_by(self.stages.execution, position, desk, rules)
            if guard.protected_by is ProtectedBy.WATCHER or now is ProtectedBy.WATCHER:
                continue  # a watch goes blind by silence, and wakes by the hour: timers look
            assert guard.protected_by is now, f"said {guard.protected_by}, is {now}"

    @invariant()
    def nothing_is_naked_beyond_the_grace_unattended(self) -> None:
        for position in self._looked_at():
            guard = self.stages.execution.guards[position.trade_id]
            if guard.protected_by is not ProtectedBy.NONE:
                continue
            is_over = self.stages.now - guard.since > GRACE
            assert not is_over or guard.escalation > 0, "naked, and nobody was told"
            assert f"guard:{position.trade_id}" in self.timers

    @invariant()
    def every_escalation_pages(self) -> None:
        escalations = [
            m
            for m in of_type(self.stages.said, d.ProtectionNeeded)
            if m.detail not in {"no stop", "only watched"}
        ]
        pages = [
            m
            for m in of_type(self.stages.said, c.SendNotification)
            if m.severity is Severity.CRITICAL
        ]
        assert len(pages) >= len(escalations)

    @invariant()
    def nothing_is_filled_beyond_its_quantity_and_orders_end_once(self) -> None:
        execution = self.stages.execution
        for ticket in (*execution.open_tickets.values(), *execution.finished_tickets.values()):
            assert 0 <= ticket.filled_quantity <= ticket.quantity
        assert not execution.open_tickets.keys() & execution.finished_tickets.keys()
        for order_id, status in self.ended.items():
            assert execution.finished_tickets[order_id].status in {status, OrderStatus.FILLED}
        self.ended |= {i: t.status for i, t in execution.finished_tickets.items()}
        assert not any(is_finished(t) for t in execution.open_tickets.values())

    @invariant()
    def a_limit_never_passes_what_risk_allowed(self) -> None:
        worst = {m.order.client_order_id: m.order for m in of_type(self.stages.said, c.SubmitOrder)}
        for move in of_type(self.stages.said, c.ReplaceOrder):
            order = worst.get(move.client_order_id)
            if move.limit_price is None or order is None or order.worst_price is None:
                continue
            if order.side is Side.BUY:
                assert move.limit_price <= order.worst_price
            else:
                assert move.limit_price >= order.worst_price

    @invariant()
    def no_share_is_promised_twice(self) -> None:
        """Where nothing happens behind the bot's back, the venue never lacks shares for a sale."""
        if hasattr(self, "stages") and self.venue.habits.tells_siblings and not self.is_disturbed:
            assert not self.venue.short_of_shares

    @invariant()
    def nothing_that_sleeps_till_the_open_holds_the_shares_of_the_watch(self) -> None:
        """Where the bot watches outside the session, it sends no stop there."""
        if not self.stages.working.extended_hours:
            return
        phase_at = self.stages.desk().calendar.phase_or_closed
        for at, message in zip(self.stages.said_at, self.stages.said, strict=True):
            if isinstance(message, c.SubmitOrder) and message.order.role in LEGS:
                assert phase_at(at) is SessionPhase.REGULAR

    @invariant()
    def money_is_conserved(self) -> None:
        account = account_view(self.stages.portfolio, NOON)
        started = account.start_equity_usd
        assert account.equity_usd == started + account.realised_usd + account.unrealised_usd

    def teardown(self) -> None:
        """Once the faults stop, the books are the venue's and every position has its stop."""
        if not hasattr(self, "stages"):
            return
        self._calm()
        for _ in range(12):
            self._advance(self.stages.now + timedelta(seconds=301))
            self.venue.match(self.prices)
            self.deliver_all()
            if self.phase is not SessionPhase.REGULAR:
                self._to_noon()
        assert self.stages.recovered().states == self.stages.states
        assert self.stages.risk.halt_cause in {None, HaltCause.UNPROTECTED}
        books = self.stages.execution.books
        ours = dict(books.foreign_shares)
        for symbol, position in self.stages.portfolio.positions.items():
            ours[symbol] = ours.get(symbol, Decimal(0)) + position.quantity
        theirs = {s: q for s, q in self.venue.shares.items() if q != 0}
        assert ours == theirs
        cash = account_view(self.stages.portfolio, NOON).cash_usd + books.foreign_cash_usd
        assert cash == self.venue.cash
        for position in self._looked_at():
            guard = self.stages.execution.guards[position.trade_id]
            assert guard.protected_by in {ProtectedBy.BROKER_STOP, ProtectedBy.LEAVING}
            if guard.protected_by is ProtectedBy.BROKER_STOP:
                stops = self.venue.stops_of(position.symbol)
                assert sum(stop.left for stop in stops) >= position.quantity
                wanted = self.stages.risk.plans[position.trade_id].stop_price
                assert all(abs(stop.stop_price - wanted) < Decimal("0.01") for stop in stops)

    def _calm(self) -> None:
        self.venue.habits.refuses = self.venue.habits.is_silent = False
        self.deliver_all()
        for symbol in list(self.stages.execution.halted_symbols):
            self.tell(f.SymbolResumed(at=self.stages.now, symbol=symbol))
        self.tell(f.AdapterRecovered(at=self.stages.now, adapter="market data"))
        self.deliver_all()
        self._to_noon()

    def _to_noon(self) -> None:
        """Into the middle of the next session, whatever fires on the way."""
        following = self.stages.desk().calendar.next_session(self.stages.now)
        self._advance(following.opens_at + timedelta(hours=1))
        self.deliver_all()


TestOrderPath = OrderPath.TestCase
TestOrderPath.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
