"""`catalyst-bot drill …`: does what is meant for the worst moment work today?"""

# ruff: noqa: FBT002, PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, Json, settings_of

app = typer.Typer(help="Rehearsals with a certificate.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="where certificates are kept")]


@app.callback()
def drill() -> None:
    """Rehearsals with a certificate."""


@app.command("kill-switch")
def drill_kill_switch(
    orders: Annotated[int, typer.Option(min=1, max=500, help="open orders to cancel")] = 500,
    latency_ms: Annotated[float, typer.Option(min=0, max=5000, help="of every answer")] = 50.0,
    tries: Annotated[int, typer.Option(min=1, max=10_000)] = 1,
    hanging_bot: Annotated[
        bool, typer.Option("--hanging-bot", help="with a bot that stands still meanwhile")
    ] = False,
    paper: Annotated[
        bool, typer.Option("--paper", help="at the configured paper account; it must be empty")
    ] = False,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Press the kill switch on a full book and certify what is left; exit code 7 when it fails."""

    def action() -> int:
        from catalyst_bot.bootstrap import drill as drilling
        from catalyst_bot.runtime.drills import keep

        settings = settings_of(data_dir, config)
        plan = drilling.DrillPlan(
            orders=orders, latency_ms=latency_ms, tries=tries, hangs=hanging_bot
        )
        certificate = (
            drilling.drill_on_paper(plan, settings, console.note)
            if paper
            else drilling.drill_here(plan, console.note)
        )
        console.note(f"certificate {keep(settings.run.data_dir, certificate)}")
        if json_:
            console.write_json(certificate.as_dict(), json_)
        else:
            console.say(certificate.line())
        return console.OK if certificate.is_passed else console.REFUSED

    console.guarded(action)
