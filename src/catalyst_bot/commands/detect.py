"""How headlines are read: `detect text`, `detect file`, `detect evaluate`, `detect train`."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Json, settings_of
from catalyst_bot.texts.labels import Task

app = typer.Typer(help="How headlines are read, and by which models.", no_args_is_help=True)

TaskOption = Annotated[Task, typer.Option("--task", help="what the model tells")]
LICENCE_NOTE = "the licences of the files under `data` bind what may be done with this model"
_SHOWN_BAD_ROWS = 20


@app.command("text")
def text_command(
    text: Annotated[str, typer.Argument(help="a headline")],
    symbol: Annotated[str | None, typer.Option(help="the symbol that a feed would name")] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show how a headline is read: tickers, category, evidence, opinions, score, refusals."""

    def action() -> int:
        from catalyst_bot.bootstrap.detecting import headline_from, reasoner
        from catalyst_bot.texts.reasoning import as_text

        found = reasoner(settings_of(data_dir, config)).reason(headline_from(text, symbol))
        if json_:
            console.write_json(found, json_)
        else:
            console.say(as_text(found))
        return console.OK

    console.guarded(action)


@app.command("file")
def file_command(
    file: Annotated[Path, typer.Argument(help="news as .jsonl or .jsonl.zst")],
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Read a file of headlines as one after the other; the JSON holds the whole reasoning."""

    def action() -> int:
        from catalyst_bot.bootstrap.detecting import reason_on_file

        found = reason_on_file(settings_of(data_dir, config), file)
        if json_:
            console.write_json(found, json_)
        _tell_bad_rows(found["unreadable"])
        if json_ != "-":
            left_out = (
                f", {len(found['unreadable']):,} lines left out" if found["unreadable"] else ""
            )
            read = f"{found['n']:,} headlines, {found['with_catalyst']:,} with a catalyst"
            console.say(f"{read}{left_out}")
            for title, counts in (("catalyst", "categories"), ("refused", "refused")):
                for name, count in found[counts].items():
                    console.say(f"  {title:<9} {name:<28} {count:,}")
        return console.OK

    console.guarded(action)


@app.command("evaluate")
def evaluate_command(
    file: Annotated[Path, typer.Argument(help="rows {text, label} as .jsonl or .jsonl.zst")],
    task: TaskOption,
    model: Annotated[
        str | None, typer.Option(help="folder of a model, or lexicon; default: the shipped one")
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="a model less sure abstains: it counts as wrong")
    ] = 0.0,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="sentence encoder: installed (default, where it is), a folder, or none: words only"
        ),
    ] = None,
    json_: Json = "",
) -> None:
    """Measure a model on labelled texts: accuracy, macro-F1, coverage, intervals, confusion."""

    def action() -> int:
        from catalyst_bot.bootstrap.detecting import evaluate

        found = evaluate(
            file, task, model, min_confidence=min_confidence, encoder=encoder, note=console.note
        )
        if json_:
            console.write_json(found, json_)
        _tell_bad_rows(found["bad_rows"])
        if json_ != "-":
            console.say(_figures(found))
        return console.OK

    console.guarded(action)


@app.command("train")
def train_command(
    task: TaskOption,
    out: Annotated[Path, typer.Option(help="folder for the model and its card")],
    data: Annotated[list[Path], typer.Option(help="labelled rows; may be repeated")],
    encoder: Annotated[
        str | None,
        typer.Option(help="make a model of sentences, too: installed, or an encoder's folder"),
    ] = None,
    licence_note: Annotated[str, typer.Option(help="goes into the card")] = LICENCE_NOTE,
    json_: Json = "",
) -> None:
    """Make a model from labelled texts; needs `make setup-train`, an encoder `setup-sentences`."""

    def action() -> int:
        from catalyst_bot.bootstrap.detecting import make_model

        card = make_model(
            data, task, out, licence_note=licence_note, note=console.note, encoder=encoder
        )
        if json_:
            console.write_json(card, json_)
        if json_ != "-":
            read = ", ".join(dict.fromkeys(file["labels_read"] for file in card["data"]))
            made = {"model": str(out), "task": str(task), "labels_read": read}
            console.say(_figures({**made, **card["held_out"]}))
            if "sentences" in card:
                made["model"] = f"{out}, sentences"
                console.say(_figures({**made, **card["sentences"]["held_out"]}))
        return console.OK

    console.guarded(action)


def _tell_bad_rows(rows: list[str]) -> None:
    for row in rows[:_SHOWN_BAD_ROWS]:
        console.note(f"left out: {row}")
    if len(rows) > _SHOWN_BAD_ROWS:
        console.note(f"left out: {len(rows) - _SHOWN_BAD_ROWS:,} more, all in the JSON")


def _figures(found: dict[str, Any]) -> str:
    low, high = found["accuracy_ci95"]
    f1_band = found["macro_f1_ci95"]
    sure = f"{f1_band[0]:.4f} to {f1_band[1]:.4f}" if f1_band else "too few texts for a band"
    rows = [
        (name, str(row["support"]), *(_cell(row[key]) for key in ("precision", "recall", "f1")))
        for name, row in found["labels"].items()
    ]
    left_out = "".join(
        f", {count:,} {name} left out" for name, count in found.get("left_out", {}).items()
    )
    return "\n".join(
        [
            f"{found['task']} by {found['model']}: {found['n']:,} texts{left_out}",
            f"labels    {found['labels_read']}",
            f"accuracy  {found['accuracy']:.4f}  ({low:.4f} to {high:.4f})",
            f"macro-F1  {found['macro_f1']:.4f}  ({sure})",
            f"coverage  {found['coverage']:.4f}",
            console.table(rows, header=("label", "texts", "precision", "recall", "F1")),
        ]
    )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
