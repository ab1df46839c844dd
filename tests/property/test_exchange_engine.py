"""The general venue under random orders of every kind, prices, sessions, halts and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.money import ZERO, to_decimal
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import AuctionKind, MarketNow
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges, OrderClass
from catalyst_bot.simulation.refusals import Refused
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus
from catalyst_bot.simulation.venue_rules import CancelWhenClosed, LegRule, MoneyRule
from tests.unit.simulation.exchange_venue import TEN, alpaca_rules, exchange_venue, request

START_USD = Decimal(100_000)
SYMBOLS = st.sampled_from(["ACME", "BETA"])
SIDES = st.sampled_from(Side)
CENTS = st.integers(9_400, 10_600)
WHOLE = st.integers(1, 300).map(Decimal)
QUANTITIES = st.one_of(
    WHOLE,
    WHOLE,
    WHOLE,
    st.integers(1, 50_000_000_000).map(lambda units: Decimal(units) / 10**9),
)
NEXT_PHASE = {
    SessionPhase.CLOSED: SessionPhase.PRE,
    SessionPhase.PRE: SessionPhase.REGULAR,
    SessionPhase.REGULAR: SessionPhase.POST,
    SessionPhase.POST: SessionPhase.CLOSED,
}
STOPS = [OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING_STOP]
ENDS = (e.OrderCanceled, e.OrderExpired, e.OrderReplaced, e.OrderRejected)


def dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100


class Exchange(RuleBasedStateMachine):
    """Drives a venue; a twin is given nothing but the events."""

    @initialize(
        profile=st.sampled_from(FillProfile),
        seed=st.integers(0, 3),
        legs=st.sampled_from(LegRule),
        money=st.sampled_from(MoneyRule),
        closed=st.sampled_from(CancelWhenClosed),
        multiplier=st.sampled_from([1, 2, 4]),
        partial=st.sampled_from([0.0, 0.3]),
    )
    def begin(self, profile: FillProfile, seed: int, **given: Any) -> None:
        rules = alpaca_rules(
            legs=given["legs"],
            money=given["money"],
            cancel_when_closed=given["closed"],
            partial_probability=given["partial"],
        )
        self.multiplier = Decimal(given["multiplier"])
        self.make: Callable[[], MatchingEngine] = lambda: exchange_venue(
            profile, seed=seed, rules=rules, buying_power_multiplier=self.multiplier
        )
        self.live, self.twin = self.make(), self.make()
        self.log: list[e.VenueEvent] = []
        self.now: datetime = TEN
        self.phase = SessionPhase.REGULAR
        self.last = {"ACME": 10_000, "BETA": 10_000}
        self.names = 0
        self.ends: Counter[str] = Counter()
        self.cash_usd = START_USD
        self.is_within_reserves = True
        self.matching: SessionPhase | None = None

    def took(self, call: Callable[[], list[e.VenueEvent]], *, fills: bool = False) -> bool:
        """Call the venue; a refusal changes nothing, events are what the twin learns."""
        self.now += timedelta(seconds=1)
        try:
            events = call()
        except Refused:
            assert self.live.state == self.twin.state
            return False
        assert [event.at for event in events] == sorted(event.at for event in events)
        for event in events:
            self.check(event, fills)
            self.twin.apply(event)
        self.log += events
        assert self.live.state == self.twin.state
        return True

    def check(self, event: e.VenueEvent, fills: bool) -> None:
        if isinstance(event, e.SplitApplied):
            self.cash_usd += event.cash_in_lieu_usd
        if not isinstance(event, e.OrderEvent):
            return
        assert self.ends[event.order_id] == 0, "nothing happens after the end"
        if isinstance(event, e.OrderFilled):
            assert fills
            self.check_fill(event)
        if isinstance(event, ENDS) or getattr(event, "leaves_quantity", None) == 0:
            self.ends[event.order_id] += 1

    def check_fill(self, event: e.OrderFilled) -> None:
        order = self.live.state.orders[event.order_id]
        assert order.symbol not in self.live.state.halted
        assert self.phase is not SessionPhase.CLOSED
        if self.phase is not SessionPhase.REGULAR:
            assert order.extended_hours
            assert order.kind is OrderKind.LIMIT
        assert event.quantity > 0
        assert event.leaves_quantity >= 0
        if order.kind is OrderKind.LIMIT:
            assert order.limit_price is not None
            is_better = event.price <= order.limit_price
            assert is_better if order.side is Side.BUY else event.price >= order.limit_price
        amount_usd = event.quantity * event.price
        self.cash_usd -= event.fee_usd + (amount_usd if order.side is Side.BUY else -amount_usd)
        if order.reserve_price and event.price > order.reserve_price:
            self.is_within_reserves = False

    def market(self, symbol: str) -> MarketNow:
        last = dollars(self.last[symbol])
        return MarketNow(
            phase=self.phase,
            last=last,
            bid=last - Decimal("0.05"),
            ask=last + Decimal("0.05"),
            marks={s: dollars(cents) for s, cents in self.last.items()},
        )

    def send(self, symbol: str, *, shows_price: bool = True, **given: Any) -> None:
        self.names += 1
        name, at, now = f"n{self.names}", self.now, self.market(symbol)
        far_side = now.ask if given["side"] is Side.BUY else now.bid
        wanted = request(name, symbol=symbol, reference_price=far_side, **given)
        taken = self.took(lambda: self.live.submit(wanted, at, market=now))
        if taken and shows_price:
            self.show(symbol, only=[f"o-{name}"])

    def show(self, symbol: str, only: list[str] | None = None) -> None:
        price, at, phase = self.last[symbol] / 100, self.now, self.phase
        self.took(
            lambda: self.live.on_trade(symbol, price, at, session=phase, only=only), fills=True
        )

    @rule(
        symbol=SYMBOLS,
        side=SIDES,
        quantity=QUANTITIES,
        away=st.integers(-100, 300),
        tif=st.sampled_from(TimeInForce),
        extended=st.booleans(),
        shows_price=st.booleans(),
    )
    def send_a_limit(
        self, symbol: str, side: Side, quantity: Decimal, away: int, **given: Any
    ) -> None:
        is_whole = quantity == int(quantity)
        self.send(
            symbol,
            side=side,
            kind=OrderKind.LIMIT,
            quantity=quantity,
            time_in_force=given["tif"] if is_whole else TimeInForce.DAY,
            limit_price=dollars(self.last[symbol] + (-away if side is Side.BUY else away)),
            extended_hours=given["extended"],
            shows_price=given["shows_price"],
        )

    @rule(
        symbol=SYMBOLS,
        side=SIDES,
        kind=st.sampled_from(STOPS),
        quantity=WHOLE,
        away=st.integers(-5, 200),
        limit=st.integers(-50, 50),
        is_gtc=st.booleans(),
    )
    def send_a_stop(
        self, symbol: str, side: Side, kind: OrderKind, quantity: Decimal, **given: Any
    ) -> None:
        away = given["away"] if side is Side.BUY else -given["away"]
        stop = self.last[symbol] + away
        is_trailing = kind is OrderKind.TRAILING_STOP
        is_limit = kind is OrderKind.STOP_LIMIT
        self.send(
            symbol,
            side=side,
            kind=kind,
            quantity=quantity,
            time_in_force=TimeInForce.GTC if given["is_gtc"] else TimeInForce.DAY,
            limit_price=dollars(stop + given["limit"]) if is_limit else None,
            stop_price=None if is_trailing else dollars(stop),
            trail_price=Decimal("0.50") if is_trailing and given["limit"] > 0 else None,
            trail_percent=Decimal(1) if is_trailing and given["limit"] <= 0 else None,
        )

    @rule(symbol=SYMBOLS, side=SIDES, usd=st.integers(1, 20_000))
    def send_dollars(self, symbol: str, side: Side, usd: int) -> None:
        self.send(symbol, side=side, quantity=None, notional_usd=Decimal(usd))

    @rule(symbol=SYMBOLS, side=SIDES, quantity=QUANTITIES)
    def send_a_market_order(self, symbol: str, side: Side, quantity: Decimal) -> None:
        self.send(symbol, side=side, quantity=quantity)

    @rule(
        symbol=SYMBOLS,
        side=SIDES,
        order_class=st.sampled_from(OrderClass),
        quantity=WHOLE,
        stop=st.integers(10, 300),
        aim=st.integers(10, 300),
        away=st.one_of(st.none(), st.integers(-50, 100)),
        has_stop=st.booleans(),
        has_stop_limit=st.booleans(),
        is_gtc=st.booleans(),
    )
    def send_a_group(
        self, symbol: str, side: Side, order_class: OrderClass, quantity: Decimal, **given: Any
    ) -> None:
        sign = 1 if (side is Side.BUY) is (order_class is not OrderClass.OCO) else -1
        away = given["away"]
        base = self.last[symbol] - sign * (away or 0)
        is_oto, is_oco = order_class is OrderClass.OTO, order_class is OrderClass.OCO
        stop = dollars(base - sign * given["stop"])
        target = dollars(base + sign * given["aim"])
        has_stop = given["has_stop"] or not is_oto
        has_limit = is_oco or away is not None
        self.send(
            symbol,
            side=side,
            quantity=quantity,
            order_class=order_class,
            kind=OrderKind.LIMIT if has_limit else OrderKind.MARKET,
            limit_price=target if is_oco else dollars(base) if has_limit else None,
            stop_loss_price=stop if has_stop else None,
            stop_loss_limit_price=stop if has_stop and given["has_stop_limit"] else None,
            take_profit_price=None if is_oco or (is_oto and has_stop) else target,
            time_in_force=TimeInForce.GTC if given["is_gtc"] else TimeInForce.DAY,
        )

    def pick(self, number: int, *, is_open: bool = True) -> VenueOrder | None:
        orders = list(self.live.state.orders.values())
        if is_open:
            orders = [order for order in orders if not order.is_ended] or orders
        return orders[number % len(orders)] if orders else None

    @rule(
        symbol=SYMBOLS,
        is_pair=st.booleans(),
        stop=st.integers(1, 150),
        aim=st.integers(1, 150),
        part=st.integers(1, 2),
    )
    def protect(self, symbol: str, is_pair: bool, stop: int, aim: int, part: int) -> None:
        """Send the exits of a position, as a pair or a plain stop."""
        held = self.live.state.account.held(symbol)
        quantity = Decimal(int(self.live.state.available_shares(symbol) / part))
        sign, last = (1 if held > 0 else -1), self.last[symbol]
        self.send(
            symbol,
            side=Side.SELL if held > 0 else Side.BUY,
            quantity=quantity,
            kind=OrderKind.LIMIT if is_pair else OrderKind.STOP,
            order_class=OrderClass.OCO if is_pair else OrderClass.SIMPLE,
            limit_price=dollars(last + sign * aim) if is_pair else None,
            stop_price=None if is_pair else dollars(last - sign * stop),
            stop_loss_price=dollars(last - sign * stop) if is_pair else None,
            time_in_force=TimeInForce.GTC,
        )

    @rule(number=st.integers(0, 50), how=st.integers(0, 9))
    def cancel(self, number: int, how: int) -> None:
        order, at, phase = self.pick(number, is_open=how > 1), self.now, self.phase
        if how == 0:
            assert self.took(lambda: self.live.cancel_all(at, phase=phase))
        elif order is not None and how < 6:
            self.took(lambda: self.live.cancel(order.order_id, at, phase=phase))
        elif order is not None:
            taken = self.took(lambda: self.live.request_cancel(order.order_id, at))
            self.show(order.symbol)
            if taken and how > 7:
                self.took(lambda: self.live.confirm_cancel(order.order_id, self.now))

    @rule(
        number=st.integers(0, 50),
        away=st.integers(-100, 200),
        quantity=st.one_of(st.none(), st.none(), QUANTITIES),
        tif=st.sampled_from([None, TimeInForce.DAY, TimeInForce.GTC]),
        is_senseless=st.booleans(),
    )
    def replace(self, number: int, away: int, **given: Any) -> None:
        order, at = self.pick(number), self.now
        if order is None:
            return
        sign = 1 if order.side is Side.SELL else -1
        if order.kind in STOPS:
            sign = -sign
        price = dollars(self.last[order.symbol] + sign * away)
        anything = given["is_senseless"]
        changes = OrderChanges(
            limit_price=price if anything or order.limit_price is not None else None,
            stop_price=price if anything or order.kind in STOPS[:2] else None,
            trail=Decimal(2) if order.kind is OrderKind.TRAILING_STOP else None,
            quantity=given["quantity"],
            time_in_force=given["tif"],
        )
        now = self.market(order.symbol)
        if self.took(lambda: self.live.replace(order.order_id, changes, at, market=now)):
            self.show(order.symbol)

    @rule(symbol=SYMBOLS, steps=st.lists(st.integers(-80, 80), min_size=1, max_size=4))
    def drift(self, symbol: str, steps: list[int]) -> None:
        for cents in steps:
            self.last[symbol] += cents
            self.show(symbol)

    @rule(symbol=SYMBOLS, cents=CENTS)
    def trade(self, symbol: str, cents: int) -> None:
        self.last[symbol] = cents
        self.show(symbol)

    @precondition(lambda self: self.phase is SessionPhase.REGULAR)
    @rule(symbol=SYMBOLS, prices=st.tuples(CENTS, CENTS, CENTS, CENTS))
    def trade_a_bar(self, symbol: str, prices: tuple[int, int, int, int]) -> None:
        low, first, last, high = (cents / 100 for cents in sorted(prices))
        bar = Bar(
            symbol=symbol,
            opened_at=self.now,
            closed_at=self.now + timedelta(minutes=5),
            open=first,
            high=high,
            low=low,
            close=last,
            volume=5_000.0,
        )
        self.now = bar.closed_at
        self.last[symbol] = int(to_decimal(last) * 100)
        self.took(lambda: self.live.on_bar(bar, bar.closed_at), fills=True)

    @rule()
    def next_phase(self) -> None:
        before, self.phase = self.phase, NEXT_PHASE[self.phase]
        self.now += timedelta(hours=4)
        at, phase = self.now, self.phase
        if before is SessionPhase.REGULAR:
            self.phase = before
            self.auction(AuctionKind.CLOSE, at)
            self.phase = phase
            assert self.took(lambda: self.live.on_session_close(at))
        if phase in {SessionPhase.PRE, SessionPhase.REGULAR}:
            assert self.took(lambda: self.live.on_session_open(at, phase=phase))
        if phase is SessionPhase.REGULAR:
            self.auction(AuctionKind.OPEN, at)
        if phase is SessionPhase.CLOSED:
            self.end_the_day()

    def auction(self, kind: AuctionKind, at: datetime) -> None:
        for symbol, cents in self.last.items():
            self.took(
                lambda symbol=symbol, cents=cents: self.live.on_auction(  # type: ignore[misc]
                    symbol, cents / 100, at, kind
                ),
                fills=True,
            )

    def end_the_day(self) -> None:
        at = self.now
        assert self.took(lambda: self.live.on_session_close(at, phase=SessionPhase.POST))
        marks = {s: dollars(cents) for s, cents in self.last.items()}
        assert self.took(lambda: self.live.roll_day(at, marks))
        self.is_within_reserves = False  # losses of the day count from here on
        for order in self.live.state.all_open_orders():
            is_over = order.extended_hours and order.time_in_force is TimeInForce.DAY
            assert not is_over or order.live_from >= at

    @rule(symbol=SYMBOLS, cents=CENTS, is_reopened=st.booleans())
    def halt(self, symbol: str, cents: int, is_reopened: bool) -> None:
        at = self.now
        assert self.took(lambda: self.live.halt(symbol, at))
        self.send(symbol, side=Side.BUY, quantity=Decimal(1))
        self.trade(symbol, cents)
        if is_reopened:
            self.resume(symbol)

    @rule(symbol=SYMBOLS)
    def resume(self, symbol: str) -> None:
        at = self.now
        assert self.took(lambda: self.live.resume(symbol, at))

    @precondition(lambda self: self.phase is SessionPhase.CLOSED)
    @rule(symbol=SYMBOLS, ratio=st.sampled_from([2, 3, Decimal("0.05"), Decimal("0.5")]))
    def split(self, symbol: str, ratio: Decimal) -> None:
        at, price = self.now, dollars(self.last[symbol])
        assert self.took(lambda: self.live.apply_split(symbol, Decimal(ratio), price, at))
        assert symbol not in self.live.state.open_ids

    @precondition(lambda self: self.phase is SessionPhase.CLOSED)
    @rule()
    def rename_there_and_back(self) -> None:
        at = self.now
        held = self.live.state.account.held("ACME")
        assert self.took(lambda: self.live.rename("ACME", "APEX", at))
        assert self.live.state.account.held("APEX") == held
        assert "ACME" not in self.live.state.open_ids
        assert self.took(lambda: self.live.rename("APEX", "ACME", at))

    @rule()
    def restart(self) -> None:
        self.twin = self.make()
        self.twin.rebuild(self.log)
        assert self.live.state == self.twin.state
        assert self.twin.settle(self.now) == []

    @invariant()
    def the_money_adds_up(self) -> None:
        account = self.live.state.account
        cost_usd = sum((h.cost_usd for h in account.holdings.values()), ZERO)
        assert account.cash_usd + cost_usd + account.fees_usd == START_USD + account.realised_usd
        assert account.cash_usd == self.cash_usd

    @invariant()
    def reservations_are_exact(self) -> None:
        state = self.live.state
        money_usd = ZERO
        for symbol in self.last:
            by_group: dict[str, Decimal] = {}
            for order in state.open_orders(symbol):
                if order.position_intent.is_closing:
                    group = order.group_id or order.order_id
                    by_group[group] = max(by_group.get(group, ZERO), order.remaining)
                else:
                    money_usd += order.remaining * order.reserve_price
            held = sum(by_group.values(), ZERO)
            assert state.reservations.shares.get(symbol, ZERO) == held
            assert state.available_shares(symbol) == abs(state.account.held(symbol)) - held >= 0
        assert state.reservations.usd == money_usd

    @invariant()
    def what_was_taken_can_be_paid(self) -> None:
        is_margin = self.live.rules.money is MoneyRule.MARGIN
        if is_margin and self.multiplier == 4 and self.is_within_reserves:
            figures = self.live.figures({s: dollars(c) for s, c in self.last.items()})
            if figures.multiplier == 4:
                assert figures.buying_power_usd >= 0

    @invariant()
    def every_order_has_one_end(self) -> None:
        for order_id, order in self.live.state.orders.items():
            assert self.ends[order_id] == (1 if order.is_ended else 0)
            assert ZERO <= order.filled_quantity <= order.quantity
            assert (order.status is VenueStatus.FILLED) <= (order.remaining == 0)

    @invariant()
    def exits_never_sell_more_than_was_entered(self) -> None:
        for order in self.live.state.all_open_orders():
            group = self.live.state.group_of(order)
            if group.stop and group.target and group.stop.is_open and group.target.is_open:
                assert group.stop.remaining == group.target.remaining

    @invariant()
    def the_open_orders_are_known_by_symbol(self) -> None:
        is_open = {o.order_id for o in self.live.state.orders.values() if o.is_open}
        assert {o.order_id for o in self.live.state.all_open_orders()} == is_open


TestExchange = Exchange.TestCase
TestExchange.settings = settings(stateful_step_count=40)
