"""The accounts of an exchange: opened, found by their keys, reset, and read again after a stop."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hmac import compare_digest
from typing import Final

import msgspec

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.exchange.books.account import Account, ExchangeNames, OrderIndex
from catalyst_bot.exchange.books.records import AccessKey, AccountRecord, Configuration
from catalyst_bot.exchange.books.serialise import uuid_of
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.knobs import ClosedMarketCancel, Knobs, Profile
from catalyst_bot.simulation import venue_rules
from catalyst_bot.simulation.events import VenueEvent
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.venue_rules import ALPACA_RULES, RuleBook, VenueRules

_OPENED: Final = "accounts_opened"
_NUMBER_CHARACTERS: Final = 10
_KEY_CHARACTERS: Final = 18
_SECRET_CHARACTERS: Final = 40
_PRINTABLE: Final = re.compile(r"[!-~]+")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

Watch = Callable[[Account, VenueEvent], None]


class AccountBook:
    """All accounts, by id and by key. `watch` is told of each event an engine records."""

    def __init__(
        self, store: ExchangeStore, knobs: Knobs, *, costs: CostRules, watch: Watch
    ) -> None:
        self._store = store
        self._knobs = knobs
        self._costs = costs
        self._watch = watch
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, AccessKey] = {}
        self._opened = int(store.setting(_OPENED) or 0)
        for place, record in enumerate(store.accounts()):
            self._accounts[record.account_id] = self._read(record, place)
        for key in store.access_keys():
            self._keys[key.key_id] = key

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def __len__(self) -> int:
        return len(self._accounts)

    def get(self, account_id: str) -> Account | None:
        """Return an account by its id."""
        return self._accounts.get(account_id)

    def of_key(self, key_id: str, secret: str) -> Account | None:
        """Return the account of a key, if the secret is right."""
        key = self._keys.get(key_id)
        if key is None or not compare_digest(key.secret.encode(), secret.encode()):
            return None
        return self._accounts[key.account_id]

    def keys_of(self, account_id: str) -> list[AccessKey]:
        """Return the keys of an account."""
        return [key for key in self._keys.values() if key.account_id == account_id]

    def open(
        self, at: datetime, *, key_id: str | None, secret: str | None, cash_usd: Decimal
    ) -> tuple[Account, AccessKey]:
        """Return a new account with its key, or the account that a known key has already.

        Raises `ConfigError` for a known key with another secret, and for one that no header can
        carry.
        """
        printable("--key", key_id)
        printable("--secret", secret)
        known = self._keys.get(key_id or "")
        if known is not None:
            if secret is not None and secret != known.secret:
                raise ConfigError(f"--key {key_id}: is known with another secret")
            return self._accounts[known.account_id], known
        account = self._new_account(at, cash_usd=cash_usd, place=self._opened)
        key = AccessKey(
            key_id=key_id or f"PK{_random(_KEY_CHARACTERS)}",
            secret=secret or secrets.token_urlsafe(_SECRET_CHARACTERS)[:_SECRET_CHARACTERS],
            account_id=account.account_id,
        )
        self._keys[key.key_id] = key
        self._store.put_access_key(key)
        return account, key

    def reset(self, account: Account, at: datetime, *, cash_usd: Decimal) -> Account:
        """Put a fresh account with another id in the place of `account`, under the same keys."""
        keys = self.keys_of(account.account_id)
        self._store.drop_account(account.account_id)
        del self._accounts[account.account_id]
        fresh = self._new_account(at, cash_usd=cash_usd, place=account.place)
        for key in keys:
            moved = msgspec.structs.replace(key, account_id=fresh.account_id)
            self._keys[moved.key_id] = moved
            self._store.put_access_key(moved)
        return fresh

    def configure(self, account: Account, configuration: Configuration) -> None:
        """Let a configuration take effect."""
        account.record = msgspec.structs.replace(account.record, configuration=configuration)
        _apply(configuration, account.engine)
        self._store.put_account(account.record, account.place)

    def _new_account(self, at: datetime, *, cash_usd: Decimal, place: int) -> Account:
        account_id = uuid_of("account", str(self._knobs.seed), str(self._opened))
        self._opened += 1
        record = AccountRecord(
            account_id=account_id,
            number=_number(account_id),
            created_at=at,
            cash_usd=cash_usd,
            configuration=_first_configuration(self._knobs.profile),
        )
        account = self._make(record, place)
        account.is_live = True
        self._accounts[account_id] = account
        self._store.put_account(record, place)
        self._store.put_setting(_OPENED, str(self._opened))
        return account

    def _read(self, record: AccountRecord, place: int) -> Account:
        account = self._make(record, place)
        account.engine.rebuild(event for _, event in self._store.events(record.account_id))
        account.watchlists = {
            found.watchlist_id: found for found in self._store.watchlists(record.account_id)
        }
        account.equity = self._store.equity_points(record.account_id)
        account.is_live = True
        return account

    def _make(self, record: AccountRecord, place: int) -> Account:
        index = OrderIndex()
        account = Account(record, self.bare_engine(record, index), index, place)
        account.engine.state.observer = lambda event: self._watch(account, event)
        return account

    def bare_engine(self, record: AccountRecord, index: OrderIndex) -> MatchingEngine:
        """Return the engine of an account before its first event, watched by nobody."""
        engine = MatchingEngine(
            self._costs,
            FillProfile(self._knobs.profile.value),
            names=ExchangeNames(record.account_id, index),
            seed=self._knobs.seed,
            starting_cash_usd=record.cash_usd,
            rules=_rules(self._knobs),
        )
        _apply(record.configuration, engine)
        return engine


def printable(flag: str, word: str | None) -> None:
    """Raise `ConfigError` for a word that is empty, or cannot stand in a header and in one line."""
    if word is not None and not _PRINTABLE.fullmatch(word):
        raise ConfigError(
            f"{flag} {word!r}: give printable ASCII characters without spaces, or leave it out to "
            "have one made"
        )


def _apply(configuration: Configuration, engine: MatchingEngine) -> None:
    engine.allow_short = not configuration.no_shorting
    engine.buying_power_multiplier = Decimal(configuration.max_margin_multiplier)


def _first_configuration(profile: Profile) -> Configuration:
    """With our own profile an account is as the embedded one: no credit, nothing sold short."""
    if profile is Profile.OURS:
        return Configuration(max_margin_multiplier="1", no_shorting=True)
    return Configuration()


def _rules(knobs: Knobs) -> VenueRules:
    scope = venue_rules.ClientIdScope(knobs.client_id_scope.value)
    if knobs.profile is Profile.OURS:
        return VenueRules(book=RuleBook.ALPACA, client_ids=scope)
    is_pending = knobs.cancel_closed_market is ClosedMarketCancel.PENDING
    closed = venue_rules.CancelWhenClosed
    return replace(
        ALPACA_RULES,
        client_ids=scope,
        cancel_when_closed=closed.PENDING if is_pending else closed.AT_ONCE,
        partial_probability=float(knobs.partial_probability),
    )


def _number(account_id: str) -> str:
    value = int(account_id.replace("-", ""), 16)
    digits = [_LETTERS[value >> (5 * place) & 31] for place in range(_NUMBER_CHARACTERS)]
    return "PA" + "".join(digits)


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
