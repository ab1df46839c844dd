"""Settings become channels: which rows of the mode table tell people, and where addresses go."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.bootstrap import doctor
from catalyst_bot.bootstrap.alerts import channels_of
from catalyst_bot.bootstrap.modes import MODE_TABLE, BrokerKind, Loop
from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.detection.decide import on_catalyst
from catalyst_bot.detection.state import State
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.settings import load
from tests import builders

NAMES = {"CATALYST_ALERTS__CHANNELS": '["ops"]'}
LOW = {"CATALYST_DETECTION__ALERT_MIN_SCORE": "0.3"}


def test_only_rows_that_trade_by_the_clock_tell_people():
    for row in MODE_TABLE.values():
        is_live = row.loop is Loop.ASYNCIO and row.broker is not BrokerKind.DRY_RUN
        assert row.tells_people is is_live


def test_addresses_come_from_the_environment_and_are_in_no_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CATALYST_ALERT_URL_OPS", "json://127.0.0.1:9/s3cr3t")
    loaded = load(environ=NAMES)
    (channel,) = channels_of(loaded.settings)
    assert (channel.name, channel.service) == ("ops", "json")
    assert "s3cr3t" not in loaded.as_json() + str(loaded.rows())
    found = {finding.name: finding for finding in doctor.examine(loaded)}
    assert found["alert channels"].is_ok
    assert "ops (json)" in found["alert channels"].detail


def test_a_channel_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    settings = load(environ=NAMES).settings
    monkeypatch.delenv("CATALYST_ALERT_URL_OPS", raising=False)
    with pytest.raises(ConfigError, match="ops has no address: set CATALYST_ALERT_URL_OPS"):
        channels_of(settings)
    monkeypatch.setenv("CATALYST_ALERT_URL_OPS_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match=r"CATALYST_ALERT_URL_OPS_FILE: .* cannot be read"):
        channels_of(settings)


@pytest.mark.parametrize("name", ["Ops", "a_b", "", "1st", "x" * 21])
def test_a_name_that_could_be_no_variable_is_refused(name: str):
    with pytest.raises(ConfigError, match=r"alerts\.channels"):
        load(environ={"CATALYST_ALERTS__CHANNELS": f'["{name}"]'})


def test_channels_decide_nothing_of_a_replay():
    assert load(environ=NAMES).deciding_json() == load(environ={}).deciding_json()


@pytest.mark.parametrize(("setting", "is_raised"), [({}, False), (LOW, True)])
def test_the_setting_says_from_which_score_on_a_trade_is_told(
    setting: dict[str, str], *, is_raised: bool
):
    rules = engine_rules(load(environ=setting).settings, load_calendar()).detection
    found = CatalystDetected(catalyst=builders.catalyst(score=0.4))
    assert bool(on_catalyst(State(), found, builders.FakeDesk(), rules)) is is_raised
