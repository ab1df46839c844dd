"""The venue: takes orders, is shown prices, answers with facts.

The same engine stands behind the backtest, the embedded broker and the exchange server. It does
no IO and has no clock: `at` is always the time of the call, and facts come back in the order in
which they are to be recorded. A fact's `at` is never before the event it tells of, so the fill of
an order just sent carries a time `latency_s` after the call.

Rebuilding: the engine's memory changes only by the facts it returns (see `venue_state`), so
`rebuild` folds `SubmitOrder` and the broker facts of the journal into the state the engine had. A
`SubmitOrder` without a recorded answer is not at the venue: the runtime looks it up and sends it
again. Facts that were due but not recorded when the process died are what `settle` returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import BrokerOrder, BrokerSnapshot
from catalyst_bot.domain.enums import OrderKind, OrderStatus, Side, TimeInForce
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.trading import ApprovedOrder, Fill, OrderTicket
from catalyst_bot.simulation import admission, venue_account
from catalyst_bot.simulation.bracket import leg_may_fill, next_consequence
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.fill_rules import is_on_tick
from catalyst_bot.simulation.price_window import (
    Phase,
    PriceWindow,
    open_window,
    print_window,
    range_window,
)
from catalyst_bot.simulation.pricing import pricing_of
from catalyst_bot.simulation.venue_account import VenueAccount, affordable_shares, fee_usd
from catalyst_bot.simulation.venue_order import VenueOrder, venue_order_id
from catalyst_bot.simulation.venue_state import VenueState

OrderFact = (
    f.OrderAccepted
    | f.OrderRejected
    | f.OrderFilled
    | f.OrderCancelled
    | f.OrderExpired
    | f.OrderReplaced
)
NO_MONEY = "insufficient buying power"


class MatchingEngine:
    """A long-only venue with market, limit and stop orders and brackets.

    At one moment of a replay the order of calls is: `on_bar` for bars that close, then what was
    decided, then `on_open_print` for bars that open. `on_open_print` may be left out: `on_bar`
    then fills at the bar's open too, only later.
    """

    def __init__(
        self,
        costs: CostRules,
        profile: FillProfile = FillProfile.OURS,
        *,
        seed: int = 0,
        starting_cash_usd: Decimal,
        buying_power_multiplier: Decimal = Decimal(1),
    ) -> None:
        self._pricing = pricing_of(costs, profile, seed=seed)
        self.state = VenueState(
            account=VenueAccount(
                cash_usd=starting_cash_usd, buying_power_multiplier=buying_power_multiplier
            )
        )

    def submit(self, order: ApprovedOrder, at: datetime) -> list[Fact]:
        """Take or reject an order; an id seen before gets its first answer again."""
        known = self.state.orders.get(order.client_order_id)
        if known is not None:
            return [_answer(known, at)]
        reason = admission.refusal(
            order,
            account=self.state.account,
            open_orders=self.state.all_open_orders(),
            commission_fraction=self._pricing.commission_fraction,
        )
        self.state.promised[order.client_order_id] = order
        if reason is not None:
            return self._record(_rejected(order.client_order_id, reason, at))
        return self._record(_accepted(order.client_order_id, at))

    def cancel(self, client_order_id: str, at: datetime) -> list[Fact]:
        """Cancel what is left of an order; cancelling one leg cancels the other too."""
        order = self.state.orders.get(client_order_id)
        if order is None or not order.is_open:
            return [_refused(client_order_id, _why_not_open(order), at)]
        told_at = self._not_before(order, at)
        return self._record(_cancelled(client_order_id, "cancelled by request", told_at))

    def replace_stop(self, client_order_id: str, stop_price: Decimal, at: datetime) -> list[Fact]:
        """Move the price of a waiting stop; it counts from the next bar that opens."""
        order = self.state.orders.get(client_order_id)
        if order is None or not order.is_open:
            return [_refused(client_order_id, _why_not_open(order), at)]
        if order.kind is not OrderKind.STOP or order.is_market:
            return [_refused(client_order_id, "not a waiting stop order", at)]
        target = self.state.bracket_of(order).target
        if not is_on_tick(stop_price) or (
            target and target.limit_price and not stop_price < target.limit_price
        ):
            return [_refused(client_order_id, f"invalid stop price {stop_price}", at)]
        return self._record(
            f.OrderReplaced(
                at=self._not_before(order, at),
                client_order_id=client_order_id,
                stop_price=stop_price,
                limit_price=None,
            )
        )

    def on_open_print(self, opening: OpenPrint, at: datetime) -> list[Fact]:
        """Fill what the first trade of a bar fills; `at` is when that bar opens."""
        return self._match(print_window(opening, at), at)

    def on_bar(self, bar: Bar, at: datetime) -> list[Fact]:
        """Fill what a complete bar fills; what filled at its opening print does not again."""
        if bar.symbol not in self.state.open_ids:
            return []
        return self._match(open_window(bar), at) + self._match(range_window(bar), at)

    def halt(self, symbol: str, at: datetime) -> None:
        """Stop matching a symbol; orders are still taken, and wait.

        No facts are returned here and by `resume`: who told the venue records `SymbolHalted`.
        """
        self.apply(f.SymbolHalted(at=at, symbol=symbol, code=""))

    def resume(self, symbol: str, at: datetime) -> None:
        """Match a symbol again, in bars that open from now on."""
        self.apply(f.SymbolResumed(at=at, symbol=symbol))

    def on_session_close(self, at: datetime) -> list[Fact]:
        """Let the day orders lapse that were there before the close."""
        facts: list[Fact] = []
        for order in self.state.all_open_orders():
            if order.time_in_force is TimeInForce.DAY and order.live_from < at:
                told_at = self._not_before(order, at)
                facts += self._record(
                    f.OrderExpired(at=told_at, client_order_id=order.client_order_id)
                )
        return facts

    def snapshot(self) -> BrokerSnapshot:
        """Return the books as they stand."""
        return BrokerSnapshot(
            cash_usd=self.state.account.cash_usd,
            positions=self.state.account.positions(),
            open_orders=tuple(
                BrokerOrder(
                    client_order_id=order.client_order_id,
                    broker_order_id=venue_order_id(order.client_order_id),
                    symbol=order.symbol,
                    quantity=order.quantity,
                    filled_quantity=order.filled_quantity,
                )
                for order in self.state.all_open_orders()
            ),
        )

    def ticket(self, client_order_id: str) -> OrderTicket | None:
        """Return where an order or leg stands, or None when the venue does not know it."""
        order = self.state.orders.get(client_order_id)
        return order.ticket() if order else None

    def working_symbols(self) -> set[str]:
        """Return the symbols whose prices the venue needs."""
        return set(self.state.open_ids)

    def apply(self, message: Message) -> None:
        """Change by one recorded message and do nothing else; what is no business is ignored."""
        self.state.apply(message)

    def rebuild(self, messages: Iterable[Message]) -> None:
        """Become the engine that recorded `messages`. Only for a new engine."""
        if self.state.orders:
            raise InvariantViolated("rebuild is for a venue that has seen no order yet")
        for message in messages:
            self.apply(message)
        self.state.promised.clear()

    def settle(self, at: datetime) -> list[Fact]:
        """Record and return what follows from the state but was lost when the process died."""
        facts: list[Fact] = []
        for order in list(self.state.orders.values()):
            if not order.is_leg:
                facts += self._consequences(order, at)
        return facts

    def _not_before(self, order: VenueOrder, at: datetime) -> datetime:
        """Return `at`, or the later time of a fill of the same bracket that is still under way.

        So facts of one bracket are recorded in the order in which they happened at the venue.
        """
        bracket = self.state.bracket_of(order)
        return max(at, bracket.entry.told_at, *(leg.told_at for leg in bracket.legs))

    def _record(self, fact: OrderFact) -> list[Fact]:
        """Change the state by a fact and return it with all that follows from it."""
        self.state.apply(fact)
        if isinstance(fact, f.OrderFilled):
            order_id = fact.fill.client_order_id
        else:
            order_id = fact.client_order_id
        return [fact, *self._consequences(self.state.orders[order_id], fact.at)]

    def _consequences(self, order: VenueOrder, at: datetime) -> list[Fact]:
        facts: list[Fact] = []
        if order.status is OrderStatus.REJECTED:
            return facts
        bracket = self.state.bracket_of(order)
        while (fact := next_consequence(bracket, at)) is not None:
            self.state.apply(fact)
            facts.append(fact)
        return facts

    def _match(self, window: PriceWindow, at: datetime) -> list[Fact]:
        """Offer a price window to every order of its symbol, then to the legs these brought."""
        symbol = window.symbol
        if symbol in self.state.halted:
            return []
        resumed_at = self.state.tradable_from.get(symbol)
        if resumed_at is not None and window.opened_at < resumed_at:
            return []
        orders = self.state.open_orders(symbol)
        known = {order.client_order_id for order in orders}
        facts = self._offer(window, orders, at)
        legs = [o for o in self.state.open_orders(symbol) if o.client_order_id not in known]
        return facts + self._offer(window, legs, at)

    def _offer(self, window: PriceWindow, orders: list[VenueOrder], at: datetime) -> list[Fact]:
        """Offer the window in the order of arrival; an entry is older than its legs.

        Each order is asked when its turn comes: what filled before may have ended it.
        """
        facts: list[Fact] = []
        for order in sorted(orders, key=lambda o: self._pricing.filled_at(o, window)):
            if order.is_open and self._may_fill(order, window):
                facts += self._try_fill(order, window, at)
        return facts

    def _may_fill(self, order: VenueOrder, window: PriceWindow) -> bool:
        """Tell whether the order may look at these prices: none from before it was sent."""
        opened_at = window.opened_at
        if order.filled_in(opened_at, Phase.OPEN) or order.filled_in(opened_at, Phase.RANGE):
            return False
        if order.is_leg:
            return leg_may_fill(order, self.state.bracket_of(order), window)
        if window.phase is Phase.RANGE and self._pricing.filled_at(order, window) > window.ends_at:
            return False  # it arrived when these prices were over
        return opened_at >= order.live_from

    def _try_fill(self, order: VenueOrder, window: PriceWindow, at: datetime) -> list[Fact]:
        price = self._pricing.price(order, window)
        if price is None:
            return []
        wanted = self._pricing.quantity(order, window)
        quantity = min(wanted, self._affordable(order, price))
        filled_at = self._pricing.filled_at(order, window)
        known_at = max(at, filled_at)
        facts: list[Fact] = []
        if quantity > 0:
            fill = Fill(
                fill_id=order.fill_id(window.opened_at, window.phase),
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                quantity=quantity,
                price=price,
                fee_usd=fee_usd(quantity * price, self._pricing.commission_fraction),
                filled_at=filled_at,
            )
            facts += self._record(f.OrderFilled(at=known_at, fill=fill))
        if quantity < wanted:
            facts += self._record(_cancelled(order.client_order_id, NO_MONEY, known_at))
        return facts

    def _affordable(self, order: VenueOrder, price: Decimal) -> Decimal:
        """Return how many shares the account can pay for, apart from what others reserved."""
        if order.side is Side.SELL:
            return order.remaining
        commission_fraction = self._pricing.commission_fraction
        others = (o for o in self.state.all_open_orders() if o is not order)
        reserved_usd = venue_account.reserved_usd(others, commission_fraction)
        return affordable_shares(
            price,
            available_usd=self.state.account.buying_power_usd() - reserved_usd,
            commission_fraction=commission_fraction,
        )


def _answer(order: VenueOrder, at: datetime) -> Fact:
    if order.status is OrderStatus.REJECTED:
        return _rejected(order.client_order_id, order.reason, at)
    return _accepted(order.client_order_id, at)


def _accepted(client_order_id: str, at: datetime) -> f.OrderAccepted:
    return f.OrderAccepted(
        at=at, client_order_id=client_order_id, broker_order_id=venue_order_id(client_order_id)
    )


def _rejected(client_order_id: str, reason: str, at: datetime) -> f.OrderRejected:
    return f.OrderRejected(at=at, client_order_id=client_order_id, reason=reason)


def _cancelled(client_order_id: str, reason: str, at: datetime) -> f.OrderCancelled:
    return f.OrderCancelled(at=at, client_order_id=client_order_id, reason=reason)


def _refused(client_order_id: str, reason: str, at: datetime) -> f.ChangeRefused:
    return f.ChangeRefused(at=at, client_order_id=client_order_id, reason=reason)


def _why_not_open(order: VenueOrder | None) -> str:
    return f'order is already in "{order.status}" state' if order else "order not found"
