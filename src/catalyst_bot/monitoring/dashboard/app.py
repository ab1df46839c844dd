"""The dashboard's web application: two pages, a few reads, a person's commands.

It only reads a `DashboardSource` and passes a person's commands to an `OperatorDesk`; it decides
nothing about trading.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.middleware.gzip import GZipMiddleware

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.monitoring.dashboard.encoding import to_json
from catalyst_bot.monitoring.dashboard.guard import Guard
from catalyst_bot.monitoring.dashboard.prometheus import PROMETHEUS, prometheus_text
from catalyst_bot.monitoring.dashboard.pulse import MAX_VIEWERS, Pulse, Viewer
from catalyst_bot.monitoring.dashboard.sessions import SESSION_LIFE_S, Sessions
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from catalyst_bot.monitoring.dashboard.sources import DashboardSource, OperatorDesk
from catalyst_bot.risk.overriding import LONGEST

STATIC: Final = Path(__file__).parent / "static"
OPERATOR: Final = "dashboard"
MAX_TRADES: Final = 500

logger = logging.getLogger(__name__)

# Blanks are no reason.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class Command(BaseModel):
    """Body of a command; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HaltCommand(Command):
    """Halt trading. `confirm` is the word the person typed."""

    confirm: Literal["HALT"]
    positions_policy: PositionsPolicy
    reason: str = Field(default="", max_length=500)


class ResumeCommand(Command):
    """Let trading go on; needs a reason, what of the checklist was looked at, and the password
    where one is set.
    """

    reason: Reason
    confirmed: tuple[Annotated[str, Field(pattern="^[a-z_]{1,40}$")], ...] = Field(
        default=(), max_length=20
    )
    token: str = Field(default="", max_length=500)


class ReduceCommand(Command):
    """Let positions end and none begin."""

    reason: Reason


