"""The broker of a schedule: our own exchange, with the world's prices and nothing kept on disk.

Its clock is the true time. What the bot's wire brings is `answer`ed as the routes would; people
trade there with the same order desk.
"""

# ruff: noqa: ARG002 - methods have the shapes of those in whose place they stand

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.exchange.api.order_desk import OrderDesk
from catalyst_bot.exchange.api.trading_routes import OrderFilter, list_orders
from catalyst_bot.exchange.books.activities import ActivityFilter, list_activities
from catalyst_bot.exchange.books.records import AccessKey, AccountRecord
from catalyst_bot.exchange.books.serialise import account_body
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.knobs import Knobs
from catalyst_bot.exchange.market.assets import Asset, new_asset
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import (
    ActionTaken,
    Halted,
    Played,
    Resumed,
    SessionChanged,
    Traded,
)
from catalyst_bot.exchange.market.ticks import (
    ActionKind,
    CorporateAction,
    Halt,
    Tape,
    TopOfBook,
    Trade,
)
from catalyst_bot.exchange.market.world import EPOCH, MarketSource
from catalyst_bot.exchange.market.world import World as Recorded
from catalyst_bot.exchange.wire.errors import ApiError, not_found
from catalyst_bot.exchange.wire.replies import decimal_text, encode, read_moment
from catalyst_bot.simulation.events import VenueEvent
from catalyst_bot.simulation.venue_order import VenueOrder
from catalyst_bot.trials.world import World

KEY, SECRET = "PKTRIAL", "trial-secret"
START_CASH_USD = Decimal(100_000)
_MOST = 500
Reply = tuple[int, bytes]


