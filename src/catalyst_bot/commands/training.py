"""`train`: agents from a history, and the ensemble of them as a model."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

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


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("train")(train)


def train(
    out: Annotated[Path, typer.Option(help="folder of the model, not there yet")],
    history: Annotated[
        Path | None, typer.Option(help="a folder made by `data history --features`")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="to make a history of; default: that of the data folder")
    ] = None,
    interval: Interval = None,
    start_date: Annotated[
        datetime | None, typer.Option(formats=DAY, help="default: the first session there is")
    ] = None,
    end_date: Annotated[
        datetime | None, typer.Option(formats=DAY, help="default: the last session there is")
    ] = None,
    validation_start: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="default: 60 % learn, 20 % choose, 20 % rest"),
    ] = None,
    test_start: Annotated[
        datetime | None, typer.Option(formats=DAY, help="sessions from here are left alone")
    ] = None,
    algorithms: Annotated[str, typer.Option(help="of ppo, sac, a2c, td3")] = "ppo,sac,a2c",
    seeds: Annotated[int, typer.Option(min=1, help="agents of each algorithm")] = 1,
    steps: Annotated[
        int, typer.Option(min=0, help="decisions to learn from; 0: as the recipe says")
    ] = 0,
    hyperparameters: Annotated[
        Path | None, typer.Option(help="TOML with changes to the shipped recipes")
    ] = None,
    search: Annotated[
        int, typer.Option(min=0, help="tries for better hyperparameters, each counted")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="processes at once")] = 1,
    cluster: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="train on this Ray cluster")
    ] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Train agents on a history and write their ensemble; the same command goes on when it died."""

    def action() -> int:
        with learning():
            from catalyst_bot.bootstrap.decision_bars import settings_by_bars
            from catalyst_bot.bootstrap.training import AskedTraining, train_model
            from catalyst_bot.ml.training.ensemble import HEADER
        settings, interval_s = settings_by_bars(
            config, data_dir, console.note, history=history, catalog=catalog, interval_s=interval
        )
        asked = AskedTraining(
            out=out,
            history=history,
            catalog=catalog,
            interval_s=interval_s,
            start=_day_of(start_date),
            end=_day_of(end_date),
            validation=_day_of(validation_start),
            test=_day_of(test_start),
            algorithms=names_of(algorithms),
            seeds=tuple(range(seeds)),
            steps=steps,
            hyperparameters=hyperparameters,
            tries=search,
            workers=jobs,
            cluster=cluster,
        )
        done = train_model(settings, asked, console.note)
        if json_:
            console.write_json(done.as_dict(), json_)
        if json_ != "-":
            console.say(console.table(done.rows(), header=HEADER))
            console.say(f"written to {done.folder}: {done.model.model_id}, not validated yet")
        return console.OK

    console.guarded(action)


def _day_of(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
