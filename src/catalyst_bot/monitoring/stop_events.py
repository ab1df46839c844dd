"""Everything that happened to stops, read from the journal: one row an event, in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import ExitReason, OrderRole, ProtectedBy
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id

PROTECTED, UNPROTECTED = "protected", "unprotected"
HEADER = ("at", "symbol", "event", "stop", "note", "trade")
STOPS = frozenset({ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP, ExitReason.UNPROTECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEvent:
    """What happened, where the stop is since (None where it says nothing of it), and why."""

    at: datetime
    symbol: str
    event: str
    stop_price: Decimal | None
    note: str
    trade_id: str

    def as_row(self) -> tuple[str, ...]:
        """Cells of a table, in the order of `HEADER`."""
        price = f"{self.stop_price:f}" if self.stop_price is not None else ""
        at = f"{self.at:%Y-%m-%d %H:%M:%S}"
        return at, self.symbol, self.event, price, self.note, self.trade_id

    def as_dict(self) -> dict[str, Any]:
        """JSON form; the price is a decimal string."""
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "symbol": self.symbol,
            "event": self.event,
            "stop_price": f"{self.stop_price:f}" if self.stop_price is not None else None,
            "note": self.note,
            "trade_id": self.trade_id,
        }


def stop_events(records: Iterable[Recorded]) -> list[StopEvent]:
    """Return every event of a stop in a journal."""
    reader = _Reader()
    return list(_lasting([event for record in records for event in reader.read(record)]))


def _lasting(events: Sequence[StopEvent]) -> Iterator[StopEvent]:
    """Leave out that a position was without protection for no time: a broker tells of the entry's
    fill and of the stop that came with it one after the other.
    """
    last = {(each.trade_id, each.at): n for n, each in enumerate(events) if each.event == PROTECTED}
    for number, event in enumerate(events):
        is_over = last.get((event.trade_id, event.at), -1) > number
        if event.event != UNPROTECTED or not is_over:
            yield event


class _Reader:
    """Knows of which trade a stop at the broker is: facts about orders name only the order."""

    def __init__(self) -> None:
        self._stops: dict[str, tuple[str, str]] = {}  # order -> symbol, trade

    def read(self, record: Recorded) -> Iterator[StopEvent]:
        """Yield the events of one record."""
        body: Any = record.body
        match body:
            case d.OrderApproved():
                yield from self._approved(body.order, record.at)
            case d.StopMoved():
                was = f"from {body.old_stop_price:f}, " if body.old_stop_price > 0 else ""
                yield _event(record, body, "raised" if was else "set", body.stop_price, was)
            case d.OrderRescaled() if body.client_order_id in self._stops:
                yield self._of_order(record, body, "rescaled", body.stop_price, "a split")
            case f.OrderReplaced() if body.stop_price is not None:
                yield self._of_order(record, body, "moved at the broker", body.stop_price, "")
            case f.ChangeRefused() if body.client_order_id in self._stops:
                yield self._of_order(record, body, "change refused", None, body.reason)
            case d.ProtectionChanged():
                is_bare = body.protected_by is ProtectedBy.NONE
                word = UNPROTECTED if is_bare else PROTECTED
                yield _of_trade(record, body, word, body.detail)
            case d.ProtectionNeeded():
                note = f"{body.quantity:f} shares: {body.detail} ({body.step})"
                yield _of_trade(record, body, "without a stop", note)
            case d.PositionClosed() if body.trade.exit_reason in STOPS:
                trade = body.trade
                note = f"{trade.exit_reason} at {trade.exit_price:f}, P&L {trade.pnl_usd:f}"
                yield _of_trade(record, trade, "closed", note)

    def _approved(self, order: ApprovedOrder, at: datetime) -> Iterator[StopEvent]:
        stop_price = order.stop_loss_price or order.watched_stop_price
        if order.role is OrderRole.EXIT and order.exit_reason in STOPS:
            event, note = "left", f"by the bot: {order.exit_reason}"
        elif stop_price is not None:
            is_entry = order.role is OrderRole.ENTRY
            event = "set" if is_entry else "placed"
            note = f"for {order.quantity:f} shares" + (" with the entry" if is_entry else "")
        else:
            return
        stop_id = order.client_order_id
        if order.role is not OrderRole.STOP_LOSS:
            stop_id = stop_leg_id(stop_id)
        self._stops[stop_id] = (order.symbol, order.trade_id)
        yield StopEvent(
            at=at,
            symbol=order.symbol,
            event=event,
            stop_price=stop_price,
            note=note,
            trade_id=order.trade_id,
        )

    def _of_order(
        self, record: Recorded, body: Any, event: str, stop_price: Decimal | None, note: str
    ) -> StopEvent:
        symbol, trade_id = self._stops.get(body.client_order_id, ("", ""))
        return StopEvent(
            at=record.at,
            symbol=symbol,
            event=event,
            stop_price=stop_price,
            note=note,
            trade_id=trade_id,
        )


def _event(
    record: Recorded, body: d.StopMoved, event: str, stop_price: Decimal, was: str
) -> StopEvent:
    return StopEvent(
        at=record.at,
        symbol=body.symbol,
        event=event,
        stop_price=stop_price,
        note=f"{was}highest price {body.high_water_price:f}",
        trade_id=body.trade_id,
    )


def _of_trade(record: Recorded, body: Any, event: str, note: str) -> StopEvent:
    return StopEvent(
        at=record.at,
        symbol=body.symbol,
        event=event,
        stop_price=None,
        note=note,
        trade_id=body.trade_id,
    )
