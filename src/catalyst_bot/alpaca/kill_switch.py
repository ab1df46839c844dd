"""The kill switch at Alpaca: keys and HTTP, and nothing that the bot needs.

One bulk request cancels every order, one closes every position, and then the books are asked until
they show it. No SDK, no event loop and no limiter of ours: the account's requests are counted by
Alpaca, and a handful of them is all this takes.

Orders are cancelled again when they are still there or could buy. A sale that appeared after the
cancel is a stop that a living bot put back, or one that closes: it is left, while shares are held.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, Self
from urllib.parse import urlsplit

from catalyst_bot.alpaca.access import Access
from catalyst_bot.domain.errors import CatalystError

DEADLINE_S = 65.0  # a minute's requests may be used up; the next minute has new ones
REQUEST_TIMEOUT_S = 5.0
SETTLE_S = 0.2  # between the first empty book and the second look that confirms it
FIRST_PAUSE_S, MAX_PAUSE_S = 0.05, 2.0
CLOSED_AFTER_S = 1.5  # books not empty for so long: perhaps the market is closed
MAX_BYTES = 32 * 2**20
ORDERS, POSITIONS, CLOCK, ACCOUNT = "/v2/orders", "/v2/positions", "/v2/clock", "/v2/account"
OPEN_ORDERS = f"{ORDERS}?status=open&limit=500"
CLOSE_POSITIONS = f"{POSITIONS}?cancel_orders=true"
_OK, _BAD_REQUEST, _TOO_MANY, _SERVER_ERROR = 200, 400, 429, 500
_LAST_TIMEOUT_S = 0.1
_UNSPEAKABLE = (OSError, http.client.HTTPException, ValueError)

Row = Mapping[str, Any]


class NotStopped(CatalystError):
    """The broker could not be brought to a verified state. `is_refusal`: it said no to us."""

    def __init__(self, message: str, *, is_refusal: bool = False) -> None:
        super().__init__(message)
        self.is_refusal = is_refusal


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, how long it took (ms), and what came of it."""

    name: str
    took_ms: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the books still hold, in words: `orders` that must go and `positions` that must be
    closed; `kept` are sales that may stay, `held` the shares that nobody wants closed.

    `is_asked`: every order is being cancelled; `is_waiting`: and every position being closed.
    """

    orders: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    is_asked: bool = True
    is_waiting: bool = True

    @property
    def is_nothing(self) -> bool:
        """The books are as they should be."""
        return not (self.orders or self.positions)


@dataclass(slots=True, kw_only=True)
class Stopped:
    """What pressing the switch came to."""

    is_verified: bool = False
    cancelled: int = 0
    closing: int = 0
    steps: list[Step] = field(default_factory=list)
    left: Left = field(default_factory=Left)
    opens_at: str = ""  # the next open, when what is left waits for it


def left_over(
    orders: Sequence[Row], positions: Sequence[Row], *, known: Collection[str], closes: bool
) -> Left:
    """Say what of the books must still go; `known` are the ids that were asked to be cancelled."""
    held = {str(row.get("symbol")): str(row.get("qty")) for row in positions}
    closing = {str(row.get("symbol")) for row in orders if _is_closing(row, held)}
    kept = [
        row
        for row in orders
        if row.get("id") not in known
        and (_is_closing(row, held) if closes else _lowers_risk(row, held))
    ]
    must_go = [row for row in orders if row not in kept]
    shares = tuple(_position_text(*each, closing) for each in held.items())
    is_asked = all(row.get("status") == "pending_cancel" for row in must_go)
    return Left(
        orders=tuple(map(_order_text, must_go)),
        positions=shares if closes else (),
        kept=tuple(map(_order_text, kept)),
        held=() if closes else shares,
        is_asked=is_asked,
        is_waiting=is_asked and (not closes or set(held) <= closing),
    )


def _lowers_risk(order: Row, held: Mapping[str, str]) -> bool:
    """True for an order on the other side of shares that are held."""
    quantity = held.get(str(order.get("symbol")))
    if quantity is None:
        return False
    return order.get("side") == ("buy" if quantity.startswith("-") else "sell")


def _is_closing(order: Row, held: Mapping[str, str]) -> bool:
    return _lowers_risk(order, held) and order.get("type") == "market"


def _order_text(order: Row) -> str:
    words = (order.get(name) for name in ("side", "qty", "symbol", "type", "status"))
    return " ".join(str(word) for word in words if word)


def _position_text(symbol: str, quantity: str, closing: Collection[str]) -> str:
    return f"{quantity} {symbol}" + (" (being closed)" if symbol in closing else "")


class KillSwitch:
    """Presses the switch at one account; leave it as a context. `say` hears of each step."""

    def __init__(
        self,
        access: Access,
        *,
        deadline_s: float = DEADLINE_S,
        say: Callable[[Step], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = _Wire(access)
        self._ends_at = time.monotonic() + deadline_s
        self._say = say
        self._sleep = sleep
        self._known: set[str] = set()
        self.stopped = Stopped()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def press(self, *, closes: bool) -> Stopped:
        """Cancel every order, with `closes` close every position, and look until it is so.

        Raises `NotStopped` when the broker refuses us, or does not answer within the deadline;
        what was reached until then is in `stopped`.
        """
        self._cancel()
        if closes:
            self._close()
        return self._verify(closes=closes)

    def watch(self, seconds: float, *, closes: bool) -> Stopped:
        """Look on for a while: a submit that was on its way when the switch was pressed may still
        arrive, and is cancelled. Raises `NotStopped`.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.stopped.is_verified:
            self._sleep(min(1.0, seconds))
            if not self._look(closes=closes).is_nothing:
                self.stopped.is_verified = False
                self._cancel()
                self._verify(closes=closes)
        return self.stopped

    def ask_account(self) -> str:
        """Return the number of the account that the keys belong to. Raises `NotStopped`."""
        return str(self._ask("GET", ACCOUNT, dict).get("account_number", ""))

    def held(self) -> tuple[str, ...]:
        """Return the shares that are held, in words. Raises `NotStopped`."""
        return left_over([], self._rows("GET", POSITIONS), known=(), closes=False).held

    def _cancel(self) -> None:
        started = time.perf_counter()
        rows = self._rows("DELETE", ORDERS)
        self._known |= {str(row.get("id")) for row in rows}
        self.stopped.cancelled = len(self._known)
        self._note("cancel all orders", started, f"{len(rows)} asked to be cancelled")

    def _close(self) -> None:
        started = time.perf_counter()
        rows = self._rows("DELETE", CLOSE_POSITIONS)
        failed = [row for row in rows if row.get("status") != _OK]
        self.stopped.closing += len(rows) - len(failed)
        refused = f", {len(failed)} refused: {_why(failed[0])}" if failed else ""
        self._note("close all positions", started, f"{len(rows) - len(failed)} closing{refused}")

    def _verify(self, *, closes: bool) -> Stopped:
        """Look until two looks in a row find nothing, or a closed market can do no more."""
        started = time.perf_counter()
        pause_s = FIRST_PAUSE_S
        while not (left := self._look_twice(closes=closes)).is_nothing:
            is_slow = time.perf_counter() - started > CLOSED_AFTER_S
            if is_slow and left.is_asked and self._waits_for_open():
                self._note("verify", started, f"closed until {self.stopped.opens_at}")
                return self.stopped
            self._pause(pause_s, left)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
            if not left.is_waiting:
                self._again(left)
        self.stopped.is_verified = True
        what = "no open order" + (" and no position" if closes else "")
        kept = f", but for {len(left.kept)} that leave shares held" if left.kept else ""
        self._note("verify", started, f"{what}{kept}, seen twice")
        return self.stopped

    def _look_twice(self, *, closes: bool) -> Left:
        """Look; an empty book is looked at again, because an answer may be older than an order."""
        left = self._look(closes=closes)
        if left.is_nothing:
            self._sleep(SETTLE_S)
            left = self._look(closes=closes)
        return left

    def _again(self, left: Left) -> None:
        if left.orders:
            self._cancel()
        if left.positions:
            self._close()

    def _look(self, *, closes: bool) -> Left:
        orders = self._rows("GET", OPEN_ORDERS)
        positions = self._rows("GET", POSITIONS) if closes or orders else []
        self.stopped.left = left_over(orders, positions, known=self._known, closes=closes)
        return self.stopped.left

    def _waits_for_open(self) -> bool:
        """True when the market is closed: what is asked for is done at the next open."""
        told = self._ask("GET", CLOCK, dict)
        if told.get("is_open") is not False:
            return False
        self.stopped.opens_at = str(told.get("next_open", "?"))
        return True

    def _pause(self, pause_s: float, left: Left) -> None:
        if time.monotonic() + pause_s > self._ends_at:
            still = (*left.orders, *left.positions)
            raise NotStopped(f"still open at the deadline: {len(still)}, first {still[0]}")
        self._sleep(pause_s)

    def _rows(self, method: str, place: str) -> list[Row]:
        rows: list[Row] = self._ask(method, place, list)
        return rows

    def _ask(self, method: str, place: str, kind: type) -> Any:
        """Ask until an answer of a kind comes: what is no list is no empty book either.

        Raises `NotStopped`: refused, or nothing usable until the deadline.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            started = time.perf_counter()
            left_s = max(self._ends_at - time.monotonic(), _LAST_TIMEOUT_S)
            wait_s = 0.0
            try:
                answer = self._wire.ask(method, place, min(REQUEST_TIMEOUT_S, left_s))
                if answer.status < _BAD_REQUEST:
                    return answer.decoded(kind)
                problem = f"HTTP {answer.status}"
                wait_s = answer.wait_s if answer.status == _TOO_MANY else 0.0
                if answer.status != _TOO_MANY and answer.status < _SERVER_ERROR:
                    raise NotStopped(
                        f"{method} {place} is refused: {problem} {answer.message()}",
                        is_refusal=True,
                    )
            except _UNSPEAKABLE as error:
                problem = _reason(error)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
            wait_s = wait_s or pause_s
            self._note(f"{method} {place.partition('?')[0]}", started, f"{problem}: again")
            if time.monotonic() + wait_s > self._ends_at:
                raise NotStopped(f"{method} {place}: no answer until the deadline ({problem})")
            self._sleep(wait_s)

    def _note(self, name: str, started: float, detail: str) -> None:
        step = Step(name, round((time.perf_counter() - started) * 1000.0, 1), detail)
        self.stopped.steps.append(step)
        self._say(step)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    wait_s: float  # until the minute of requests is over; 0 when it does not say
    content: bytes

    def decoded(self, kind: type) -> Any:
        """Return the JSON. Raises `ValueError` when it is none, or of another kind."""
        told = json.loads(self.content)
        rows = told if isinstance(told, list) else [told]
        if not isinstance(told, kind) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("an answer of another kind")
        return told

    def message(self) -> str:
        """What a refusal says, on one line."""
        try:
            told = self.decoded(dict)
        except ValueError:
            return ""
        return " ".join(str(told.get("message", "")).split())[:200]


class _Wire:
    """One kept connection; a broken one is made anew with the next request."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.base_url)
        is_secret = parts.scheme == "https"
        self._kind = http.client.HTTPSConnection if is_secret else http.client.HTTPConnection
        self._host, self._port = parts.hostname or "", parts.port
        self._headers = access.headers()
        self._line: http.client.HTTPConnection | None = None

    def ask(self, method: str, place: str, timeout_s: float) -> _Answer:
        """Return the answer. Raises `OSError`, `HTTPException` and `ValueError`."""
        line = self._line or self._kind(self._host, self._port, timeout=timeout_s)
        self._line = None  # only one that answered in full is used again
        guard = Timer(timeout_s, _break, (line,))  # a drip of bytes is never silent for long
        guard.start()
        try:
            line.request(method, place, headers=self._headers)
            answer = line.getresponse()
            announced = answer.length
            content = answer.read(MAX_BYTES)
            if len(content) < (announced or 0):
                raise ValueError("an answer that is cut off")
        except _UNSPEAKABLE:
            line.close()
            raise
        finally:
            guard.cancel()
        if answer.isclosed():
            self._line = line
        else:  # longer than anything we ask for
            line.close()
        return _Answer(answer.status, _wait_s(answer), content)

    def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            self._line.close()


def _break(line: http.client.HTTPConnection) -> None:
    """End a request from another thread."""
    if line.sock is not None:
        with suppress(OSError):
            line.sock.shutdown(socket.SHUT_RDWR)


def _wait_s(answer: http.client.HTTPResponse) -> float:
    try:
        wait_s = float(answer.headers.get("X-RateLimit-Reset", "")) - time.time()
    except ValueError:
        return 0.0
    return min(wait_s + _LAST_TIMEOUT_S, DEADLINE_S) if wait_s > 0 else 0.0


def _why(failed: Row) -> str:
    body = failed.get("body")
    return str(body.get("message", "")) if isinstance(body, dict) else str(body)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
