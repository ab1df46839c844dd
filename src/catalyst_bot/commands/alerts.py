"""`catalyst-bot alerts …`: does it reach people, and what does not."""

# ruff: noqa: PLC0415  # quick --help

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of
from catalyst_bot.domain.errors import ConfigError

app = typer.Typer(help="Alerts to people: test the channels, see what waits.", no_args_is_help=True)


@app.command("test")
def alerts_test(json_: Json = "", config: Config = None) -> None:
    """Send a test message to every channel; exit code 4 when one did not take it."""

    def action() -> int:
        from catalyst_bot.bootstrap.alerts import try_channels

        tried = try_channels(settings_of(None, config))
        if json_:
            console.write_json([asdict(each) for each in tried], json_)
        else:
            rows = [
                (
                    each.channel,
                    each.service,
                    "delivered" if each.answer.is_delivered else "FAILED",
                    each.answer.note or each.answer.reason,
                )
                for each in tried
            ]
            console.say(console.table(rows, header=("channel", "service", "outcome", "note")))
        return (
            console.OK if all(each.answer.is_delivered for each in tried) else console.UNREACHABLE
        )

    console.guarded(action)


@app.command("list")
def alerts_list(
    journal: Journal = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List what nobody answered, what waits to be delivered and what was given up, with reasons."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.alerts import outbox_of, waiting_rows
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            rows = waiting_rows(outbox_of(model, settings))
        if json_:
            console.write_json(rows, json_)
        elif rows:
            cells = [tuple(row.values()) for row in rows]
            console.say(console.table(cells, header=tuple(rows[0])))
        else:
            console.note("nothing waits")
        return console.OK

    console.guarded(action)


@app.command("show")
def alerts_show(
    notice: Annotated[str, typer.Argument(help="id of a notice, or its beginning")],
    journal: Journal = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show all words of a notice: a channel gets no more of them than its service takes."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.alerts import notice_called
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            found = notice_called(model, notice)
        if json_:
            console.write_json(asdict(found), json_)
        else:
            console.say(f"{found.title}\n{found.text}\n")
            console.say(f"{found.severity}, {found.at:%Y-%m-%d %H:%M:%S} UTC, {found.notice_id}")
        return console.OK

    console.guarded(action)


@app.command("ack")
def alerts_ack(
    notice: Annotated[str, typer.Argument(help="id of a notice, its beginning, or all")],
    by: Annotated[str, typer.Option("--by", help="who has seen it")] = "operator",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Say that you have seen a critical notice: it is not told again."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.alerts import acknowledge
        from catalyst_bot.storage.read_model import ReadModel

        if not by.strip():
            raise ConfigError("--by: say who has seen it")
        settings = settings_of(data_dir, config)
        with ReadModel(journals.chosen(settings, journal)) as model:
            seen = acknowledge(model, settings, notice, by=by)
        console.say(f"seen by {by}: {', '.join(seen)}; a bot records it when it runs")
        return console.OK

    console.guarded(action)
