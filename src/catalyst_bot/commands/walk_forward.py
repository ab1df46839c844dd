"""`catalyst-bot walk-forward`: learn, test on the next quarter, judge the chain, in one command."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import (
    DAY,
    Config,
    DataDir,
    Interval,
    Json,
    learning,
    names_of,
)

if TYPE_CHECKING:
    from catalyst_bot.ml.walk_forward.run import Walked


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("walk-forward")(walk_forward)


def walk_forward(
    start: Annotated[datetime, typer.Option(formats=DAY, help="first day to learn from")],
    end: Annotated[datetime, typer.Option(formats=DAY, help="last day to test on")],
    oos_start: Annotated[datetime, typer.Option(formats=DAY, help="first day to test on")],
    data: Annotated[
        Path | None, typer.Option(help="catalog; default: that of the data folder")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="a history of `data history` instead of a catalog")
    ] = None,
    interval: Interval = None,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="agents of each algorithm")] = 3,
    algorithms: Annotated[str, typer.Option(help="of ppo, a2c, sac, td3")] = "ppo,sac,a2c",
    steps: Annotated[int, typer.Option(min=0, help="decisions; 0: as each recipe says")] = 0,
    train_months: Annotated[int, typer.Option(min=3, help="that each fold learns from")] = 12,
    test_months: Annotated[int, typer.Option(min=1, help="that each fold is tested on")] = 3,
    train_sessions: Annotated[
        int, typer.Option(min=0, help="that each fold learns from, instead of months")
    ] = 0,
    test_sessions: Annotated[
        int, typer.Option(min=0, help="that each fold is tested on, instead of months")
    ] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; default: all cores")] = None,
    cluster: Annotated[str | None, typer.Option(help="HOST:PORT of a Ray cluster")] = None,
    model: Annotated[
        Path | None, typer.Option(help="write the newest fold's ensemble here, with its report")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="write the page here")] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="of trials; default: the data folder's")
    ] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Train on a year, trade the next quarter, again and again; exit code 7 when a gate says no.

    Finished folds are kept: the same command goes on where it stopped.
    """

    def action() -> int:
        with learning():
            from catalyst_bot.bootstrap import walking
            from catalyst_bot.bootstrap.decision_bars import settings_by_bars
            from catalyst_bot.ml.walk_forward.plan import Span

        console.must_be_a_file("--html", html)
        settings, interval_s = settings_by_bars(
            config, data_dir, console.note, history=history, catalog=data, interval_s=interval
        )
        asked = walking.Asked(
            span=Span(
                start=start.date(),
                end=end.date(),
                oos_start=oos_start.date(),
                train_months=train_months,
                test_months=test_months,
                train_sessions=train_sessions,
                test_sessions=test_sessions,
            ),
            algorithms=names_of(algorithms),
            seeds=seeds,
            steps=steps,
            workers=jobs or os.cpu_count() or 1,
            cluster=cluster,
            catalog=data,
            interval_s=interval_s,
            history=history,
            ledger=ledger,
            model=model,
        )
        walked = walking.walk_forward(settings, asked, note=console.note)
        return _deliver(walked, json_, html, model)

    console.guarded(action)


def _deliver(walked: Walked, json_: str, html: Path | None, model: Path | None) -> int:
    """Write what was asked for; return the exit code of the verdict."""
    from catalyst_bot.bootstrap import walking
    from catalyst_bot.policies.model_files import PASSED

    content = walked.report.content
    if json_:
        console.write_json(content, json_)
    if model is not None:
        console.write_json(content, str(walking.report_beside(model)))
    if html is not None:
        with console.writing("--html", html):
            html.write_text(walking.page(walked), encoding="utf-8")
    _tell(content, json_)
    return console.OK if content["aggregate"]["verdict"] == PASSED else console.REFUSED


def _tell(content: Mapping[str, Any], json_: str) -> None:
    if json_ == "-":
        return
    from catalyst_bot.ml.reports.verdict import HEADER, gate_rows
    from catalyst_bot.ml.validation.gates import Gate

    gates = [Gate(**each) for each in content["gates"]]
    console.say(console.table(gate_rows(gates), header=HEADER))
