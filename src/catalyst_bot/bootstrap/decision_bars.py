"""How long the bars are that decide, and the settings that follow where nobody said otherwise.

The one place for every command that learns, measures or replays: what is trained on daily bars is
tried out by the settings it was trained with.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalyst_bot.bootstrap.configuration import CATALOG_FOLDER, load_settings, told_by_bars
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.market_data.catalog import read_catalog
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.settings import Settings

Note = Callable[[str], None]


def settings_by_bars(
    config: Path | None,
    data_dir: Path | None,
    note: Note,
    *,
    history: Path | None = None,
    catalog: Path | None = None,
    interval_s: int | None = None,
) -> tuple[Settings, int]:
    """Return the settings for a history, or for what is to be made of a catalog (default: that of
    the data folder), with the seconds of its bars; what its bars decided is noted.

    Raises `ConfigError` for a history with a catalog or an interval of one beside it, `BadData` for
    what is no history or a damaged catalog.
    """
    if history is not None:
        if catalog is not None:
            raise ConfigError("a history is made of a catalog: name one of the two")
        held_s = open_panel(history).card.interval_s
        if interval_s is not None:
            raise ConfigError(
                f"--interval chooses among the bars of a catalog; those of {history} are of "
                f"{held_s} s"
            )
    else:
        run = load_settings(config=config, data_dir=data_dir).settings.run
        held_s = interval_s or longest_in(catalog_of(run.data_dir, catalog))
    loaded = load_settings(config=config, data_dir=data_dir, is_daily=held_s >= DAY_S)
    for line in told_by_bars(loaded):
        note(line)
    return loaded.settings, held_s


def catalog_of(data_dir: Path, named: Path | None) -> Path:
    """Return the catalog named, or that of the data folder."""
    return named if named is not None else data_dir / CATALOG_FOLDER


def longest_in(catalog: Path) -> int:
    """Return the length of the longest bars of a catalog in seconds; a day's where it has none."""
    return max((each.interval_s or 0 for each in read_catalog(catalog)), default=0) or DAY_S
