"""Orders, positions and accounts as JSON objects: every key Alpaca sends, numbers as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from catalyst_bot.domain.money import ZERO
from catalyst_bot.exchange.books.records import AccountRecord
from catalyst_bot.exchange.market.assets import Asset
from catalyst_bot.exchange.wire.replies import (
    decimal_or_none,
    decimal_text,
    rfc3339,
    rfc3339_or_none,
)
from catalyst_bot.simulation.margin import AccountFigures
from catalyst_bot.simulation.order_request import OrderClass
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole

_SEPARATOR: Final = "\x1f"
_AVERAGE_STEP: Final = Decimal("0.000001")
_RATIO_STEP: Final = Decimal("0.0000000000000001")


def uuid_of(*parts: str) -> str:
    """Return a UUID (version 4 in form) that is a pure function of the parts."""
    digest = blake2b(_SEPARATOR.join(parts).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


def order_body(
    order: VenueOrder,
    asset_id: str,
    *,
    status: str | None = None,
    expires_at: datetime | None = None,
    legs: Sequence[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return an order; `status` where Alpaca shows another than the engine's."""
    kind = order.kind.value
    order_class = order.request.order_class
    body = {
        "id": order.order_id,
        "client_order_id": order.client_order_id,
        "created_at": rfc3339(order.created_at),
        "updated_at": rfc3339(order.updated_at),
        "submitted_at": rfc3339(order.submitted_at),
        "filled_at": rfc3339_or_none(order.filled_at),
        "expired_at": rfc3339_or_none(order.expired_at),
        "canceled_at": rfc3339_or_none(order.canceled_at),
        "failed_at": rfc3339_or_none(order.failed_at),
        "replaced_at": rfc3339_or_none(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id,
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": decimal_or_none(order.request.notional_usd),
        "qty": None if order.is_notional else decimal_text(order.quantity),
        "filled_qty": decimal_text(order.filled_quantity),
        "filled_avg_price": average_price(order),
        "order_class": "" if order_class is OrderClass.SIMPLE else order_class.value,
        "order_type": kind,
        "type": kind,
        "side": order.side.value,
        "position_intent": order.position_intent.value,
        "time_in_force": order.time_in_force.value,
        "limit_price": decimal_or_none(order.limit_price),
        "stop_price": decimal_or_none(order.stop_price),
        "status": status or order.status.value,
        "extended_hours": order.extended_hours,
        "legs": legs,
        "trail_percent": decimal_or_none(order.trail_percent),
        "trail_price": decimal_or_none(order.trail_price),
        "hwm": decimal_or_none(order.high_water_mark),
        "subtag": None,
        "source": None,
    }
    if order.fees_usd:  # of profile ours; the paper service charges none, and its brokers write so
        body["commission"] = decimal_text(order.fees_usd)
    if (lapses_at := order.expires_at or expires_at) is not None:
        body["expires_at"] = rfc3339(lapses_at)
    if order.group_id is not None and order.role is not VenueRole.SIMPLE:
        body["group_id"] = order.group_id
        body["group_role"] = order.role.value
    return body


def average_price(order: VenueOrder) -> str | None:
    """Return what a filled share cost on average, to a millionth of a dollar."""
    if order.filled_quantity == 0:
        return None
    return decimal_text((order.filled_usd / order.filled_quantity).quantize(_AVERAGE_STEP))


def ratio_text(part: Decimal, whole: Decimal) -> str:
    """Return `part` of `whole` as a fraction with many decimals; 0 of nothing."""
    return "0" if whole == 0 else decimal_text((part / whole).quantize(_RATIO_STEP))


def position_body(
    asset: Asset,
    *,
    quantity: Decimal,
    available: Decimal,
    cost_usd: Decimal,
    overnight: Decimal,
    price: Decimal,
    price_before: Decimal,
) -> dict[str, Any]:
    """Return a position; quantity and cost are negative when the shares are owed.

    `overnight` are the shares held since the session before: today's profit counts for them from
    `price_before`, the close of that session, and for the others from what they cost.
    """
    value_usd = quantity * price
    average = cost_usd / quantity
    profit_usd = value_usd - cost_usd
    today_usd = overnight * (price - price_before) + (quantity - overnight) * (price - average)
    base_usd = abs(overnight * price_before + (quantity - overnight) * average)
    return {
        "asset_id": asset.asset_id,
        "symbol": asset.symbol,
        "exchange": asset.listing.value,
        "asset_class": "us_equity",
        "asset_marginable": asset.is_marginable,
        "qty": decimal_text(quantity),
        "qty_available": decimal_text(available),
        "avg_entry_price": decimal_text(average.quantize(_AVERAGE_STEP)),
        "side": "long" if quantity > 0 else "short",
        "market_value": decimal_text(value_usd),
        "cost_basis": decimal_text(cost_usd),
        "unrealized_pl": decimal_text(profit_usd),
        "unrealized_plpc": ratio_text(profit_usd, abs(cost_usd)),
        "unrealized_intraday_pl": decimal_text(today_usd.quantize(_AVERAGE_STEP)),
        "unrealized_intraday_plpc": ratio_text(today_usd, base_usd),
        "current_price": decimal_text(price),
        "lastday_price": decimal_text(price_before),
        "change_today": ratio_text(price - price_before, price_before),
    }


def account_body(
    record: AccountRecord,
    figures: AccountFigures,
    *,
    balance_asof: str,
    is_shorting_enabled: bool,
) -> dict[str, Any]:
    """Return the account with its money at the figures' prices."""
    equity, cash = decimal_text(figures.equity_usd), decimal_text(figures.cash_usd)
    buying_power = _spendable(figures.buying_power_usd)
    cash_power = _spendable(figures.cash_buying_power_usd)
    regt_power = max(figures.regt_buying_power_usd, ZERO)
    return {
        "id": record.account_id,
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": record.number,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "currency": "USD",
        "buying_power": buying_power,
        "regt_buying_power": decimal_text(regt_power),
        "effective_buying_power": buying_power,
        "non_marginable_buying_power": cash_power,
        "options_buying_power": cash_power,
        "cash": cash,
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "portfolio_value": equity,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": rfc3339(record.created_at),
        "trade_suspended_by_user": record.configuration.suspend_trade,
        "multiplier": decimal_text(figures.multiplier),
        "shorting_enabled": is_shorting_enabled,
        "equity": equity,
        "last_equity": decimal_text(figures.last_equity_usd),
        "long_market_value": decimal_text(figures.long_market_value_usd),
        "short_market_value": decimal_text(figures.short_market_value_usd),
        "position_market_value": decimal_text(
            figures.long_market_value_usd - figures.short_market_value_usd
        ),
        "initial_margin": decimal_text(figures.initial_margin_usd),
        "maintenance_margin": decimal_text(figures.maintenance_margin_usd),
        "last_maintenance_margin": decimal_text(figures.last_maintenance_margin_usd),
        "sma": decimal_text(regt_power / 2),
        "balance_asof": balance_asof,
        "crypto_tier": 1,
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
    }


def _spendable(amount_usd: Decimal) -> str:
    """Return what may be spent: nothing where an order cost more than it reserved."""
    return decimal_text(max(amount_usd, ZERO))
