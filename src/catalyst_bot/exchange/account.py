"""One account: its engine, and what follows from the engine's events for finding things again.

Everything here but the configuration and the lists is a fold of the account's events, so it is
the same after a restart.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from catalyst_bot.domain.money import ZERO
from catalyst_bot.exchange.records import AccountRecord, Watchlist
from catalyst_bot.exchange.serialise import uuid_of
from catalyst_bot.exchange.trade_updates import EventIds, execution_uuid
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.simulation.events import (
    DayRolled,
    OrderEntered,
    OrderFilled,
    SplitApplied,
    SymbolRenamed,
    VenueEvent,
)
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderRequest
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole


class OrderIndex:
    """Orders in the order in which they came, and by the names their owners gave them."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._times: list[datetime] = []
        self._places: dict[str, int] = {}
        self._by_client_id: dict[str, list[str]] = {}

    def add(self, event: OrderEntered) -> None:
        """Remember an order that was taken."""
        self._places[event.order_id] = len(self.ids)
        self.ids.append(event.order_id)
        self._times.append(max(event.at, self._times[-1]) if self._times else event.at)
        self._by_client_id.setdefault(event.client_order_id, []).append(event.order_id)

    def uses(self, client_order_id: str) -> int:
        """Return how many orders had this name so far."""
        return len(self._by_client_id.get(client_order_id, ()))

    def named(self, client_order_id: str) -> str | None:
        """Return the last order with this name."""
        found = self._by_client_id.get(client_order_id)
        return found[-1] if found else None

    def place(self, order_id: str) -> int | None:
        """Return where in `ids` an order stands."""
        return self._places.get(order_id)

    def between(self, after: datetime | None, until: datetime | None) -> tuple[int, int]:
        """Return the range of `ids` strictly between two times; None is open."""
        first = 0 if after is None else bisect_right(self._times, after)
        end = len(self.ids) if until is None else bisect_left(self._times, until)
        return first, max(first, end)


