"""What a person says to the bot: `reduce`, `override`, `resume`."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst_bot import console

if TYPE_CHECKING:
    from catalyst_bot.settings import Settings

Config = Annotated[Path | None, typer.Option(help="settings file")]
DataDir = Annotated[Path | None, typer.Option(help="journals, catalog, HALT latch")]
Json = Annotated[str, typer.Option("--json", help="write JSON here; - is standard output")]
Journal = Annotated[str | None, typer.Option(help="file, name or URL; default: the newest")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("reduce")(reduce)
    app.command("override")(override)
    app.command("resume")(resume)


def reduce(
    reason: Annotated[str, typer.Option(help="why")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let positions end and none begin: only exits from now on, until `resume`."""

    def action() -> int:
        from catalyst_bot.runtime.words import WordBox

        WordBox(_settings(data_dir, config).run.data_dir).reduce(by="operator", reason=reason)
        console.say("asked: a running bot reduces now, one that is not running at its start")
        return console.OK

    console.guarded(action)


def override(
    intent_id: Annotated[str, typer.Argument(help="of the refusal, as `status` shows it")] = "",
    reason: Annotated[str, typer.Option(help="why this refusal is overridden")] = "",
    lasts: Annotated[str, typer.Option("--for", help="how long it holds: 90s, 10m, 2h")] = "10m",
    rule: Annotated[str, typer.Option(help="this rule, for the next entry in --symbol")] = "",
    symbol: Annotated[str, typer.Option(help="with --rule")] = "",
    by: Annotated[str, typer.Option(help="who says so")] = "operator",
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for an answer")] = 10.0,
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let one refusal pass: with a reason, for a time, used once; never a limit of the account."""

    def action() -> int:
        from catalyst_bot.bootstrap import overrides

        asked = overrides.Asked(
            by=by, reason=reason, lasts=lasts, intent_id=intent_id, symbol=symbol, rule=rule
        )
        settings = _settings(data_dir, config)
        answer = overrides.override(settings, asked, journal=journal, wait_s=wait)
        if json_:
            console.write_json(answer.as_dict(), json_)
        else:
            console.say(answer.as_text())
        return console.OK if answer.is_granted else console.REFUSED

    console.guarded(action)


def resume(
    reason: Annotated[str, typer.Option(help="why it is safe to go on")],
    confirm: Annotated[
        list[str] | None, typer.Option(help="an open item of the checklist that you looked at")
    ] = None,
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Go through the checklist, lift the HALT latch and let a running bot trade again."""

    def action() -> int:
        from catalyst_bot.bootstrap import resuming

        settings = _settings(data_dir, config)
        done = resuming.resume(
            settings, reason=reason, confirmed=confirm or (), journal=journal, by="operator"
        )
        if json_:
            console.write_json(done.as_dict(), json_)
        else:
            console.say(done.as_text())
        return console.REFUSED if done.still_open else console.OK

    console.guarded(action)


def _settings(data_dir: Path | None, config: Path | None) -> Settings:
    from catalyst_bot.bootstrap.configuration import load_settings

    return load_settings(config=config, data_dir=data_dir).settings
