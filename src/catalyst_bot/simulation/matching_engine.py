"""The venue: takes orders, is shown prices, answers with events.

The same engine stands behind the backtest, the embedded broker and the exchange server; one
engine keeps one account. It does no IO and has no clock: `at` is always the time of the call, and
events come back in the order in which they are to be recorded. An event's `at` is never before
what it tells of, so in a bar-driven venue the fill of an order just sent carries a time
`latency_s` after the call.

Rebuilding: the engine's memory changes only by the events it returns (see `venue_state`), so
`rebuild` folds them into the state the engine had. Events that were due but not recorded when the
process died are what `settle` returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import SessionPhase, Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.money import round_cents
from catalyst_bot.simulation import (
    admission,
    event_effects,
    margin,
)
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.entering import Registry, closing_intent, inferred_intent
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.judge import Judge
from catalyst_bot.simulation.market_now import AuctionKind, MarketNow
from catalyst_bot.simulation.matching import Matcher
from catalyst_bot.simulation.order_names import OrderNames
from catalyst_bot.simulation.order_request import OrderChanges, OrderRequest
from catalyst_bot.simulation.price_window import (
    PriceWindow,
    auction_window,
    open_window,
    print_window,
    range_window,
    trade_window,
)
from catalyst_bot.simulation.pricing import pricing_of
from catalyst_bot.simulation.recorder import Recorder
from catalyst_bot.simulation.sessions import (
    AUCTION_OVER,
    BY_REQUEST,
    canceled,
    end_of_session,
    is_for_auction,
    is_for_session,
)
from catalyst_bot.simulation.venue_account import VenueAccount
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus
from catalyst_bot.simulation.venue_rules import (
    CancelWhenClosed,
    RuleBook,
    VenueRules,
)
from catalyst_bot.simulation.venue_state import DayBase, VenueState

ALL_SESSION = MarketNow()
CORPORATE_ACTION = "corporate action"


class MatchingEngine:
    """A venue with one account, for every kind, class and time in force of order.

    `allow_short` and `buying_power_multiplier` are the account's configuration: they may be set
    at any time, are no part of the state, and are to be given again to a rebuilt engine.

    At one moment of a bar-driven replay the order of calls is: `on_bar` for bars that close, then
    what was decided, then `on_open_print` for bars that open. `on_open_print` may be left out:
    `on_bar` then fills at the bar's open too, only later.
    """

    def __init__(
        self,
        costs: CostRules,
        profile: FillProfile = FillProfile.OURS,
        *,
        names: OrderNames,
        seed: int = 0,
        starting_cash_usd: Decimal,
        buying_power_multiplier: Decimal = Decimal(1),
        allow_short: bool = False,
        rules: VenueRules | None = None,
    ) -> None:
        self.allow_short = allow_short
        self.buying_power_multiplier = buying_power_multiplier
        self.rules = rules or VenueRules()
        pricing = pricing_of(
            costs, profile, seed=seed, partial_probability=self.rules.partial_probability
        )
        self.state = VenueState(
            account=VenueAccount(cash_usd=starting_cash_usd),
            day=DayBase(equity_usd=starting_cash_usd),
            leg_rule=self.rules.legs,
        )
        self._recorder = Recorder(self.state)
        self._matcher = Matcher(
            state=self.state, pricing=pricing, recorder=self._recorder, money=self.rules.money
        )
        self._judge = Judge(state=self.state, rules=self.rules)
        self._registry = Registry(
            names=names,
            rules=self.rules,
            commission_fraction=pricing.commission_fraction,
            collars_buy_stops=pricing.terms.collars_buy_stops,
        )

    # requests: each raises `Refused` and changes nothing, or returns what came of it

    def submit(
        self,
        request: OrderRequest,
        at: datetime,
        *,
        market: MarketNow = ALL_SESSION,
        is_acknowledged: bool = True,
    ) -> list[e.VenueEvent]:
        """Take an order. It is `new`, or `accepted` when its session has not begun yet or
        `is_acknowledged` is False (then `acknowledge` makes it new). Nothing fills in here: show
        the current price with `on_trade(..., only=[order_id])` afterwards.
        """
        self._judge.check_client_id(request.client_order_id)
        entered = self.taken_in(request, at, market=market, is_acknowledged=is_acknowledged)
        self._judge.check_order(self._applicant(entered[0], market))
        for leg in entered[1:]:
            self._judge.check_client_id(leg.client_order_id)
        return self._take_in(entered)

    def taken_in(
        self,
        request: OrderRequest,
        at: datetime,
        *,
        market: MarketNow = ALL_SESSION,
        is_acknowledged: bool = True,
    ) -> list[e.OrderEntered]:
        """Return the events that would take a request in, without judging or recording them."""
        if self.rules.book is RuleBook.OURS and request.side is Side.SELL:
            intent = closing_intent(request.side)
        else:
            intent = inferred_intent(request.side, self.state.account.held(request.symbol))
        return self._registry.entered(
            request, at, intent=intent, market=market, is_acknowledged=is_acknowledged
        )

    def acknowledge(self, order_id: str, at: datetime) -> list[e.VenueEvent]:
        """Make an accepted order `new`; nothing when it is not waiting any more."""
        order = self.state.orders[order_id]
        if order.status is not VenueStatus.ACCEPTED:
            return []
        return self._recorder.record(e.OrderActivated(at=at, order_id=order_id))

    def cancel(
        self, order_id: str, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[e.VenueEvent]:
        """Cancel what is left of an order and what belongs to it.

        Outside the order's session it may only be `pending_cancel` until the session opens.
        """
        order = self._judge.cancelable(order_id)
        is_in_session = is_for_session(order, phase)
        if is_in_session or self.rules.cancel_when_closed is CancelWhenClosed.AT_ONCE:
            return self._cancel(order, BY_REQUEST, at)
        return self._recorder.record(self._cancel_request(order, at))

    def request_cancel(self, order_id: str, at: datetime) -> list[e.VenueEvent]:
        """Make an order `pending_cancel`; it may still fill until `confirm_cancel`."""
        return self._recorder.record(self._cancel_request(self._judge.cancelable(order_id), at))

    def confirm_cancel(self, order_id: str, at: datetime) -> list[e.VenueEvent]:
        """Finish a pending cancel; nothing when the order ended before."""
        order = self.state.orders[order_id]
        if order.status is not VenueStatus.PENDING_CANCEL:
            return []
        return self._cancel(order, BY_REQUEST, at)

    def cancel_all(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[e.VenueEvent]:
        """Cancel every order that can be cancelled."""
        events: list[e.VenueEvent] = []
        for order in self.state.all_open_orders():
            if order.is_open and order.status is not VenueStatus.PENDING_CANCEL:
                events += self.cancel(order.order_id, at, phase=phase)
        return events

    def replace(
        self,
        order_id: str,
        changes: OrderChanges,
        at: datetime,
        *,
        market: MarketNow = ALL_SESSION,
    ) -> list[e.VenueEvent]:
        """Replace an order by a successor with new ids (`replaced_by`, `replaces`)."""
        order = self._judge.known(order_id)
        if changes.client_order_id is not None:
            self._judge.check_client_id(changes.client_order_id)
        replaced = self.successor_of(order, changes, at, market=market)
        successor = self._applicant(replaced[1], market)
        self._judge.check_replacement(order, changes, successor)
        return self._recorder.record(*replaced)

    def successor_of(
        self,
        order: VenueOrder,
        changes: OrderChanges,
        at: datetime,
        *,
        market: MarketNow = ALL_SESSION,
    ) -> tuple[e.OrderReplaced, e.OrderEntered]:
        """Return the events that would replace an order, without judging or recording them."""
        told_at = self._recorder.not_before(order, at)
        return self._registry.succeeded(order, changes, told_at, ask=market.ask)

    # prices

    def on_open_print(self, opening: OpenPrint, at: datetime) -> list[e.VenueEvent]:
        """Fill what the first trade of a bar fills; `at` is when that bar opens."""
        return self._match(print_window(opening, at), at)

    def on_bar(self, bar: Bar, at: datetime) -> list[e.VenueEvent]:
        """Fill what a complete bar fills; what filled at its opening print does not again."""
        if bar.symbol not in self.state.open_ids:
            return []
        return self._match(open_window(bar), at) + self._match(range_window(bar), at)

    def on_trade(
        self,
        symbol: str,
        price: float,
        at: datetime,
        *,
        session: SessionPhase = SessionPhase.REGULAR,
        bid: float | None = None,
        ask: float | None = None,
        only: Collection[str] | None = None,
    ) -> list[e.VenueEvent]:
        """Offer one price now. Without `bid` and `ask` the quote is half a spread around it.

        `only`: just these order ids, for a price the others have seen already. Orders that live
        for a moment (IOC, FOK) end here.
        """
        if symbol not in self.state.open_ids:
            return []
        window = trade_window(symbol, price, at, session=session, bid=bid, ask=ask)
        return self._match(window, at, only)

    def on_auction(
        self, symbol: str, price: float, at: datetime, kind: AuctionKind
    ) -> list[e.VenueEvent]:
        """Fill the orders for an auction at its price and end what is left of them."""
        orders = [order for order in self.state.open_orders(symbol) if is_for_auction(order, kind)]
        if not orders or symbol in self.state.halted:
            return []
        events: list[e.VenueEvent] = []
        for order in orders:
            events += self.acknowledge(order.order_id, at)
        events += self._match(
            auction_window(symbol, price, at), at, [order.order_id for order in orders]
        )
        for order in orders:
            if not order.is_ended:
                events += self._cancel(order, AUCTION_OVER, at)
        return events

    # time and corporate actions

    def on_session_open(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[e.VenueEvent]:
        """Confirm cancels that waited and make queued orders `new`; PRE: extended-hours only."""
        events: list[e.VenueEvent] = []
        for order in self.state.all_open_orders():
            if is_for_session(order, phase):
                events += self.confirm_cancel(order.order_id, at)
                events += self.acknowledge(order.order_id, at)
        return events

    def on_session_close(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[e.VenueEvent]:
        """Let the orders of the session lapse; POST ends those for extended hours."""
        ends = (
            end_of_session(order, at, phase, told_at=self._recorder.not_before(order, at))
            for order in self.state.all_open_orders()
        )
        return self._recorder.record_apart([event for event in ends if event is not None])

    def roll_day(self, at: datetime, marks: Mapping[str, Decimal]) -> list[e.VenueEvent]:
        """Close the books of a day: its equity and margin bound the next day's buying power."""
        worth = self.figures(marks)
        return self._note(
            e.DayRolled(
                at=at,
                equity_usd=worth.equity_usd,
                maintenance_margin_usd=worth.maintenance_margin_usd,
            )
        )

    def halt(self, symbol: str, at: datetime) -> list[e.VenueEvent]:
        """Stop matching a symbol; orders are still taken, and wait."""
        return self._note(e.SymbolHalted(at=at, symbol=symbol))

    def resume(self, symbol: str, at: datetime) -> list[e.VenueEvent]:
        """Match a symbol again, at prices from now on."""
        return self._note(e.SymbolResumed(at=at, symbol=symbol))

    def apply_split(
        self, symbol: str, shares_per_share: Decimal, price: Decimal, at: datetime
    ) -> list[e.VenueEvent]:
        """Turn each share into `shares_per_share`; `price` (after it) pays out fractions.

        Open orders of the symbol are cancelled.
        """
        events = self._recorder.record_apart(
            [canceled(o, CORPORATE_ACTION, at) for o in self.state.open_orders(symbol)]
        )
        fraction = self.state.account.fraction_after_split(symbol, shares_per_share)
        return events + self._note(
            e.SplitApplied(
                at=at,
                symbol=symbol,
                shares_per_share=shares_per_share,
                cash_in_lieu_usd=round_cents(fraction * price),
            )
        )

    def rename(self, symbol: str, new_symbol: str, at: datetime) -> list[e.VenueEvent]:
        """Give holdings and orders of a symbol its new name."""
        return self._note(e.SymbolRenamed(at=at, symbol=symbol, new_symbol=new_symbol))

    # what is known

    def figures(self, marks: Mapping[str, Decimal]) -> margin.AccountFigures:
        """Return what the account is worth and may spend at the prices `marks`."""
        return margin.figures(
            self.state, marks, multiplier=self.buying_power_multiplier, money=self.rules.money
        )

    def working_symbols(self) -> set[str]:
        """Return the symbols whose prices the venue needs."""
        return set(self.state.open_ids)

    # memory

    def apply(self, event: e.VenueEvent) -> None:
        """Change by one recorded event and do nothing else."""
        event_effects.apply(self.state, event)

    def rebuild(self, events: Iterable[e.VenueEvent]) -> None:
        """Become the engine that recorded `events`. Only for a new engine."""
        if self.state.orders:
            raise InvariantViolated("rebuild is for a venue that has seen no order yet")
        for event in events:
            self.apply(event)

    def settle(self, at: datetime) -> list[e.VenueEvent]:
        """Record and return what follows from the state but was lost when the process died."""
        events: list[e.VenueEvent] = []
        for order in list(self.state.orders.values()):
            if order.parent_id is None:
                events += self._recorder.consequences(order, at)
        return events

    def _match(
        self, window: PriceWindow, at: datetime, only: Collection[str] | None = None
    ) -> list[e.VenueEvent]:
        return self._matcher.match(window, at, multiplier=self.buying_power_multiplier, only=only)

    def _take_in(self, entered: list[e.OrderEntered]) -> list[e.VenueEvent]:
        for event in entered:
            self.apply(event)
        first = entered[0]
        order = self.state.orders[first.order_id]
        return [*entered, *self._recorder.consequences(order, first.at)]

    def _note(self, event: e.VenueEvent) -> list[e.VenueEvent]:
        self.apply(event)
        return [event]

    def _applicant(self, entered: e.OrderEntered, market: MarketNow) -> admission.Applicant:
        return self._judge.applicant(
            entered, market, figures=self.figures(market.marks), allow_short=self.allow_short
        )

    def _cancel_request(self, order: VenueOrder, at: datetime) -> e.CancelRequested:
        return e.CancelRequested(at=self._recorder.not_before(order, at), order_id=order.order_id)

    def _cancel(self, order: VenueOrder, reason: str, at: datetime) -> list[e.VenueEvent]:
        told_at = self._recorder.not_before(order, at)
        return self._recorder.record(canceled(order, reason, told_at))