class OverrideCommand(Command):
    """Let the refusal of an intent pass once, for some minutes; needs the password where one is
    set.
    """

    intent_id: str = Field(pattern="^[a-z0-9-]{1,80}$")
    reason: Reason
    minutes: int = Field(default=10, ge=1, le=LONGEST // timedelta(minutes=1))
    token: str = Field(default="", max_length=500)


class AcknowledgeCommand(Command):
    """A person has seen a notice."""

    notice_id: str = Field(min_length=1, max_length=80)


class LoginCommand(Command):
    """Trade the password for a session."""

    token: str = Field(max_length=500)


class Desk:
    """What the routes share; each request finds it in `app.state.desk`."""

    def __init__(
        self, source: DashboardSource, operator: OperatorDesk, settings: DashboardSettings
    ) -> None:
        self.source = source
        self.operator = operator
        self.settings = settings
        self.pulse = Pulse(source)
        self.sessions = Sessions(token=settings.token, now=time.monotonic)
        self.scrapers = Sessions(token=settings.token, now=time.monotonic)

    def is_https(self, request: Request) -> bool:
        """Whether the browser came by TLS, which only a proxy in front can end."""
        return self.settings.behind_proxy and request.headers.get("x-forwarded-proto") == "https"

    def cookie_name(self, request: Request) -> str:
        """The prefix makes browsers enforce TLS, path and host; plain HTTP cannot have it."""
        return "__Host-catalyst-session" if self.is_https(request) else "catalyst-session"

    def may_scrape(self, authorization: str) -> bool:
        """Whether a collector of metrics may have them: by the password, where there is one; else
        only on this machine. Its wrong passwords do not lock a person out.
        """
        if not self.scrapers.asks_token:
            return not self.settings.behind_proxy
        kind, _, given = authorization.partition(" ")
        return kind.lower() == "bearer" and self.scrapers.accepts_token(given)

    def session(self, request: Request) -> str | None:
        """Return the valid session of a request, if any."""
        given = request.cookies.get(self.cookie_name(request), "")
        return given if self.sessions.is_valid(given) else None

    def open_session(self, request: Request, response: Response) -> dict[str, str]:
        """Set the cookie (kept, where still valid) and return its CSRF token for the page."""
        session = self.session(request) or self.sessions.issue()
        response.set_cookie(
            self.cookie_name(request),
            session,
            path="/",
            max_age=SESSION_LIFE_S,
            httponly=True,
            samesite="strict",
            secure=self.is_https(request),
        )
        return {"csrf_token": self.sessions.csrf_token(session)}


def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


def _may_read(request: Request, desk: TheDesk) -> None:
    if desk.sessions.asks_token and desk.session(request) is None:
        raise HTTPException(401, "Unlock the dashboard first.")


def _may_command(
    request: Request, desk: TheDesk, x_csrf_token: Annotated[str, Header()] = ""
) -> None:
    session = desk.session(request)
    if session is None or not desk.sessions.is_csrf_token(x_csrf_token, session):
        raise HTTPException(403, "The session is over or not yours; reload the page.")


async def _seat(desk: TheDesk) -> AsyncIterator[Viewer]:
    viewer = await desk.pulse.join()
    if viewer is None:
        raise HTTPException(503, f"{MAX_VIEWERS} pages are open already; close one.")
    try:
        yield viewer
    finally:
        desk.pulse.leave(viewer)


public = APIRouter()
reading = APIRouter(prefix="/api", dependencies=[Depends(_may_read)])
commanding = APIRouter(prefix="/api", dependencies=[Depends(_may_command)])


@public.get("/")
async def page() -> FileResponse:
    """Serve the page; it holds no data."""
    return FileResponse(STATIC / "index.html")


@public.get("/risk")
async def risk_page() -> FileResponse:
    """Serve the page about risk; it holds no data."""
    return FileResponse(STATIC / "risk.html")


@public.get("/metrics")
async def metrics(request: Request, desk: TheDesk) -> Response:
    """Return the figures for Prometheus; see `Desk.may_scrape` for who gets them."""
    if not desk.may_scrape(request.headers.get("authorization", "")):
        raise HTTPException(401, "Send the dashboard's password as a bearer token.")
    view = await desk.pulse.read(desk.source.risk_board)
    return Response(prometheus_text(view), media_type=PROMETHEUS)


@public.get("/healthz")
async def healthz(desk: TheDesk) -> JSONResponse:
    """Say whether the source can be read."""
    try:
        status = await desk.pulse.read(desk.source.status)
    except SourceUnreachable:
        return JSONResponse({"ok": False}, status_code=503)
    return JSONResponse({"ok": True, "last_seq": status["last_seq"] if status else None})


@public.get("/api/session")
async def session(request: Request, response: Response, desk: TheDesk) -> dict[str, str]:
    """Give the page its CSRF token, and a session first where no password is needed."""
    if desk.sessions.asks_token and desk.session(request) is None:
        raise HTTPException(401, "Unlock the dashboard first.")
    return desk.open_session(request, response)


@public.post("/api/session")
async def log_in(
    command: LoginCommand, request: Request, response: Response, desk: TheDesk
) -> dict[str, str]:
    """Trade the password for a session."""
    _check_token(desk, command.token)
    return desk.open_session(request, response)


@reading.get("/state")
async def state(desk: TheDesk) -> Response:
    """Return one complete snapshot."""
    return _json(await desk.pulse.full_state())


@reading.get("/events", response_model=None)
async def events(viewer: Annotated[Viewer, Depends(_seat)]) -> EventSourceResponse:
    """Stream the full state once, then every change."""
    return EventSourceResponse(viewer.messages())


@reading.get("/trades")
async def trades(desk: TheDesk, limit: int = 50) -> Response:
    """Return the newest trades, at most `MAX_TRADES`."""
    wanted = max(1, min(limit, MAX_TRADES))
    return _json(to_json(await desk.pulse.read(lambda: desk.source.trades(limit=wanted))))


@reading.get("/checklist")
async def checklist(desk: TheDesk) -> Response:
    """Return what has to be looked at before trading goes on."""
    return _json(to_json(await desk.pulse.read(desk.source.checklist)))


@reading.get("/risk")
async def risk(desk: TheDesk) -> Response:
    """Return everything about risk."""
    return _json(to_json(await desk.pulse.read(desk.source.risk_board)))


@reading.get("/explain/{explained_id}")
async def explain(explained_id: str, desk: TheDesk) -> Response:
    """Return why a trade or decision came about."""
    explanation = await desk.pulse.read(lambda: desk.source.explain(explained_id))
    if explanation is None:
        raise HTTPException(404, "Nothing is known under this id.")
    return _json(to_json(explanation))


@commanding.post("/halt", status_code=202)
async def halt(command: HaltCommand, desk: TheDesk) -> dict[str, str]:
    """Halt trading; never asks for the password again."""
    reason = command.reason.strip() or "halted from the dashboard"
    await _record(
        desk,
        lambda: desk.operator.halt(
            by=OPERATOR, reason=reason, positions_policy=command.positions_policy
        ),
    )
    return {"accepted": "halt"}


@commanding.post("/resume", status_code=202)
async def resume(command: ResumeCommand, desk: TheDesk) -> dict[str, str]:
    """Let trading go on."""
    _check_token(desk, command.token)
    reason, confirmed = command.reason, command.confirmed
    await _record(
        desk, lambda: desk.operator.resume(by=OPERATOR, reason=reason, confirmed=confirmed)
    )
    return {"accepted": "resume"}


@commanding.post("/reduce", status_code=202)
async def reduce(command: ReduceCommand, desk: TheDesk) -> dict[str, str]:
    """Only exits from now on; as for a halt, the password is not asked again."""
    await _record(desk, lambda: desk.operator.reduce(by=OPERATOR, reason=command.reason))
    return {"accepted": "reduce"}


@commanding.post("/override", status_code=202)
async def override(command: OverrideCommand, desk: TheDesk) -> dict[str, str]:
    """Let one refusal pass; what may not be overridden is refused by the bot, with the reason."""
    _check_token(desk, command.token)
    ask = partial(
        desk.operator.override,
        by=OPERATOR,
        reason=command.reason,
        lasts=timedelta(minutes=command.minutes),
        at=datetime.now(UTC),
        intent_id=command.intent_id,
    )
    await _record(desk, ask)
    return {"accepted": "override"}


@commanding.post("/acknowledge", status_code=202)
async def acknowledge(command: AcknowledgeCommand, desk: TheDesk) -> dict[str, str]:
    """Say that a person has seen a notice."""
    notice_id = command.notice_id
    try:
        await _record(desk, lambda: desk.operator.acknowledge(notice_id, by=OPERATOR))
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return {"accepted": "acknowledge"}


def create_app(
    source: DashboardSource, operator: OperatorDesk, settings: DashboardSettings
) -> FastAPI:
    """Return the application; `app.state.desk.pulse.nudge()` pushes a change at once."""
    app = FastAPI(
        title="catalyst-bot", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    app.state.desk = Desk(source, operator, settings)
    for router in (public, reading, commanding):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(SourceUnreachable, _unreachable)
    app.add_exception_handler(RequestValidationError, _no_command)
    app.add_middleware(GZipMiddleware, minimum_size=1_024)
    app.add_middleware(Guard, settings=settings)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    pulse = app.state.desk.pulse
    polling = asyncio.create_task(pulse.run(), name="dashboard-pulse")
    polling.add_done_callback(_say_why_it_ended)
    try:
        yield
    finally:
        pulse.close()
        polling.cancel()
        await asyncio.wait([polling])


def _say_why_it_ended(polling: asyncio.Task[None]) -> None:
    """A fault of ours ends the polling: pages grey out, and the log says why at once."""
    if not polling.cancelled() and (error := polling.exception()):
        logger.critical("the dashboard stopped following the bot", exc_info=error)


async def _record(desk: Desk, command: Callable[[], object]) -> None:
    try:
        await asyncio.to_thread(command)
    except OSError as error:
        raise HTTPException(500, f"The command could not be recorded: {error}.") from error
    desk.pulse.nudge()


def _check_token(desk: Desk, given: str) -> None:
    if desk.sessions.is_locked:
        raise HTTPException(429, "Too many wrong passwords; wait a quarter of an hour.")
    if not desk.sessions.accepts_token(given):
        raise HTTPException(401, "Wrong password.")


async def _unreachable(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "The read model cannot be read now."}, status_code=503)


async def _no_command(_request: Request, error: Exception) -> Response:
    """Say what is wrong with what was sent, without repeating it: NaN in it is no JSON."""
    assert isinstance(error, RequestValidationError), "registered for another error"
    problems = [{"loc": each["loc"], "msg": each["msg"]} for each in error.errors()]
    return JSONResponse({"detail": problems}, status_code=422)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
