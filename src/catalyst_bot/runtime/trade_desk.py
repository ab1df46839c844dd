"""How a person's trade reaches the running bot from another process, and how the answer returns.

A request is a file in `<data dir>/operator/trades`. The bot turns it into a fact, and takes the
file away once that fact is in the journal; so a crash loses no request, and an id that the core
has seen is not judged again. What becomes of it is written to `operator/answers`. Whoever holds
the lock `operator/ATTENDED` is the bot that answers.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import Check, Fill
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.latch_file import FOLDER, hold, is_attended

TOO_OLD = timedelta(seconds=30)  # a request nobody took: whoever asked has given up
REFUSED, APPROVED, QUEUED, REJECTED = "refused", "approved", "queued", "rejected"
ACCEPTED, FILLED, UNCLEAR = "accepted", "filled", "unclear"
FINAL = frozenset({REFUSED, REJECTED, FILLED, UNCLEAR, QUEUED})
PRICE_STEP = Decimal("0.0001")
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRequest:
    """What a person asks for; of `usd` and `quantity` one at most."""

    request_id: str
    by: str
    side: Side
    symbol: str
    usd: Decimal | None = None
    quantity: Decimal | None = None


class TradeDesk:
    """Requests and answers, as files; both sides of the counter."""

    def __init__(self, data_dir: Path, *, wall: Clock | None = None) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / FOLDER
        self._requests = self._folder / "trades"
        self._answers = self._folder / "answers"
        self._wall = wall or SystemClock()
        self._lock: Callable[[], object] | None = None
        self._taken: set[str] = set()
        self._by_seq: dict[int, str] = {}
        self._by_order: dict[str, str] = {}
        self._given: dict[str, Answer] = {}
        self._fills: dict[str, dict[str, Fill]] = {}

    # Whoever asks

    def ask(self, request: TradeRequest) -> None:
        """Put a request on the counter, whole or not at all."""
        note = {
            "request_id": request.request_id,
            "by": request.by,
            "side": str(request.side),
            "symbol": request.symbol,
            "usd": f"{request.usd:f}" if request.usd is not None else None,
            "quantity": f"{request.quantity:f}" if request.quantity is not None else None,
            "asked_at": self._wall.now().isoformat(),
        }
        _write(self._requests / f"{request.request_id}.json", note)

    def answer(self, request_id: str) -> Answer | None:
        """Return what is known of a request so far, None while nobody has answered."""
        try:
            told = json.loads((self._answers / f"{request_id}.json").read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return told if isinstance(told, dict) else None

    def withdraw(self, request_id: str) -> None:
        """Take back a request that nobody took."""
        (self._requests / f"{request_id}.json").unlink(missing_ok=True)

    def is_attended(self) -> bool:
        """True while a bot holds the lock; a folder without one is left as it is."""
        return is_attended(self._data_dir)

    # The bot

    def attend(self) -> bool:
        """Hold the lock until this desk, or the process, is gone; False when another bot has it."""
        if self._lock is None:
            held = hold(self._data_dir)
            self._lock = weakref.finalize(self, os.close, held) if held is not None else None
        return self._lock is not None

    def leave(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            self._lock()
            self._lock = None

    def collect(self, at: datetime) -> list[f.OperatorTradeRequested]:
        """Return new requests as facts; what is unreadable or too old is answered here."""
        if not self.attend() or not self._requests.is_dir():
            return []
        files = sorted(self._requests.glob("*.json"))
        found = [self._read(file, at) for file in files if file.stem not in self._taken]
        return [fact for fact in found if fact is not None]

    def _read(self, file: Path, at: datetime) -> f.OperatorTradeRequested | None:
        try:
            note = json.loads(file.read_text("utf-8"))
            asked_at = datetime.fromisoformat(note["asked_at"])
            fact = f.OperatorTradeRequested(
                at=at,
                request_id=file.stem,
                by=str(note["by"]),
                side=Side(note["side"]),
                symbol=str(note["symbol"]),
                usd=_amount(note.get("usd")),
                quantity=_amount(note.get("quantity")),
            )
        except FileNotFoundError:
            return None  # withdrawn just now
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            self._give(file.stem, state=REFUSED, rule="unreadable", note=repr(error))
            file.unlink(missing_ok=True)
            return None
        if self._wall.now() - asked_at > TOO_OLD:
            self._give(file.stem, state=REFUSED, rule="too_old", note=f"asked at {asked_at}")
            file.unlink(missing_ok=True)
            return None
        self._taken.add(file.stem)
        return fact

    def __call__(self, batch: Sequence[Recorded]) -> None:
        """Listen to what was committed: take requests off the counter, write answers."""
        for record in batch:
            body = record.body
            if isinstance(body, f.OperatorTradeRequested):
                self._by_seq[record.seq] = body.request_id
                self.withdraw(body.request_id)
            elif self._by_seq:
                self._listen(record, body)

    def _listen(self, record: Recorded, body: Any) -> None:
        request_id = self._request_of(record, body)
        if request_id is None:
            return
        match body:
            case d.SignalDropped() | d.OrderRefused():
                reason = body.reason if isinstance(body, d.SignalDropped) else body.rule
                self._give(request_id, state=REFUSED, **_refusal(reason, body.checks))
            case d.OrderApproved():
                self._by_order[body.order.client_order_id] = request_id
                self._give(request_id, **_approval(body))
            case d.OrderQueued():
                self._give(request_id, state=QUEUED, note=body.reason)
            case f.OrderAccepted():
                self._give(request_id, state=ACCEPTED)
            case c.SubmitOrder():
                self._give(request_id, quantity=f"{body.order.quantity:f}")
            case f.OrderFilled():
                self._give_fill(request_id, body.fill)
            case f.OrderCancelled():
                self._end(request_id, body.reason)
            case f.OrderExpired():
                self._end(request_id, "the session ended")
            case f.OrderRejected() | f.SubmitSuppressed() | d.OrderWithdrawn():
                self._give(request_id, state=REJECTED, rule="broker", note=body.reason)
            case f.SubmitOutcomeUnknown():
                self._give(request_id, state=UNCLEAR, note=body.detail)

    def _request_of(self, record: Recorded, body: Any) -> str | None:
        """Which request a message belongs to: by its order, by what caused it, or by its trail.

        What sells is in the trail of the purchase, which a person may have asked for too.
        """
        named = getattr(body, "fill", None) or getattr(body, "order", None) or body
        by_order = self._by_order.get(getattr(named, "client_order_id", ""))
        caused = by_order or self._by_seq.get(record.cause_seq or 0)
        is_purchase = isinstance(body, d.SignalDropped | d.OrderRefused) or (
            isinstance(body, d.OrderApproved) and body.order.role is OrderRole.ENTRY
        )
        is_of_trail = is_purchase and record.trail_id in self._by_seq.values()
        return caused or (record.trail_id if is_of_trail else None)

    def _give_fill(self, request_id: str, fill: Fill) -> None:
        """Tell what was traded so far, at the average price; filled is what needs no more."""
        fills = self._fills.setdefault(request_id, {})
        fills[fill.fill_id] = fill
        quantity = sum((each.quantity for each in fills.values()), start=Decimal(0))
        usd = sum((each.quantity * each.price for each in fills.values()), start=Decimal(0))
        average = (usd / quantity).quantize(PRICE_STEP) if len(fills) > 1 else fill.price
        wanted = Decimal(self._given.get(request_id, {}).get("quantity", quantity))
        self._give(
            request_id,
            state=FILLED if quantity >= wanted else ACCEPTED,
            price=f"{average:f}",
            filled_quantity=f"{quantity:f}",
        )

    def _end(self, request_id: str, reason: str) -> None:
        """The rest is not traded any more."""
        if request_id in self._fills:
            self._give(request_id, state=FILLED, note=reason)
        else:
            self._give(request_id, state=REJECTED, rule="broker", note=reason)

    def _give(self, request_id: str, **told: Any) -> None:
        known = self._given.setdefault(request_id, {"request_id": request_id})
        if known.get("state") in {FILLED, REJECTED, REFUSED}:
            return
        known.update({name: value for name, value in told.items() if value is not None})
        _write(self._answers / f"{request_id}.json", known)


def _refusal(rule: str, checks: tuple[Check, ...]) -> Answer:
    """The rule that said no, with what it allows and what was seen."""
    failed = next((check for check in checks if check.name == rule), None)
    if failed is None:
        failed = next((check for check in checks if not check.passed), None)
    told: Answer = {"rule": rule}
    if failed is not None and not failed.passed:
        told |= {"limit": failed.limit, "observed": failed.observed, "unit": failed.unit}
        told["note"] = failed.note or None
    return told


def _approval(message: d.OrderApproved) -> Answer:
    order = message.order
    return {
        "state": APPROVED,
        "order_id": order.client_order_id,
        "side": str(order.side),
        "symbol": order.symbol,
        "kind": str(order.kind),
        "quantity": f"{order.quantity:f}",
        "reference_price": f"{order.reference_price:f}",
        "stop_price": f"{order.stop_loss_price:f}" if order.stop_loss_price is not None else None,
        "sizing": [f"{step.name}: {step.size_usd} ({step.note})" for step in order.sizing],
    }


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    amount = Decimal(text)
    if not amount.is_finite() or amount <= 0:
        raise ValueError(f"{text} is no amount")
    return amount


def _write(path: Path, note: Answer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(note), encoding="utf-8")
    temporary.replace(path)


def request_id_at(at: datetime, *parts: str) -> str:
    """Return a new id for a request; whoever asks twice asks for two trades."""
    return content_id("op", at.astimezone(UTC).isoformat(), *parts)
