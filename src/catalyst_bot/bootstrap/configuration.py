"""Settings as the command line asks for them: file, environment, and the flags on top.

A module of its own because every command needs it and most need nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalyst_bot import settings
from catalyst_bot.settings import DAILY_BARS, LoadedSettings

CATALOG_FOLDER = "catalog"


def load_settings(
    *,
    config: Path | None,
    data_dir: Path | None,
    more: dict[str, Any] | None = None,
    is_daily: bool = False,
) -> LoadedSettings:
    """Settings with the flags of the command line on top, see `settings.load`.

    Raises `ConfigError`.
    """
    overrides = dict(more or {})
    if data_dir is not None:
        overrides["run.data_dir"] = str(data_dir)
    return settings.load(file=config, overrides=overrides, is_daily=is_daily)


def told_by_bars(loaded: LoadedSettings) -> list[str]:
    """Return a line for each setting that daily bars decided, because nobody else did."""
    return [
        f"{key} = {value}, as daily bars need it; set it to have it otherwise"
        for key, value, origin in loaded.rows()
        if origin == DAILY_BARS
    ]
