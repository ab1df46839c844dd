"""What a person asks of a running bot: `halt`, `reduce`, `resume`, `override`, `trade`."""

# ruff: noqa: FBT002, PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Journal, Json, settings_of
from catalyst_bot.domain.enums import PositionsPolicy, Side
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    pass


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (halt, reduce, override, resume, trade):
        app.command()(command)


def halt(
    reason: Annotated[str, typer.Option(help="why")] = "operator",
    close: Annotated[bool, typer.Option("--close", help="close positions too")] = False,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Halt trading: a running bot stops within a second, a stopped one starts halted."""

    def action() -> int:
        from catalyst_bot import kill

        policy = PositionsPolicy.CLOSE if close else PositionsPolicy.HOLD
        asked = kill.asked_by(
            policy=policy, reason=reason, data_dir=data_dir, config=config, environ=os.environ
        )
        say = console.note if json_ == "-" else console.say_now
        if close:  # a bulk request at the broker is the fastest way out
            report = kill.press(asked, by="operator", say=say, environ=os.environ)
        else:
            is_attended = kill.is_attended(asked.data_dir)
            took_ms = kill.set_latch(asked.data_dir, policy=policy, reason=reason, by="operator")
            verdict = f"HALT latch set ({policy})"
            report = kill.Report(latch_ms=took_ms, is_attended=is_attended, verdict=verdict)
            say(f"{verdict} in {took_ms:.1f} ms")
            if not is_attended:
                say(kill.no_bot(asked.data_dir))
        if json_:
            console.write_json(report.as_dict(), json_)
        return report.code

    console.guarded(action)


def reduce(
    reason: Annotated[str, typer.Option(help="why")],
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let positions end and none begin: only exits from now on, until `resume`."""

    def action() -> int:
        from catalyst_bot.runtime.words import WordBox

        if not reason.strip():
            raise ConfigError("--reason: say why only exits are left")
        folder = settings_of(data_dir, config).run.data_dir
        _must_be_there(folder)
        WordBox(folder).reduce(by="operator", reason=reason)
        if json_:
            console.write_json({"asked": "reduce", "reason": reason}, json_)
        else:
            console.say("asked: a running bot reduces now, one that is not running at its start")
        return console.OK

    console.guarded(action)


def _must_be_there(data_dir: Path) -> None:
    """Raise `ConfigError` for a folder on which no bot ever ran: a word left there reaches none."""
    if not data_dir.is_dir():
        raise ConfigError(
            f"--data-dir {data_dir}: no such folder, so nothing is changed; name the "
            "one of your bot"
        )


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
        settings = settings_of(data_dir, config)
        answer = overrides.override(settings, asked, journal=journal, wait_s=wait)
        if json_:
            console.write_json(answer.as_dict(), json_)
        else:
            console.say(answer.as_text())
        passed = answer.is_granted and not answer.is_refused_again
        return console.OK if passed else console.REFUSED

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

        settings = settings_of(data_dir, config)
        _must_be_there(settings.run.data_dir)
        done = resuming.resume(
            settings, reason=reason, confirmed=confirm or (), journal=journal, by="operator"
        )
        if json_:
            console.write_json(done.as_dict(), json_)
        else:
            console.say(done.as_text())
        return console.REFUSED if done.still_open else console.OK

    console.guarded(action)


def trade(
    side: Annotated[Side, typer.Argument(help="buy or sell")],
    symbol: Annotated[str, typer.Argument(help="such as AAPL")],
    usd: Annotated[str | None, typer.Option(help="dollars")] = None,
    quantity: Annotated[str | None, typer.Option(help="shares")] = None,
    everything: Annotated[bool, typer.Option("--all", help="sell all that is held")] = False,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for an answer")] = 10.0,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Trade through the running bot: its limits and checks apply, a person stands for the news."""
    if [usd is not None, quantity is not None, everything].count(True) != 1:
        raise typer.BadParameter("give one of --usd, --quantity and (to sell) --all")
    if everything and side is Side.BUY:
        raise typer.BadParameter("--all is for selling; give --usd or --quantity")

    def action() -> int:
        from catalyst_bot.bootstrap import trading

        answer = trading.ask_for_trade(
            settings_of(data_dir, config).run.data_dir,
            side=side,
            symbol=symbol.upper(),
            usd=trading.parse_amount(usd, "--usd"),
            quantity=trading.parse_shares(quantity, "--quantity"),
            wait_s=wait,
        )
        if json_:
            console.write_json(answer, json_)
        else:
            console.say(trading.answer_text(answer))
        return console.REFUSED if trading.is_refused(answer) else console.OK

    console.guarded(action)
