"""Which bars decide, and which settings follow from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalyst_bot.bootstrap.decision_bars import settings_by_bars
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.panel import write_panel
from catalyst_bot.settings import DAILY, Settings
from tests.unit.history.market import SESSIONS, catalog_of, daily


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Daily bars, and below them five-minute ones."""
    bars = pl.concat([daily("SPY", 99), daily("ACME")])
    opened = pl.datetime_range(
        pl.datetime(2017, 3, 1, 14, 30), pl.datetime(2017, 3, 1, 20, 55), "5m", time_zone="UTC"
    )
    short = pl.select(timestamp=opened).join(
        daily("ACME")[:1].drop("date", "adj_close"), how="cross"
    )
    return catalog_of(tmp_path, {"short": short, "long": bars})


def by(folder: Path, **asked: Any) -> tuple[Settings, int, list[str]]:
    notes = list[str]()
    settings, interval_s = settings_by_bars(None, folder, notes.append, **asked)
    return settings, interval_s, notes


def test_the_longest_bars_of_a_catalog_decide(tmp_path: Path, catalog: Path) -> None:
    settings, interval_s, notes = by(tmp_path, catalog=catalog)
    assert (interval_s, settings.stops.atr_multiple) == (86_400, DAILY["stops.atr_multiple"])
    assert [note.split(" = ")[0] for note in notes] == sorted(DAILY)
    assert by(tmp_path) == (settings, 86_400, notes), "the catalog of the data folder"


def test_shorter_ones_are_asked_for(tmp_path: Path, catalog: Path) -> None:
    settings, interval_s, notes = by(tmp_path, catalog=catalog, interval_s=300)
    assert (interval_s, notes, settings.stops) == (300, [], Settings().stops)


def test_without_bars_they_would_be_daily(tmp_path: Path) -> None:
    _, interval_s, notes = by(tmp_path, catalog=tmp_path / "nothing")
    assert (interval_s, len(notes)) == (86_400, len(DAILY))


def test_a_history_has_its_own(tmp_path: Path, catalog: Path) -> None:
    history = tmp_path / "history"
    write_panel(history, build_panel(catalog, SESSIONS, HistoryRules(benchmark="SPY")))
    assert by(tmp_path, history=history)[1] == 86_400
    with pytest.raises(ConfigError, match=r"those of .*history are of 86400 s"):
        by(tmp_path, history=history, interval_s=300)
    with pytest.raises(ConfigError, match="name one of the two"):
        by(tmp_path, history=history, catalog=catalog)
    with pytest.raises(BadData, match="no history"):
        by(tmp_path, history=catalog)
