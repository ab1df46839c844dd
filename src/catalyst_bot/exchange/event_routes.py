"""Trade updates as server-sent events: out of the log from any time on, then as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import BaseRoute, Route

from catalyst_bot.exchange.account import Account, OrderIndex
from catalyst_bot.exchange.desk_of import account_of, exchange_of
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.replies import Query, encode
from catalyst_bot.exchange.trade_updates import first_event_id
from catalyst_bot.simulation.events import OrderEvent

_PAGE: Final = 200
_HEARTBEAT_S: Final = 15.0
_BEAT: Final = b": heartbeat\n\n"


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [Route("/v2/events/trades", trades, methods=["GET"])]


async def trades(request: Request) -> StreamingResponse:
    """Stream the account's trade updates since a time or after an event id, until `until`."""
    account, exchange, query = account_of(request), exchange_of(request), Query(request)
    since, until = query.moment("since"), query.moment("until")
    bounds = Bounds(
        after_id=query.text("since_id") or ("" if since is None else first_event_id(since)),
        until_id=query.text("until_id") or ("" if until is None else first_event_id(until)),
        has_past=since is not None or query.text("since_id") is not None,
    )
    return StreamingResponse(
        _stream(exchange, account, bounds),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache"},
    )


class Bounds:
    """Which events are wanted: ids after `after_id`, up to `until_id` (empty: without end)."""

    def __init__(self, *, after_id: str, until_id: str, has_past: bool) -> None:
        self.after_id = after_id
        self.until_id = until_id
        self.has_past = has_past

    def is_over(self, event_id: str) -> bool:
        """Tell whether this event and all later ones are too late."""
        return bool(self.until_id) and event_id > self.until_id


async def _stream(exchange: Exchange, account: Account, bounds: Bounds) -> AsyncIterator[bytes]:
    """Yield what the log holds, then what comes; nothing is left out in between."""
    listener = exchange.listeners.join(account.account_id)
    try:
        yield _BEAT
        last_id = bounds.after_id
        if bounds.has_past:
            for message in past_updates(exchange, account):
                if message is None:
                    await asyncio.sleep(0)
                    continue
                if bounds.is_over(message["event_id"]):
                    return
                if message["event_id"] > last_id:
                    last_id = message["event_id"]
                    yield _event(message)
        while True:
            message = await listener.next(_HEARTBEAT_S)
            if message is None:
                yield _BEAT
            elif bounds.is_over(message["event_id"]):
                return
            elif message["event_id"] > last_id:
                yield _event(message)
    finally:
        exchange.listeners.leave(account.account_id, listener)


def _event(message: dict[str, Any]) -> bytes:
    return b"data: " + encode(message) + b"\n\n"


def past_updates(exchange: Exchange, account: Account) -> Iterator[dict[str, Any] | None]:
    """Yield the updates of an account's log by folding it again; None now and then, to let others.

    An account that is folded for this alone tells what the real one told, because both make
    their messages from the same events in the same order.
    """
    index = OrderIndex()
    engine = exchange.accounts.bare_engine(account.record, index)
    shadow = Account(account.record, engine, index, account.place)
    for seq, event in exchange.store.events(account.account_id):
        engine.apply(event)
        shadow.note(event)
        if isinstance(event, OrderEvent):
            message = exchange.reporter.message(shadow, event)
            if message is not None:
                yield message
        if seq % _PAGE == 0:
            yield None
