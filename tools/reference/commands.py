"""`commands.md`: every command with its flags, and the exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import typer

from catalyst_bot import cli, console
from tools.reference.markdown import table

EXIT_CODES = (
    (console.OK, "done; for `replay --verify`: identical"),
    (1, "an error without a code of its own"),
    (console.USAGE, "the command line is wrong"),
    (console.CONFIGURATION, "configuration or input files are wrong; the message names the remedy"),
    (console.UNREACHABLE, "a configured source, broker or database cannot be reached"),
    (console.HALTED, "the run ended with trading halted"),
    (
        console.INVARIANT,
        "an invariant is violated, a journal is damaged or takes no more, or a replay diverged",
    ),
    (
        console.REFUSED,
        (
            "a gate said no: `compare` missed a threshold, `trade` or `override` was refused, "
            "`resume` has an open item, `validate` or `noise-test` did not pass"
        ),
    ),
)
_WORDS = {
    "datetime": "day, as 2025-10-02",
    "Path": "path",
    "int": "whole number",
    "float": "number",
}


def page() -> str:
    """Every command with its flags, and the exit codes."""
    parts = [
        "# Commands",
        (
            "Results go to standard output, progress to standard error. `--json PATH` writes the "
            "result as JSON; `-` is standard output."
        ),
    ]
    for name, command in _commands(typer.main.get_command(cli.app), "catalyst-bot"):
        parts += [f"## {name}", str(command.help or "").strip()]
        rows = [_flag(parameter) for parameter in command.params]
        if rows:
            parts.append(table(("flag", "takes", "default", "meaning"), rows))
    parts += [
        "## python -m catalyst_bot.runner",
        "The same as `catalyst-bot run`.",
        "## python -m catalyst_bot.kill",
        "The kill switch as a process of its own: [halt and resume](../how-to/halt-and-resume.md).",
        "## Exit codes",
        table(("code", "meaning"), EXIT_CODES),
    ]
    return "\n\n".join(parts)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children: Mapping[str, Any] = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child_name, child in children.items():
        yield from _commands(child, f"{name} {child_name}")


def _flag(parameter: Any) -> tuple[str, str, str, str]:
    is_option = parameter.opts[0].startswith("--")
    flag = f"`{parameter.opts[0]}`" if is_option else f"`{parameter.name.upper()}`"
    is_switch = getattr(parameter, "is_flag", False)
    takes = "" if is_switch else _takes(parameter.type_descriptor.annotation)
    needs_no_word = is_switch or parameter.default in {None, ""}
    default = "" if needs_no_word else f"`{parameter.default}`"
    if parameter.required:
        default = "required"
    return flag, takes, default, parameter.help or ""


def _takes(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{choice}`" for choice in annotation)
    several = str(annotation).startswith("list")
    name = str(annotation) if several else annotation.__name__
    word = next(
        (word for kind, word in _WORDS.items() if kind.lower() in name.lower()),
        "text",
    )
    return f"{word}, repeatable" if several else word
