"""How an exchange behaves where Alpaca's own behaviour is random, disputed or slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from catalyst_bot.domain.errors import ConfigError


class ClosedMarketCancel(StrEnum):
    """What a cancel does while the market is closed: wait for the next open, or end at once."""

    PENDING = "pending"
    IMMEDIATE = "immediate"


class DayTradeRule(StrEnum):
    """Whether the day-trading rule that ended in July 2026 is still applied."""

    OFF = "off"
    LEGACY = "legacy"


class ClientIdScope(StrEnum):
    """Among which orders a client order id must be the only one."""

    ALWAYS = "always"
    ACTIVE_ONLY = "active_only"


class Profile(StrEnum):
    """How orders meet prices: as at Alpaca's paper service, or as in our own replays."""

    ALPACA = "alpaca"
    OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Everything that can be set for an exchange; the defaults are Alpaca's paper service.

    `partial_probability` is how often an eligible order is filled in part only. An order is
    acknowledged `ack_delay_s` after it was taken, and a cancel done `cancel_latency_s` after it
    was asked for. `emits_sibling_cancel` is false for the observed habit of not telling of the
    cancelled sibling on the stream. `has_sip` says whether the accounts' data plan goes beyond IEX.
    `news_delay_s` is how long after its publication an item is
    shown.
    """

    seed: int = 0
    profile: Profile = Profile.ALPACA
    partial_probability: Decimal = Decimal("0.10")
    ack_delay_s: float = 0.0
    cancel_latency_s: float = 0.0
    cancel_closed_market: ClosedMarketCancel = ClosedMarketCancel.PENDING
    pdt_mode: DayTradeRule = DayTradeRule.OFF
    client_id_scope: ClientIdScope = ClientIdScope.ALWAYS
    emits_sibling_cancel: bool = True
    rate_limit_per_min: int = 200
    conn_limit: int = 1
    auth_timeout_s: float = 10.0
    iex_symbol_limit: int = 30
    has_sip_data: bool = False
    has_sip: bool = False
    news_delay_s: float = 60.0
    starting_cash_usd: Decimal = Decimal(100_000)


_WORDS: dict[str, type[StrEnum]] = {
    "profile": Profile,
    "cancel_closed_market": ClosedMarketCancel,
    "pdt_mode": DayTradeRule,
    "client_id_scope": ClientIdScope,
}
_NAMES = {field.name: field.type for field in fields(Knobs)}


def knobs_from(table: Mapping[str, Any]) -> Knobs:
    """Return the knobs a table (of a TOML file) sets; raises `ConfigError` naming what is wrong."""
    unknown = sorted(set(table) - set(_NAMES))
    if unknown:
        raise ConfigError(f"knobs: unknown {', '.join(unknown)}; there are {', '.join(_NAMES)}")
    return Knobs(**{name: _read(name, value) for name, value in table.items()})


def _read(name: str, value: Any) -> Any:
    words = _WORDS.get(name)
    if words is not None:
        try:
            return words(value)
        except ValueError as error:
            allowed = ", ".join(word.value for word in words)
            raise ConfigError(f"knobs: {name} is {value!r}; use one of {allowed}") from error
    if _NAMES[name] == "bool":
        if not isinstance(value, bool):
            raise ConfigError(f"knobs: {name} is {value!r}; use true or false")
        return value
    return _number(name, value)


def _number(name: str, value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ConfigError(f"knobs: {name} is {value!r}; a number is needed") from error
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise ConfigError(f"knobs: {name} is {value!r}; a number from 0 up is needed")
    if name == "partial_probability" and number > 1:
        raise ConfigError(f"knobs: {name} is {value!r}; a number from 0 to 1 is needed")
    match _NAMES[name]:
        case "int":
            if number != int(number):
                raise ConfigError(f"knobs: {name} is {value!r}; a whole number is needed")
            return int(number)
        case "float":
            return float(number)
        case _:
            return number
