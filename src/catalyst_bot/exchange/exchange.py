"""The exchange itself: its accounts, what happens to them in time, and what is kept of it.

Every method is synchronous, so a request or an instant of the market is one step: the engines
decide, `settle` commits all of it in one transaction, and only then is anybody told.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.account_book import AccountBook
from catalyst_bot.exchange.books.due import Chore, DueList
from catalyst_bot.exchange.books.happenings import Marks, let_happen
from catalyst_bot.exchange.books.listeners import Listeners
from catalyst_bot.exchange.books.market_changes import (
    MarketChange,
    apply_changes,
    read_changes,
    write_changes,
)
from catalyst_bot.exchange.books.rates import RateLimit, RateVerdict
from catalyst_bot.exchange.books.records import AccessKey, Configuration
from catalyst_bot.exchange.books.reporting import Reporter
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.books.valuer import Valuer
from catalyst_bot.exchange.knobs import Knobs, Profile
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import ActionTaken, Moment, Played
from catalyst_bot.exchange.wire.errors import internal_error
from catalyst_bot.simulation.events import OrderEvent, VenueEvent
from catalyst_bot.simulation.margin import AccountFigures, figures
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus
from catalyst_bot.simulation.venue_rules import MoneyRule

logger = logging.getLogger(__name__)

Publish = Callable[[str, dict[str, Any]], None]
_CHANGES = "market_changes"


class Exchange:
    """All accounts of one exchange over one market.

    `now` is the exchange's clock, `publish` tells a trade update to an account's streams and
    `is_heard` whether there are any, `nudge` tells whoever waits for the next moment that orders
    have changed, `played` returns how far the market was played (without it, up to now), `seconds`
    counts requests (UNIX seconds).
    """

    def __init__(
        self,
        market: Market,
        store: ExchangeStore,
        knobs: Knobs | None = None,
        *,
        now: Callable[[], datetime],
        publish: Publish | None = None,
        costs: CostRules | None = None,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self.market = market
        self.store = store
        self.knobs = knobs or Knobs()
        self.now = now
        self.publish = publish
        self.nudge: Callable[[], None] | None = None
        self.played: Callable[[], Played] | None = None
        self.is_heard: Callable[[str], bool] | None = None
        self.reporter = Reporter(market, self.knobs)
        self.listeners = Listeners()
        self._seconds = seconds
        self._rates: dict[str, RateLimit] = {}
        self._due = DueList()
        self._touched: dict[str, Account] = {}
        self._untold: list[tuple[str, dict[str, Any]]] = []
        played = store.played()
        self._valuer = Valuer(market, self.figures, since=now() if played is None else played.until)
        self._interested: frozenset[str] | None = None
        self._changes = read_changes(store.setting(_CHANGES))
        apply_changes(self._changes, market.world)
        self.accounts = AccountBook(
            store, self.knobs, costs=costs or CostRules(), watch=self._watch
        )
        for account in self.accounts:
            self._take_up_chores(account)

    @property
    def is_tick_driven(self) -> bool:
        """Whether orders meet every trade, as at Alpaca, or whole bars, as in our replays."""
        return self.knobs.profile is Profile.ALPACA

    # Accounts

    def account_of_key(self, key_id: str, secret: str) -> Account | None:
        """Return the account a key opens; None for a wrong one."""
        return self.accounts.of_key(key_id, secret)

    def open_account(
        self,
        key_id: str | None = None,
        secret: str | None = None,
        *,
        cash_usd: Decimal | None = None,
    ) -> tuple[Account, AccessKey]:
        """Open an account, or return the one a known key has. Raises `ConfigError`: see there."""
        at = self.now()
        cash = self.knobs.starting_cash_usd if cash_usd is None else cash_usd
        account, key = self.accounts.open(at, key_id=key_id, secret=secret, cash_usd=cash)
        if account.seq == 0:
            self._tell_halts(account, at)
        self.settle()
        return account, key

    def reset_account(self, account: Account, *, cash_usd: Decimal | None = None) -> Account:
        """Put a fresh account, with another id, in the place of one."""
        at = self.now()
        self._touched.pop(account.account_id, None)
        self._interested = None
        cash = self.knobs.starting_cash_usd if cash_usd is None else cash_usd
        fresh = self.accounts.reset(account, at, cash_usd=cash)
        self._tell_halts(fresh, at)
        self.settle()
        return fresh

    def configure(self, account: Account, configuration: Configuration) -> None:
        """Set what the owner of an account may set."""
        self.accounts.configure(account, configuration)
        self.settle()

    def take_token(self, account: Account) -> RateVerdict:
        """Count a request of an account."""
        rate = self._rates.get(account.account_id)
        if rate is None:
            rate = RateLimit(self.knobs.rate_limit_per_min)
            self._rates[account.account_id] = rate
        return rate.take(self._seconds())

    def figures(self, account: Account, at: datetime) -> AccountFigures:
        """Return the money of an account at the prices of a time."""
        engine = account.engine
        return figures(
            engine.state,
            Marks(self.market, at),
            multiplier=engine.buying_power_multiplier,
            money=MoneyRule.MARGIN,
        )

    # The market

    def market_now(self, symbol: str, at: datetime) -> MarketNow:
        """Return what the engine has to know of a symbol's market."""
        quote = self.market.quote(symbol, at)
        last = self.market.last_price(symbol, at)
        return MarketNow(
            phase=self.market.phase(at),
            bid=None if quote is None else to_decimal(quote.bid),
            ask=None if quote is None else to_decimal(quote.ask),
            last=None if last is None else to_decimal(last),
            marks=Marks(self.market, at),
        )

    def show_price(
        self,
        account: Account,
        order_ids: Collection[str],
        symbol: str,
        at: datetime,
        market: MarketNow,
    ) -> None:
        """Let orders that just came meet the current price; in bar profiles they wait."""
        if not self.is_tick_driven or market.phase is SessionPhase.CLOSED:
            return
        bid, ask, last = market.bid, market.ask, market.last
        if bid is None or ask is None or last is None:
            return
        account.engine.on_trade(
            symbol,
            float(last),
            at,
            session=market.phase,
            bid=float(bid),
            ask=float(ask),
            only=order_ids,
        )

    def interested(self) -> Collection[str]:
        """Return the symbols whose trades matter: those with open orders."""
        if self._interested is None:
            symbols: set[str] = set()
            for account in self.accounts:
                symbols.update(account.engine.state.open_ids)
            self._interested = frozenset(symbols)
        return self._interested

    def on_moment(self, moment: Moment) -> None:
        """Let a moment of the market have its effects on every account."""
        if isinstance(moment, ActionTaken):
            self.reporter.forget_assets()
        for account in self.accounts:
            let_happen(account.engine, moment, self.market, is_tick_driven=self.is_tick_driven)

    def _tell_halts(self, account: Account, at: datetime) -> None:
        for symbol in self.market.symbols(at):
            if self.market.halt_of(symbol, at) is not None:
                account.engine.halt(symbol, at)

    def remember_change(self, change: MarketChange) -> None:
        """Keep what an administrator did to the market, for the next start; `settle` commits it."""
        self._changes.append(change)
        self.store.put_setting(_CHANGES, write_changes(self._changes))

    # Later

    def next_due(self) -> datetime | None:
        """Return when the exchange has something to do by itself."""
        times = (self._due.next_at(), self._valuer.next_at(self.accounts))
        return min((at for at in times if at is not None), default=None)

    def on_due(self, at: datetime) -> None:
        """Do what is due at or before a time."""
        for due in self._due.take(at):
            account = self.accounts.get(due.account_id)
            order = None if account is None else account.order(due.order_id)
            if account is None or order is None:
                continue
            match due.chore:
                case Chore.ACKNOWLEDGE:
                    account.engine.acknowledge(order.order_id, at)
                    market = self.market_now(order.symbol, at)
                    self.show_price(account, [order.order_id], order.symbol, at, market)
                case Chore.CONFIRM_CANCEL:
                    account.engine.confirm_cancel(order.order_id, at)
        self._valuer.value(self.accounts, at, self.store)

    def acknowledge_later(self, account: Account, order: VenueOrder) -> None:
        """Make an order that was just taken `new` when the delay is over."""
        due_at = order.created_at + timedelta(seconds=self.knobs.ack_delay_s)
        self._due.add(due_at, Chore.ACKNOWLEDGE, account.account_id, order.order_id)

    def confirm_cancel_later(self, account: Account, order: VenueOrder) -> None:
        """Finish a cancel that was just asked for when its time is over."""
        asked_at = order.cancel_requested_at or order.updated_at
        due_at = asked_at + timedelta(seconds=self.knobs.cancel_latency_s)
        self._due.add(due_at, Chore.CONFIRM_CANCEL, account.account_id, order.order_id)

    def _take_up_chores(self, account: Account) -> None:
        """Find again what was under way when the exchange stopped."""
        open_orders = account.engine.state.all_open_orders()
        for order in sorted(open_orders, key=lambda each: account.index.place(each.order_id) or 0):
            if self.reporter.is_unacknowledged(order):
                self.acknowledge_later(account, order)
            elif order.status is VenueStatus.PENDING_CANCEL:
                asked_at = order.cancel_requested_at or order.updated_at
                if self.reporter.trades_at(order, asked_at):
                    self.confirm_cancel_later(account, order)

    # Keeping and telling

    def settle(self, *, is_exact: bool = False) -> None:
        """Commit what changed, then tell it. Raises `ApiError` 500 when it cannot be kept.

        Then nothing is told, and both are tried again with the next change. With `is_exact` the
        time is kept even where nothing changed: somebody is about to hear of it.
        """
        at = self.now()
        played = Played(until=at) if self.played is None else self.played()
        has_events = bool(self._touched)
        for account in self._touched.values():
            events = account.unsaved
            self.store.add_events(account.account_id, account.seq - len(events), events)
            account.unsaved = []
        self._touched.clear()
        try:
            self.store.commit(at, played, is_exact=is_exact)
        except sqlite3.Error as error:
            logger.exception("changes of %s could not be kept", at.isoformat())
            raise internal_error() from error
        if has_events and self.nudge is not None:
            self.nudge()
        if self._untold:
            told, self._untold = self._untold, []
            for account_id, message in told:
                self.listeners.tell(account_id, message)
                if self.publish is not None:
                    self.publish(account_id, message)

    def _is_heard(self, account_id: str) -> bool:
        """Tell whether anybody would be told of an account's updates."""
        if self.listeners.has(account_id):
            return True
        return self.publish is not None and (self.is_heard is None or self.is_heard(account_id))

    def _watch(self, account: Account, event: VenueEvent) -> None:
        account.note(event)
        self._interested = None
        if not account.is_live:
            return
        account.unsaved.append(event)
        self._touched[account.account_id] = account
        if isinstance(event, OrderEvent) and self._is_heard(account.account_id):
            message = self.reporter.message(account, event)
            if message is not None:
                self._untold.append((account.account_id, message))
