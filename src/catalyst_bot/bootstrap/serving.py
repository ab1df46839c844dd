"""A run with its face: the story on screen, the dashboard beside it, the result at the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from catalyst_bot.bootstrap.journal_tools import explanation
from catalyst_bot.bootstrap.modes import mode_row
from catalyst_bot.bootstrap.run import Outcome, ReplayRequest, replay
from catalyst_bot.monitoring.dashboard.app import create_app
from catalyst_bot.monitoring.dashboard.server import listen, serve_on
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from catalyst_bot.monitoring.journal_source import JournalSource, MailboxDesk
from catalyst_bot.monitoring.narrator import Narrator, summary_text
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import Settings
from catalyst_bot.storage.read_model import ReadModel

Say = Callable[[str], None]
OnResult = Callable[[dict[str, Any]], None]


def run_and_serve(request: ReplayRequest, *, stays: bool, say: Say, on_result: OnResult) -> Outcome:
    """Replay with narration and dashboard; hand the result over as soon as the replay is done.

    With `stays` the dashboard is served on after that, until Ctrl-C.
    """
    settings = request.loaded.settings
    row = mode_row(request.mode, is_dry_run=request.is_dry_run)
    has_page = settings.dashboard.enabled and row.has_dashboard
    if OperatorMailbox(settings.run.data_dir).is_halted():
        say(
            f"HALT latch is set in {settings.run.data_dir}: no entry will be sent; lift it with "
            "`catalyst-bot resume --reason '...'`"
        )
    listener = (
        listen(settings.dashboard.host, settings.dashboard.port, next_free=True)
        if has_page
        else None
    )

    def tell_end(seconds: float) -> None:
        result = result_of(request.journal, seconds=seconds)
        say(summary_text(result))
        say(f"replayed in {seconds:.1f} s")
        on_result(result)

    async def serve(on: socket.socket) -> None:
        with ReadModel(f"sqlite:///{request.journal}") as model:
            await serve_on(page(settings, model), on)

    async def stay() -> None:
        say("the dashboard stays up until Ctrl-C (use --exit to end with the replay)")
        await asyncio.Event().wait()

    if listener is not None:
        host, port = listener.getsockname()[:2]
        say(f"dashboard: http://{host}:{port}")
        on = listener
        request = replace(request, beside=(lambda: serve(on),), then=stay if stays else None)
    return replay(replace(request, listeners=(Narrator(say),), at_end=tell_end))


def result_of(journal: Path, *, seconds: float) -> dict[str, Any]:
    """The result of a run in the shape of CONVENTIONS."""
    with ReadModel(f"sqlite:///{journal}") as model:
        return {**model.run_result(), "seconds": round(seconds, 3)}


def page(settings: Settings, model: ReadModel) -> FastAPI:
    """The dashboard over a journal."""
    data = "recorded" if settings.run.generated_seed is None else "generated"
    source = JournalSource(
        model,
        limits=settings.risk,
        data=data,
        explainer=lambda subject: explanation(model.path, subject),
    )
    return create_app(
        source,
        MailboxDesk(OperatorMailbox(settings.run.data_dir)),
        DashboardSettings(
            host=settings.dashboard.host,
            port=settings.dashboard.port,
            behind_proxy=settings.dashboard.behind_proxy,
        ),
    )
