"""`validate`, `trials`, `noise-test`: what a model's evidence is worth, and what the gates are."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Json, settings_of
from catalyst_bot.domain.errors import ConfigError

Ledger = Annotated[
    Path | None, typer.Option(help="the ledger of trials; default: that of the data folder")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("validate")(validate)
    app.command("trials")(trials)
    app.command("noise-test")(noise_test)


def validate(
    model: Annotated[str, typer.Argument(help="folder or name of a trained model, or shipped")],
    report: Annotated[
        Path | None, typer.Option(help="JSON of its walk forward; default: the one beside it")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="trade what it holds after the model's training, and judge by that"),
    ] = None,
    ledger: Ledger = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Ask every gate about a model: value, threshold, verdict, evidence; exit code 7 on a no."""

    def action() -> int:
        from catalyst_bot.bootstrap import validating
        from catalyst_bot.bootstrap.models import folder_of
        from catalyst_bot.ml.reports.verdict import HEADER

        settings = settings_of(data_dir, config)
        folder = folder_of(model, settings.run.data_dir)
        if history is not None and report is not None:
            raise ConfigError("--report judges by a report, --history by sessions: give one")
        if history is None:
            verdict = validating.validate(settings, folder, report=report, ledger=ledger)
            told = verdict.as_dict()
        else:
            from catalyst_bot.bootstrap.decision_bars import settings_by_bars

            by_bars, _ = settings_by_bars(config, data_dir, console.note, history=history)
            verdict, found = validating.held_out(
                by_bars, folder, history=history, ledger=ledger, note=console.note
            )
            told = verdict.as_dict() | {"report": dict(found.content)}
        if json_:
            console.write_json(told, json_)
        if json_ != "-":
            console.say(console.table(verdict.rows(), header=HEADER))
            console.say(f"{verdict.model_id}: {verdict.as_dict()['verdict']}")
        return console.OK if verdict.has_passed else console.REFUSED

    console.guarded(action)


def trials(
    ledger: Ledger = None,
    carry_on: Annotated[
        str | None, typer.Option(metavar="REASON", help="a lost ledger goes on with its count")
    ] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the trials that were ever counted; refuse a ledger that was cut or replaced."""

    def action() -> int:
        from catalyst_bot.bootstrap import validating

        if ledger is not None and carry_on is None and not ledger.is_file():
            raise ConfigError(
                f"--ledger {ledger}: there is no such file; leave it out for your own"
            )
        settings = settings_of(data_dir, config)
        if carry_on is not None:
            head = validating.carry_on(settings, ledger=ledger, reason=carry_on)
            console.note(f"goes on with {head.trials} trials")
        book = validating.ledger_of(settings, ledger)
        rows, head = book.read()
        if json_:
            console.write_json(
                {"ledger": str(book.path), "head": head.as_dict()}
                | {"trials": [trial.as_dict() for trial in rows]},
                json_,
            )
        else:
            lines = [
                (t.at, t.kind, str(t.trials), "-" if t.sharpe is None else f"{t.sharpe:.2f}")
                for t in rows
            ]
            console.say(console.table(lines, header=("at", "kind", "trials", "Sharpe")))
            console.say(f"{head.trials} trials, hash {head.hash[:12]}, {book.path}")
        return console.OK

    console.guarded(action)


def noise_test(
    sharpes: Annotated[
        str, typer.Option("--sharpes", help="true annual Sharpe ratios; 0 is no skill")
    ] = "0,1,1.5,2,2.5",
    strategies: Annotated[int, typer.Option(min=1, help="drawn for each")] = 1_000,
    trials_: Annotated[int, typer.Option("--trials", min=1, help="that the ledger counts")] = 1_000,
    folds: Annotated[int, typer.Option(min=1, help="quarters of the record")] = 36,
    seed: Annotated[int, typer.Option(min=0, help="another seed, other strategies")] = 1,
    json_: Json = "",
) -> None:
    """Put strategies of known skill through the gates: noise must fail, skill pass as predicted.

    Exit code 7 when more than 5 % of the strategies without skill pass.
    """

    def action() -> int:
        from catalyst_bot.bootstrap import validating
        from catalyst_bot.ml.validation.noise import MOST_LUCKY

        found = list(
            validating.try_gates(
                _numbers(sharpes),
                strategies=strategies,
                trials=trials_,
                folds=folds,
                seed=seed,
                on_progress=_progress,
            )
        )
        if json_:
            said = {"strategies": strategies, "trials": trials_, "folds": folds, "seed": seed}
            console.write_json(said | {"found": [each.as_dict() for each in found]}, json_)
        if json_ != "-":
            header = ("true Sharpe", "predicted", "by Sharpe gates", "by all gates", "95 % band")
            console.say(console.table([each.row() for each in found], header=header))
        lucky = [each for each in found if each.sharpe <= 0 and each.by_all > MOST_LUCKY]
        return console.REFUSED if lucky else console.OK

    console.guarded(action)


def _progress(sharpe: float, done: int) -> None:
    if done % 250 == 0:
        console.note(f"Sharpe {sharpe:g}: {done} strategies")


def _numbers(text: str) -> list[float]:
    try:
        found = [float(each) for each in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--sharpes {text}: is no list of numbers such as 0,1.5,2") from error
    if not all(-5 <= each <= 10 for each in found):
        raise ConfigError(f"--sharpes {text}: a Sharpe ratio lies between -5 and 10")
    return found
