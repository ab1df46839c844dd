"""What an account is worth, what it must keep as margin and what it may spend (ALPACA.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.venue_account import Holding
from catalyst_bot.simulation.venue_rules import MoneyRule
from catalyst_bot.simulation.venue_state import DayBase, VenueState

_INITIAL = Decimal("0.50")
_LONG_MAINTENANCE = Decimal("0.30")
_CHEAP_LONG = Decimal("2.50")  # cheaper shares are kept in full
_CHEAP_SHORT = Decimal("5.00")
_SHORT_PER_SHARE = Decimal("5.00")
_CHEAP_SHORT_PER_SHARE = Decimal("2.50")
_LEAST_MARGIN_EQUITY = Decimal(2_000)
_MOST_CONCENTRATION = Decimal(6)  # one position of more than 600 % of equity
_ONE, _TWO, _FOUR = Decimal(1), Decimal(2), Decimal(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """The money of an account at given prices. Every buying power is after open orders.

    `buying_power_usd` may be below zero when an order cost more than it reserved.
    """

    cash_usd: Decimal
    long_market_value_usd: Decimal
    short_market_value_usd: Decimal
    equity_usd: Decimal
    initial_margin_usd: Decimal
    maintenance_margin_usd: Decimal
    last_equity_usd: Decimal
    last_maintenance_margin_usd: Decimal
    multiplier: Decimal
    buying_power_usd: Decimal
    regt_buying_power_usd: Decimal
    cash_buying_power_usd: Decimal
    reserved_usd: Decimal
    is_closing_only: bool

    @property
    def may_short(self) -> bool:
        """Tell whether the account has the equity that a margin account needs."""
        return self.equity_usd >= _LEAST_MARGIN_EQUITY


def maintenance_margin_usd(quantity: Decimal, price: Decimal) -> Decimal:
    """Return what must be kept for a position: shares and value below zero when short."""
    value_usd = abs(quantity * price)
    if quantity >= 0:
        return value_usd * (_LONG_MAINTENANCE if price >= _CHEAP_LONG else _ONE)
    if price >= _CHEAP_SHORT:
        return max(_SHORT_PER_SHARE * abs(quantity), value_usd * _LONG_MAINTENANCE)
    return max(_CHEAP_SHORT_PER_SHARE * abs(quantity), value_usd)


def opened_today_usd(holdings: Mapping[str, Holding], day: DayBase) -> Decimal:
    """Return what positions have grown by since the day began, at cost."""
    grown_usd = ZERO
    for symbol, holding in holdings.items():
        before_usd = day.cost_usd.get(symbol, ZERO)
        if before_usd * holding.cost_usd < 0:
            before_usd = ZERO  # the position was turned round
        grown_usd += max(ZERO, abs(holding.cost_usd) - abs(before_usd))
    return grown_usd


def buying_power_usd(
    multiplier: Decimal, *, cash_usd: Decimal, free_margin_usd: Decimal, day_usd: Decimal
) -> Decimal:
    """Return what may be spent before open orders are counted.

    Without credit the cash; doubled what no position binds; fourfold what was free when the day
    began, less what was opened since (`day_usd`).
    """
    if multiplier >= _FOUR:
        return day_usd
    if multiplier > _ONE:
        return max(free_margin_usd, ZERO) * multiplier
    return cash_usd


def figures(
    state: VenueState,
    marks: Mapping[str, Decimal],
    *,
    multiplier: Decimal,
    money: MoneyRule,
) -> AccountFigures:
    """Return the money of an account; holdings without a mark count at cost."""
    account, day = state.account, state.day
    long_usd = short_usd = maintenance_usd = biggest_usd = ZERO
    for symbol, holding in account.holdings.items():
        price = marks.get(symbol) if money is MoneyRule.MARGIN else None
        if price is None:
            price = holding.average_cost
            value_usd = holding.cost_usd
        else:
            value_usd = holding.quantity * price
        if value_usd >= 0:
            long_usd += value_usd
        else:
            short_usd += value_usd
        maintenance_usd += maintenance_margin_usd(holding.quantity, price)
        biggest_usd = max(biggest_usd, abs(value_usd))
    equity_usd = account.cash_usd + long_usd + short_usd
    initial_usd = (long_usd - short_usd) * _INITIAL
    if money is MoneyRule.MARGIN and equity_usd < _LEAST_MARGIN_EQUITY:
        multiplier = _ONE
    free_usd = equity_usd - initial_usd
    reserved_usd = state.reservations.usd
    day_usd = max(ZERO, (day.equity_usd - day.maintenance_margin_usd) * _FOUR)
    spendable_usd = (
        multiplier * (account.cash_usd + long_usd) - long_usd
        if money is MoneyRule.COST
        else buying_power_usd(
            multiplier,
            cash_usd=account.cash_usd + short_usd,
            free_margin_usd=free_usd,
            day_usd=day_usd - opened_today_usd(account.holdings, day),
        )
    )
    return AccountFigures(
        cash_usd=account.cash_usd,
        long_market_value_usd=long_usd,
        short_market_value_usd=short_usd,
        equity_usd=equity_usd,
        initial_margin_usd=initial_usd,
        maintenance_margin_usd=maintenance_usd,
        last_equity_usd=day.equity_usd,
        last_maintenance_margin_usd=day.maintenance_margin_usd,
        multiplier=multiplier,
        buying_power_usd=spendable_usd - reserved_usd,
        regt_buying_power_usd=max(free_usd, ZERO) * _TWO - reserved_usd,
        cash_buying_power_usd=account.cash_usd + short_usd - reserved_usd,
        reserved_usd=reserved_usd,
        is_closing_only=biggest_usd > _MOST_CONCENTRATION * max(equity_usd, ZERO),
    )
