"""The administrator's view of the clock: what it shows, and moving it."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.clock import ClockKind, ExchangeClock
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.errors import invalid_field, unprocessable
from catalyst_bot.exchange.replies import (
    json_body,
    json_reply,
    read_moment,
    require_admin,
    rfc3339,
    rfc3339_or_none,
)

_TURN_S = 0.02  # how long an advance keeps the others waiting at a time


class ClockDesk:
    """Shows and moves the clock of an exchange."""

    def __init__(self, clock: ExchangeClock, conductor: Conductor) -> None:
        self._clock = clock
        self._conductor = conductor
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the administrator's routes."""
        return [
            Route("/admin/clock", self.show, methods=["GET"]),
            Route("/admin/clock/advance", self.advance, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Tell the time, what moves it, and when something happens next."""
        require_admin(request)
        return json_reply(clock_state(self._clock, self._conductor))

    async def advance(self, request: Request) -> Response:
        """Play everything up to `to`; other requests are answered in between."""
        require_admin(request)
        told = (await json_body(request)).get("to")
        if not isinstance(told, str):
            raise invalid_field("to is required: a time such as 2025-10-22T13:30:00Z")
        to = read_moment(told, "to")
        async with self._one_at_a_time:
            turn_ends = time.monotonic() + _TURN_S
            try:
                for _ in self._conductor.steps(to):
                    if time.monotonic() > turn_ends:
                        await asyncio.sleep(0)
                        turn_ends = time.monotonic() + _TURN_S
            except BadData as error:
                raise unprocessable(str(error)) from error
        return json_reply({"now": rfc3339(self._clock.now())})


def clock_state(clock: ExchangeClock, conductor: Conductor) -> dict[str, Any]:
    """Return the body of `GET /admin/clock`."""
    speed: float | str | None = clock.speed
    if clock.kind is ClockKind.STEP:
        speed = None
    elif math.isinf(clock.speed):
        speed = "max"
    return {
        "kind": clock.kind.value,
        "next_moment": rfc3339_or_none(conductor.next_moment()),
        "now": rfc3339(clock.now()),
        "speed": speed,
    }
