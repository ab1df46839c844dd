"""What the bot trades by, as plain numbers: the settings as the compiled kernels take them."""

from __future__ import annotations

from typing import NamedTuple

from catalyst_bot.domain.enums import EntryKind
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.engine.inference import MIN_ACTION
from catalyst_bot.features.kernels import BPS
from catalyst_bot.settings import Settings
from catalyst_bot.simulation.fill_profile import FillProfile


class Terms(NamedTuple):
    """Costs, fills, stops, sizes and limits; see `domain/limits.py` for what each number means.

    Fractions are of the price or of equity, money is in dollars, times are in seconds.
    `max_gross_fraction` is the smaller of what may be invested and what may be borrowed.
    """

    starting_cash_usd: float
    # what trading costs, how much of a bar one order may take, how long orders take and wait
    commission_fraction: float
    slippage_fraction: float
    participation_fraction: float
    half_spread_bps_liquid: float
    half_spread_bps_thin: float
    liquid_bar_usd: float
    latency_s: float
    entry_timeout_s: float
    exit_timeout_s: float
    # where a trade is left
    atr_length: int
    atr_multiple: float
    min_stop_fraction: float
    max_stop_fraction: float
    reward_to_risk: float
    min_take_profit_fraction: float
    trailing_activation_fraction: float
    trailing_distance_fraction: float
    # how much is bought
    kelly_divisor: float
    prior_win_rate: float
    prior_average_win: float
    prior_average_loss: float
    prior_trades: float
    risk_per_trade_fraction: float
    atr_risk_fraction: float
    volatility_fraction: float
    high_volatility_ratio: float
    correlation_cut: float
    correlated_from: float
    # what an entry must pass, and what halts trading
    min_action: float
    min_price_usd: float
    min_confidence: float
    max_position_fraction: float
    max_gross_fraction: float
    min_trade_usd: float
    max_daily_trades: int
    max_orders_per_minute: int
    max_correlation: float
    pause_after_losses: int
    halt_after_losses: int
    halt_loss_window_s: float
    min_sharpe: float
    min_trades_for_sharpe: int
    max_daily_loss_fraction: float
    max_drawdown_fraction: float


def terms_of(settings: Settings) -> Terms:
    """Return the numbers of the settings.

    Raises `ConfigError` for the fill profile of Alpaca's paper service (it fills at random, and
    nothing that is learned from that has a cost in it), and for limit entries or extended hours,
    which bars say too little about.
    """
    if settings.execution.entry_kind is not EntryKind.MARKET or settings.execution.extended_hours:
        raise ConfigError(
            "learning needs execution.entry_kind = market and execution.extended_hours = false"
        )
    if FillProfile(settings.broker.fill_profile) is not FillProfile.OURS:
        raise ConfigError(
            f"broker.fill_profile = {settings.broker.fill_profile}: learning needs the costs of "
            f"{FillProfile.OURS.value!r}"
        )
    costs, stops, sizing, risk = settings.costs, settings.stops, settings.sizing, settings.risk
    return Terms(
        starting_cash_usd=float(settings.run.starting_cash_usd),
        commission_fraction=costs.commission_fraction,
        slippage_fraction=costs.slippage_fraction,
        participation_fraction=costs.participation_fraction,
        half_spread_bps_liquid=costs.half_spread_bps_liquid,
        half_spread_bps_thin=costs.half_spread_bps_thin,
        liquid_bar_usd=costs.liquid_bar_usd,
        latency_s=costs.latency_s,
        entry_timeout_s=settings.execution.entry_timeout_s,
        exit_timeout_s=settings.execution.exit_timeout_s,
        atr_length=stops.atr_length,
        atr_multiple=stops.atr_multiple,
        min_stop_fraction=stops.min_stop_fraction,
        max_stop_fraction=stops.max_stop_fraction,
        reward_to_risk=stops.reward_to_risk,
        min_take_profit_fraction=stops.min_take_profit_fraction,
        trailing_activation_fraction=stops.trailing_activation_fraction,
        trailing_distance_fraction=stops.trailing_distance_fraction,
        kelly_divisor=sizing.kelly_divisor,
        prior_win_rate=sizing.prior_win_rate,
        prior_average_win=sizing.prior_average_win,
        prior_average_loss=sizing.prior_average_loss,
        prior_trades=sizing.prior_trades,
        risk_per_trade_fraction=sizing.risk_per_trade_fraction,
        atr_risk_fraction=sizing.atr_risk_fraction,
        volatility_fraction=sizing.volatility_fraction,
        high_volatility_ratio=sizing.high_volatility_ratio,
        correlation_cut=sizing.correlation_cut,
        correlated_from=sizing.correlated_from,
        min_action=MIN_ACTION,
        min_price_usd=settings.signals.min_price_usd,
        min_confidence=risk.min_confidence,
        max_position_fraction=risk.max_position_fraction,
        max_gross_fraction=min(risk.max_exposure_fraction, risk.max_leverage),
        min_trade_usd=float(risk.min_trade_usd),
        max_daily_trades=risk.max_daily_trades,
        max_orders_per_minute=risk.max_orders_per_minute,
        max_correlation=risk.max_correlation,
        pause_after_losses=risk.pause_after_consecutive_losses,
        halt_after_losses=risk.halt_after_losses,
        halt_loss_window_s=risk.halt_loss_window_s,
        min_sharpe=risk.min_sharpe,
        min_trades_for_sharpe=risk.min_trades_for_sharpe,
        max_daily_loss_fraction=risk.max_daily_loss_fraction,
        max_drawdown_fraction=risk.max_drawdown_fraction,
    )


def round_trip_bps(terms: Terms) -> float:
    """Return what buying and selling costs: commission and slippage, each on both sides.

    As the study of events counts it; the spread, another for each share, is in neither.
    """
    return 2 * (terms.commission_fraction + terms.slippage_fraction) * BPS


def at_costs(terms: Terms, factor: float) -> Terms:
    """Return the terms with commission, slippage and spread multiplied.

    Half a spread is never less than half a tick: where that is what bounds it (below 50 dollars of
    a liquid share, as shipped), it grows by less than the factor, or not at all.
    """
    return terms._replace(
        commission_fraction=terms.commission_fraction * factor,
        slippage_fraction=terms.slippage_fraction * factor,
        half_spread_bps_liquid=terms.half_spread_bps_liquid * factor,
        half_spread_bps_thin=terms.half_spread_bps_thin * factor,
    )
