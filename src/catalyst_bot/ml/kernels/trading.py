"""What the bot and its venue do with one order and one position, as functions of numbers.

The same rules in exact money stand in `simulation/` (fills, costs, spread), `risk/stops.py`,
`risk/sizing.py` and `portfolio/`; tests hold each function here against the one there, to the cent
and to the share. Money is dollars in 64-bit floats that always hold the number nearest to an exact
one: after each step it is put back on the grid of hundredths of a cent (`exact_usd`), and whatever
is rounded forgives what binary fractions add.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from catalyst_bot.ml.terms import Terms

BORROWS = True  # see `history.compiled`
BPS = 10_000.0
PRICE_NOISE_USD = 5e-9  # the venue rounds a price to eight decimals before it looks for its tick
NOISE = 1e-6  # of a cent or a share: what binary fractions may miss of a whole one
RELATIVE_NOISE = 1e-12
# Why a position is left; 0 stays. The words are those of `domain.enums.ExitReason`.
STAYS, STOP_LOSS, TRAILING_STOP, TAKE_PROFIT, TIME_EXIT, NEGATIVE_NEWS = 0, 1, 2, 3, 4, 5
POLICY = 7  # left at a review


def exact_usd(amount: float) -> float:
    """The nearest amount in hundredths of a cent: what shares times a price can be."""
    return float(np.floor(amount * 10_000.0 + 0.5) / 10_000.0)


def ticks_per_dollar(price: float) -> float:
    """Steps of prices: cents, below a dollar hundredths of a cent."""
    return 100.0 if price >= 1.0 - PRICE_NOISE_USD else 10_000.0


def price_down(price: float) -> float:
    """The valid price at or below one."""
    ticks = ticks_per_dollar(price)
    return float(np.floor((price + PRICE_NOISE_USD) * ticks) / ticks)


def price_up(price: float) -> float:
    """The valid price at or above one."""
    ticks = ticks_per_dollar(price)
    return float(np.ceil((price - PRICE_NOISE_USD) * ticks) / ticks)


def half_spread(price: float, traded_usd: float, terms: Terms) -> float:
    """Half the bid-ask spread in dollars, as `simulation.spread_model` estimates it."""
    half_tick = 0.005 if price >= 1.0 else 0.00005
    is_liquid = traded_usd >= terms.liquid_bar_usd
    half_bps = terms.half_spread_bps_liquid if is_liquid else terms.half_spread_bps_thin
    return max(half_tick, price * half_bps / BPS)


def ask_price(close: float, volume: float, terms: Terms) -> float:
    """What a share is expected to cost at a bar's close: the ask of its synthetic quote."""
    return close + half_spread(close, close * volume, terms)


def buy_price(reference: float, bar_open: float, volume: float, terms: Terms) -> float:
    """What a market order pays in a bar when the last trade is at the reference."""
    spread = half_spread(bar_open, bar_open * volume, terms)
    return price_up(reference + (spread + reference * terms.slippage_fraction))


def sell_price(reference: float, bar_open: float, volume: float, terms: Terms) -> float:
    """What a market order gets in a bar when the last trade is at the reference."""
    spread = half_spread(bar_open, bar_open * volume, terms)
    return max(price_down(reference - (spread + reference * terms.slippage_fraction)), 0.0001)


def most_shares(volume: float, terms: Terms) -> float:
    """How many shares one order may be of a bar's volume: at least one where anything traded."""
    if not volume > 0.0:
        return 0.0
    return max(1.0, float(np.floor(volume * terms.participation_fraction)))


def fee_usd(amount: float, terms: Terms) -> float:
    """The commission on an amount of dollars, in cents, half a cent to the even one."""
    cents = amount * terms.commission_fraction * 100.0
    below = float(np.floor(cents + NOISE))
    part = cents - below
    is_up = part > 0.5 + NOISE or (part > 0.5 - NOISE and below % 2.0 == 1.0)
    return (below + 1.0 if is_up else below) / 100.0


def whole_shares(usd: float, price: float) -> float:
    """How many whole shares an amount buys at a price."""
    return float(np.floor(usd / price * (1.0 + RELATIVE_NOISE)))


def affordable_shares(price: float, cash: float, terms: Terms) -> float:
    """How many whole shares the cash pays for, commission included."""
    unit = price * (1.0 + terms.commission_fraction)
    shares = whole_shares(max(0.0, cash), unit)
    amount = exact_usd(shares * price)
    if shares > 0.0 and exact_usd(amount + fee_usd(amount, terms)) > cash:
        return whole_shares(max(0.0, cash - 0.005), unit)  # a rounded fee: half a cent at most
    return shares


def is_payable(shares: float, price: float, cash: float, terms: Terms) -> bool:
    """Whether the venue takes an order that is expected to cost so much a share."""
    return cash > 0.0 and shares * price * (1.0 + terms.commission_fraction) <= cash * (
        1.0 + RELATIVE_NOISE
    )


# where a trade is left: `risk/stops.py`


def stop_distance(price: float, atr: float, terms: Terms) -> float:
    """How far below the price its stop lies before rounding, in dollars."""
    distance = max(atr * terms.atr_multiple, price * terms.min_stop_fraction)
    return min(distance, price * terms.max_stop_fraction)


