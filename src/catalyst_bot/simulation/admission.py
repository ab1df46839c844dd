"""Why the venue would not take an order, by the rules that protect the books."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from catalyst_bot.domain.enums import OrderKind, Side
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.simulation.fill_rules import is_on_tick
from catalyst_bot.simulation.margin import AccountFigures
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest, PositionIntent
from catalyst_bot.simulation.refusals import Refusal, RefusalKind
from catalyst_bot.simulation.venue_state import VenueState


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """A request with all that is known about it when it is judged."""

    request: OrderRequest
    intent: PositionIntent
    cost_usd: Decimal
    state: VenueState
    figures: AccountFigures
    market: MarketNow
    allow_short: bool


def our_refusal(applicant: Applicant) -> Refusal | None:
    """Return why the embedded venue rejects an order, or None to take it."""
    request = applicant.request
    return _shape_refusal(request) or _bracket_refusal(request) or _means_refusal(applicant)


def _shape_refusal(request: OrderRequest) -> Refusal | None:
    quantity = request.quantity
    if quantity is None:
        return _shape("qty is required")
    if not quantity > 0:
        return _shape(f"qty must be > 0 (requested: {quantity})")
    if quantity != whole_shares(quantity):
        return _shape(f"qty must be whole shares (requested: {quantity})")
    if request.kind is OrderKind.LIMIT and request.limit_price is None:
        return _shape("limit orders require a limit price")
    if request.kind is OrderKind.STOP and request.side is Side.BUY:
        return _shape("buy stop orders are not supported")
    if request.kind is OrderKind.STOP and request.stop_price is None:
        return _shape("stop orders require a stop price")
    return _tick_refusal(request)


def _tick_refusal(request: OrderRequest) -> Refusal | None:
    for price in (
        request.limit_price,
        request.stop_price,
        request.stop_loss_price,
        request.stop_loss_limit_price,
        request.take_profit_price,
    ):
        if price is not None and not is_on_tick(price):
            return Refusal(
                kind=RefusalKind.PRICE_TICK,
                message=f"invalid price {price}: not above zero or not on a tick",
            )
    return None


def _bracket_refusal(request: OrderRequest) -> Refusal | None:
    """The stop must lie below what the entry costs, the target above, as far as given."""
    if request.order_class is OrderClass.SIMPLE:
        return None
    base_price = request.limit_price or request.reference_price
    prices = (request.stop_loss_price, base_price, request.take_profit_price)
    given = [price for price in prices if price is not None]
    if any(not lower < upper for lower, upper in pairwise(given)):
        return Refusal(
            kind=RefusalKind.BASE_PRICE,
            message=f"bracket prices must lie on both sides of the base price {base_price}",
        )
    return None


def _means_refusal(applicant: Applicant) -> Refusal | None:
    if applicant.intent.is_closing:
        return quantity_refusal(applicant)
    free_usd, cost_usd = applicant.figures.buying_power_usd, applicant.cost_usd
    if not free_usd > 0 or not cost_usd <= free_usd:
        return Refusal(
            kind=RefusalKind.BUYING_POWER,
            message=(
                f"insufficient buying power (required: {cost_usd:.2f}, available: {free_usd:.2f})"
            ),
        )
    return None


def quantity_refusal(applicant: Applicant, *, freed: Decimal = ZERO) -> Refusal | None:
    """Return the refusal of an order that closes more than is held and free, else None.

    `freed` shares are held by the order that this one replaces.
    """
    request, state = applicant.request, applicant.state
    symbol, wanted = request.symbol, request.quantity
    if wanted is None:
        assert request.notional_usd is not None
        wanted = request.notional_usd / request.reference_price
    free = state.available_shares(symbol) + freed
    if wanted <= free:
        return None
    holders = [
        order.order_id for order in state.open_orders(symbol) if order.position_intent.is_closing
    ]
    return Refusal(
        kind=RefusalKind.QUANTITY_AVAILABLE,
        message=(
            "insufficient qty available for order "
            f"(requested: {plain(wanted)}, available: {plain(free)})"
        ),
        context={
            "available": plain(free),
            "existing_qty": plain(state.account.held(symbol)),
            "held_for_orders": plain(abs(state.account.held(symbol)) - free),
            "symbol": symbol,
        },
        related_orders=tuple(holders),
    )


def plain(number: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shape(message: str) -> Refusal:
    return Refusal(kind=RefusalKind.SHAPE, message=message)
