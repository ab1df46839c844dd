"""Cash and shares as the venue keeps them, and what open orders hold of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from catalyst_bot.domain.account import BrokerPosition
from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.money import ZERO, round_cents, whole_shares
from catalyst_bot.domain.trading import ApprovedOrder, Fill
from catalyst_bot.simulation.venue_order import VenueOrder

_COST_STEP = Decimal("0.00000001")
_MOST_ROUNDING_USD = Decimal("0.005")  # a fee in whole cents may be half a cent too high


@dataclass(slots=True, kw_only=True)
class Holding:
    """Shares of one symbol and what they cost, without fees."""

    quantity: Decimal = ZERO
    cost_usd: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class VenueAccount:
    """A long-only account. Always: cash + cost of holdings + fees = start + realised."""

    cash_usd: Decimal
    buying_power_multiplier: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO

    def held(self, symbol: str) -> Decimal:
        """Return the shares held of `symbol`."""
        holding = self.holdings.get(symbol)
        return holding.quantity if holding else ZERO

    def buying_power_usd(self) -> Decimal:
        """Return what may be spent: equity at cost times the multiplier, less what is held.

        With multiplier 1 this is the cash. Valued at cost because prices are not journalled.
        """
        cost_usd = sum((holding.cost_usd for holding in self.holdings.values()), ZERO)
        return self.buying_power_multiplier * (self.cash_usd + cost_usd) - cost_usd

    def book(self, fill: Fill) -> None:
        """Move the money and shares of one execution; average cost, fees apart."""
        amount_usd = fill.quantity * fill.price
        self.cash_usd -= fill.fee_usd
        self.fees_usd += fill.fee_usd
        holding = self.holdings.setdefault(fill.symbol, Holding())
        if fill.side is Side.BUY:
            self.cash_usd -= amount_usd
            holding.quantity += fill.quantity
            holding.cost_usd += amount_usd
            return
        if fill.quantity > holding.quantity:
            raise InvariantViolated(
                f"{fill.fill_id} sells {fill.quantity} {fill.symbol}, held {holding.quantity}"
            )
        sold_cost_usd = _cost_of(holding, fill.quantity)
        self.cash_usd += amount_usd
        self.realised_usd += amount_usd - sold_cost_usd
        holding.quantity -= fill.quantity
        holding.cost_usd -= sold_cost_usd
        if holding.quantity == 0:
            del self.holdings[fill.symbol]

    def positions(self) -> tuple[BrokerPosition, ...]:
        """Return what is held, by symbol."""
        return tuple(
            BrokerPosition(
                symbol=symbol,
                quantity=holding.quantity,
                average_cost=holding.cost_usd / holding.quantity,
            )
            for symbol, holding in sorted(self.holdings.items())
        )


def _cost_of(holding: Holding, quantity: Decimal) -> Decimal:
    """Return the share of the cost that `quantity` carries; all of it when all is sold.

    Cut to a fixed step, so that sums stay exact however often a position is divided.
    """
    if quantity == holding.quantity:
        return holding.cost_usd
    return (holding.cost_usd * quantity / holding.quantity).quantize(_COST_STEP)


def fee_usd(amount_usd: Decimal, commission_fraction: Decimal) -> Decimal:
    """Return the commission on an executed amount, in whole cents."""
    return round_cents(amount_usd * commission_fraction)


def reserved_shares(orders: Iterable[VenueOrder]) -> Decimal:
    """Return how many shares open sell orders of one symbol hold; a pair of legs holds once."""
    by_entry: dict[str, Decimal] = {}
    for order in orders:
        if order.side is Side.SELL:
            entry_id = order.order.client_order_id
            by_entry[entry_id] = max(by_entry.get(entry_id, ZERO), order.remaining)
    return sum(by_entry.values(), ZERO)


def reserved_usd(orders: Iterable[VenueOrder], commission_fraction: Decimal) -> Decimal:
    """Return how much money open buy orders hold."""
    return sum(
        (
            expected_cost_usd(order.order, order.remaining, commission_fraction)
            for order in orders
            if order.side is Side.BUY
        ),
        ZERO,
    )


def expected_cost_usd(
    order: ApprovedOrder, quantity: Decimal, commission_fraction: Decimal
) -> Decimal:
    """Return what buying `quantity` should cost: at its limit, or at the price it was sized at.

    What a market order really costs is checked again when it fills.
    """
    price = order.limit_price or order.reference_price
    return quantity * price * (1 + commission_fraction)


def affordable_shares(
    price: Decimal, *, available_usd: Decimal, commission_fraction: Decimal
) -> Decimal:
    """Return how many whole shares `available_usd` buys at `price`, commission included."""
    unit_usd = price * (1 + commission_fraction)
    shares = whole_shares(max(ZERO, available_usd) / unit_usd)
    amount_usd = shares * price
    if shares and amount_usd + fee_usd(amount_usd, commission_fraction) > available_usd:
        return whole_shares(max(ZERO, available_usd - _MOST_ROUNDING_USD) / unit_usd)
    return shares
