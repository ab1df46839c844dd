"""How much to buy: the smallest of several caps, then cut by how sure and how calm things are.

Roadmap, "Position Sizing Methodology": quarter-Kelly, a fixed fraction lost at the stop, ATR and
volatility sizing, 20 % of equity at most, less when the symbol is wilder than usual or moves like
something already held. Every step is kept with the dollars it leaves, so that `explain` can show
which one decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import isfinite

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.limits import RiskLimits, SizingRules, StopRules
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
    stops: StopRules,
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
    equity, odds = account.equity_usd, shrunk_odds(record, rules)
    atr_fraction = _fraction_of(signal.atr, price)
    caps = [
        _kelly_cap(equity, odds, rules),
        _move_cap("fixed_fraction", equity, rules.risk_per_trade_fraction, stop_fraction),
        _move_cap(
            "atr",
            equity,
            rules.atr_risk_fraction,
            atr_fraction * to_decimal(stops.atr_multiple),
        ),
        _move_cap("volatility", equity, rules.volatility_fraction, atr_fraction),
        *_account_caps(account, book, limits),
    ]
    if wish is not None:
        caps.append(("asked", _asked_usd(wish, price), "asked for by a person"))
    steps = _apply_caps(caps)
    left = steps[-1].size_usd
    for name, factor in (
        ("action", _unit(action)),
        (
            "volatility_cut",
            volatility_factor(atr=signal.atr, atr_average=signal.atr_average, rules=rules),
        ),
        ("correlation_cut", correlation_factor(correlation, rules)),
    ):
        left = _cents_down(left * _exact(factor))
        steps.append(SizingStep(name=name, size_usd=left, note=f"x {factor:.3f}"))
    quantity = whole_shares(left / price)
    note = f"{quantity} x {price:.4f}"
    steps.append(SizingStep(name="whole_shares", size_usd=quantity * price, note=note))
    return Sizing(quantity=quantity, steps=tuple(steps))


Cap = tuple[str, Decimal, str]  # name, dollars it allows by itself, why


def _fraction_of(atr: float, price: Decimal) -> Decimal:
    """An average bar's move as a fraction of the price; without a measurement all of it."""
    return to_decimal(atr) / price if isfinite(atr) and atr >= 0 else Decimal(1)


def _kelly_cap(equity: Decimal, odds: Odds, rules: SizingRules) -> Cap:
    kelly = kelly_fraction(odds)
    why = f"{describe(odds)}: {kelly:.1%} / {rules.kelly_divisor:g}"
    if not odds.win_rate > 0:
        why = "no edge is known: nothing was won yet, and no prior says so"
    elif not kelly > 0:
        why = f"no edge: {describe(odds)}"
    return "kelly", equity * _exact(kelly / rules.kelly_divisor), why


def _move_cap(name: str, equity: Decimal, fraction: float, move: Decimal) -> Cap:
    """What may be held so that a fall by `move` (a fraction of the price) costs that `fraction`.

    Where nothing moves there is nothing to bound, and all of the equity is allowed.
    """
    if not move > 0:
        return name, equity, "the price does not move: no bound"
    return (
        name,
        equity * to_decimal(fraction) / move,
        f"{fraction:.1%} of equity lost {move:.1%} below",
    )


def _account_caps(account: AccountView, book: Book, limits: RiskLimits) -> list[Cap]:
    equity = account.equity_usd
    gross_fraction = min(limits.max_exposure_fraction, limits.max_leverage)
    return [
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


def describe(odds: Odds) -> str:
    """Return the odds in words."""
    return f"{odds.win_rate:.1%} win {odds.average_win:.1%}, others lose {odds.average_loss:.1%}"


def _apply_caps(caps: list[Cap]) -> list[SizingStep]:
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
