"""At what price and how much of an order fills in one price window, under the venue's terms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, Side
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.simulation import fill_rules
from catalyst_bot.simulation.draws import unit_draw
from catalyst_bot.simulation.fill_profile import FillProfile, FillTerms, fill_terms
from catalyst_bot.simulation.price_window import Phase, PriceWindow
from catalyst_bot.simulation.spread_model import half_spread
from catalyst_bot.simulation.venue_order import VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """Costs, terms and seed of one venue. Use `pricing_of` to make one."""

    costs: CostRules
    terms: FillTerms
    commission_fraction: Decimal
    seed: int

    def price(self, order: VenueOrder, window: PriceWindow) -> Decimal | None:
        """Return the price at which the order fills in the window, None when it does not.

        Market orders fill at an open only: a price inside a bar is not known before its end.
        """
        spread = half_spread(
            window.open, traded_usd=window.open * (window.volume or 0.0), costs=self.costs
        )
        if order.is_market:
            return self._market(order.side, window.open, spread) if _is_open(window) else None
        if order.kind is OrderKind.STOP:
            reference = fill_rules.sell_stop_reference(
                float(order.stop_price_in(window.opened_at)),
                open_price=window.open,
                low=window.low,
            )
            return None if reference is None else self._market(order.side, reference, spread)
        return self._limit(order, window, spread)

    def _market(self, side: Side, reference: float, spread: float) -> Decimal:
        return fill_rules.market_fill_price(
            side,
            reference,
            half_spread=spread,
            slippage_fraction=self.terms.slippage_fraction,
        )

    def _limit(self, order: VenueOrder, window: PriceWindow, spread: float) -> Decimal | None:
        """A limit meets trades, or (`fills_at_touch`) the quote half a spread away from them."""
        assert order.limit_price is not None
        limit = float(order.limit_price)
        touch = spread if self.terms.fills_at_touch else 0.0
        if order.side is Side.BUY:
            reference = fill_rules.buy_limit_reference(
                limit, open_price=window.open + touch, low=window.low + touch
            )
        else:
            reference = fill_rules.sell_limit_reference(
                limit, open_price=window.open - touch, high=window.high - touch
            )
        if reference is None:
            return None
        return fill_rules.limit_fill_price(
            order.side,
            reference,
            limit_price=order.limit_price,
            half_spread=spread - touch,
            slippage_fraction=self.terms.slippage_fraction,
        )

    def quantity(self, order: VenueOrder, window: PriceWindow) -> Decimal:
        """Return how many whole shares of the order the window can fill, money apart."""
        wanted = order.remaining
        participation = self.terms.participation_fraction
        if participation is not None and window.volume is not None:
            wanted = min(wanted, fill_rules.participation_cap(window.volume, participation))
        if self._draw(order, window, "is partial") < self.terms.partial_probability:
            size_draw = self._draw(order, window, "size")
            return fill_rules.partial_quantity(wanted, size_draw=size_draw)
        return wanted

    def _draw(self, order: VenueOrder, window: PriceWindow, question: str) -> float:
        chance = order.fill_id(window.opened_at, window.phase)
        return unit_draw(str(self.seed), chance, question)

    def filled_at(self, order: VenueOrder, window: PriceWindow) -> datetime:
        """Return when it fills: at the window's end, and never before the order got there.

        A leg rests at the venue already; any other order needs `latency_s` to reach it.
        """
        latency = timedelta(seconds=0.0 if order.is_leg else self.costs.latency_s)
        return max(window.ends_at, order.live_from + latency)


def pricing_of(costs: CostRules, profile: FillProfile, *, seed: int) -> Pricing:
    """Return the pricing of a profile. Raises `BadData` when `costs` make no sense."""
    terms = fill_terms(profile, costs)
    return Pricing(
        costs=costs,
        terms=terms,
        commission_fraction=to_decimal(terms.commission_fraction, "commission_fraction"),
        seed=seed,
    )


def _is_open(window: PriceWindow) -> bool:
    return window.phase is Phase.OPEN
