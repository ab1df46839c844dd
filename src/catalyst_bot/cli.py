"""All commands. Each is a few lines over `bootstrap` and `monitoring`.

A command imports what it needs when it is called: `--help` and `halt` must not wait for the
database, the numbers and the web server of a run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import catalyst_bot
from catalyst_bot import console, runner
from catalyst_bot.commands import (
    alerts,
    backtest,
    data,
    database,
    detect,
    drill,
    feeds,
    models,
    operator,
    records,
    report,
    risk,
    simulate,
    study,
    sweep,
    training,
    validation,
    walk_forward,
)
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of
from catalyst_bot.domain.enums import Mode

app = typer.Typer(
    name="catalyst-bot",
    help="Reads market-moving news, decides, guards every order, trades on paper.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Configuration.", no_args_is_help=True)
exchange_app = typer.Typer(help="The paper exchange that speaks Alpaca.", no_args_is_help=True)
app.add_typer(data.app, name="data")
app.add_typer(config_app, name="config")
app.add_typer(exchange_app, name="exchange")
app.add_typer(database.app, name="db")
app.add_typer(study.app, name="study")
app.add_typer(feeds.app, name="feeds")
app.add_typer(alerts.app, name="alerts")
app.add_typer(drill.app, name="drill")
app.add_typer(detect.app, name="detect")
app.add_typer(models.app, name="models")
app.add_typer(report.app, name="report")
app.command("run")(runner.run)
records.register(app)
operator.register(app)
app.command("risk")(risk.risk)
simulate.register(app)
sweep.register(app)
backtest.register(app)
training.register(app)
validation.register(app)
walk_forward.register(app)


@app.command()
def version() -> None:
    """Print the version."""
    console.say(catalyst_bot.__version__)


@app.command()
def demo(
    seed: Annotated[int, typer.Option(min=0, help="another seed, another market")] = 4,
    effects: Annotated[float, typer.Option(help="strength of planted news; 0 = noise")] = 1.0,
    mode: Annotated[Mode, typer.Option(help="row of the mode table")] = Mode.PAPER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="decide, never submit")] = False,
    speed: Annotated[str, typer.Option(help="60 = a minute a second; max")] = "max",
    exit_: Annotated[bool, typer.Option("--exit", help="end with the session")] = False,
    json_: Json = "",
    config: Config = None,
    data_dir: DataDir = None,
    journal: Annotated[str | None, typer.Option(help="file, name or URL of this run")] = None,
) -> None:
    """Trade a generated market: offline, no key, the same for the same seed."""

    def action() -> int:
        from catalyst_bot.bootstrap.requests import Asked, generated_replay

        asked = Asked(
            mode=mode,
            is_dry_run=dry_run,
            speed=runner.parse_speed(speed),
            config=config,
            data_dir=data_dir,
            journal=journal,
        )
        request, market = generated_replay(asked, seed=seed, effects=effects)
        for line in market.describe():
            console.note(line)
        console.note(
            "A profit here shows that planted effects are found, not that markets can be beaten: "
            "--effects 0 is the same market as pure noise."
        )
        console.note(
            "Real data: catalyst-bot run --from DAY --to DAY --bars FILES --news FILES "
            "(docs/how-to/replay-real-days.md)"
        )
        return runner.perform(request, stays=not exit_, json_path=json_)

    console.guarded(action)


@app.command()
def status(
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show state, account, positions, the last trades and headlines with the ids for `explain`."""

    def action() -> int:
        from catalyst_bot.bootstrap import doctor as checkup
        from catalyst_bot.bootstrap import journals
        from catalyst_bot.bootstrap.alerts import standing_of
        from catalyst_bot.runtime.clock import SystemClock
        from catalyst_bot.runtime.drills import last_drill
        from catalyst_bot.runtime.latch import OperatorMailbox
        from catalyst_bot.storage.read_model import ReadModel

        settings = settings_of(data_dir, config)
        place = journals.chosen(settings, journal)
        with ReadModel(place) as model:
            shown: dict[str, Any] = {
                "journal": str(place),
                "status": model.status(),
                "account": model.account(),
                "positions": model.positions(),
                "trades": model.trades(limit=10),
                "refusals": model.refusals(limit=10),
                "catalysts": model.catalysts(limit=5),
                "headlines": model.headlines(limit=5),
                "funnel": model.funnel(),
                "alerts": standing_of(model, settings),
                "halt_latch": OperatorMailbox(settings.run.data_dir).is_halted(),
                "drill": last_drill(settings.run.data_dir, SystemClock().now()).as_dict(),
            }
        if json_:
            console.write_json(shown, json_)
        else:
            console.say(checkup.status_text(shown))
        return console.OK

    console.guarded(action)


