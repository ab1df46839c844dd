"""The administrator's clock: shown, moved, and refused."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalyst_bot.exchange.api.clock_routes import ClockDesk
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.moments import SessionChanged
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.replies import api_error_handler
from tests.exchange.markets import CLOSE, OPEN, market_of, walk
from tests.exchange.stage import Listener, stage

TOKEN = {"X-Admin-Token": "secret"}


def opened(clock: ExchangeClock) -> tuple[TestClient, Listener]:
    conductor, listener = stage(market_of({"AAPL": walk(1)}), clock, "AAPL")
    app = Starlette(
        routes=ClockDesk(clock, conductor).routes(),
        exception_handlers={ApiError: api_error_handler},
    )
    app.state.admin_token = "secret"
    return TestClient(app), listener


def test_the_clock_is_shown_and_moved() -> None:
    http, listener = opened(ExchangeClock.step(OPEN))
    shown = http.get("/admin/clock", headers=TOKEN).json()
    assert shown["kind"] == "step"
    assert shown["speed"] is None
    assert shown["now"] == "2025-10-22T13:30:00Z"
    assert OPEN < datetime.fromisoformat(shown["next_moment"]) < OPEN + timedelta(minutes=1)
    reply = http.post(
        "/admin/clock/advance", json={"to": "2025-10-22T16:00:00-04:00"}, headers=TOKEN
    )
    assert (reply.status_code, reply.json()) == (200, {"now": "2025-10-22T20:00:00Z"})
    assert [moment.at for moment in listener.of(SessionChanged)] == [CLOSE]


@pytest.mark.parametrize(
    ("clock", "shown"),
    [
        (ExchangeClock.replay(OPEN, 60), {"kind": "replay", "speed": 60.0}),
        (ExchangeClock.replay(OPEN, math.inf), {"kind": "replay", "speed": "max"}),
        (ExchangeClock.wall(lambda: OPEN), {"kind": "wall", "speed": 1.0}),
    ],
)
def test_every_clock_says_what_it_is(clock: ExchangeClock, shown: dict) -> None:
    body = opened(clock)[0].get("/admin/clock", headers=TOKEN).json()
    assert {name: body[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"to": "2025-10-22T13:00:00Z"}, 422, "cannot go back"),
        ({"to": "tomorrow"}, 422, "to is invalid format"),
        ({"to": 5}, 422, "to is required"),
        ({}, 422, "to is required"),
        ([], 400, "request body format is invalid"),
    ],
)
def test_what_cannot_be_is_refused(body: object, status: int, message: str) -> None:
    http, _ = opened(ExchangeClock.step(OPEN))
    reply = http.post("/admin/clock/advance", json=body, headers=TOKEN)
    assert reply.status_code == status
    assert message in reply.json()["message"]
    assert http.get("/admin/clock", headers=TOKEN).json()["now"] == "2025-10-22T13:30:00Z"


def test_the_wall_clock_is_nobodys_to_move() -> None:
    http, _ = opened(ExchangeClock.wall(lambda: OPEN))
    reply = http.post("/admin/clock/advance", json={"to": "2025-10-22T14:00:00Z"}, headers=TOKEN)
    assert reply.status_code == 422
    assert "wall clock" in reply.json()["message"]


def test_only_the_token_opens_it() -> None:
    http, _ = opened(ExchangeClock.step(OPEN))
    assert http.get("/admin/clock").status_code == 401
    assert http.post("/admin/clock/advance", json={"to": "2025-10-22T14:00:00Z"}).status_code == 401
