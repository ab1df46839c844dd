"""The streams of market data (`/v2/iex`, `/v2/sip`, `/v2/test`) and the manners news shares.

Text JSON goes out, or MessagePack where the handshake asked for it; always arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Final

from starlette.websockets import WebSocket

from catalyst_bot.exchange.faults.book import FaultBook
from catalyst_bot.exchange.faults.rules import StreamAction
from catalyst_bot.exchange.streams.channels import BadSubscription, Feed, Subscription, stock_feeds
from catalyst_bot.exchange.streams.doors import header_keys, later, let_in, nothing, turn_away
from catalyst_bot.exchange.streams.lane import Lane, StreamEvent
from catalyst_bot.exchange.streams.limits import Register, StreamLimits
from catalyst_bot.exchange.streams.socket import LastWords, StreamSocket, asks_for_msgpack
from catalyst_bot.exchange.streams.wire import Encoding, arrays, encode

ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    500: "internal error",
}
_FINAL: Final = frozenset({404, 406, 407, 409})  # after these the connection is closed

SignIn = Callable[["DataSession", str, str], int]
"""Let a session in by key and secret; 0, or the code of the error."""


class DataSession:
    """The conversation with one client of a feed."""

    def __init__(
        self,
        socket: StreamSocket,
        feed: Feed,
        *,
        sign_in: SignIn,
        on_change: Callable[[], None],
    ) -> None:
        self.socket = socket
        self.feed = feed
        self.keys: tuple[str, str] | None = None
        self.subscription = Subscription(feed)
        self._sign_in = sign_in
        self._on_change = on_change

    def on_frame(self, message: Any) -> None:
        """Answer what the client sent."""
        action = message.get("action") if isinstance(message, dict) else None
        if action == "auth":
            self.authenticate(message.get("key"), message.get("secret"))
        elif action not in ("subscribe", "unsubscribe"):
            self.fail(400)
        elif self.keys is None:
            self.fail(401)
        else:
            self._subscribe(message, is_more=action == "subscribe")

    def authenticate(self, key_id: Any, secret: Any) -> None:
        """Let an account in by its keys, and tell."""
        if self.keys is not None:
            self.fail(403)
            return
        is_text = isinstance(key_id, str) and isinstance(secret, str)
        code = self._sign_in(self, key_id, secret) if is_text else 402
        if code:
            self.fail(code)
        else:
            self.say({"T": "success", "msg": "authenticated"})

    def fail(self, code: int) -> None:
        """Tell what is wrong, and close where nothing can follow."""
        self.say(_error(code))
        if code in _FINAL:
            self.socket.close()

    def say(self, message: dict[str, Any]) -> None:
        """Send one control message."""
        self.socket.send([message])

    def _subscribe(self, message: dict[str, Any], *, is_more: bool) -> None:
        try:
            change = self.subscription.add if is_more else self.subscription.remove
            change(message)
        except BadSubscription as error:
            self.fail(error.code)
        else:
            self._on_change()
            self.say(self.subscription.state())


class FeedHub:
    """All sockets of some feeds. Publishing never waits for any of them."""

    def __init__(
        self, stream: str, *, register: Register, limits: StreamLimits, faults: FaultBook
    ) -> None:
        self._stream = stream
        self._register = register
        self._limits = limits
        self._faults = faults
        self._sessions: list[DataSession] = []
        self._refused: set[DataSession] = set()
        self._wanted: dict[str, frozenset[str]] = {}
        self.on_listener: Callable[[], None] = nothing
        self.on_change: Callable[[], None] = nothing  # told when other symbols are wanted
        self._lane = Lane(stream, faults, deliver=self._deliver, strike=self._strike)

    def put(self, events: Iterable[StreamEvent]) -> None:
        """Send events to whoever subscribed to them."""
        self._lane.put(events)

    def put_on(self, feed_name: str, events: Sequence[StreamEvent]) -> None:
        """Send events on one feed only, free of faults."""
        self._send(
            events, [session for session in self._sessions if session.feed.name == feed_name]
        )

    def has_clients(self, feed_name: str) -> bool:
        """Whether anybody is connected to a feed."""
        return any(session.feed.name == feed_name for session in self._sessions)

    def sockets(self) -> list[StreamSocket]:
        """All open sockets."""
        return [session.socket for session in self._sessions]

    async def serve(self, websocket: WebSocket, feed: Feed) -> None:
        """Serve one socket of a feed from handshake to end."""
        action = self._faults.of_connection(self._stream)
        if action is not None and action.refuse_connection == 429:
            await turn_away(websocket)
            return
        name = await let_in(websocket)
        encoding = Encoding.MSGPACK if asks_for_msgpack(websocket) else Encoding.JSON_TEXT
        socket = StreamSocket(
            websocket,
            encoding,
            name=name,
            outbox_bytes=self._limits.outbox_bytes,
            last_words=LastWords(slow=[_error(407)], internal=[_error(500)]),
        )
        session = DataSession(socket, feed, sign_in=self._sign_in, on_change=self._subscribed)
        self._sessions.append(session)
        if action is not None and action.refuse_connection:
            self._refused.add(session)
        timer = later(self._limits.auth_timeout_s, lambda: self._time_out(session))
        try:
            socket.befall(action)
            session.say({"T": "success", "msg": "connected"})
            keys = header_keys(websocket)
            if keys is not None:
                session.authenticate(*keys)
            await socket.serve(session.on_frame)
        finally:
            timer.cancel()
            self._sessions.remove(session)
            self._refused.discard(session)
            self._changed()

    def _deliver(self, events: list[StreamEvent]) -> None:
        self._send(events, [session for session in self._sessions if not session.feed.is_own])

    def _send(self, events: Sequence[StreamEvent], sessions: list[DataSession]) -> None:
        encoded: dict[Encoding, dict[int, bytes]] = {}
        for session in sessions:
            encoding = session.socket.encoding
            known = encoded.setdefault(encoding, {})
            items = []
            for index, event in enumerate(events):
                if session.subscription.wants(event):
                    if index not in known:
                        known[index] = encode(event.message, encoding)
                    items.append(known[index])
            for frame in arrays(items, encoding):
                session.socket.send_frame(frame)

    def _strike(self, action: StreamAction) -> None:
        for session in self._sessions:
            session.socket.befall(action)

    def _sign_in(self, session: DataSession, key_id: str, secret: str) -> int:
        account_id = self._register.account_id_of(key_id, secret)
        if account_id is None:
            return 402
        if not session.feed.is_open:
            return 409
        limit = self._limits.connections
        is_full = bool(limit) and self._count(session.feed, account_id) >= limit
        if is_full or session in self._refused:
            return 406
        session.keys = (key_id, secret)
        return 0

    def _count(self, feed: Feed, account_id: str) -> int:
        """How many connections an account has to a feed."""
        keys = [session.keys for session in self._sessions if session.feed is feed]
        return [self._register.account_id_of(*pair) for pair in keys if pair].count(account_id)

    def _subscribed(self) -> None:
        self._changed()
        self.on_listener()

    def _changed(self) -> None:
        self._wanted.clear()
        self.on_change()

    def _time_out(self, session: DataSession) -> None:
        if session.keys is None:
            session.fail(404)


class DataHub(FeedHub):
    """The market data streams."""

    def __init__(self, *, register: Register, limits: StreamLimits, faults: FaultBook) -> None:
        super().__init__("data", register=register, limits=limits, faults=faults)
        self.feeds = stock_feeds(iex_symbols=limits.iex_symbols, has_sip=limits.has_sip)

    def wanted(self, channel: str) -> frozenset[str]:
        """Return the symbols somebody listens to on a channel of the market; `*` means all."""
        wanted = self._wanted.get(channel)
        if wanted is None:
            listeners = [session for session in self._sessions if not session.feed.is_own]
            symbols = (session.subscription.symbols(channel) for session in listeners)
            wanted = self._wanted[channel] = frozenset(chain.from_iterable(symbols))
        return wanted

    def publish(self, messages: Iterable[dict[str, Any]]) -> None:
        """Send messages (`T`, `S`, `t` as aware datetime, …) to whoever subscribed to them."""
        self.put(stock_events(messages))


def _error(code: int) -> dict[str, Any]:
    return {"T": "error", "code": code, "msg": ERRORS[code]}


def stock_events(messages: Iterable[dict[str, Any]]) -> list[StreamEvent]:
    """Return market data messages as events."""
    return [
        StreamEvent(kind=message["T"], symbols=(message["S"],), message=message)
        for message in messages
    ]
