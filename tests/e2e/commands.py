"""Commands run in this process, with their exit code and both streams."""

from __future__ import annotations

from dataclasses import dataclass

from typer.testing import CliRunner

from catalyst_bot.cli import app
from catalyst_bot.console import spread_lists

OFFLINE = {"CATALYST_DASHBOARD__PORT": "0"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended and what it said where."""

    code: int
    out: str
    err: str


def catalyst_bot(*arguments: str, env: dict[str, str] | None = None) -> Said:
    """Run `catalyst-bot ARGUMENTS…`; an exception that is no exit fails the test as itself."""
    result = CliRunner().invoke(app, spread_lists(arguments), env=OFFLINE | (env or {}))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(code=result.exit_code, out=result.stdout, err=result.stderr)
