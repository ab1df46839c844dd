"""Saying no: the questions that each request must pass before anything is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation import admission, alpaca_admission, replacement
from catalyst_bot.simulation.admission import Applicant
from catalyst_bot.simulation.events import OrderEntered
from catalyst_bot.simulation.margin import AccountFigures
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.order_request import OrderChanges
from catalyst_bot.simulation.refusals import Refusal, RefusalKind, Refused
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus
from catalyst_bot.simulation.venue_rules import ClientIdScope, RuleBook, VenueRules
from catalyst_bot.simulation.venue_state import VenueState


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Raises `Refused` for what the rules of a venue forbid."""

    state: VenueState
    rules: VenueRules

    def applicant(
        self,
        entered: OrderEntered,
        market: MarketNow,
        *,
        figures: AccountFigures,
        allow_short: bool,
    ) -> Applicant:
        """Return an order that wants to enter with all that it is judged by."""
        request = entered.request
        if request.quantity is None:
            cost_usd = request.notional_usd or ZERO
        else:
            cost_usd = request.quantity * entered.reserve_price
        return Applicant(
            request=request,
            intent=entered.position_intent,
            cost_usd=cost_usd,
            state=self.state,
            figures=figures,
            market=market,
            allow_short=allow_short,
        )

    def check_order(self, applicant: Applicant) -> None:
        """Refuse a new order that breaks a rule."""
        is_ours = self.rules.book is RuleBook.OURS
        rule_book = admission.our_refusal if is_ours else alpaca_admission.alpaca_refusal
        _raise(rule_book(applicant))

    def check_replacement(
        self, order: VenueOrder, changes: OrderChanges, successor: Applicant
    ) -> None:
        """Refuse a change that breaks a rule."""
        wanted = replacement.Replacement(
            order=order,
            changes=changes,
            group=self.state.group_of(order),
            successor=successor,
            reserved_usd=self.state.reservations.usd_of.get(order.order_id, ZERO),
        )
        is_ours = self.rules.book is RuleBook.OURS
        rule_book = replacement.our_refusal if is_ours else replacement.alpaca_refusal
        _raise(rule_book(wanted))

    def check_client_id(self, client_order_id: str) -> None:
        """Refuse a client order id that names another order."""
        known = self.state.by_client_id(client_order_id)
        if known is None:
            return
        if self.rules.client_ids is ClientIdScope.ACTIVE_ONLY and known.is_ended:
            return
        message = "client_order_id must be unique"
        _raise(Refusal(kind=RefusalKind.CLIENT_ORDER_ID, message=message))

    def known(self, order_id: str) -> VenueOrder:
        """Return an order by its id, or refuse."""
        order = self.state.orders.get(order_id)
        if order is None:
            message = f"order not found for {order_id}"
            raise Refused(Refusal(kind=RefusalKind.ORDER_UNKNOWN, message=message))
        return order

    def cancelable(self, order_id: str) -> VenueOrder:
        """Return the order that a cancel is about, or refuse: a waiting leg ends with its entry."""
        order = self.known(order_id)
        is_waiting = not order.is_ended and not order.is_open
        is_final = order.is_ended or order.status is VenueStatus.PENDING_CANCEL
        if is_final or (is_waiting and self.rules.book is RuleBook.OURS):
            message = f'order is already in "{order.status}" state'
            raise Refused(Refusal(kind=RefusalKind.NOT_CANCELABLE, message=message))
        if is_waiting:
            assert order.parent_id is not None
            return self.cancelable(order.parent_id)
        return order


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal)
