"""What the dashboard, the reports and the commands know: read-only, while the writer runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, Select, Table, func, or_, select

from catalyst_bot.domain.errors import CatalystError, ConfigError
from catalyst_bot.domain.messages.decisions import PositionClosed
from catalyst_bot.domain.messages.facts import HeadlineReceived, OperatorTradeRequested
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.storage import revisions, schema
from catalyst_bot.storage.codec import wire_decimal
from catalyst_bot.storage.database import errors_named, exists, read_engine
from catalyst_bot.storage.places import Place, place_of
from catalyst_bot.storage.projections.headlines import BEFORE, STEPS
from catalyst_bot.storage.rows import Row, journal_hash_of_rows, to_record
from catalyst_bot.storage.trade_log import TradeFilter, find_trades, trade_view, trades_query
from catalyst_bot.storage.views import (
    AccountState,
    CatalystView,
    EquityPoint,
    EventView,
    FunnelView,
    HeadlineView,
    LoggedTrade,
    OrderView,
    PositionView,
    RefusalResult,
    RefusalView,
    RunResult,
    StatusView,
    TradeResult,
    TradeView,
)

STILL_WAITING = "still_waiting"
_PRICE_STEP = Decimal("0.0001")
_AT_ONCE = 1_000  # rows held while a journal is read
View = TypeVar("View")


class ReadModel:
    """Answers from the read tables of a journal, at a place or URL; never writes.

    Lists are newest first unless told otherwise. Raises `ConfigError` when there is no journal, or
    one of another schema; every answer may raise `SourceUnreachable`.
    """

    def __init__(self, where: Place | str) -> None:
        self.place = place_of(where)
        if not exists(self.place):
            raise ConfigError(f"storage.url: there is no journal at {self.place} yet")
        self._engine = read_engine(self.place)
        try:
            with self._snapshot() as connection:
                found = connection.exec_driver_sql(revisions.READ_VERSION).scalar()
            revisions.check(self.place, str(found or ""))
        except CatalystError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self) -> StatusView | None:
        """Return how the bot is, or None before its first start."""
        journal = schema.journal.c
        newest = select(journal.seq, journal.at).order_by(journal.seq.desc()).limit(1)
        with self._snapshot() as connection:
            found = _dicts(connection, select(schema.status))
            if not found:
                return None
            last = _dicts(connection, newest)[0]
        del found[0]["id"]
        return cast("StatusView", found[0] | {"last_seq": last["seq"], "last_at": last["at"]})

    def account(self) -> AccountState | None:
        """Return the newest valuation, or None before the first."""
        found = self._newest(schema.equity_points, 1)
        return cast("AccountState", found[0]) if found else None

    def equity_points(self, *, limit: int = 10_000) -> list[EquityPoint]:
        """Return the newest `limit` points of the equity curve, oldest first."""
        points = self._newest(schema.equity_points, limit)[::-1]
        return [_only(EquityPoint, point) for point in points]

    def positions(self) -> list[PositionView]:
        """Return what is held now, by symbol."""
        with self._snapshot() as connection:
            rows = _dicts(connection, select(schema.positions).order_by(schema.positions.c.symbol))
        return [_position(row) for row in rows]

    def trades(self, *, limit: int = 100, include_open: bool = True) -> list[TradeView]:
        """Return round trips, the last opened or closed first."""
        query = trades_query().limit(limit)
        if not include_open:
            query = query.where(schema.trades.c.exit_at.is_not(None))
        with self._snapshot() as connection:
            return [trade_view(row) for row in _dicts(connection, query)]

    def trade_log(self, chosen: TradeFilter) -> list[LoggedTrade]:
        """Return the round trips chosen, in the order of their entry."""
        with self._snapshot() as connection:
            return find_trades(connection, chosen)

    def orders(self, *, limit: int = 100) -> list[OrderView]:
        """Return orders and bracket legs."""
        return [_order(row) for row in self._newest(schema.orders, limit)]

    def refusals(self, *, limit: int = 100) -> list[RefusalView]:
        """Return refused intents with all their checks."""
        return [_refusal(row) for row in self._newest(schema.refusals, limit)]

    def headlines(self, *, limit: int = 100) -> list[HeadlineView]:
        """Return headlines with the step each reached."""
        rows = self._newest(schema.headline_progress, limit)
        return [_only(HeadlineView, row) for row in rows]

    def catalysts(self, *, limit: int = 100) -> list[CatalystView]:
        """Return what headlines were for their symbols."""
        return [_only(CatalystView, row) for row in self._newest(schema.catalysts, limit)]

    def events(self, *, after_seq: int = 0, limit: int = 100) -> list[EventView]:
        """Return the newest `limit` events after `after_seq`, oldest first."""
        rows = self._newest(schema.events, limit, after_seq=after_seq)
        return cast("list[EventView]", rows[::-1])

    def funnel(self) -> FunnelView:
        """Return how many headlines reached each step, and why the others did not.

        What was lost before a step always sums up to the difference of the two counts.
        """
        progress = schema.headline_progress.c
        query = select(progress.step, progress.reason, func.count()).group_by(
            progress.step, progress.reason
        )
        with self._snapshot() as connection:
            return _funnel(
                [tuple(row) for row in connection.execute(query.order_by(progress.reason))]
            )

    def trail(self, any_id: str) -> list[Recorded]:
        """Return everything recorded on the way from a headline to its trade, in order.

        `any_id` is that of a headline, catalyst, signal, intent, order, trade or of what a person
        asked for; the headline itself is always included. Empty when nothing is known by that id.
        """
        journal = schema.journal.c
        with self._snapshot() as connection:
            catalyst_ids, item_ids = _trail_ids(connection, any_id)
            query = (
                select(*(journal[name] for name in Row._fields))
                .where(
                    or_(
                        journal.trail_id.in_({any_id, *catalyst_ids}),
                        journal.trail_id.in_(item_ids)
                        & (journal.name == HeadlineReceived.__name__),
                    )
                )
                .order_by(journal.seq)
            )
            return [to_record(Row._make(row)) for row in connection.execute(query)]

    def records(self, *names: str, after_seq: int = 0) -> Iterator[Recorded]:
        """Yield the journal in order: all of it, or only messages of the given names.

        Rows are not checked here: the writer did so when it opened the file.
        """
        journal = schema.journal.c
        query = select(*(journal[name] for name in Row._fields)).order_by(journal.seq)
        query = query.where(journal.seq > after_seq)
        if names:
            query = query.where(journal.name.in_(names))
        with self._snapshot() as connection:
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
                yield to_record(Row._make(row))

    def closed_trades(self) -> list[ClosedTrade]:
        """Return every finished round trip, oldest first."""
        return [
            record.body.trade
            for record in self.records(PositionClosed.__name__)
            if isinstance(record.body, PositionClosed)
        ]

    def journal_hash(self) -> str:
        """Return the `journal_hash` of everything recorded."""
        journal = schema.journal.c
        query = select(*(journal[name] for name in Row._fields)).order_by(journal.seq)
        with self._snapshot() as connection:
            return journal_hash_of_rows(map(Row._make, connection.execute(query)))

    def run_result(self) -> RunResult:
        """Return the result of a run, trades and refusals oldest first; `seconds` is missing."""
        every = 2**31
        status, account = self.status(), self.account()
        start = status["starting_cash_usd"] if status else None
        return {
            "funnel": self.funnel(),
            "trades": [_only(TradeResult, t) for t in reversed(self.trades(limit=every))],
            "refusals": [_only(RefusalResult, r) for r in reversed(self.refusals(limit=every))],
            "equity_start": account["start_equity_usd"] if account else start,
            "equity_end": account["equity_usd"] if account else start,
            "journal": str(self.place),
            "journal_hash": self.journal_hash(),
        }

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """Several queries that see the same moment."""
        with errors_named(self.place), self._engine.connect() as connection:
            yield connection

    def _newest(self, table: Table, limit: int, *, after_seq: int = 0) -> list[dict[str, Any]]:
        query = select(table).where(table.c.seq > after_seq)
        with self._snapshot() as connection:
            return _dicts(connection, query.order_by(table.c.seq.desc()).limit(limit))


def _dicts(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _only(view: type[View], row: Any) -> View:
    """Leave out what the narrower view does not have."""
    return cast("View", {name: row[name] for name in view.__annotations__})


def _refusal(row: dict[str, Any]) -> RefusalView:
    return cast("RefusalView", row | {"checks": json.loads(row["checks"])})


def _position(row: dict[str, Any]) -> PositionView:
    quantity, last_price = Decimal(row["quantity"]), Decimal(row["last_price"])
    unrealised = (last_price - Decimal(row["average_cost"])) * quantity
    worth = {
        "market_value_usd": wire_decimal(last_price * quantity),
        "unrealised_usd": wire_decimal(unrealised),
    }
    return cast("PositionView", row | worth)


def _order(row: dict[str, Any]) -> OrderView:
    filled_usd, quantity = Decimal(row.pop("filled_usd")), Decimal(row["filled_quantity"])
    del row["seq"]
    average = (filled_usd / quantity).quantize(_PRICE_STEP) if quantity else None
    shown = wire_decimal(average) if average is not None else None
    return cast("OrderView", row | {"average_fill_price": shown})


def _funnel(counts: Iterable[tuple[str, str | None, int]]) -> FunnelView:
    reached = dict.fromkeys(STEPS, 0)
    lost: dict[str, dict[str, int]] = {step: {} for step in BEFORE}
    next_step = {before: step for step, before in BEFORE.items()}
    for furthest, reason, count in counts:
        for step in STEPS[: STEPS.index(furthest) + 1]:
            reached[step] += count
        if furthest in next_step:
            lost[next_step[furthest]][reason or STILL_WAITING] = count
    return cast("FunnelView", {**reached, "lost": lost})


def _trail_ids(connection: Connection, any_id: str) -> tuple[set[str], set[str]]:
    """Catalysts that an id stands for, and the headlines they came from."""
    catalysts, orders = schema.catalysts.c, schema.orders.c
    sold = _trails_asked_about(connection, any_id)
    decisions = schema.decisions.c
    by_decision = select(decisions.catalyst_id).where(
        or_(decisions.signal_id == any_id, decisions.intent_id == any_id)
    )
    by_order = select(orders.catalyst_id).where(
        or_(orders.client_order_id == any_id, orders.trade_id == any_id)
    )
    query = select(catalysts.catalyst_id, catalysts.item_id).where(
        or_(
            catalysts.catalyst_id.in_({any_id, *sold}),
            catalysts.item_id == any_id,
            catalysts.signal_id == any_id,
            catalysts.catalyst_id.in_(by_decision),
            catalysts.catalyst_id.in_(by_order),
        )
    )
    found = connection.execute(query).all()
    return {*sold, *(row.catalyst_id for row in found)}, {row.item_id for row in found}


def _trails_asked_about(connection: Connection, any_id: str) -> set[str]:
    """Trails in which a request of a person was carried out: a sale is in that of its position."""
    journal = schema.journal.c
    asked = select(journal.seq).where(
        journal.name == OperatorTradeRequested.__name__, journal.trail_id == any_id
    )
    query = select(journal.trail_id).where(journal.cause_seq.in_(asked)).distinct()
    return {row.trail_id for row in connection.execute(query)} - {""}
