"""Fills of the account that are not ours: a person traded at the broker.

They are read from the account's list of executions, which holds all of them, whenever their orders
were placed. Each is told once: the journal keeps the ids of those that were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.alpaca.reading import amount, time_of
from catalyst_bot.broker.alpaca_mapping import plain
from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import Fill

OVERLAP = timedelta(minutes=10)  # a list may lag behind, and clocks may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One row of the list: `sum_quantity` is what its order had filled after it."""

    row_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    sum_quantity: Decimal
    at: datetime

    @property
    def fill_id(self) -> str:
        """The same execution has the same id, whoever reads it."""
        return ids.fill_id(self.broker_order_id, plain(self.sum_quantity))


class Foreign:
    """What was told of orders that are not ours, and since when the list has to be read."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._begun_at: datetime | None = None
        self._read_until: datetime | None = None

    def learn(self, messages: Iterable[Message]) -> None:
        """Fold a journal: what was told, and until when the list was read for sure.

        That is as of the last books: the list is read before them. A process may have heard the
        broker and died before it came to the list.
        """
        for message in messages:
            at = getattr(message, "at", None)
            if isinstance(at, datetime):
                self._begun_at = self._begun_at or at
            match message:
                case f.ForeignFilled(fill=fill):
                    self._told.add(fill.fill_id)
                case f.BrokerSnapshotReceived():
                    self._read_until = message.at

    def since(self, now: datetime) -> datetime:
        """Return from when on the list has to be read. What is older than our book is not told."""
        self._begun_at = self._begun_at or now
        self._read_until = self._read_until or self._begun_at
        return max(self._begun_at, self._read_until - OVERLAP)

    def read_at(self, at: datetime) -> None:
        """The list was read to its end, as it was at a time."""
        self._read_until = at

    def is_new(self, row: Execution) -> bool:
        """True for an execution that was not told, if it is a foreign one."""
        is_older = self._begun_at is not None and row.at < self._begun_at
        return not is_older and row.fill_id not in self._told

    def news(
        self, rows: Iterable[Execution], owners: Mapping[str, str | None], at: datetime
    ) -> Iterator[f.ForeignFilled]:
        """Tell executions of foreign orders; `owners` are their client ids by Alpaca's id."""
        for row in sorted(rows, key=lambda row: (row.at, row.sum_quantity, row.row_id)):
            if self.is_new(row):
                self._told.add(row.fill_id)
                yield f.ForeignFilled(at=at, fill=_fill(row, owners[row.broker_order_id]))


def _fill(row: Execution, client_order_id: str | None) -> Fill:
    return Fill(
        fill_id=row.fill_id,
        client_order_id=client_order_id or row.broker_order_id,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        fee_usd=ZERO,
        filled_at=row.at,
    )


def read_executions(told: Any) -> list[Execution]:
    """Read a page of the list of fills. Raises `BadData`."""
    if not isinstance(told, list) or not all(isinstance(row, Mapping) for row in told):
        raise BadData("the answer is no list of activities")
    return [_execution(row) for row in told]


def _execution(row: Mapping[str, Any]) -> Execution:
    side = str(row.get("side") or "")
    if side not in {"buy", "sell", "sell_short"}:
        raise BadData(f"activity {row.get('id')!r}: side {side!r}")
    found = Execution(
        row_id=str(row.get("id") or ""),
        broker_order_id=str(row.get("order_id") or ""),
        symbol=str(row.get("symbol") or ""),
        side=Side.BUY if side == "buy" else Side.SELL,
        quantity=amount(row, "qty"),
        price=amount(row, "price"),
        sum_quantity=amount(row, "cum_qty"),
        at=time_of(row, "transaction_time"),
    )
    if not (found.row_id and found.quantity > 0 and found.price > 0):
        raise BadData(f"activity {found.row_id!r}: {found.quantity} at {found.price}")
    return found
