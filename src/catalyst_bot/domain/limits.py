"""Numbers that bound the bot: small frozen structs made from the settings by bootstrap.

Defaults are the roadmap's; where it contradicts itself, CONVENTIONS decided (see docs/adr).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from catalyst_bot.domain.enums import EntryKind, HaltedSymbols, ManualPositions

SYMBOL = re.compile(r"[A-Z][A-Z0-9.\-]*")  # as it is written where it trades

Number = TypeVar("Number", int, float, Decimal)


class Looser(StrEnum):
    """Which values of a limit allow more than it does: those need a person's approval to start."""

    HIGHER = "higher"
    LOWER = "lower"
    OTHER = "other"


def number(
    default: Number,
    low: float,
    high: float,
    unit: str,
    source: str,
    *,
    looser: Looser | None = None,
) -> Number:
    """Declare a bounded setting: its default, allowed range, unit and where it comes from.

    A setting that limits what may be lost says which values are `looser`. The settings file is
    validated, and the reference page is written, from this one place.
    """
    meaning = {"low": low, "high": high, "unit": unit, "source": source, "looser": looser}
    declared: Number = field(default=default, metadata=meaning)
    return declared


Choice = TypeVar("Choice")


def choice(default: Choice, meaning: str) -> Choice:
    """Declare a setting that is no number: its default and what it means."""
    declared: Choice = field(default=default, metadata={"source": meaning})
    return declared


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRules:
    """When a catalyst becomes a signal."""

    min_confidence: float = number(0.70, 0, 1, "fraction", "roadmap tier 2")
    max_spread_bps: float = number(
        100.0, 1, 1000, "bps", "a round trip must not cost more than the move it hopes for"
    )
    min_price_usd: float = number(1.0, 0.01, 1000, "usd", "below a dollar ticks and halts dominate")
    min_bars: int = number(
        30, 20, 5000, "count", "bars needed before ATR and relative volume mean anything"
    )
    stale_after_bars: float = number(
        2.0, 0.1, 10, "count", "CONVENTIONS: quotes from bars are stale after two intervals"
    )
    expire_after_s: float = number(1800.0, 60, 86400, "s", "CONVENTIONS: 30 min of session time")
    reaction_s: float = number(
        600.0, 60, 7200, "s", "how long a reaction is watched before its sign is read"
    )
    min_reaction_bps: float = number(
        50.0, 1, 5000, "bps", "smaller moves give no sign to a filing without direction"
    )
    max_chase_bps: float = number(
        500.0, 10, 10000, "bps", "a catalyst that already ran this far is not chased"
    )
    min_reaction_rvol: float = number(
        1.2, 0, 20, "count", "a sign read from the reaction needs unusual volume"
    )
    strategy_id: str = "news-rule"
    reference_file: str = field(
        default="", metadata={"source": "CSV or JSON lines: float, short interest, sector by day"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerRules:
    """When prices alone are news: what the scanner calls a hit, in sessions of the exchange.

    Off by default: in the study of events no kind of hit earned its costs, and rises on volume
    were followed by falls.
    """

    enabled: bool = choice(default=False, meaning="whether prices alone make catalysts")
    symbols: tuple[str, ...] = choice((), "whom to watch live; recorded days: all with bars")
    poll_s: float = number(60.0, 5, 3600, "s", "between looks at an Alpaca account's prices")
    gap_fraction: float = number(
        0.05, 0.005, 1, "fraction", "open against the last close; DOMAIN: pre-market moves from 5 %"
    )
    move_atrs: float = number(
        2.0, 0.5, 20, "count", "move since the last close in daily ATRs that is unusual"
    )
    min_rvol: float = number(
        3.0, 0, 100, "count", "volume of a gap or move over its usual at that time of day"
    )
    break_rvol: float = number(
        1.5, 0, 100, "count", "DOMAIN: a breakout needs 1.5 times its usual volume"
    )
    volume_sessions: int = number(20, 2, 250, "count", "sessions that say what volume is usual")
    atr_sessions: int = number(14, 2, 250, "count", "Wilder's 14")
    break_sessions: int = number(20, 2, 250, "count", "a breakout leaves the range of a month")
    year_sessions: int = number(252, 20, 1000, "count", "sessions of 52 weeks")
    squeeze_sessions: int = number(
        120, 20, 1000, "count", "half a year against which bands are narrow"
    )
    squeeze_share: float = number(
        0.10, 0.001, 0.5, "fraction", "bands among the narrowest tenth are a squeeze"
    )
    band_deviations: float = number(2.0, 0.5, 5, "count", "Bollinger: two standard deviations")
    quiet_sessions: int = number(
        5, 1, 250, "count", "sessions for which a symbol's next hit that way is no news"
    )
    min_price_usd: float = number(1.0, 0.01, 1000, "usd", "as for signals")
    min_day_usd: float = number(
        1_000_000.0, 0, 1000000000000.0, "usd", "usual dollar volume of a session"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The roadmap's three tiers and the order-level checks of RELIABILITY section 4."""

    max_position_fraction: float = number(
        0.20, 0.001, 1, "fraction", "roadmap tier 1", looser=Looser.HIGHER
    )
    max_exposure_fraction: float = number(
        0.80, 0.01, 3, "fraction", "roadmap tier 3", looser=Looser.HIGHER
    )
    max_leverage: float = number(3.0, 0.1, 4, "count", "roadmap tier 3", looser=Looser.HIGHER)
    min_trade_usd: Decimal = number(
        Decimal(100), 1, 1000000, "usd", "roadmap tier 1", looser=Looser.LOWER
    )
    min_confidence: float = number(0.70, 0, 1, "fraction", "roadmap tier 2", looser=Looser.LOWER)
    max_daily_trades: int = number(40, 1, 1000, "count", "roadmap tier 2", looser=Looser.HIGHER)
    max_open_positions: int = number(
        5,
        1,
        1000,
        "count",
        "roadmap risk metrics: more than this is worth a warning",
        looser=Looser.HIGHER,
    )
    max_correlation: float = number(0.70, 0, 1, "fraction", "roadmap tier 2", looser=Looser.HIGHER)
    pause_after_consecutive_losses: int = number(
        3, 1, 100, "count", "roadmap tier 2", looser=Looser.HIGHER
    )
    halt_after_losses: int = number(3, 1, 100, "count", "roadmap breaker 3", looser=Looser.HIGHER)
    halt_loss_window_s: float = number(
        3600.0, 60, 86400, "s", "roadmap breaker 3: one hour", looser=Looser.LOWER
    )
    min_sharpe: float = number(
        0.5,
        -10,
        10,
        "count",
        "roadmap tier 2: below it the strategy is paused for review",
        looser=Looser.LOWER,
    )
    min_trades_for_sharpe: int = number(
        20, 5, 1000, "count", "fewer trades say nothing about Sharpe", looser=Looser.HIGHER
    )
    max_daily_loss_fraction: float = number(
        0.03, 0.001, 1, "fraction", "roadmap tier 3", looser=Looser.HIGHER
    )
    max_drawdown_fraction: float = number(
        0.10, 0.001, 1, "fraction", "roadmap tier 3", looser=Looser.HIGHER
    )
    api_error_halt_s: float = number(
        300.0, 1, 86400, "s", "roadmap breaker 4: five minutes", looser=Looser.HIGHER
    )
    max_quote_age_s: float = number(
        600.0,
        1,
        3600,
        "s",
        "CONVENTIONS: two bar intervals for quotes made from bars",
        looser=Looser.HIGHER,
    )
    max_live_quote_age_s: float = number(
        2.0,
        0.1,
        3600,
        "s",
        "CONVENTIONS: quotes that are not made from bars",
        looser=Looser.HIGHER,
    )
    max_orders_per_minute: int = number(
        10,
        1,
        1000,
        "count",
        "RELIABILITY 4: what a person could still follow",
        looser=Looser.HIGHER,
    )
    tradable_symbols: tuple[str, ...] = choice((), "RELIABILITY 4: what may be bought; empty = all")
    price_collar_fraction: float = number(
        0.05, 0.001, 1, "fraction", "RELIABILITY 4: within 5 % of the quote", looser=Looser.HIGHER
    )
    duplicate_window_s: float = number(
        60.0, 0, 3600, "s", "RELIABILITY 4: same symbol and side", looser=Looser.LOWER
    )
    max_orders_per_signal: int = number(
        3, 1, 100, "count", "RELIABILITY 4: the Knight Capital counter", looser=Looser.HIGHER
    )
    warn_at_fraction: float = number(
        0.90, 0.1, 1, "fraction", "roadmap story 2.5", looser=Looser.HIGHER
    )

    def __post_init__(self) -> None:
        for symbol in self.tradable_symbols:
            if not SYMBOL.fullmatch(symbol):
                raise ValueError(
                    f"tradable_symbols names {symbol!r}, which nothing trades as: write AAPL"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRules:
    """Quarter-Kelly with a prior, fixed fraction, ATR and volatility: the smallest is taken."""

    kelly_divisor: float = number(
        4.0, 1, 100, "count", "roadmap: quarter Kelly", looser=Looser.LOWER
    )
    prior_win_rate: float = number(
        0.55, 0, 1, "fraction", "CONVENTIONS: the roadmap's worked example", looser=Looser.HIGHER
    )
    prior_average_win: float = number(
        0.06,
        0.0001,
        1,
        "fraction",
        "CONVENTIONS: the roadmap's worked example",
        looser=Looser.HIGHER,
    )
    prior_average_loss: float = number(
        0.02,
        0.0001,
        1,
        "fraction",
        "CONVENTIONS: the roadmap's worked example",
        looser=Looser.LOWER,
    )
    prior_trades: float = number(
        20.0,
        0,
        10000,
        "count",
        "CONVENTIONS: pseudo-trades the prior is worth",
        looser=Looser.OTHER,
    )
    risk_per_trade_fraction: float = number(
        0.01,
        0.0001,
        0.2,
        "fraction",
        "fixed fraction of equity that is lost when the stop is hit",
        looser=Looser.HIGHER,
    )
    atr_risk_fraction: float = number(
        0.01,
        0.0001,
        0.2,
        "fraction",
        "equity lost by a fall of stops.atr_multiple ATR, however near the stop is",
        looser=Looser.HIGHER,
    )
    volatility_fraction: float = number(
        0.002,
        0.0001,
        0.2,
        "fraction",
        "equity that one average decision bar (ATR) may move",
        looser=Looser.HIGHER,
    )
    high_volatility_ratio: float = number(
        1.20, 1, 10, "count", "roadmap: ATR 20 % over its average cuts size", looser=Looser.HIGHER
    )
    correlation_cut: float = number(
        0.5,
        0,
        1,
        "count",
        "roadmap: size factor when a correlated position is held",
        looser=Looser.HIGHER,
    )
    correlated_from: float = number(
        0.5, 0, 1, "fraction", "correlation from which size is cut", looser=Looser.HIGHER
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """ATR stop, take profit, trailing stop, time exit."""

    atr_length: int = number(14, 2, 200, "count", "roadmap: ATR(14)")
    atr_multiple: float = number(6.0, 0.1, 50, "count", "roadmap: x 6.0 (5-minute bars)")
    min_stop_fraction: float = number(
        0.01, 0.0001, 1, "fraction", "CONVENTIONS: stop bounded to 1-15 %"
    )
    max_stop_fraction: float = number(
        0.15, 0.0001, 1, "fraction", "CONVENTIONS: stop bounded to 1-15 %", looser=Looser.HIGHER
    )
    reward_to_risk: float = number(3.0, 0.1, 100, "count", "roadmap: 3 : 1")
    min_take_profit_fraction: float = number(
        0.05, 0.0001, 10, "fraction", "CONVENTIONS: at least 5 %"
    )
    trailing_activation_fraction: float = number(
        0.05, 0.0001, 10, "fraction", "roadmap: after 5 % profit"
    )
    trailing_distance_fraction: float = number(
        0.03, 0.0001, 1, "fraction", "roadmap: 3 % below the high"
    )
    manual_stop_fraction: float = number(
        0.05,
        0.001,
        1,
        "fraction",
        "stop of a position that a person opened: no ATR is known",
        looser=Looser.HIGHER,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRules:
    """How an approved order is worked."""

    entry_timeout_s: float = number(
        900.0, 1, 86400, "s", "an entry not filled by then is cancelled"
    )
    exit_timeout_s: float = number(
        900.0, 1, 86400, "s", "an exit not filled by then is cancelled and decided again"
    )
    valid_for_s: float = number(
        10.0,
        1,
        3600,
        "s",
        "a promised order older than this is not sent after a crash",
        looser=Looser.HIGHER,
    )
    entry_kind: EntryKind = EntryKind.MARKET
    limit_offset_ticks: int = number(
        1, 0, 100, "count", "a limit entry bids so many ticks above the ask"
    )
    limit_cap_bps: float = number(
        30.0, 0, 500, "bps", "and never more than this above the price it was sized at"
    )
    reprice_after_s: float = number(
        15.0, 0.5, 3600, "s", "a limit order that did not fill follows the quote after this"
    )
    max_reprices: int = number(3, 0, 20, "count", "so often, then it is left to its timeout")
    extended_hours: bool = False
    exit_collar_bps: float = number(
        100.0, 1, 1000, "bps", "an exit before or after hours is a limit this far below the bid"
    )
    halted_symbols: HaltedSymbols = HaltedSymbols.REFUSE
    naked_grace_s: float = number(
        2.0,
        0.1,
        3600,
        "s",
        "RELIABILITY R3: a position without a stop for longer is acted on",
        looser=Looser.HIGHER,
    )
    watcher_silence_s: float = number(
        600.0, 1, 3600, "s", "without a price for longer the bot's own watch counts as blind"
    )
    reconcile_every_s: float = number(
        300.0, 10, 86400, "s", "between looks at the broker's books in a session"
    )
    second_look_after_s: float = number(
        10.0, 1, 600, "s", "the broker's orders and positions may disagree for so long"
    )
    manual_positions: ManualPositions = ManualPositions.ADOPT
    cash_tolerance_fraction: float = number(
        0.0001, 0, 0.01, "fraction", "of equity; cash that differs by less is fees and rounding"
    )
    fee_tolerance_fraction: float = number(
        0.005, 0, 0.05, "fraction", "of what was traded since cash last agreed: unreported fees"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRules:
    """What trading costs and how the embedded venue fills.

    The default (`ours`): 0.1 % commission and 0.1 % slippage, the roadmap's; participation caps a
    fill at a fraction of the bar's volume; `latency_s` delays every order and answer.
    """

    commission_fraction: float = number(0.001, 0, 0.1, "fraction", "roadmap: 0.1 %")
    slippage_fraction: float = number(0.001, 0, 0.1, "fraction", "roadmap: 0.1 %")
    participation_fraction: float = number(
        0.10, 0.0001, 1, "fraction", "most of a bar one order may take"
    )
    latency_s: float = number(0.25, 0.001, 60, "s", "from decision to venue and back")
    half_spread_bps_liquid: float = number(1.0, 0, 1000, "bps", "half spread of a liquid bar")
    half_spread_bps_thin: float = number(10.0, 0, 1000, "bps", "half spread of a thin bar")
    liquid_bar_usd: float = number(
        5_000_000.0, 1, 1000000000000.0, "usd", "dollar volume of a bar that counts as liquid"
    )
