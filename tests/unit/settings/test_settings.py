from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain import limits
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings import DAILY, DAILY_BARS, LoadedSettings, Settings, from_json, load
from catalyst_bot.settings_sources import ENV_PREFIX

SECTIONS: dict[str, type] = {
    "signals": limits.SignalRules,
    "risk": limits.RiskLimits,
    "sizing": limits.SizingRules,
    "stops": limits.StopRules,
    "execution": limits.ExecutionRules,
    "costs": limits.CostRules,
}
NUMBERS = [
    (section, item)
    for section, rules in SECTIONS.items()
    for item in dataclasses.fields(rules)
    if "low" in item.metadata
]
IDS = [f"{section}.{item.name}" for section, item in NUMBERS]


def value_of(settings: Settings, section: str, name: str) -> Any:
    return getattr(getattr(settings, section), name)


@st.composite
def settings_in_range(draw: st.DrawFn) -> dict[str, Any]:
    """Overrides for some of the bounded numbers, anywhere within their range."""
    overrides: dict[str, Any] = {}
    for section, item in draw(st.lists(st.sampled_from(NUMBERS), max_size=8, unique_by=id)):
        low, high = item.metadata["low"], item.metadata["high"]
        if isinstance(item.default, int):
            value: Any = draw(st.integers(int(low), int(high)))
        elif isinstance(item.default, Decimal):
            value = str(draw(st.decimals(low, high, places=2)))
        else:
            value = draw(st.floats(low, high))
        overrides[f"{section}.{item.name}"] = value
    return overrides


@given(settings_in_range())
def test_what_a_journal_keeps_is_read_back_the_same(overrides: dict[str, Any]):
    loaded = load(environ={}, overrides=overrides, file=None)
    again = from_json(loaded.as_json())
    assert again == loaded.settings
    assert again.model_dump_json() == loaded.as_json()


@given(settings_in_range())
def test_every_value_knows_where_it_came_from(overrides: dict[str, Any]):
    rows = load(environ={}, overrides=overrides).rows()
    origins = {key: origin for key, _, origin in rows}
    assert {key for key, origin in origins.items() if origin == "command line"} == set(overrides)


@pytest.mark.parametrize(("section", "item"), NUMBERS, ids=IDS)
def test_the_range_of_every_number_is_kept(section: str, item: Any):
    key, low, high = f"{section}.{item.name}", item.metadata["low"], item.metadata["high"]
    assert low <= item.default <= high
    for bound in (low, high):
        loaded = load(environ={}, overrides={key: bound})
        assert float(value_of(loaded.settings, section, item.name)) == float(bound)
    for outside in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=item.name):
            load(environ={}, overrides={key: outside})
    for nothing in ("nan", "inf", "-inf"):
        with pytest.raises(ConfigError, match=item.name):
            load(environ={}, overrides={key: nothing})


def test_the_command_line_wins_over_environment_over_file_over_default(tmp_path: Path):
    file = tmp_path / "x.toml"
    file.write_text("[signals]\nmin_confidence = 0.71\nmin_bars = 31\nmax_spread_bps = 51.0\n")
    environ = {f"{ENV_PREFIX}SIGNALS__MIN_BARS": "32", f"{ENV_PREFIX}SIGNALS__MAX_SPREAD_BPS": "52"}
    loaded = load(file=file, environ=environ, overrides={"signals.max_spread_bps": 53})
    gates = loaded.settings.signals
    assert (gates.min_confidence, gates.min_bars, gates.max_spread_bps) == (0.71, 32, 53.0)
    origins = {key.partition(".")[2]: o for key, _, o in loaded.rows() if key.startswith("signals")}
    assert origins["min_confidence"] == str(file)
    assert origins["min_bars"] == f"environment {ENV_PREFIX}SIGNALS__MIN_BARS"
    assert origins["max_spread_bps"] == "command line"
    assert origins["reaction_s"] == "default"


def test_all_problems_are_told_at_once():
    wrong = {"risk.max_position_fraction": 7, "signals.nonsense": 1, "run.mode": "fast"}
    with pytest.raises(ConfigError) as told:
        load(environ={}, overrides=wrong)
    for name in ("max_position_fraction", "nonsense", "run.mode"):
        assert name in str(told.value)


def test_other_environment_variables_are_left_alone():
    environ = {"PATH": "/bin", "CATALYST_SHARED_DATA": "/somewhere", "HOME": "/root"}
    assert load(environ=environ).settings == Settings()


def test_a_list_in_the_environment_is_json():
    environ = {f"{ENV_PREFIX}FEEDS__RSS_URLS": json.dumps(["https://example.com/feed"])}
    assert load(environ=environ).settings.feeds.rss_urls == ("https://example.com/feed",)


def test_daily_bars_decide_only_what_nobody_set(tmp_path: Path):
    file = tmp_path / "catalyst.toml"
    file.write_text("[stops]\natr_multiple = 3.0\n")
    daily, own = load(environ={}, is_daily=True), load(file=file, environ={}, is_daily=True)
    assert {key: dict_of(daily)[key] for key in DAILY} == DAILY
    assert {daily.origins[key] for key in DAILY} == {DAILY_BARS}
    assert own.settings.stops.atr_multiple == 3.0
    assert own.settings.detection.min_horizon_s == DAILY["detection.min_horizon_s"]
    assert not set(load(environ={}).origins.values()) & {DAILY_BARS}


def dict_of(loaded: LoadedSettings) -> dict[str, Any]:
    found = loaded.settings.model_dump()
    return {
        f"{section}.{name}": value
        for section, values in found.items()
        for name, value in values.items()
    }


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[risk]\ntradable_symbols = [1]", "risk.tradable_symbols.0: "),
        ('[risk]\ntradable_symbols = ["stlq"]', "tradable_symbols names 'stlq'"),
        ('[risk]\ntradable_symbols = [""]', "tradable_symbols names ''"),
        ("[risk]\nmax_daily_trades = true", "max_daily_trades = true is no number"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_file(tmp_path: Path, toml: str, said: str):
    file = tmp_path / "t.toml"
    file.write_text(toml)
    with pytest.raises(ConfigError) as told:
        load(file=file, environ={})
    assert str(told.value).startswith(f"{file}: risk")
    assert said in str(told.value)
