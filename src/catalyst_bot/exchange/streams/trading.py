"""The stream of trade updates (`/stream`): who is connected, what each listens to.

JSON goes out in binary frames, or MessagePack where the handshake asked for it. Nothing is
replayed: what happens while an account is not connected, it does not hear of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.websockets import WebSocket

from catalyst_bot.exchange.faults.book import FaultBook
from catalyst_bot.exchange.faults.rules import StreamAction
from catalyst_bot.exchange.streams.doors import header_keys, later, let_in, nothing, turn_away
from catalyst_bot.exchange.streams.lane import Lane, StreamEvent
from catalyst_bot.exchange.streams.limits import Register, StreamLimits
from catalyst_bot.exchange.streams.socket import LastWords, StreamSocket, asks_for_msgpack
from catalyst_bot.exchange.streams.wire import Encoding, encode

TRADE_UPDATES: Final = "trade_updates"
STREAM: Final = "trading"
_AUTHENTICATE, _LISTEN = "authenticate", "listen"


SignIn = Callable[["TradingSession", str, str], bool]
"""Let a session in by key and secret."""


class TradingSession:
    """The conversation with one client, before and after it said who it is (`keys`)."""

    def __init__(
        self, socket: StreamSocket, *, sign_in: SignIn, on_listen: Callable[[], None]
    ) -> None:
        self.socket = socket
        self.keys: tuple[str, str] | None = None
        self.streams: tuple[str, ...] = ()
        self._sign_in = sign_in
        self._on_listen = on_listen

    def on_frame(self, message: Any) -> None:
        """Answer what the client sent."""
        if not isinstance(message, dict):
            self.fail("invalid message")
            return
        match message.get("action"):
            case "authenticate" | "auth":
                self._authenticate(message)
            case "listen":
                self._listen(message)
            case _:
                self.fail("invalid action")

    def authenticate(self, key_id: str, secret: str) -> bool:
        """Let an account in by its keys; says nothing."""
        if self.keys is None and self._sign_in(self, key_id, secret):
            self.keys = (key_id, secret)
        return self.keys is not None

    def answer(self, action: str, *, is_authorized: bool) -> None:
        """Tell whether the client may do what it asked for."""
        status = "authorized" if is_authorized else "unauthorized"
        data = {"status": status, "action": action}
        self.socket.send({"stream": "authorization", "data": data})

    def fail(self, reason: str) -> None:
        """Say what is wrong and close."""
        self.socket.send(_error(reason))
        self.socket.close()

    def _authenticate(self, message: dict[str, Any]) -> None:
        data = message.get("data")
        old = data if isinstance(data, dict) else {}
        key_id, secret = message.get("key", old.get("key_id")), message.get("secret")
        secret = old.get("secret_key") if secret is None else secret
        is_authorized = (
            isinstance(key_id, str)
            and isinstance(secret, str)
            and self.authenticate(key_id, secret)
        )
        if not self.socket.is_closing:
            self.answer(_AUTHENTICATE, is_authorized=is_authorized)

    def _listen(self, message: dict[str, Any]) -> None:
        if self.keys is None:
            self.answer(_LISTEN, is_authorized=False)
            return
        data = message.get("data")
        wanted = data.get("streams") if isinstance(data, dict) else None
        if not isinstance(wanted, list):
            self.fail("invalid message")
            return
        self.streams = (TRADE_UPDATES,) if TRADE_UPDATES in wanted else ()
        self.socket.send({"stream": "listening", "data": {"streams": self.streams}})
        if self.streams:
            self._on_listen()


class TradingHub:
    """All sockets of `/stream`. `publish` never waits for any of them."""

    def __init__(self, *, register: Register, limits: StreamLimits, faults: FaultBook) -> None:
        self._register = register
        self._limits = limits
        self._faults = faults
        self._sessions: list[TradingSession] = []
        self._lanes: dict[str, Lane] = {}
        self.on_listener: Callable[[], None] = nothing

    def publish(self, account_id: str, message: dict[str, Any]) -> None:
        """Send a trade update to the account it belongs to."""
        lane = self._lanes.get(account_id)
        if lane is None:
            lane = self._lanes[account_id] = Lane(
                STREAM,
                self._faults,
                deliver=lambda events: self._deliver(account_id, events),
                strike=lambda action: self._strike(account_id, action),
            )
        symbol = message["order"]["symbol"]
        lane.put([StreamEvent(kind=message["event"], symbols=(symbol,), message=message)])

    async def endpoint(self, websocket: WebSocket) -> None:
        """Serve one socket from handshake to end."""
        action = self._faults.of_connection(STREAM)
        if action is not None and action.refuse_connection:
            await turn_away(websocket, action.refuse_connection)
            return
        keys = header_keys(websocket)
        if self._is_full(keys):
            await turn_away(websocket)
            return
        name = await let_in(websocket)
        encoding = Encoding.MSGPACK if asks_for_msgpack(websocket) else Encoding.JSON_BINARY
        socket = StreamSocket(
            websocket,
            encoding,
            name=name,
            outbox_bytes=self._limits.outbox_bytes,
            last_words=LastWords(
                slow=_error("slow client"), internal=_error("internal server error")
            ),
        )
        session = TradingSession(socket, sign_in=self._sign_in, on_listen=self.on_listener)
        self._sessions.append(session)
        timer = later(self._limits.auth_timeout_s, lambda: self._time_out(session))
        try:
            if keys is not None:
                session.authenticate(*keys)
            socket.befall(action)
            await socket.serve(session.on_frame)
        finally:
            timer.cancel()
            self._sessions.remove(session)

    def sockets(self) -> list[StreamSocket]:
        """All open sockets."""
        return [session.socket for session in self._sessions]

    def hears(self, account_id: str) -> bool:
        """Tell whether a trade update of an account would go anywhere, or count for a fault."""
        return self._faults.watches(STREAM) or bool(self._of(account_id))

    def listeners(self, account_id: str) -> list[StreamSocket]:
        """The open sockets of an account that hear its trade updates."""
        return [
            session.socket
            for session in self._of(account_id)
            if TRADE_UPDATES in session.streams and not session.socket.is_closing
        ]

    def _deliver(self, account_id: str, events: list[StreamEvent]) -> None:
        frames: dict[Encoding, list[bytes]] = {}
        for socket in self.listeners(account_id):
            encoding = socket.encoding
            if encoding not in frames:
                frames[encoding] = [_frame(event, encoding) for event in events]
            for frame in frames[encoding]:
                socket.send_frame(frame)

    def _strike(self, account_id: str, action: StreamAction) -> None:
        for session in self._of(account_id):
            session.socket.befall(action)

    def _of(self, account_id: str) -> list[TradingSession]:
        """The sessions of an account; its keys may open another one after a reset."""
        account_id_of = self._register.account_id_of
        return [
            session
            for session in self._sessions
            if session.keys is not None and account_id_of(*session.keys) == account_id
        ]

    def _sign_in(self, session: TradingSession, key_id: str, secret: str) -> bool:
        """Say whether these keys open an account; one that has its connections already fails."""
        account_id = self._register.account_id_of(key_id, secret)
        if account_id is None:
            return False
        limit = self._limits.connections
        if limit and len(self._of(account_id)) >= limit:
            session.fail("connection limit exceeded")
            return False
        return True

    def _is_full(self, keys: tuple[str, str] | None) -> bool:
        """Whether a handshake is one too many.

        Without keys in its headers it may be of any account: then it is one too many when there
        are as many sockets as all accounts together may have.
        """
        limit = self._limits.connections
        account_id = self._register.account_id_of(*keys) if keys else None
        if account_id is not None:
            return bool(limit) and len(self._of(account_id)) >= limit
        return bool(limit) and len(self._sessions) >= limit * self._register.account_count()

    def _time_out(self, session: TradingSession) -> None:
        if session.keys is None:
            session.answer(_AUTHENTICATE, is_authorized=False)
            session.socket.close()


def _error(reason: str) -> dict[str, Any]:
    return {"action": "error", "data": {"error_message": reason}}


def _frame(event: StreamEvent, encoding: Encoding) -> bytes:
    return encode({"stream": TRADE_UPDATES, "data": event.message}, encoding)
