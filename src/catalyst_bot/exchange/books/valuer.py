"""Writes down once a minute what each account is worth, where that may have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.simulation.margin import AccountFigures

_MINUTE: Final = timedelta(minutes=1)
_MINUTE_S: Final = 60
_JUST_BEFORE: Final = timedelta(microseconds=1)


class Valuer:
    """Knows when accounts are to be valued next: at the end of each minute with trading.

    What is written under a minute is the worth at its end, before anything of the next one. `since`
    is up to when they were valued before.
    """

    def __init__(
        self,
        market: Market,
        figures: Callable[[Account, datetime], AccountFigures],
        *,
        since: datetime,
    ) -> None:
        self._market = market
        self._figures = figures
        self._valued_until = since

    def next_at(self, accounts: Iterable[Account]) -> datetime | None:
        """Return when to value; None while no account holds anything."""
        if not any(_may_change(account) for account in accounts):
            return None
        after = self._valued_until
        at = after.replace(second=0, microsecond=0) + _MINUTE
        if self._market.phase(at - _JUST_BEFORE) is not SessionPhase.CLOSED:
            return at
        opens_at, _ = self._market.hours.next_change(after)
        return opens_at.astimezone(UTC) + _MINUTE

    def value(self, accounts: Iterable[Account], at: datetime, store: ExchangeStore) -> None:
        """Value the accounts, unless this minute was valued before."""
        since = self._valued_until.replace(second=0, microsecond=0)
        self._valued_until = max(self._valued_until, at)
        if at < since + _MINUTE:
            return
        seen_at = at - _JUST_BEFORE
        minute_s = int(seen_at.timestamp()) // _MINUTE_S * _MINUTE_S
        for account in accounts:
            if not _may_change(account):
                continue
            equity_usd = self._figures(account, seen_at).equity_usd
            if account.value(minute_s, equity_usd):
                store.put_equity(account.account_id, minute_s, equity_usd)


def _may_change(account: Account) -> bool:
    books = account.engine.state.account
    return bool(books.holdings) or account.last_worth_usd != books.cash_usd
