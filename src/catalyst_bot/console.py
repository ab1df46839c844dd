"""How commands speak: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

import typer

from catalyst_bot.domain.errors import (
    BadData,
    CatalystError,
    ConfigError,
    InvariantViolated,
    JournalDamaged,
    JournalUnwritable,
    SourceUnreachable,
)

LIST_FLAGS = frozenset({"--bars", "--news", "--data"})
OK, USAGE, CONFIGURATION, UNREACHABLE, HALTED, INVARIANT, REFUSED = 0, 2, 3, 4, 5, 6, 7
_EXIT_CODES: dict[type[CatalystError], int] = {
    ConfigError: CONFIGURATION,
    BadData: CONFIGURATION,
    SourceUnreachable: UNREACHABLE,
    InvariantViolated: INVARIANT,
    JournalDamaged: INVARIANT,
    JournalUnwritable: INVARIANT,
}


def exit_code_of(error: CatalystError) -> int:
    """Documented exit code of an error (docs/reference/commands.md)."""
    return next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), 1)


def guarded(action: Callable[[], int]) -> None:
    """Run a command; turn our errors into one clear line on standard error and an exit code."""
    try:
        code = action()
    except CatalystError as error:
        note(f"catalyst-bot: {error}")
        code = exit_code_of(error)
    except OSError as error:  # a folder that cannot be written, a full disk: no bug of ours
        note(f"catalyst-bot: {os_reason(error)}")
        code = CONFIGURATION
    except KeyboardInterrupt:
        note("catalyst-bot: stopped; the same command goes on where it stopped")
        code = OK
    raise typer.Exit(code)


def os_reason(error: OSError) -> str:
    """What the system said no to, in words: the file and why."""
    where = f"{error.filename}: " if error.filename is not None else ""
    remedy = "make room" if error.errno == ENOSPC else "check that it exists and may be written"
    return f"{where}{error.strerror or error}; {remedy}"


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """Let `--bars A B` stand for `--bars A --bars B`: the shell expands patterns that way."""
    spread: list[str] = []
    flag = ""
    for argument in arguments:
        if argument.startswith("-"):
            flag = argument if argument in LIST_FLAGS else ""
        elif flag and spread[-1] != flag:
            spread.append(flag)
        spread.append(argument)
    return spread


def note(text: str) -> None:
    """A line for people, on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """A line of the result, on standard output."""
    sys.stdout.write(text + "\n")


def say_now(text: str) -> None:
    """A line of the result that somebody waits for."""
    say(text)
    sys.stdout.flush()


def write_json(value: Any, path: str) -> None:
    """Write JSON to a file, or to standard output for `-`."""
    text = json.dumps(value, indent=2, default=str)
    if path == "-":
        say_now(text)
    else:
        with writing("--json", Path(path)):
            Path(path).write_text(text + "\n", encoding="utf-8")


def must_be_a_file(flag: str, path: Path | str | None) -> None:
    """Refuse a place to write to before the work begins: a folder, or a file in a folder that does
    not exist (a mistyped one would be made, and the result be looked for elsewhere).

    None, an empty text and `-` (standard output) are no places. Raises `ConfigError`.
    """
    if path is None or str(path) in {"", "-"}:
        return
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise ConfigError(f"{flag} {path}: is a folder; name a file to write")
    if not folder.is_dir():
        raise ConfigError(f"{flag} {path}: there is no folder {folder}; make it first")


@contextmanager
def writing(flag: str, path: Path) -> Iterator[None]:
    """Write a file that a flag names.

    Raises `ConfigError`, by the name of the flag, as `must_be_a_file` does, or when the system
    says no.
    """
    must_be_a_file(flag, path)
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"{flag} {path}: cannot be written: {reason}; make room, or name another file"
        ) from error


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str]) -> str:
    """Columns of text as wide as their widest cell."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
