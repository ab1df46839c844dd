"""`catalyst-bot db …`: copies, proofs and schema of journals."""

# ruff: noqa: FBT002, PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of

app = typer.Typer(help="Journals: copies, proofs, schema.", no_args_is_help=True)

OneJournal = Annotated[str | None, typer.Argument(help="file, name or URL; default: the newest")]


@app.command("backup")
def db_backup(
    target: Annotated[str, typer.Argument(help="file to write, or a folder; FOLDER/ is made")],
    journal: Journal = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a proved copy of a journal to a file, while the bot may go on."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.storage.backup import backup
        from catalyst_bot.storage.proof import proof_text

        settings = settings_of(data_dir, config)
        place = journals.chosen(settings, journal)
        proof = backup(place, Path(target), is_folder=target.endswith("/"))
        if json_:
            console.write_json(proof.as_dict(), json_)
        else:
            console.say(proof_text(proof))
        return console.OK

    console.guarded(action)


@app.command("verify")
def db_verify(
    journal: OneJournal = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Check checksums, chain, schema, and the read tables against a fresh fold."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.storage.proof import proof_text, prove

        settings = settings_of(data_dir, config)
        proof = prove(journals.chosen(settings, journal))
        if json_:
            console.write_json(proof.as_dict(), json_)
        else:
            console.say(proof_text(proof))
        if proof.damage:
            return console.INVARIANT
        return console.CONFIGURATION if proof.schema_problem else console.OK

    console.guarded(action)


@app.command("restore")
def db_restore(
    source: Annotated[str, typer.Argument(help="the copy: a file, or a name or URL")],
    journal: Annotated[str, typer.Option(help="file, name or URL of the journal to make")],
    force: Annotated[bool, typer.Option("--force", help="replace a journal that exists")] = False,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a journal of a copy, proved and all at once; never over another without --force."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.storage.backup import restore
        from catalyst_bot.storage.proof import proof_text

        settings = settings_of(data_dir, config)
        proof = restore(
            journals.named(settings, source), journals.named(settings, journal), replaces=force
        )
        if json_:
            console.write_json(proof.as_dict(), json_)
        else:
            console.say(proof_text(proof))
        return console.OK if proof.is_whole else console.INVARIANT

    console.guarded(action)


@app.command("migrate")
def db_migrate(journal: OneJournal = None, data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the schema of an older journal up to date; make a backup first."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.storage.backup import migrated

        settings = settings_of(data_dir, config)
        place = journals.chosen(settings, journal)
        before, after = migrated(place)
        said = "is up to date" if before == after else f"brought up to date from schema {before}"
        console.say(f"{place}: schema {after}, {said}")
        return console.OK

    console.guarded(action)
