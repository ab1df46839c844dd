"""Cash and shares as the venue keeps them, and the arithmetic of fees and affordability."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.money import ZERO, round_cents, whole_shares

SHARE_STEP = Decimal("0.000000001")  # the venue counts nine decimals of a share
_COST_STEP = Decimal("0.00000001")
_MOST_ROUNDING_USD = Decimal("0.005")  # a fee in whole cents may be half a cent too high


@dataclass(slots=True, kw_only=True)
class Holding:
    """Shares of one symbol and what they cost, without fees; both are negative when short."""

    quantity: Decimal = ZERO
    cost_usd: Decimal = ZERO

    @property
    def average_cost(self) -> Decimal:
        return self.cost_usd / self.quantity


@dataclass(slots=True, kw_only=True)
class VenueAccount:
    """One account. Always: cash + cost of holdings + fees = start + realised."""

    cash_usd: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO

    def held(self, symbol: str) -> Decimal:
        """Return the shares held of `symbol`, below zero when they are owed."""
        holding = self.holdings.get(symbol)
        return holding.quantity if holding else ZERO

    def cost_usd(self) -> Decimal:
        """Return what all holdings cost."""
        return sum((holding.cost_usd for holding in self.holdings.values()), ZERO)

    def book(
        self, symbol: str, side: Side, *, quantity: Decimal, price: Decimal, fee_usd: Decimal
    ) -> None:
        """Move the money and shares of one execution; average cost, fees apart."""
        signed = quantity if side is Side.BUY else -quantity
        amount_usd = signed * price
        self.cash_usd -= fee_usd
        self.fees_usd += fee_usd
        holding = self.holdings.setdefault(symbol, Holding())
        if holding.quantity * signed >= 0:
            self.cash_usd -= amount_usd
            holding.quantity += signed
            holding.cost_usd += amount_usd
            return
        if quantity > abs(holding.quantity):
            raise InvariantViolated(
                f"a {side} of {quantity} {symbol} crosses zero, held {holding.quantity}"
            )
        closed_cost_usd = _cost_of(holding, quantity)
        self.cash_usd -= amount_usd
        self.realised_usd -= amount_usd + closed_cost_usd
        self._shrink(symbol, signed, closed_cost_usd)

    def split(self, symbol: str, shares_per_share: Decimal, cash_in_lieu_usd: Decimal) -> None:
        """Turn each share into several; `fraction_after_split` of them become cash."""
        holding = self.holdings.get(symbol)
        if holding is None:
            return
        fraction = self.fraction_after_split(symbol, shares_per_share)
        holding.quantity = _nine_decimals(holding.quantity * shares_per_share)
        if fraction == 0:
            return
        closed_cost_usd = _cost_of(holding, abs(fraction))
        self.cash_usd += cash_in_lieu_usd
        self.realised_usd += cash_in_lieu_usd - closed_cost_usd
        self._shrink(symbol, -fraction, closed_cost_usd)

    def fraction_after_split(self, symbol: str, shares_per_share: Decimal) -> Decimal:
        """Return the fraction of a share that a split leaves of whole shares, with its sign."""
        held = self.held(symbol)
        if held != whole_shares(held):
            return ZERO  # who holds fractions keeps them
        quantity = _nine_decimals(held * shares_per_share)
        return quantity - whole_shares(quantity)

    def rename(self, symbol: str, new_symbol: str) -> None:
        """Carry a holding over to a new symbol."""
        holding = self.holdings.pop(symbol, None)
        if holding is not None:
            self.holdings[new_symbol] = holding

    def _shrink(self, symbol: str, signed: Decimal, closed_cost_usd: Decimal) -> None:
        holding = self.holdings[symbol]
        holding.quantity += signed
        holding.cost_usd -= closed_cost_usd
        if holding.quantity == 0:
            del self.holdings[symbol]


def _nine_decimals(quantity: Decimal) -> Decimal:
    return quantity.quantize(SHARE_STEP, rounding=ROUND_DOWN).normalize() + ZERO


def _cost_of(holding: Holding, quantity: Decimal) -> Decimal:
    """Return the share of the cost that `quantity` carries; all of it when all is closed.

    Cut to a fixed step, so that sums stay exact however often a position is divided.
    """
    if quantity == abs(holding.quantity):
        return holding.cost_usd
    return (holding.cost_usd * quantity / abs(holding.quantity)).quantize(_COST_STEP)


def fee_usd(amount_usd: Decimal, commission_fraction: Decimal) -> Decimal:
    """Return the commission on an executed amount, in whole cents."""
    return round_cents(amount_usd * commission_fraction)


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
