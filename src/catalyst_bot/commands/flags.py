"""What many commands take and do first, each said once: flags, and the settings they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalyst_bot import console
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from catalyst_bot.settings import Settings


def _a_place(path: str) -> str:
    """Refuse a place for the result before the work for it begins."""
    try:
        console.must_be_a_file("--json", path)
    except ConfigError as error:
        console.note(f"catalyst-bot: {error}")
        raise typer.Exit(console.CONFIGURATION) from error
    return path


Config = Annotated[Path | None, typer.Option(help="settings file")]
DataDir = Annotated[Path | None, typer.Option(help="journals, catalog, HALT latch")]
Json = Annotated[
    str, typer.Option("--json", callback=_a_place, help="write JSON here; - is standard output")
]
Interval = Annotated[
    int | None,
    typer.Option(min=60, help="seconds of the decision bars; default: the longest there are"),
]
Journal = Annotated[str | None, typer.Option(help="file, name or URL; default: the newest")]
DAY = ["%Y-%m-%d"]  # how a flag writes a day


def settings_of(
    data_dir: Path | None, config: Path | None, more: dict[str, Any] | None = None
) -> Settings:
    """Return the settings that a command goes by; `more` stands above files and environment.

    Raises `ConfigError`.
    """
    from catalyst_bot.bootstrap.configuration import load_settings  # noqa: PLC0415  # quick --help

    return load_settings(config=config, data_dir=data_dir, more=more).settings


def names_of(text: str) -> tuple[str, ...]:
    """Return the names of a list such as `ppo, sac`."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


@contextmanager
def learning() -> Iterator[None]:
    """Import and use what agents learn with.

    Raises `ConfigError` with the remedy where it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(f"training needs more: run `make setup-ml` ({error})") from error
