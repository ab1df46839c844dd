"""The venue under random orders, prices, halts and restarts keeps its promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import OrderKind, OrderRole, Side, TimeInForce
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.simulation.fill_profile import FillProfile
from tests.builders import NOON, approved_order

START_USD = Decimal(100_000)
STEP = timedelta(minutes=5)
SYMBOLS = st.sampled_from(["ACME", "BETA"])
CENTS = st.integers(9_000, 11_000)
COUNTS = st.integers(1, 600)


def dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100


class Venue(RuleBasedStateMachine):
    """Drives a venue and its twin, which is rebuilt from the journal now and then."""

    @initialize(profile=st.sampled_from(FillProfile), seed=st.integers(0, 3))
    def begin(self, profile: FillProfile, seed: int) -> None:
        self.make: Callable[[], EmbeddedVenue] = lambda: EmbeddedVenue(
            CostRules(), profile, seed=seed, starting_cash_usd=START_USD
        )
        self.live, self.twin = self.make(), self.make()
        self.journal: list[tuple[datetime, Message]] = []
        self.now: datetime = NOON
        self.orders: dict[str, ApprovedOrder] = {}
        self.filled: Counter[str] = Counter()
        self.ended: set[str] = set()
        self.cash_usd = START_USD

    def both(self, call: Callable[[EmbeddedVenue], list[Fact]], bar: Bar | None = None) -> None:
        """Do the same with the venue and its twin, compare, record and check the answers."""
        facts = call(self.live)
        assert call(self.twin) == facts
        self.journal += [(fact.at, fact) for fact in facts]
        times = [fact.at for fact in facts]
        assert times == sorted(times), "in the order in which they are learned"
        for fact in facts:
            self.check(fact, bar)

    def check(self, fact: Fact, bar: Bar | None) -> None:
        assert fact.at >= self.now
        if isinstance(fact, f.OrderFilled):
            self.check_fill(fact, bar)
        elif isinstance(fact, f.OrderCancelled | f.OrderExpired | f.OrderRejected):
            assert fact.client_order_id not in self.ended, "one terminal status"
            self.ended.add(fact.client_order_id)

    def check_fill(self, fact: f.OrderFilled, bar: Bar | None) -> None:
        fill = fact.fill
        order = self.orders[fill.client_order_id.removesuffix("-sl").removesuffix("-tp")]
        assert fill.client_order_id not in self.ended, "no fill after the end"
        assert fill.filled_at > order.approved_at, "never before the decision"
        assert fact.at >= fill.filled_at, "not told before it happened"
        assert fill.quantity == int(fill.quantity) > 0
        assert bar is not None
        assert bar.opened_at >= order.approved_at
        if fill.side is Side.BUY:
            assert fill.price >= Decimal(repr(bar.low)), "not better than the bar"
            self.cash_usd -= fill.price * fill.quantity + fill.fee_usd
        else:
            assert fill.price <= Decimal(repr(bar.high)), "not better than the bar"
            self.cash_usd += fill.price * fill.quantity - fill.fee_usd
        if order.limit_price and order.client_order_id == fill.client_order_id:
            assert fill.price <= order.limit_price
        self.filled[fill.client_order_id] += int(fill.quantity)

    def send(self, **given: Any) -> None:
        order_id = f"cb-{len(self.orders)}"
        order = approved_order(client_order_id=order_id, approved_at=self.now, **given)
        self.orders[order_id] = order
        at = self.now
        self.journal.append((at, SubmitOrder(order=order, valid_until=at + STEP)))
        self.both(lambda engine: engine.submit(order, at))

    @rule(symbol=SYMBOLS, quantity=COUNTS, is_bracket=st.booleans(), is_day=st.booleans())
    def buy_at_market(self, symbol: str, quantity: int, is_bracket: bool, is_day: bool) -> None:
        self.send(
            symbol=symbol,
            quantity=Decimal(quantity),
            stop_loss_price=Decimal(97) if is_bracket else None,
            take_profit_price=Decimal(103) if is_bracket else None,
            time_in_force=TimeInForce.DAY if is_day else TimeInForce.GTC,
        )

    @rule(symbol=SYMBOLS, quantity=COUNTS, cents=CENTS)
    def buy_at_a_limit(self, symbol: str, quantity: int, cents: int) -> None:
        self.send(
            symbol=symbol,
            quantity=Decimal(quantity),
            kind=OrderKind.LIMIT,
            limit_price=dollars(cents),
            stop_loss_price=dollars(cents - 200),
            take_profit_price=dollars(cents + 200),
        )

    @rule(symbol=SYMBOLS, quantity=COUNTS)
    def sell_at_market(self, symbol: str, quantity: int) -> None:
        self.send(
            symbol=symbol,
            quantity=Decimal(quantity),
            side=Side.SELL,
            role=OrderRole.EXIT,
            stop_loss_price=None,
            take_profit_price=None,
        )

    @rule(pick=st.integers(0, 50), suffix=st.sampled_from(["", "-sl", "-tp"]))
    def cancel(self, pick: int, suffix: str) -> None:
        order_id, at = f"cb-{pick % (len(self.orders) + 1)}{suffix}", self.now
        self.both(lambda engine: engine.cancel(order_id, at))

    @rule(pick=st.integers(0, 50), cents=CENTS)
    def move_a_stop(self, pick: int, cents: int) -> None:
        order_id, at = f"cb-{pick % (len(self.orders) + 1)}-sl", self.now
        self.both(lambda engine: engine.replace(order_id, at, stop_price=dollars(cents)))

    @rule(pick=st.integers(0, 50))
    def send_again(self, pick: int) -> None:
        order, at = self.orders.get(f"cb-{pick % (len(self.orders) + 1)}"), self.now
        if order is None:
            return
        (answer,) = self.live.submit(order, at)
        assert self.twin.submit(order, at) == [answer]
        self.journal += [(at, SubmitOrder(order=order, valid_until=at)), (at, answer)]

    @rule(
        symbol=SYMBOLS,
        prices=st.tuples(CENTS, CENTS, CENTS, CENTS),
        volume=st.sampled_from([0.0, 50.0, 1_500.0, 1e6]),
        decides_inside=st.booleans(),
        cancels=st.sampled_from([None, "", "-sl"]),
        prints=st.sampled_from(["none", "with volume", "without volume"]),
    )
    def trade_a_bar(
        self,
        symbol: str,
        prices: tuple[int, int, int, int],
        volume: float,
        decides_inside: bool,
        cancels: str | None,
        prints: str,
    ) -> None:
        low, first, last, high = (float(dollars(c)) for c in sorted(prices))
        opened_at = self.now
        bar = Bar(
            symbol=symbol,
            opened_at=opened_at,
            closed_at=opened_at + STEP,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=volume,
        )
        if prints != "none":
            size = volume if prints == "with volume" else None
            opening = OpenPrint(symbol=symbol, price=bar.open, volume=size)
            self.both(lambda engine: engine.on_open_print(opening, opened_at), bar)
        if cancels is not None:  # while the fill of the print is still under way
            self.cancel(len(self.orders) - 1, cancels)
        if decides_inside:
            self.now = opened_at + timedelta(seconds=60)
            self.buy_at_market(symbol, 10, is_bracket=True, is_day=True)
        self.now = bar.closed_at
        self.both(lambda engine: engine.on_bar(bar, bar.closed_at), bar)

    @rule()
    def close_the_session(self) -> None:
        at = self.now
        self.both(lambda engine: engine.on_session_close(at))

    @rule(symbol=SYMBOLS, is_halt=st.booleans())
    def halt_or_resume(self, symbol: str, is_halt: bool) -> None:
        fact = (
            f.SymbolHalted(at=self.now, symbol=symbol, code="T1")
            if is_halt
            else f.SymbolResumed(at=self.now, symbol=symbol)
        )
        self.journal.append((self.now, fact))
        for engine in (self.live, self.twin):
            (engine.halt if is_halt else engine.resume)(symbol, self.now)

    @rule()
    def restart(self) -> None:
        self.twin = self.make()
        in_order = sorted(self.journal, key=lambda entry: entry[0])  # as the bot learns of it
        self.twin.rebuild(message for _, message in in_order)
        assert self.twin.settle(self.now) == []

    @invariant()
    def both_know_the_same(self) -> None:
        assert self.live.state == self.twin.state
        assert self.live.memory == self.twin.memory

    @invariant()
    def the_money_adds_up(self) -> None:
        account = self.live.state.account
        cost_usd = sum((h.cost_usd for h in account.holdings.values()), ZERO)
        assert account.cash_usd + cost_usd + account.fees_usd == START_USD + account.realised_usd
        assert account.cash_usd == self.cash_usd
        assert account.cash_usd >= 0

    @invariant()
    def nothing_is_filled_beyond_its_size(self) -> None:
        for order_id, order in self.orders.items():
            assert self.filled[order_id] <= order.quantity
            sold = self.filled[f"{order_id}-sl"] + self.filled[f"{order_id}-tp"]
            assert sold <= self.filled[order_id]

    @invariant()
    def no_more_is_for_sale_than_held(self) -> None:
        for symbol in ("ACME", "BETA"):
            for_sale: Counter[str] = Counter()
            for order in self.live.state.open_orders(symbol):
                if order.side is Side.SELL:
                    group = order.group_id or order.order_id
                    for_sale[group] = max(for_sale[group], int(order.remaining))
            assert sum(for_sale.values()) <= self.live.state.account.held(symbol)
            reserved = self.live.state.reservations.shares.get(symbol, ZERO)
            assert reserved == sum(for_sale.values())

    @invariant()
    def every_bracket_that_holds_shares_of_its_own_has_equal_legs(self) -> None:
        for order in self.live.state.all_open_orders():
            group = self.live.state.group_of(order)
            open_legs = [leg for leg in group.legs if leg.is_open]
            assert len({leg.remaining for leg in open_legs}) <= 1

    @invariant()
    def the_open_orders_are_known_by_symbol(self) -> None:
        is_open = {o.client_order_id for o in self.live.state.orders.values() if o.is_open}
        assert {o.client_order_id for o in self.live.snapshot().open_orders} == is_open


TestVenue = Venue.TestCase
TestVenue.settings = settings(stateful_step_count=40)
