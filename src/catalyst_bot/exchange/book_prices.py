"""Bid and ask around the last price, from the spread model."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.exchange.price_path import Counts, Floats

_BPS = 10_000.0
_DOLLAR = 1.0
_TICKS = (100.0, 10_000.0)  # a dollar's worth, from a dollar up and below
_SIZE_STEPS = 9


class QuoteRule(StrEnum):
    """What a quote follows.

    TRADES: each trade brings a quote of whole ticks around it. BARS: each complete bar brings the
    model's quote around its close, unrounded, as our own replays see the market.
    """

    TRADES = "trades"
    BARS = "bars"


def half_spread_bps(closes: Floats, volumes: Floats, costs: CostRules) -> Floats:
    """Return the half spread after each bar; liquid ones have the narrower."""
    is_liquid = closes * volumes >= costs.liquid_bar_usd
    return np.where(is_liquid, costs.half_spread_bps_liquid, costs.half_spread_bps_thin)


def model_book(prices: Floats, half_bps: Floats) -> tuple[Floats, Floats]:
    """Return bid and ask exactly as `simulation.spread_model` has them."""
    half = np.maximum(np.where(prices >= _DOLLAR, 0.005, 0.00005), prices * half_bps / _BPS)
    return prices - half, prices + half


def tick_book(prices: Floats, half_bps: Floats, times_us: Counts) -> tuple[Floats, Floats]:
    """Return bid and ask on whole ticks, as far apart as the model says and at least one tick.

    An odd number of ticks cannot lie evenly around the price: then the last trade was at the bid or
    at the ask, by turns.
    """
    steps = np.where(prices >= _DOLLAR, *_TICKS)
    half = np.maximum(0.5 / steps, prices * half_bps / _BPS)
    width = np.maximum(1.0, np.floor(2.0 * half * steps + 0.5))
    tie = np.where(times_us % 2 == 0, 0.499, 0.501)
    bid = np.maximum(np.floor(prices * steps - width / 2.0 + tie), 1.0)
    return bid / steps, (bid + width) / steps


def book_sizes(times_us: Counts) -> tuple[Counts, Counts]:
    """Return shares wanted and offered: one to nine round lots."""
    mixed = times_us // 7
    return 100 * (1 + mixed % _SIZE_STEPS), 100 * (1 + mixed // _SIZE_STEPS % _SIZE_STEPS)