@app.command()
def explain(
    subject: Annotated[str, typer.Argument(help="trade, signal, refusal, headline id, or last")],
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Tell why: the thread from headline to fill, or to the rule that said no."""

    def action() -> int:
        from catalyst_bot.bootstrap import journal_tools, journals

        place = journals.chosen(settings_of(data_dir, config), journal)
        told = journal_tools.explanation(place, subject)
        if json_:
            console.write_json(told.as_dict(), json_)
        else:
            console.say(told.as_text())
        return console.OK

    console.guarded(action)


@app.command()
def replay(
    journal: Annotated[str, typer.Argument(help="journal to decide again")],
    verify: Annotated[bool, typer.Option("--verify", help="decide every fact again")] = False,
    json_: Json = "",
    config: Config = None,
) -> None:
    """Check a journal's chain; with --verify decide every fact again and name the difference."""

    def action() -> int:
        from catalyst_bot.bootstrap import journal_tools, journals

        place = journals.named(settings_of(None, config), journal)
        found = journal_tools.verify(place, decides_again=verify)
        if json_:
            console.write_json(journal_tools.verification_dict(found), json_)
        else:
            console.say(journal_tools.verification_text(found))
        return console.OK if found.divergence is None else console.INVARIANT

    console.guarded(action)


@app.command()
def rebuild(
    journal: Annotated[str, typer.Argument(help="journal whose read tables to recreate")],
    config: Config = None,
) -> None:
    """Recreate every read table from the journal alone."""

    def action() -> int:
        from catalyst_bot.bootstrap import journal_tools, journals

        records = journal_tools.rebuild(journals.named(settings_of(None, config), journal))
        console.say(f"{journal}: read tables recreated from {records} records")
        return console.OK

    console.guarded(action)


@app.command()
def doctor(json_: Json = "", config: Config = None, data_dir: DataDir = None) -> None:
    """Check this machine and configuration before trusting the bot with them."""

    def action() -> int:
        from catalyst_bot.bootstrap import doctor as checkup
        from catalyst_bot.bootstrap.configuration import load_settings

        findings = checkup.examine(load_settings(config=config, data_dir=data_dir))
        if json_:
            console.write_json([finding.as_dict() for finding in findings], json_)
        else:
            console.say(checkup.findings_text(findings))
        return console.OK if all(finding.is_ok for finding in findings) else console.CONFIGURATION

    console.guarded(action)


@config_app.command("show")
def config_show(
    origin: Annotated[bool, typer.Option("--origin", help="where each value came from")] = False,
    json_: Json = "",
    config: Config = None,
) -> None:
    """Show every effective setting."""

    def action() -> int:
        from catalyst_bot.bootstrap.configuration import load_settings

        rows = load_settings(config=config, data_dir=None).rows()
        if json_:
            shown = {key: {"value": value, "origin": came} for key, value, came in rows}
            console.write_json(shown, json_)
        elif origin:
            console.say(console.table(rows, header=("key", "value", "origin")))
        else:
            short = [(key, value) for key, value, _ in rows]
            console.say(console.table(short, header=("key", "value")))
        return console.OK

    console.guarded(action)


@config_app.command("approve")
def config_approve(
    reason: Annotated[str, typer.Option(help="why these limits may be looser")],
    by: Annotated[str | None, typer.Option(help="who approves; default: this account")] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Approve the limits as they are set now: without it a looser one refuses to start."""

    def action() -> int:
        from catalyst_bot.bootstrap import approvals

        approved = approvals.approve(settings_of(data_dir, config), by=by, reason=reason)
        if json_:
            console.write_json(approved.as_dict(), json_)
        else:
            console.say(approvals.approved_text(approved))
        return console.OK

    console.guarded(action)


@exchange_app.command("serve")
def exchange_serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one")] = 0,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    bars: Annotated[list[Path] | None, typer.Option(help="bar files or a catalog")] = None,
    news: Annotated[list[Path] | None, typer.Option(help="news files or a catalog")] = None,
    events: Annotated[Path | None, typer.Option(help="TOML: halts, corporate actions")] = None,
    start: Annotated[str | None, typer.Option(help="RFC 3339; default: the first open")] = None,
    speed: Annotated[str, typer.Option(help="60 = a minute a second; max; step; wall")] = "1",
    key: Annotated[list[str] | None, typer.Option(help="API key; one for each account")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="its secret; default: made")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="of partial fills, faults, data")] = None,
    profile: Annotated[str | None, typer.Option(help="how orders fill: alpaca or ours")] = None,
    knobs: Annotated[Path | None, typer.Option(help="TOML: the exchange's behaviour")] = None,
    faults: Annotated[Path | None, typer.Option(help="TOML or JSON: faults on demand")] = None,
    db: Annotated[Path | None, typer.Option(help="file to keep; default: forget all")] = None,
    admin_token: Annotated[str | None, typer.Option(help="for /admin/; default: made")] = None,
    tls: Annotated[Path | None, typer.Option(help="folder of the certificate; made")] = None,
) -> None:
    """Serve a paper exchange: prints one line when it is ready, ends with Ctrl-C."""

    def action() -> int:
        from catalyst_bot.bootstrap.exchange import Asked, paired, serve_exchange

        asked = Asked(
            host=host,
            port=port,
            bars=tuple(bars or ()),
            news=tuple(news or ()),
            events=events,
            start=start,
            speed=speed,
            keys=paired(key or (), secret or ()),
            seed=seed,
            profile=profile,
            knobs=knobs,
            faults=faults,
            db=db,
            admin_token=admin_token,
            tls=tls,
        )
        serve_exchange(asked, say=console.say_now, note=console.note)
        return console.OK

    console.guarded(action)


def _data_dir(given: Path | None, config: Path | None) -> Path:
    return settings_of(given, config).run.data_dir


def main() -> None:
    """Entry point of `catalyst-bot`."""
    app(console.spread_lists(sys.argv[1:]))
