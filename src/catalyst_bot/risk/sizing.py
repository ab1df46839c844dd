"""How much to buy: the smallest of several caps, then cut by how sure and how calm things are.

Roadmap, "Position Sizing Methodology": quarter-Kelly, 20 % of equity at most, less when the
symbol is wilder than usual or moves like something already held. Every step is kept with the
dollars it leaves, so that `explain` can show which one decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import isfinite

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.limits import RiskLimits, SizingRules
from catalyst_bot.domain.money import CENT, ZERO, to_decimal, whole_shares
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.domain.trading import Signal, SizingStep
from catalyst_bot.risk.book import Book
from catalyst_bot.risk.state import StrategyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """What a strategy's trades are expected to bring; win and loss are fractions above 0."""

    win_rate: float
    average_win: float
    average_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Whole shares to buy (0 = none) and every step on the way."""

    quantity: Decimal
    steps: tuple[SizingStep, ...]


def shrunk_odds(record: StrategyRecord, rules: SizingRules) -> Odds:
    """Mix the prior, worth `prior_trades` pseudo-trades, with what the strategy did so far."""
    prior_wins = rules.prior_trades * rules.prior_win_rate
    prior_losses = rules.prior_trades - prior_wins
    wins = prior_wins + record.wins
    losses = prior_losses + record.trades - record.wins
    won = prior_wins * rules.prior_average_win + record.win_fraction_sum
    lost = prior_losses * rules.prior_average_loss + record.loss_fraction_sum
    return Odds(
        win_rate=wins / (wins + losses) if wins + losses > 0 else 0.0,
        average_win=won / wins if wins > 0 else 0.0,
        average_loss=lost / losses if losses > 0 else 0.0,
    )


def kelly_fraction(odds: Odds) -> float:
    """Return the roadmap's Kelly fraction of equity, (p W - q L) / W, in [0, 1].

    0 for a negative edge and when nothing is won. With 55 %, 6 % and 2 %: 0.40.
    """
    if not odds.average_win > 0:
        return 0.0
    edge = odds.win_rate * odds.average_win - (1 - odds.win_rate) * odds.average_loss
    return _unit(edge / odds.average_win)


def volatility_factor(*, atr: float, atr_average: float, rules: SizingRules) -> float:
    """Return the cut in (0, 1] for an ATR above `high_volatility_ratio` times its average.

    The cut undoes the excess: `ratio x average / atr`, continuous at the threshold. 0 when the
    numbers are no measurements.
    """
    if not (isfinite(atr) and isfinite(atr_average)):
        return 0.0
    calm = max(0.0, rules.high_volatility_ratio * atr_average)
    return 1.0 if atr <= calm else _unit(calm / atr)


def correlation_factor(correlation: float, rules: SizingRules) -> float:
    """Return the cut for moving like something held: `correlation_cut` from `correlated_from`."""
    return 1.0 if correlation < rules.correlated_from else rules.correlation_cut


def size_entry(
    *,
    price: Decimal,
    stop_price: Decimal | None,
    action: float,
    signal: Signal,
    account: AccountView,
    book: Book,
    record: StrategyRecord,
    correlation: float,
    limits: RiskLimits,
    rules: SizingRules,
    wish: TradeWish | None = None,
) -> Sizing:
    """Return the whole shares of a long entry at `price` (USD), 0 when there is nothing to risk.

    The smallest cap wins; what it leaves is the maximum position, of which the policy's `action`
    takes its fraction; volatility and correlation cut the rest. Confidence is a gate, not a size:
    it says that the news was read right, not that it pays. A person's `wish` is one more cap.
    """
    if not price > 0 or stop_price is None:
        nothing = SizingStep(name="no_stop", size_usd=ZERO, note="without price or stop no size")
        return Sizing(quantity=ZERO, steps=(nothing,))
    stop_fraction = (price - stop_price) / price
    odds = shrunk_odds(record, rules)
    caps = _caps(stop_fraction, account, book, odds=odds, limits=limits, rules=rules)
    if wish is not None:
        caps.append(("asked", _asked_usd(wish, price), "asked for by a person"))
    steps = _apply_caps(caps)
    left = steps[-1].size_usd
    for name, factor in (
        ("action", _unit(action)),
        (
            "volatility",
            volatility_factor(atr=signal.atr, atr_average=signal.atr_average, rules=rules),
        ),
        ("correlation", correlation_factor(correlation, rules)),
    ):
        left = _cents_down(left * _exact(factor))
        steps.append(SizingStep(name=name, size_usd=left, note=f"x {factor:.3f}"))
    quantity = whole_shares(left / price)
    note = f"{quantity} x {price:.4f}"
    steps.append(SizingStep(name="whole_shares", size_usd=quantity * price, note=note))
    return Sizing(quantity=quantity, steps=tuple(steps))


def _caps(
    stop_fraction: Decimal,
    account: AccountView,
    book: Book,
    *,
    odds: Odds,
    limits: RiskLimits,
    rules: SizingRules,
) -> list[tuple[str, Decimal, str]]:
    """Every cap as (name, dollars it allows by itself, why)."""
    equity = account.equity_usd
    kelly = kelly_fraction(odds)
    gross_fraction = min(limits.max_exposure_fraction, limits.max_leverage)
    return [
        (
            "kelly",
            equity * _exact(kelly / rules.kelly_divisor),
            f"{_describe(odds)}: {kelly:.1%} / {rules.kelly_divisor:g}",
        ),
        (
            "risk_per_trade",
            equity * to_decimal(rules.risk_per_trade_fraction) / stop_fraction,
            f"{rules.risk_per_trade_fraction:.1%} of equity lost {stop_fraction:.1%} below",
        ),
        (
            "max_position",
            equity * to_decimal(limits.max_position_fraction),
            f"{limits.max_position_fraction:.0%} of equity",
        ),
        (
            "exposure",
            equity * to_decimal(gross_fraction) - book.exposure_usd,
            f"{gross_fraction:.0%} of equity, {book.exposure_usd:.2f} used",
        ),
        (
            "buying_power",
            account.cash_usd - book.reserved_usd,
            f"cash {account.cash_usd:.2f}, {book.reserved_usd:.2f} reserved",
        ),
    ]


def _asked_usd(wish: TradeWish, price: Decimal) -> Decimal:
    """Dollars a person asked for; for shares a cent more, that rounding takes none of them."""
    if wish.usd is not None:
        return wish.usd
    return (wish.quantity or ZERO) * price + CENT


def _describe(odds: Odds) -> str:
    return f"{odds.win_rate:.1%} win {odds.average_win:.1%}, others lose {odds.average_loss:.1%}"


def _apply_caps(caps: list[tuple[str, Decimal, str]]) -> list[SizingStep]:
    """Steps with the running minimum: what is left after each cap, never below 0."""
    steps: list[SizingStep] = []
    for name, cap, why in caps:
        left = min(cap, steps[-1].size_usd) if steps else cap
        note = f"at most {cap:.2f}: {why}"
        steps.append(SizingStep(name=name, size_usd=_cents_down(max(ZERO, left)), note=note))
    return steps


def _unit(value: float) -> float:
    """Bound to [0, 1]; NaN gives 0."""
    return min(1.0, value) if value > 0 else 0.0


def _cents_down(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_DOWN)


def _exact(fraction: float) -> Decimal:
    """A computed fraction without the noise of its last bits: 0.09999999999999999 is 0.1."""
    return to_decimal(round(fraction, 12))
