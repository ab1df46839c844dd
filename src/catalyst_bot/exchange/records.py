"""Small things an account has besides its orders; what is written to disk as it is."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from catalyst_bot.exchange.errors import invalid_field


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner of an account has set."""

    disable_overnight_trading: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: str = "4"
    max_options_trading_level: int | None = None
    no_shorting: bool = False
    ptp_no_exception_entry: bool = False
    suspend_trade: bool = False
    trade_confirm_email: str = "all"


class AccountRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is written to disk, apart from its events."""

    account_id: str
    number: str
    created_at: datetime
    cash_usd: Decimal
    configuration: Configuration


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with which an account is reached; paper money, so the secret is kept as it is."""

    key_id: str
    secret: str
    account_id: str


class Watchlist(msgspec.Struct, frozen=True, kw_only=True):
    """A named list of symbols."""

    watchlist_id: str
    name: str
    symbols: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


_FLAGS = (
    "disable_overnight_trading",
    "fractional_trading",
    "no_shorting",
    "ptp_no_exception_entry",
    "suspend_trade",
)


def configuration_body(configuration: Configuration) -> dict[str, Any]:
    """Return the configuration as the API shows it; a level that is not set is left out."""
    body: dict[str, Any] = msgspec.to_builtins(configuration)
    if configuration.max_options_trading_level is None:
        del body["max_options_trading_level"]
    return body


def changed(configuration: Configuration, body: dict[str, Any]) -> Configuration:
    """Return the configuration with what a request sets; nulls and unknown names are ignored.

    Raises `ApiError` for a value that is none.
    """
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if value is None or name not in Configuration.__struct_fields__:
            continue
        if name in _FLAGS:
            if not isinstance(value, bool):
                raise invalid_field(f"{name} must be a boolean")
            changes[name] = value
        else:
            changes[name] = _choice(name, value)
    return msgspec.structs.replace(configuration, **changes)


def _choice(name: str, value: object) -> str | int:
    match name, value:
        case "max_margin_multiplier", _ if str(value) in {"1", "2", "4"}:
            return str(value)
        case "trade_confirm_email", "all" | "none":
            return str(value)
        case "max_options_trading_level", int(level) if level in range(4) and level is not True:
            return level
        case _:
            raise invalid_field(f"invalid {name}")
