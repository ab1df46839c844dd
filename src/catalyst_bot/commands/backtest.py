"""`catalyst-bot backtest`: recorded days through the running bot, measured."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import DAY, Config, DataDir, Json


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("backtest")(backtest)


def backtest(
    start: Annotated[datetime, typer.Option("--from", formats=DAY, help="first day")],
    end: Annotated[datetime, typer.Option("--to", formats=DAY, help="last day, included")],
    bars: Annotated[list[Path] | None, typer.Option(help="bar files or a catalog")] = None,
    news: Annotated[list[Path] | None, typer.Option(help="news files or a catalog")] = None,
    model: Annotated[str | None, typer.Option(help="rule, a model folder or name")] = None,
    json_: Json = "",
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Replay recorded days at the configured and at double costs; measure, beside what is held."""

    def action() -> int:
        from catalyst_bot.bootstrap.backtesting import backtest as replayed
        from catalyst_bot.bootstrap.requests import Asked
        from catalyst_bot.ml.backtest import SHOWN

        report = replayed(
            Asked(
                is_dry_run=False,
                first_day=start.date(),
                last_day=end.date(),
                bars=tuple(bars or ()),
                news=tuple(news or ()),
                model=model,
                config=config,
                data_dir=data_dir,
            )
        )
        for line in report.notes:
            console.note(line)
        if json_:
            console.write_json(report.as_dict(), json_)
        if json_ != "-":
            console.say(console.table(report.rows(), header=("account", *SHOWN)))
            console.say(f"closes of {report.first_close} to {report.last_close}")
            if report.capacity_usd is not None:
                console.say(
                    f"up to ${report.capacity_usd:,.0f} the volume of bars cuts fewer entries "
                    "than one in twenty"
                )
        for name in report.halted:
            console.note(f"{name}: trading was halted, and in a backtest nobody resumes it")
        return console.OK

    console.guarded(action)
