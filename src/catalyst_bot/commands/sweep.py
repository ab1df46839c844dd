"""`catalyst-bot sweep`: many parameter sets over one history."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Json

From = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day")]
To = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day, included")
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("sweep")(sweep)


def sweep(
    history: Annotated[Path, typer.Option(help="made by `data history --features`")],
    vary: Annotated[
        list[str], typer.Option(help="NAME=V1,V2 or NAME=LOW:HIGH:COUNT; again for more")
    ],
    start: From = None,
    end: To = None,
    review_after: Annotated[
        int, typer.Option(min=0, help="sessions until a person resumes from a halt; 0: never")
    ] = 0,
    top: Annotated[int, typer.Option(min=1, help="how many of the best are shown")] = 10,
    workers: Annotated[int, typer.Option(min=1, help="threads")] = 2,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Trade a history by the rule with every combination of parameters; all count as trials."""

    def action() -> int:
        from catalyst_bot.bootstrap.decision_bars import settings_by_bars
        from catalyst_bot.bootstrap.sweeping import sweep_history, values_of

        settings, _ = settings_by_bars(config, data_dir, console.note, history=history)
        report = sweep_history(
            settings,
            history=history,
            varied=values_of(vary),
            first_day=start.date() if start is not None else None,
            last_day=end.date() if end is not None else None,
            review_after=review_after,
            workers=workers,
            note=console.note,
        )
        if json_:
            console.write_json(report.as_dict(), json_)
        if json_ != "-":
            console.say(console.table(report.rows(top), header=report.header))
            first, last = report.days
            console.say(
                f"{len(report.swept.sets):,} sets over {first} to {last}; "
                f"{report.ledger.trials:,} trials are counted"
            )
        return console.OK

    console.guarded(action)
