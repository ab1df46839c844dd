"""What an account is worth, what it must keep as margin and what it may spend (ALPACA.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """The money of an account at given prices. `buying_power_usd` is after open orders."""

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
