"""At what price and how much of an order fills in one price window, under the venue's terms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.simulation import fill_rules
from catalyst_bot.simulation.draws import unit_draw
from catalyst_bot.simulation.fill_profile import FillProfile, FillTerms, fill_terms
from catalyst_bot.simulation.group import follows_entry
from catalyst_bot.simulation.price_window import Phase, PriceWindow
from catalyst_bot.simulation.spread_model import half_spread
from catalyst_bot.simulation.stops import stop_reference, waits_for_stop
from catalyst_bot.simulation.venue_account import SHARE_STEP
from catalyst_bot.simulation.venue_order import VenueOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a window means to an order: it triggers the stop, or fills at `price`, or both."""

    triggers: bool
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """Costs, terms and seed of one venue. Use `pricing_of` to make one."""

    costs: CostRules
    terms: FillTerms
    commission_fraction: Decimal
    seed: int

    def offer(self, order: VenueOrder, window: PriceWindow) -> Offer | None:
        """Return what the window does to the order, None when nothing.

        Market orders fill in a moment only: a price inside a bar is not known before its end.
        """
        if waits_for_stop(order):
            reference = stop_reference(order, window)
            if reference is None:
                return None
            return Offer(triggers=True, price=self._triggered(order, window, reference))
        if order.is_market:
            if not window.is_moment:
                return None
            return Offer(triggers=False, price=self._market(order.side, window.open, window))
        price = self._limit(order, window)
        return None if price is None else Offer(triggers=False, price=price)

    def _triggered(
        self, order: VenueOrder, window: PriceWindow, reference: float
    ) -> Decimal | None:
        """Fill at the price that met the stop, unless the order's limit forbids that price."""
        limit = _limit_of(order, window)
        if limit is None:
            return self._market(order.side, reference, window)
        return self._limit(order, replace(window, open=reference, high=reference, low=reference))

    def _spread(self, window: PriceWindow) -> float:
        return half_spread(
            window.open, traded_usd=window.open * (window.volume or 0.0), costs=self.costs
        )

    def _market(self, side: Side, reference: float, window: PriceWindow) -> Decimal:
        quote = window.ask if side is Side.BUY else window.bid
        return fill_rules.market_fill_price(
            side,
            reference if quote is None else quote,
            half_spread=self._spread(window) if quote is None else 0.0,
            slippage_fraction=self.terms.slippage_fraction,
        )

    def _limit(self, order: VenueOrder, window: PriceWindow) -> Decimal | None:
        """A limit meets trades, or (`fills_at_touch`) the quote half a spread away from them."""
        limit_price = _limit_of(order, window)
        assert limit_price is not None
        limit = float(limit_price)
        spread = self._spread(window)
        touch = self._touch(order.side, window, spread) if self.terms.fills_at_touch else 0.0
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
            limit_price=limit_price,
            half_spread=0.0 if self.terms.fills_at_touch else spread,
            slippage_fraction=self.terms.slippage_fraction,
        )

    def _touch(self, side: Side, window: PriceWindow, spread: float) -> float:
        """Return how far the quote an order of `side` meets is from the trades."""
        if side is Side.BUY:
            return spread if window.ask is None else window.ask - window.open
        return spread if window.bid is None else window.open - window.bid

    def quantity(self, order: VenueOrder, window: PriceWindow, wanted: Decimal) -> Decimal:
        """Return how many of the `wanted` shares the window can fill, money apart."""
        participation = self.terms.participation_fraction
        if participation is not None and window.volume is not None:
            wanted = min(wanted, fill_rules.participation_cap(window.volume, participation))
        probability = self.terms.partial_probability
        if probability > 0 and self._draw(order, window, "is partial") < probability:
            size_draw = self._draw(order, window, "size")
            return fill_rules.partial_quantity(wanted, size_draw=size_draw)
        return wanted

    def _draw(self, order: VenueOrder, window: PriceWindow, question: str) -> float:
        chance = order.execution_id(window.opened_at, window.phase)
        return unit_draw(str(self.seed), chance, question)

    def filled_at(self, order: VenueOrder, window: PriceWindow) -> datetime:
        """Return when it fills: at the window's end, and never before the order got there.

        A leg rests at the venue already; any other order needs `latency_s` to reach it. A trade
        that is shown as it happens fills at once: whoever shows it models the way to the venue.
        """
        if window.phase is Phase.TICK:
            return window.ends_at
        latency = timedelta(seconds=0.0 if follows_entry(order) else self.costs.latency_s)
        return max(window.ends_at, order.live_from + latency)


def unfilled(order: VenueOrder, price: Decimal) -> Decimal:
    """Return how many shares are still to be filled; what a notional order's dollars buy."""
    notional_usd = order.request.notional_usd
    if notional_usd is None:
        return order.remaining
    shares = (notional_usd - order.filled_usd) / price
    return shares.quantize(SHARE_STEP, rounding=ROUND_DOWN)


def pricing_of(
    costs: CostRules,
    profile: FillProfile,
    *,
    seed: int,
    partial_probability: float | None = None,
) -> Pricing:
    """Return the pricing of a profile. Raises `BadData` when `costs` make no sense."""
    terms = fill_terms(profile, costs)
    if partial_probability is not None:
        terms = replace(terms, partial_probability=partial_probability)
    return Pricing(
        costs=costs,
        terms=terms,
        commission_fraction=to_decimal(terms.commission_fraction, "commission_fraction"),
        seed=seed,
    )


def _limit_of(order: VenueOrder, window: PriceWindow) -> Decimal | None:
    """Return the limit that counts in the window: a buy stop at Alpaca has its collar."""
    if order.collar_price is not None:
        return order.collar_price
    return order.prices_in(window.opened_at).limit_price
