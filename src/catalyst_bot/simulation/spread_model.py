"""Bid and ask where only bars are known.

Historical bars carry no quotes, yet crossing the spread is most of what a small-cap trade costs:
half of it is estimated from the price step and from how much money changed hands.
"""

from __future__ import annotations

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, Quote
from catalyst_bot.domain.money import positive

_BPS = 10_000.0


def half_spread(price: float, *, traded_usd: float, costs: CostRules) -> float:
    """Return half the bid-ask spread at `price`, in dollars.

    The larger of half a tick and a fraction of the price: `half_spread_bps_liquid` when the bar
    traded at least `liquid_bar_usd` dollars, else `half_spread_bps_thin`.
    """
    half_tick = 0.005 if price >= 1.0 else 0.00005
    is_liquid = traded_usd >= costs.liquid_bar_usd
    half_bps = costs.half_spread_bps_liquid if is_liquid else costs.half_spread_bps_thin
    return max(half_tick, price * half_bps / _BPS)


def synthetic_quote(bar: Bar, costs: CostRules) -> Quote:
    """Return the quote around the bar's close; its age counts from the bar's close.

    Raises `BadData` when the close is no number above zero.
    """
    close = positive(bar.close, f"close of {bar.symbol}")
    half = half_spread(close, traded_usd=close * bar.volume, costs=costs)
    return Quote(symbol=bar.symbol, at=bar.closed_at, bid=close - half, ask=close + half)
