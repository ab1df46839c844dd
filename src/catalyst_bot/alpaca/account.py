"""The account at the start: reachable, ours, allowed to trade, and how much money it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.reading import amount
from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable

START_TIMEOUT_S = 2.0  # a person waits: silence is told within three seconds
_BLOCKS = ("account_blocked", "trading_blocked", "trade_suspended_by_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A paper account that may trade."""

    number: str
    cash_usd: Decimal
    equity_usd: Decimal


async def ask_account(access: Access) -> Account:
    """Return the account of the keys.

    Raises `SourceUnreachable` when Alpaca does not answer in time, `ConfigError` when it refuses
    the keys or the account may not trade.
    """
    try:
        async with asyncio.timeout(START_TIMEOUT_S), AlpacaClient(access) as client:
            return _read(await client.trading("GET", "/v2/account"))
    except TimeoutError as error:
        raise SourceUnreachable(
            f"{access.base_url} gave no answer within {START_TIMEOUT_S:g} s"
        ) from error
    except AlpacaSilent as error:
        raise SourceUnreachable(f"{access.base_url} cannot be reached: {error}") from error
    except BadData as error:
        raise SourceUnreachable(f"{access.base_url} is no Alpaca: {error}") from error
    except AlpacaRefused as error:
        if error.is_about_keys:
            raise ConfigError(
                f"Alpaca refuses the keys ({error}): they must be those of a paper account"
            ) from error
        raise SourceUnreachable(
            f"{access.base_url} refuses to show the account: {error}"
        ) from error


def _read(told: Any) -> Account:
    if not isinstance(told, dict) or "status" not in told:
        raise BadData("the answer is no account")
    account = Account(
        number=str(told.get("account_number", "?")),
        cash_usd=amount(told, "cash"),
        equity_usd=amount(told, "equity"),
    )
    blocks = [name for name in _BLOCKS if told.get(name) is True]
    if told["status"] != "ACTIVE" or blocks:
        why = ", ".join([f"status {told['status']}", *blocks])
        raise ConfigError(
            f"Alpaca account {account.number} may not trade ({why}): lift that on alpaca.markets"
        )
    if not account.cash_usd > 0:
        raise ConfigError(f"Alpaca account {account.number} has no cash (${account.cash_usd})")
    return account
