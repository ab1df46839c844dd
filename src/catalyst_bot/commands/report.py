"""What a journal says about risk: `report stops`, `report gates`, `report risk`."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of

app = typer.Typer(help="What a journal says about risk.", no_args_is_help=True)


@app.command("stops")
def stops(
    symbol: Annotated[str | None, typer.Option(help="only this symbol")] = None,
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List what happened to stops: set, raised, rescaled, lost, hit, and why one was left."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.monitoring.stop_events import HEADER, stop_events
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            found = stop_events(model.records())
        wanted = [e for e in found if symbol is None or e.symbol == symbol.upper()]
        if json_:
            console.write_json([event.as_dict() for event in wanted], json_)
        elif wanted:
            console.say(console.table([event.as_row() for event in wanted], header=HEADER))
        else:
            console.note("no stop was set")
        return console.OK

    console.guarded(action)


@app.command("risk")
def risk(
    week: Annotated[str, typer.Option(help="ISO week in New York, such as 2026-W09")],
    html: Annotated[Path, typer.Option(help="write the page here")],
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a week of risk as one page of HTML: figures, refusals, halts, what happened."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.monitoring.risk_week import risk_week, week_html
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            page = week_html(risk_week(week, model.records()))
        with console.writing("--html", html):
            html.write_text(page, encoding="utf-8")
        console.note(f"written to {html}")
        return console.OK

    console.guarded(action)


@app.command("gates")
def gates(
    run: Annotated[str | None, typer.Argument(help="journal; default: the newest")] = None,
    bars: Annotated[list[Path] | None, typer.Option(help="bar files of the days played")] = None,
    effects: Annotated[float, typer.Option(help="of a generated market, as it was played")] = 1.0,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Value what each rule blocked, and what was taken, alike: their sum is all gates off."""

    def action() -> int:
        from catalyst_bot.bootstrap import gates as made
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.study.gates import HEADER, report_rows

        settings = settings_of(data_dir, config)
        done = made.gates(journals.chosen(settings, run), bars=bars or (), effects=effects)
        for line in done.notes:
            console.note(line)
        if json_:
            console.write_json(done.report.as_dict(), json_)
            return console.OK
        console.say(console.table(report_rows(done.report), header=HEADER))
        for reason, count in done.report.not_valued:
            console.note(f"{count} catalysts are not valued: {reason.replace('_', ' ')}")
        return console.OK

    console.guarded(action)
