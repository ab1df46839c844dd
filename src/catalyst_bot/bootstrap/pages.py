"""The dashboard of a journal, served beside a run. Apart because FastAPI takes long to load."""

from __future__ import annotations

import socket

from fastapi import FastAPI

from catalyst_bot.bootstrap.journal_tools import explanation
from catalyst_bot.bootstrap.resuming import standing_of
from catalyst_bot.bootstrap.risk_boards import risk_board
from catalyst_bot.monitoring.dashboard.app import create_app
from catalyst_bot.monitoring.dashboard.server import serve_on
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from catalyst_bot.monitoring.journal_source import JournalSource
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import DASHBOARD_TOKEN, Settings
from catalyst_bot.settings_sources import secret
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel


def served(settings: Settings) -> DashboardSettings:
    """How the page is served. Raises `ConfigError` for an address that is not safe to open."""
    return DashboardSettings(
        host=settings.dashboard.host,
        port=settings.dashboard.port,
        behind_proxy=settings.dashboard.behind_proxy,
        allowed_hosts=settings.dashboard.allowed_hosts,
        token=secret(DASHBOARD_TOKEN),
    )


async def serve(
    settings: Settings, journal: Place, how: DashboardSettings, listener: socket.socket
) -> None:
    """Serve the dashboard over a journal until cancelled."""
    with ReadModel(journal) as model:
        await serve_on(_page(settings, model, how), listener)


def _page(settings: Settings, model: ReadModel, how: DashboardSettings) -> FastAPI:
    """The dashboard over a journal."""
    return create_app(
        JournalSource(
            model,
            limits=settings.risk,
            data=_sort_of_data(settings, model),
            explainer=lambda subject: explanation(model.place, subject),
            standing=lambda: standing_of(model.place).as_dict(),
            make_board=lambda: risk_board(model, settings),
        ),
        OperatorMailbox(settings.run.data_dir),
        how,
    )


def _sort_of_data(settings: Settings, model: ReadModel) -> str:
    if settings.run.generated_seed is not None:
        return "generated"
    started = next(model.records("RunStarted"), None)
    is_live = started is not None and not getattr(started.body, "inputs_hash", "")
    return "live" if is_live else "recorded"
