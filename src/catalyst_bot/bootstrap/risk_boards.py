"""The risk board over a journal, with what no journal holds put beside it."""

from __future__ import annotations

from typing import Any

from catalyst_bot.bootstrap.alerts import JournalOutbox, unanswered_rows
from catalyst_bot.bootstrap.rules import companies_of, engine_rules
from catalyst_bot.engine.engine import Engine
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.monitoring.risk_board import RiskBoard
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.drills import last_drill
from catalyst_bot.settings import Settings
from catalyst_bot.storage.read_model import ReadModel


def risk_board(model: ReadModel, settings: Settings) -> RiskBoard:
    """Return a board by the limits of the settings."""
    outbox = JournalOutbox(model, settings)

    def outside() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        drill = last_drill(settings.run.data_dir, SystemClock().now())
        return unanswered_rows(outbox.look()), drill.as_dict()

    engine = Engine(engine_rules(settings, load_calendar(), companies_of(settings)))
    return RiskBoard(model, engine, settings.risk, outside=outside)
