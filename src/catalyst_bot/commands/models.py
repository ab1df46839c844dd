"""Which models there are, and what one is made of: `models list`, `models show`."""

# ruff: noqa: PLC0415  # typer: a parameter per flag; quick --help

from __future__ import annotations

from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Json, settings_of

app = typer.Typer(help="Trained models, and which of them may decide.", no_args_is_help=True)


@app.command("list")
def list_command(json_: Json = "", data_dir: DataDir = None, config: Config = None) -> None:
    """List the rule, the shipped model and those of the data folder, and who of them may decide."""

    def action() -> int:
        from catalyst_bot.bootstrap.models import list_text, listed

        rows = listed(settings_of(data_dir, config).run.data_dir)
        if json_:
            console.write_json({"models": rows}, json_)
        else:
            console.say(list_text(rows))
        return console.OK

    console.guarded(action)


@app.command("show")
def show_command(
    model: Annotated[str, typer.Argument(help="a model folder, or a name that `list` shows")],
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show who votes in a model with which weight, and its card."""

    def action() -> int:
        from catalyst_bot.bootstrap.models import show_text, shown

        found = shown(model, settings_of(data_dir, config).run.data_dir)
        if json_:
            console.write_json(found, json_)
        else:
            console.say(show_text(found))
        return console.OK

    console.guarded(action)