class ExchangeNames:
    """Names orders of one account: pure functions of what the account already has."""

    def __init__(self, account_id: str, index: OrderIndex) -> None:
        self._account_id = account_id
        self._index = index

    def order_id(self, client_order_id: str) -> str:
        """See `OrderNames`; an id used again names another order."""
        uses = str(self._index.uses(client_order_id))
        return uuid_of(self._account_id, "order", client_order_id, uses)

    def leg(self, entry: OrderRequest, role: VenueRole) -> tuple[str, str]:
        """See `OrderNames`."""
        uses = str(self._index.uses(entry.client_order_id))
        parts = (self._account_id, "leg", entry.client_order_id, uses, role.value)
        return uuid_of(*parts, "client"), uuid_of(*parts)

    def successor(self, order: VenueOrder, count: int) -> tuple[str, str]:
        """See `OrderNames`."""
        parts = (self._account_id, "successor", order.order_id, str(count))
        return uuid_of(*parts, "client"), uuid_of(*parts)

    def fresh(self) -> str:
        """Return a client order id for an order whose owner gave none."""
        return uuid_of(self._account_id, "client", str(len(self._index.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution, for the list of activities; `name` is its id there."""

    event: OrderFilled
    name: str
    cumulative: Decimal
    symbol: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksChanged:
    """A corporate action that changed what an account holds, for the list of activities."""

    event: SplitApplied | SymbolRenamed
    name: str
    quantity: Decimal


Activity = Execution | BooksChanged


class Account:
    """An account of the exchange. `engine` is its matching engine, `seq` its last event.

    `unsaved` are events that are not on disk yet; none are kept while the account is read again.
    """

    def __init__(
        self, record: AccountRecord, engine: MatchingEngine, index: OrderIndex, place: int
    ) -> None:
        self.record = record
        self.engine = engine
        self.index = index
        self.place = place
        self.names = ExchangeNames(record.account_id, index)
        self._event_ids = EventIds(record.account_id)
        self.seq = 0
        self.is_live = False
        self.unsaved: list[VenueEvent] = []
        self.activities: list[Activity] = []
        self.activity_places: dict[str, int] = {}
        self.watchlists: dict[str, Watchlist] = {}
        self.watchlists_dropped = 0
        self.equity: list[tuple[int, Decimal]] = []
        self.overnight: dict[str, Decimal] = {}
        self.balance_asof: date = record.created_at.astimezone(NEW_YORK).date()
        self.last_equity_usd = record.cash_usd

    @property
    def account_id(self) -> str:
        return self.record.account_id

    @property
    def has_traded(self) -> bool:
        """Whether the account was ever worth anything but its first cash."""
        return bool(self.activities)

    def order(self, order_id: str) -> VenueOrder | None:
        """Return an order, also an ended one."""
        return self.engine.state.orders.get(order_id)

    def orders(self, first: int, end: int, *, is_ascending: bool) -> Iterator[VenueOrder]:
        """Yield orders by their places in the index."""
        places = range(first, end) if is_ascending else range(end - 1, first - 1, -1)
        for place in places:
            yield self.engine.state.orders[self.index.ids[place]]

    def value(self, minute_s: int, equity_usd: Decimal) -> bool:
        """Remember what the account is worth in a minute; tell whether that is news."""
        known = self.equity[-1][1] if self.equity else self.record.cash_usd
        if equity_usd == known:
            return False
        if self.equity and self.equity[-1][0] == minute_s:
            self.equity.pop()
        self.equity.append((minute_s, equity_usd))
        return True

    def event_id(self) -> str:
        """Return the id of the last event."""
        return self._event_ids.of(self.seq)

    def note(self, event: VenueEvent) -> None:
        """Remember what follows from an event the engine has just applied."""
        self.seq += 1
        self._event_ids.pass_by(event.at)
        match event:
            case OrderEntered():
                self.index.add(event)
            case OrderFilled():
                self._note_fill(event)
            case SplitApplied():
                self._note_split(event)
            case SymbolRenamed():
                if event.symbol in self.overnight:
                    self.overnight[event.new_symbol] = self.overnight.pop(event.symbol)
                self._note_change(event, self.engine.state.account.held(event.new_symbol))
            case DayRolled():
                self._note_day(event)
            case _:
                pass

    def _note_fill(self, event: OrderFilled) -> None:
        order = self.engine.state.orders[event.order_id]
        self._add_activity(
            Execution(
                event=event,
                name=execution_uuid(event),
                cumulative=order.filled_quantity,
                symbol=order.symbol,
                side=order.side.value,
            )
        )
        if order.symbol in self.overnight:
            held = self.engine.state.account.held(order.symbol)
            self.overnight[order.symbol] = self.overnight_shares(order.symbol, held)

    def _note_split(self, event: SplitApplied) -> None:
        if event.symbol in self.overnight:
            self.overnight[event.symbol] *= event.shares_per_share
        self._note_change(event, self.engine.state.account.held(event.symbol))

    def _note_change(self, event: SplitApplied | SymbolRenamed, quantity: Decimal) -> None:
        if quantity != 0:
            name = uuid_of(self.account_id, "activity", str(self.seq))
            self._add_activity(BooksChanged(event=event, name=name, quantity=quantity))

    def _add_activity(self, activity: Activity) -> None:
        self.activity_places[activity.name] = len(self.activities)
        self.activities.append(activity)

    def _note_day(self, event: DayRolled) -> None:
        self.last_equity_usd = event.equity_usd
        self.balance_asof = event.at.astimezone(NEW_YORK).date()
        holdings = self.engine.state.account.holdings
        self.overnight = {symbol: held.quantity for symbol, held in holdings.items()}

    def overnight_shares(self, symbol: str, quantity: Decimal) -> Decimal:
        """Return how many of the shares held now were held at the end of the session before."""
        before = self.overnight.get(symbol, ZERO)
        if before * quantity <= 0:
            return ZERO
        return before if abs(before) < abs(quantity) else quantity