class Venue:
    """One account at an exchange over the world's prices. `tell` gets what its stream tells."""

    def __init__(
        self,
        world: World,
        *,
        now: Callable[[], datetime],
        seed: int,
        partial_probability: Decimal,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._world = world
        self.now = now
        self.market = _WorldMarket(world)
        self.exchange = Exchange(
            self.market,
            _NothingKept(),
            Knobs(seed=seed, partial_probability=partial_probability),
            now=now,
            publish=lambda _, message: tell(message),
        )
        self.account, _ = self.exchange.open_account(KEY, SECRET, cash_usd=START_CASH_USD)
        self.desk = OrderDesk(self.exchange)

    # What requests see

    def answer(self, method: str, path: str, parts: Mapping[str, Any]) -> Reply:
        """Answer one request to the trading host."""
        try:
            return self._route(method, path, parts)
        except ApiError as error:
            return error.status, encode(error.body())

    def _route(self, method: str, path: str, parts: Mapping[str, Any]) -> Reply:
        match method, path:
            case "POST", "/v2/orders":
                return 200, encode(self.desk.place(self.account, parts))
            case "GET", "/v2/orders":
                return 200, encode(self._list(parts))
            case "GET", "/v2/orders:by_client_order_id":
                return 200, encode(self._named(parts["client_order_id"]))
            case "GET", "/v2/account/activities/FILL":
                return 200, encode(list_activities(self.account, _activities(parts)))
            case "GET", "/v2/account":
                return 200, encode(self._account())
            case "GET", "/v2/positions":
                return 200, encode(self._positions())
        order_id = path.removeprefix("/v2/orders/")
        if method == "DELETE":
            self.desk.cancel(self.account, order_id)
            return 204, b""
        if method == "PATCH":
            return 200, encode(self.desk.replace(self.account, order_id, parts))
        return 200, encode(self._body(self.desk.order(self.account, order_id), with_legs=True))

    def _body(self, order: VenueOrder, *, with_legs: bool) -> dict[str, Any]:
        return self.exchange.reporter.order(self.account, order, with_legs=with_legs)

    def _list(self, parts: Mapping[str, Any]) -> list[dict[str, Any]]:
        after = parts.get("after")
        asked = OrderFilter(
            status=parts["status"],
            limit=_MOST,
            after=None if after is None else read_moment(after, "after"),
            until=None,
            is_ascending=parts.get("direction") == "asc",
            is_nested=True,
            symbols=frozenset(),
            side=None,
            is_of_stocks=True,
            before_id=None,
            after_id=None,
        )
        return [self._body(each, with_legs=True) for each in list_orders(self.account, asked)]

    def _named(self, client_order_id: str) -> dict[str, Any]:
        order_id = self.account.index.named(client_order_id)
        order = None if order_id is None else self.account.order(order_id)
        if order is None:
            raise not_found(f"order not found for {client_order_id}")
        return self._body(order, with_legs=False)

    def _account(self) -> dict[str, Any]:
        figures = self.exchange.figures(self.account, self.now())
        return account_body(
            self.account.record,
            figures,
            balance_asof=self.account.balance_asof.isoformat(),
            is_shorting_enabled=False,
        )

    def _positions(self) -> list[dict[str, Any]]:
        """The fields that the bot reads; the rest of a position is what the market makes of it."""
        return [
            {
                "symbol": symbol,
                "qty": decimal_text(held.quantity),
                "side": "long" if held.quantity > 0 else "short",
                "avg_entry_price": decimal_text(held.cost_usd / held.quantity),
            }
            for symbol, held in sorted(self.holdings.items())
        ]

    # What is true

    @property
    def holdings(self) -> Mapping[str, Any]:
        """Holdings by symbol."""
        return self.account.engine.state.account.holdings

    @property
    def cash_usd(self) -> Decimal:
        """The cash of the account."""
        return self.account.engine.state.account.cash_usd

    def held(self, symbol: str) -> Decimal:
        """Return the shares the account holds of a symbol."""
        return self.account.engine.state.account.held(symbol)

    def open_orders(self) -> list[VenueOrder]:
        """Return the orders that may still trade, held legs included."""
        return self.account.engine.state.all_open_orders()

    def orders(self) -> Sequence[VenueOrder]:
        """Return every order there ever was, oldest first."""
        return [self.account.engine.state.orders[each] for each in self.account.index.ids]

    # What happens in the market

    def trade(self, symbol: str) -> None:
        """Let orders meet the world's price of a symbol."""
        if symbol not in self.account.engine.state.open_ids:
            return
        at = self.now()
        trade = Trade(
            symbol=symbol,
            at=at,
            price=self._world.stocks[symbol].price,
            size=100,
            trade_id=0,
            exchange="Q",
            tape=Tape.C,
            conditions=(),
        )
        self.exchange.on_moment(Traded(at=at, trades=(trade,)))
        self.exchange.settle()

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol."""
        self.exchange.on_moment(Halted(at=self.now(), symbol=symbol, code="LUDP"))

    def resume(self, symbol: str) -> None:
        """Trade a symbol again."""
        self.exchange.on_moment(Resumed(at=self.now(), symbol=symbol, code="LUDP"))
        self.exchange.settle()

    def change_session(self, phase: SessionPhase) -> None:
        """Begin another part of the day."""
        at = self.now()
        self.exchange.on_moment(SessionChanged(at=at, phase=phase, day=at.date()))
        self.exchange.settle()

    def split(self, symbol: str, shares_per_share: Decimal) -> None:
        """Turn each share into so many; the world's price has followed already."""
        action = CorporateAction(
            kind=ActionKind.SPLIT, symbol=symbol, on=self.now().date(), new_rate=shares_per_share
        )
        self.exchange.on_moment(ActionTaken(at=self.now(), action=action))
        self.exchange.settle()

    def cancel(self, order_id: str) -> bool:
        """Cancel an order as a person or the broker would; False when that is too late."""
        try:
            self.desk.cancel(self.account, order_id)
        except ApiError:
            return False
        return True

    def trade_by_hand(self, symbol: str, side: str, quantity: int) -> bool:
        """Place a person's market order; False when it is refused."""
        body = {
            "symbol": symbol,
            "qty": str(quantity),
            "side": side,
            "type": "market",
            "time_in_force": "day",
        }
        try:
            self.desk.place(self.account, body)
        except ApiError:
            return False
        return True


class _WorldMarket(Market):
    """The exchange's view of the world: hours are the real ones, prices are now's."""

    def __init__(self, world: World) -> None:
        super().__init__(_recorded_nothing())
        self._now = world

    def asset(self, key: str, at: datetime) -> Asset | None:
        return _asset(key) if key in self._now.stocks else None

    def symbols(self, at: datetime) -> tuple[str, ...]:
        return tuple(self._now.stocks)

    def halt_of(self, symbol: str, at: datetime) -> Halt | None:
        is_halted = self._now.stocks[symbol].is_halted
        return Halt(symbol=symbol, starts_at=at) if is_halted else None

    def last_price(self, symbol: str, at: datetime) -> float | None:
        stock = self._now.stocks.get(symbol)
        return None if stock is None else stock.price

    def quote(self, symbol: str, at: datetime) -> TopOfBook | None:
        quote = self._now.quote(symbol, at)
        return TopOfBook(
            symbol=symbol,
            at=at,
            bid=quote.bid,
            ask=quote.ask,
            bid_size=100,
            ask_size=100,
            exchange="Q",
            tape=Tape.C,
        )


@lru_cache(maxsize=1)
def _recorded_nothing() -> Recorded:
    """A world without recordings: it knows the hours."""
    return Recorded(MarketSource(stores=(), default_start=EPOCH))


_asset = lru_cache(maxsize=None)(new_asset)


class _NothingKept(ExchangeStore):
    """The exchange of a schedule never dies, so it writes nothing down."""

    def __init__(self) -> None:
        """Open no file."""

    def setting(self, name: str) -> str | None:
        return None

    def accounts(self) -> list[AccountRecord]:
        return []

    def access_keys(self) -> list[AccessKey]:
        return []

    def played(self) -> Played | None:
        return None

    def put_account(self, record: AccountRecord, place: int) -> None:
        pass

    def put_access_key(self, key: AccessKey) -> None:
        pass

    def put_setting(self, name: str, value: str) -> None:
        pass

    def put_equity(self, account_id: str, minute_s: int, equity_usd: Decimal) -> None:
        pass

    def add_events(self, account_id: str, after_seq: int, events: Sequence[VenueEvent]) -> None:
        pass

    def commit(self, at: datetime, played: Played, *, is_exact: bool = False) -> None:
        pass


def _activities(parts: Mapping[str, Any]) -> ActivityFilter:
    return ActivityFilter(
        kinds=frozenset({"FILL"}),
        order_id=None,
        on=None,
        after=read_moment(parts["after"], "after"),
        until=None,
        is_ascending=True,
        page_size=100,
        page_token=parts.get("page_token"),
    )
