"""`catalyst-bot feeds …`: do the sources answer, and what does a saved answer yield?"""

# ruff: noqa: PLC0415  # typer: a parameter per flag; quick --help

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, Json, settings_of

app = typer.Typer(help="News sources.", no_args_is_help=True)


@app.command("check")
def feeds_check(json_: Json = "", config: Config = None) -> None:
    """Ask every configured source once; exit code 4 when one fails."""

    def action() -> int:
        from catalyst_bot.bootstrap.feed_tools import check_feeds, probes_text

        probes = check_feeds(settings_of(None, config))
        if json_:
            console.write_json([probe.as_dict() for probe in probes], json_)
        else:
            console.say_now(probes_text(probes))
        return console.OK if all(probe.is_ok for probe in probes) else console.UNREACHABLE

    console.guarded(action)


@app.command("parse")
def feeds_parse(
    file: Annotated[Path, typer.Argument(help="a saved answer of a source")],
    kind: Annotated[str, typer.Option(help="its format, such as edgar-atom or rss")],
    source: Annotated[str, typer.Option(help="who published it; default: the kind")] = "",
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
            help="when it was received, UTC; default: now",
        ),
    ] = None,
    json_: Json = "",
) -> None:
    """Show what a saved answer yields: headlines, halts, text, and what could not be read."""

    def action() -> int:
        from catalyst_bot.bootstrap.feed_tools import capture_text, read_capture
        from catalyst_bot.runtime.clock import SystemClock

        received_at = at.replace(tzinfo=UTC) if at else SystemClock().now()
        shown = read_capture(file, kind, source=source, received_at=received_at)
        if json_:
            console.write_json(shown, json_)
        else:
            console.say(capture_text(shown))
        return console.OK

    console.guarded(action)
