"""The matching engine in the bot's own words: approved orders go in, facts come out.

What the venue remembers follows from the bot's journal: its events become facts, and `rebuild`
turns the facts of a journal into the events they came from (see `embedded_recovery`). A
`SubmitOrder` without a recorded answer is not at the venue: the runtime looks it up and sends it
again. Facts that were due but not recorded when the process died are what `settle` returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from catalyst_bot.broker import embedded_recovery
from catalyst_bot.broker.embedded_orders import (
    EmbeddedNames,
    OrderMemory,
    Rejection,
    filled_before,
    rejected_ticket,
    request_of,
    ticket_of,
)
from catalyst_bot.domain.account import BrokerOrder, BrokerPosition, BrokerSnapshot
from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.trading import ApprovedOrder, Fill, OrderTicket
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges
from catalyst_bot.simulation.refusals import Refused
from catalyst_bot.simulation.venue_order import VenueOrder
from catalyst_bot.simulation.venue_state import VenueState


class EmbeddedVenue:
    """A long-only venue with market, limit and stop orders, brackets and protective pairs."""

    def __init__(
        self,
        costs: CostRules,
        profile: FillProfile = FillProfile.OURS,
        *,
        seed: int = 0,
        starting_cash_usd: Decimal,
        buying_power_multiplier: Decimal = Decimal(1),
    ) -> None:
        self._names = EmbeddedNames()
        self._engine = MatchingEngine(
            costs,
            profile,
            names=self._names,
            seed=seed,
            starting_cash_usd=starting_cash_usd,
            buying_power_multiplier=buying_power_multiplier,
        )
        self.memory = OrderMemory()

    @property
    def state(self) -> VenueState:
        """What the engine knows; read it only."""
        return self._engine.state

    def submit(self, order: ApprovedOrder, at: datetime) -> list[Fact]:
        """Take or reject an order; an id seen before gets its first answer again."""
        order_id = order.client_order_id
        if order_id in self.memory.approved:
            broker_order_id = self._names.order_id(order_id)
            return [
                f.OrderAccepted(at=at, client_order_id=order_id, broker_order_id=broker_order_id)
            ]
        if (rejection := self.memory.refused.get(order_id)) is not None:
            return [f.OrderRejected(at=at, client_order_id=order_id, reason=rejection.reason)]
        entered_at = max(order.approved_at, at)
        try:
            events = self._engine.submit(request_of(order), entered_at)
        except Refused as refused:
            reason = refused.refusal.message
            self.memory.refused[order_id] = Rejection(order=order, reason=reason, at=at)
            return [f.OrderRejected(at=at, client_order_id=order_id, reason=reason)]
        self.memory.remember(order, events)
        return self._facts(events)

    def cancel(self, client_order_id: str, at: datetime) -> list[Fact]:
        """Cancel what is left of an order; cancelling one leg cancels the other too."""
        order = self.state.by_client_id(client_order_id)
        if order is None:
            return [self._why_not_open(client_order_id, at)]
        try:
            return self._facts(self._engine.cancel(order.order_id, at))
        except Refused as refused:
            return [_change_refused(client_order_id, refused.refusal.message, at)]

    def replace(
        self,
        client_order_id: str,
        at: datetime,
        *,
        stop_price: Decimal | None = None,
        limit_price: Decimal | None = None,
    ) -> list[Fact]:
        """Move the price of a waiting stop or limit order; it counts from the next bar."""
        order = self.state.by_client_id(client_order_id)
        if order is None:
            return [self._why_not_open(client_order_id, at)]
        changes = OrderChanges(stop_price=stop_price, limit_price=limit_price)
        try:
            events = self._engine.replace(order.order_id, changes, at)
        except Refused as refused:
            return [_change_refused(client_order_id, refused.refusal.message, at)]
        replaced = f.OrderReplaced(
            at=events[0].at,
            client_order_id=client_order_id,
            stop_price=stop_price,
            limit_price=limit_price,
        )
        return [replaced, *self._facts(events)]

    def on_open_print(self, opening: OpenPrint, at: datetime) -> list[Fact]:
        """Fill what the first trade of a bar fills; `at` is when that bar opens."""
        return self._facts(self._engine.on_open_print(opening, at))

    def on_bar(self, bar: Bar, at: datetime) -> list[Fact]:
        """Fill what a complete bar fills; what filled at its opening print does not again."""
        return self._facts(self._engine.on_bar(bar, at))

    def on_session_close(self, at: datetime) -> list[Fact]:
        """Let day orders lapse. This venue has no session after the regular one, so those for
        extended hours lapse too.
        """
        phases = (SessionPhase.REGULAR, SessionPhase.POST)
        return [
            fact
            for phase in phases
            for fact in self._facts(self._engine.on_session_close(at, phase=phase))
        ]

    def halt(self, symbol: str, at: datetime) -> None:
        """Stop matching a symbol; orders are still taken, and wait.

        No facts are returned here and by `resume`: who told the venue records `SymbolHalted`.
        """
        self._engine.halt(symbol, at)

    def resume(self, symbol: str, at: datetime) -> None:
        """Match a symbol again, in bars that open from now on."""
        self._engine.resume(symbol, at)

    def snapshot(self) -> BrokerSnapshot:
        """Return the books as they stand."""
        holdings = self.state.account.holdings
        return BrokerSnapshot(
            cash_usd=self.state.account.cash_usd,
            positions=tuple(
                BrokerPosition(
                    symbol=symbol,
                    quantity=holding.quantity,
                    average_cost=holding.average_cost,
                )
                for symbol, holding in sorted(holdings.items())
            ),
            open_orders=tuple(self._broker_order(o) for o in self.state.all_open_orders()),
        )

    def ticket(self, client_order_id: str) -> OrderTicket | None:
        """Return where an order or leg stands, or None when the venue does not know it."""
        rejection = self.memory.refused.get(client_order_id)
        if rejection is not None:
            return rejected_ticket(rejection)
        order = self.state.by_client_id(client_order_id)
        if order is None:
            return None
        return ticket_of(order, self.memory.approved[client_order_id], self.state)

    def working_symbols(self) -> set[str]:
        """Return the symbols whose prices the venue needs."""
        return self._engine.working_symbols()

    def rebuild(self, messages: Iterable[Message]) -> None:
        """Become the venue that recorded `messages`. Only for a new venue."""
        self._engine.rebuild(())
        for message in messages:
            self.apply(message)
        self.memory.promised.clear()

    def apply(self, message: Message) -> None:
        """Change by one recorded message and do nothing else; what is no business is ignored."""
        embedded_recovery.apply(self._engine, self.memory, message)

    def settle(self, at: datetime) -> list[Fact]:
        """Record and return what follows from the state but was lost when the process died."""
        return self._facts(self._engine.settle(at))

    # events to facts

    def _facts(self, events: Iterable[e.VenueEvent]) -> list[Fact]:
        return [fact for event in events if (fact := self._fact(event)) is not None]

    def _fact(self, event: e.VenueEvent) -> Fact | None:
        """Return what the bot learns of an event; of legs that never began it learns nothing."""
        match event:
            case e.OrderEntered():
                is_new = event.parent_id is None and event.replaces is None
                return _accepted(event.client_order_id, event) if is_new else None
            case e.OrderActivated():
                return _accepted(self._client_id(event.order_id), event)
            case e.OrderFilled():
                return f.OrderFilled(at=event.at, fill=self._fill(event))
            case e.OrderCanceled() if self._order(event.order_id).is_live:
                client_order_id = self._client_id(event.order_id)
                return f.OrderCancelled(
                    at=event.at, client_order_id=client_order_id, reason=event.reason
                )
            case e.OrderExpired():
                return f.OrderExpired(at=event.at, client_order_id=self._client_id(event.order_id))
        return None

    def _fill(self, event: e.OrderFilled) -> Fill:
        order = self._order(event.order_id)
        return Fill(
            fill_id=event.execution_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=event.quantity,
            price=event.price,
            fee_usd=event.fee_usd,
            filled_at=event.filled_at,
        )

    def _order(self, order_id: str) -> VenueOrder:
        return self.state.orders[order_id]

    def _client_id(self, order_id: str) -> str:
        return self._order(order_id).client_order_id

    def _broker_order(self, order: VenueOrder) -> BrokerOrder:
        earlier = filled_before(order, self.state)
        return BrokerOrder(
            client_order_id=order.client_order_id,
            broker_order_id=self._names.order_id(order.client_order_id),
            symbol=order.symbol,
            quantity=earlier + order.quantity,
            filled_quantity=earlier + order.filled_quantity,
        )

    def _why_not_open(self, client_order_id: str, at: datetime) -> f.ChangeRefused:
        is_refused = client_order_id in self.memory.refused
        reason = 'order is already in "rejected" state' if is_refused else "order not found"
        return _change_refused(client_order_id, reason, at)


def _accepted(client_order_id: str, event: e.OrderEntered | e.OrderActivated) -> f.OrderAccepted:
    return f.OrderAccepted(
        at=event.at, client_order_id=client_order_id, broker_order_id=event.order_id
    )


def _change_refused(client_order_id: str, reason: str, at: datetime) -> f.ChangeRefused:
    return f.ChangeRefused(at=at, client_order_id=client_order_id, reason=reason)