def stop_price(price: float, atr: float, terms: Terms) -> float:
    """The stop of a long entry, 0 when none can be set: then there is no entry."""
    if not (price > 0.0 and 0.0 <= atr < inf):
        return 0.0
    stop = price_down(price - stop_distance(price, atr, terms))
    return stop if 0.0 < stop < price else 0.0


def target_price(price: float, atr: float, terms: Terms) -> float:
    """The take profit of a long entry that has a stop."""
    gain = stop_distance(price, atr, terms) * terms.reward_to_risk
    return price_up(price + max(gain, price * terms.min_take_profit_fraction))


def trailed_stop(entry_price: float, highest: float, stop: float, terms: Terms) -> float:
    """The stop as the highest price since the entry raises it; it never falls."""
    active_from = entry_price * (1.0 + terms.trailing_activation_fraction)
    if highest < active_from * (1.0 - RELATIVE_NOISE):
        return stop
    return max(stop, price_down(highest * (1.0 - terms.trailing_distance_fraction)))


def left_at_open(bar_open: float, stop: float, target: float) -> tuple[int, float]:
    """Return why a bar's open takes a position that was held before it, and at which reference."""
    if bar_open <= stop:
        return STOP_LOSS, bar_open
    return (TAKE_PROFIT, bar_open) if bar_open >= target else (STAYS, 0.0)


def left_in_range(
    bar_open: float, high: float, low: float, stop: float, target: float
) -> tuple[int, float]:
    """Return why the prices after a bar's open take a position, and at which reference.

    Where both are touched the stop counts. One that was bought at this open has its stop and target
    only after it, so the open may lie beyond either.
    """
    if low <= stop:
        return STOP_LOSS, min(bar_open, stop)
    return (TAKE_PROFIT, max(bar_open, target)) if high >= target else (STAYS, 0.0)


# how much is bought: `risk/sizing.py`


def kelly_fraction(
    trades: float, wins: float, won_sum: float, lost_sum: float, terms: Terms
) -> float:
    """The share of equity that the divided Kelly rule allows, from the prior and what was seen.

    `won_sum` and `lost_sum` add up results as fractions of what each trade cost, both above 0.
    """
    prior_wins = terms.prior_trades * terms.prior_win_rate
    prior_losses = terms.prior_trades - prior_wins
    all_wins, all_losses = prior_wins + wins, prior_losses + trades - wins
    if not all_wins > 0.0:
        return 0.0
    win_rate = all_wins / (all_wins + all_losses)
    average_win = (prior_wins * terms.prior_average_win + won_sum) / all_wins
    average_loss = 0.0
    if all_losses > 0.0:
        average_loss = (prior_losses * terms.prior_average_loss + lost_sum) / all_losses
    if not average_win > 0.0:
        return 0.0
    kelly = (win_rate * average_win - (1.0 - win_rate) * average_loss) / average_win
    return without_last_bits(min(1.0, max(0.0, kelly)) / terms.kelly_divisor)


def without_last_bits(fraction: float) -> float:
    """A computed fraction to twelve decimals, as money is multiplied with."""
    return float(np.floor(fraction * 1e12 + 0.5) / 1e12)


def allowed_usd(equity: float, fraction: float, move: float) -> float:
    """What may be held so that a fall by `move` costs the fraction of equity."""
    return equity * fraction / move if move > 0.0 else equity


def volatility_factor(atr: float, atr_average: float, terms: Terms) -> float:
    """The cut in [0, 1] for an ATR above its usual size; 0 where it is no measurement."""
    if not (abs(atr) < inf and abs(atr_average) < inf):
        return 0.0
    calm = max(0.0, terms.high_volatility_ratio * atr_average)
    return 1.0 if atr <= calm else min(1.0, max(0.0, calm / atr))


class Wish(NamedTuple):
    """A long entry: what a share is expected to cost, its stop, the policy's action, and the rest
    that sizes it. `correlation` is the highest with anything held.
    """

    price: float
    stop: float
    action: float
    atr: float
    atr_average: float
    correlation: float


class Means(NamedTuple):
    """An account in dollars: `exposure` counts positions and orders on their way, `cash` is what is
    left beside the latter. `kelly` is what `kelly_fraction` allows.
    """

    equity: float
    exposure: float
    cash: float
    kelly: float


def entry_shares(wish: Wish, means: Means, terms: Terms) -> float:
    """Whole shares to buy: the smallest cap, times the action, then the cuts; 0 without a stop."""
    price, atr, equity = wish.price, wish.atr, means.equity
    if not (price > 0.0 and wish.stop > 0.0):
        return 0.0
    atr_move = atr / price if 0.0 <= atr < inf else 1.0
    usd = min(
        equity * means.kelly,
        allowed_usd(equity, terms.risk_per_trade_fraction, (price - wish.stop) / price),
        allowed_usd(equity, terms.atr_risk_fraction, atr_move * terms.atr_multiple),
        allowed_usd(equity, terms.volatility_fraction, atr_move),
        equity * terms.max_position_fraction,
        equity * terms.max_gross_fraction - means.exposure,
        means.cash,
    )
    cents = float(np.floor(max(0.0, usd) * 100.0 + NOISE))
    cut = terms.correlation_cut if wish.correlation >= terms.correlated_from else 1.0
    usual = volatility_factor(atr, wish.atr_average, terms)
    for factor in (min(1.0, max(0.0, wish.action)), usual, cut):
        if factor != 1.0:
            cents = float(np.floor(cents * without_last_bits(factor) + NOISE))
    return whole_shares(cents / 100.0, price)
