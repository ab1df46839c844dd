"""The wire between bot and broker, and what happens on it: every request and every frame.

A request that was sent is on its way whether or not the bot lives to see the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from catalyst_bot.alpaca.wire import Answer, Host, Socket, Unanswered
from catalyst_bot.exchange.wire.replies import encode
from catalyst_bot.trials.faults import FaultPlan
from catalyst_bot.trials.venue import KEY, SECRET, Venue

_BEFORE = ("request-lost", "refused-before", "page-instead", "rate-limit", "rate-limit-reset")
_AFTER = ("refused-after", "answer-lost", "reset-after", "odd-fields")
_SILENCE_S = 3_600.0
_PAGE = b"<html><head><title>Bad gateway</title></head></html>"

_UNAUTHORIZED, _TOO_MANY = 401, 429
_LEAST_QUIET_S, _LONGEST_QUIET_S = 2.0, 60.0  # after a 429 that names no time, or one far away

Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request when it leaves; the broker had asked for quiet for `too_early_s` more."""

    method: str
    path: str
    too_early_s: float


class Exchanged:
    """What both ends of the wire share: the venue, the faults, the sockets that are open."""

    def __init__(
        self,
        venue: Venue,
        faults: FaultPlan,
        chance: Random,
        *,
        true_time: Callable[[], datetime],
        note: Note,
        on_order: Callable[[Mapping[str, Any]], None],
        on_request: Callable[[Asking], None],
    ) -> None:
        self.venue = venue
        self.faults = faults
        self.chance = chance
        self.true_time = true_time
        self.note = note
        self.on_order = on_order
        self.on_request = on_request
        self.sockets: list[SimulatedSocket] = []
        self.keys_fail_until: datetime | None = None
        self.keys_refused_at_s: float | None = None  # told to the life that goes on
        self.stream_refused_until: datetime | None = None
        self._late: list[str] = []

    def travel_s(self) -> float:
        """Return how long something is on its way, one way."""
        return self.chance.uniform(0.001, 0.05)

    # Requests

    def send(
        self, method: str, path: str, parts: Mapping[str, Any], answer: asyncio.Future[Answer]
    ) -> None:
        """Put a request on its way; its answer, if one comes, is the future's."""
        loop = asyncio.get_running_loop()
        fault = self.faults.first_of(*_BEFORE)
        self.note("request", f"{method} {path} {_short(parts)}{' ~ ' + fault if fault else ''}")
        if fault == "request-lost":
            return
        delay_s = self.travel_s()
        if method == "POST" and self.faults.strikes("slow-request"):
            delay_s = self.chance.uniform(4.5, 9.0)
        if fault:
            self._reply(answer, self._refusal(fault), delay_s * 2)
        else:
            loop.call_later(delay_s, self._arrive, method, path, parts, answer)

    def _refusal(self, fault: str) -> Answer:
        """Return the answer of somebody before the exchange."""
        match fault:
            case "page-instead":
                return Answer(200, {}, _PAGE)
            case "rate-limit":
                return Answer(429, {}, encode({"code": 42910000, "message": "rate limit exceeded"}))
            case "rate-limit-reset":
                reset_s = int(self.true_time().timestamp()) + self.chance.randint(1, 30)
                headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset_s)}
                return Answer(429, headers, encode({"message": "too many requests."}))
            case _:
                return Answer(self.chance.choice((500, 502, 503, 504)), {}, _PAGE)

    def _arrive(
        self, method: str, path: str, parts: Mapping[str, Any], answer: asyncio.Future[Answer]
    ) -> None:
        if self.keys_fail_until is not None and self.true_time() < self.keys_fail_until:
            self._reply(answer, Answer(401, {}, encode({"message": "unauthorized."})), 0.01)
            return
        if method == "POST" and (no := self.faults.first_of("rejected-422", "rejected-403")):
            self.note("venue", f"says {no}")
            self._reply(answer, _rejection(no), self.travel_s())
            return
        if method == "POST":
            self.on_order(parts)
        status, content = self.venue.answer(method, path, parts)
        self.note("venue", f"{status} to {method} {path}")
        fault = self.faults.first_of(*_AFTER)
        back_s = self.travel_s()
        if self.faults.strikes("slow-answer"):
            back_s = self.chance.uniform(0.5, 4.0)
        match fault:
            case "answer-lost":
                self.note("wire", "loses the answer")
            case "reset-after":
                asyncio.get_running_loop().call_later(back_s, _break, answer)
            case "refused-after":
                code = self.chance.choice((500, 502, 504))
                self.note("wire", f"turns the answer into {code}")
                self._reply(answer, Answer(code, {}, _PAGE), back_s)
            case "odd-fields":
                self._reply(answer, Answer(status, {}, _odd(content)), back_s)
            case _:
                self._reply(answer, Answer(status, {}, content), back_s)

    def _reply(self, answer: asyncio.Future[Answer], told: Answer, after_s: float) -> None:
        asyncio.get_running_loop().call_later(after_s, _give, answer, told)

    # Frames

    def tell(self, message: dict[str, Any]) -> None:
        """Send an update to whoever listens, with what the wire does to it."""
        if not self.sockets:
            return
        faults, chance = self.faults, self.chance
        frame = encode({"stream": "trade_updates", "data": message}).decode()
        if faults.strikes("update-lost"):
            self.note("stream", f"loses {message['event']} of {message['order']['symbol']}")
            return
        if faults.strikes("update-garbled"):
            frame = chance.choice(
                (frame[: len(frame) // 2], '{"stream": "trade_updates", "data": {"event": "fill"}}')
            )
        times = chance.randint(2, 5) if faults.strikes("update-twice") else 1
        for socket in self.sockets:
            if socket.is_mute:
                continue
            for _ in range(times):
                delay_s = self.travel_s()
                if faults.strikes("update-late"):
                    delay_s += chance.uniform(0.2, 8.0)
                asyncio.get_running_loop().call_later(delay_s, socket.put, frame)

    def break_streams(self) -> None:
        """Cut every open socket."""
        for socket in list(self.sockets):
            socket.cut()

    def mute_streams(self) -> None:
        """Leave every open socket open, and silent for ever."""
        for socket in self.sockets:
            socket.is_mute = True


class SimulatedWire:
    """`Wire` of one life of the bot. `check` raises when that life is over."""

    def __init__(self, shared: Exchanged, *, check: Callable[[str], None]) -> None:
        self._shared = shared
        self._check = check
        self._quiet_until_s = 0.0

    async def ask(
        self,
        host: Host,  # noqa: ARG002 - prices do not come over this wire
        method: str,
        path: str,
        parts: Mapping[str, Any] | None,
    ) -> Answer:
        """See `Wire.ask`."""
        kind = "send" if method == "POST" else "ask"
        self._check(f"before {kind}")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        too_early_s = self._quiet_until_s - loop.time()
        self._shared.on_request(Asking(method=method, path=path, too_early_s=too_early_s))
        self._shared.send(method, path, dict(parts or {}), answer)
        self._check(f"after {kind}")
        told = await answer
        self._check(f"answer to {kind}")
        self._hear(told, loop.time())
        return told

    def _hear(self, told: Answer, now_s: float) -> None:
        """Note what an answer asks of whoever reads it: quiet for a while, or other keys."""
        shared = self._shared
        if told.status == _TOO_MANY:
            reset_s = float(told.headers.get("X-RateLimit-Reset", 0)) - self.unix_s()
            quiet_s = reset_s if 0 < reset_s <= _LONGEST_QUIET_S else _LEAST_QUIET_S
            self._quiet_until_s = max(self._quiet_until_s, now_s + quiet_s)
        if told.status == _UNAUTHORIZED and shared.keys_refused_at_s is None:
            shared.keys_refused_at_s = now_s

    @asynccontextmanager
    async def listen(self, url: str) -> AsyncIterator[Socket]:  # noqa: ARG002 - one stream only
        """See `Wire.listen`."""
        shared = self._shared
        await asyncio.sleep(shared.travel_s())
        if shared.stream_refused_until is not None:
            if shared.true_time() < shared.stream_refused_until:
                raise ConnectionRefusedError("the stream is closed")
            shared.stream_refused_until = None
        elif shared.faults.strikes("stream-refused", times=0.3):
            shared.stream_refused_until = shared.true_time() + timedelta(
                seconds=shared.chance.uniform(1, 60)
            )
            raise ConnectionRefusedError("the stream is closed")
        elif shared.faults.strikes("stream-busy", times=0.3):
            raise InvalidStatus(Response(406, "connection limit exceeded", Headers()))
        socket = SimulatedSocket(shared)
        try:
            yield socket
        finally:
            socket.leave()

    def chance(self) -> float:
        """See `Wire.chance`."""
        return self._shared.chance.random()

    def unix_s(self) -> float:
        """See `Wire.unix_s`."""
        return self._shared.true_time().timestamp()

    def close(self) -> None:
        """See `Wire.close`; nothing is open but sockets, which leave by themselves."""


class SimulatedSocket:
    """`Socket` of the account's stream."""

    name = ""

    def __init__(self, shared: Exchanged) -> None:
        self._shared = shared
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_mute = False

    async def send(self, message: str) -> None:
        """See `Socket.send`."""
        told = json.loads(message)
        match told.get("action"):
            case "authenticate":
                keys = told["data"]
                is_good = (keys["key_id"], keys["secret_key"]) == (KEY, SECRET)
                status = "authorized" if is_good else "unauthorized"
                self.put(encode({"stream": "authorization", "data": {"status": status}}).decode())
            case "listen":
                self._shared.sockets.append(self)
                self.put(encode({"stream": "listening", "data": told["data"]}).decode())

    async def recv(self) -> str:
        """See `Socket.recv`."""
        frame = await self._frames.get()
        if frame is None:
            raise ConnectionResetError("the stream broke")
        return frame

    async def close(self) -> None:
        """See `Socket.close`."""
        self.cut()

    def put(self, frame: str) -> None:
        """Let a frame arrive."""
        self._frames.put_nowait(frame)

    def cut(self) -> None:
        """Break the connection."""
        self.leave()
        self._frames.put_nowait(None)

    def leave(self) -> None:
        """Be told nothing any more."""
        if self in self._shared.sockets:
            self._shared.sockets.remove(self)


def _give(answer: asyncio.Future[Answer], told: Answer) -> None:
    if not answer.done():
        answer.set_result(told)


def _break(answer: asyncio.Future[Answer]) -> None:
    if not answer.done():
        answer.set_exception(Unanswered("Connection reset by peer"))


def _rejection(fault: str) -> Answer:
    if fault == "rejected-403":
        body = {"code": 40310000, "message": "insufficient buying power", "buying_power": "0"}
        return Answer(403, {}, encode(body))
    return Answer(422, {}, encode({"code": 42210000, "message": "cannot open this order"}))


def _odd(content: bytes) -> bytes:
    """Add what a later version of the service might tell."""
    told = json.loads(content) if content else None
    orders = told if isinstance(told, list) else [told]
    for order in orders:
        if isinstance(order, dict):
            order["surprise"] = {"nested": [1, 2, 3]}
            if order.get("status") in {"new", "accepted"}:
                order["status"] = "calculated_anew"
    return content if told is None else encode(told)


def _short(parts: Mapping[str, Any]) -> str:
    wanted = ("client_order_id", "symbol", "side", "qty", "type", "stop_price", "limit_price")
    return " ".join(str(parts[name]) for name in wanted if name in parts)
