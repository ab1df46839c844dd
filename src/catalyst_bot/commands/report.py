"""`catalyst-bot report …`: pages made from a journal."""

# ruff: noqa: PLC0415  # quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console

report = typer.Typer(help="Pages made from a journal.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="settings file")]
DataDir = Annotated[Path | None, typer.Option(help="journals, catalog, HALT latch")]
Journal = Annotated[str | None, typer.Option(help="file, name or URL; default: the newest")]


@report.callback()
def pages() -> None:
    """Pages made from a journal."""


@report.command("risk")
def report_risk(
    week: Annotated[str, typer.Option(help="ISO week in New York, such as 2026-W09")],
    html: Annotated[Path, typer.Option(help="write the page here")],
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a week of risk as one page of HTML: figures, refusals, halts, what happened."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.configuration import load_settings
        from catalyst_bot.monitoring.risk_week import risk_week, week_html
        from catalyst_bot.storage.read_model import ReadModel

        settings = load_settings(config=config, data_dir=data_dir).settings
        with ReadModel(journals.chosen(settings, journal)) as model:
            page = week_html(risk_week(week, model.records()))
        with console.writing("--html", html):
            html.write_text(page, encoding="utf-8")
        console.note(f"written to {html}")
        return console.OK

    console.guarded(action)
