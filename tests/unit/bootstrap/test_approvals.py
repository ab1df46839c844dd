"""Nothing trades under limits that nobody approved."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap import approvals
from catalyst_bot.bootstrap.modes import MODE_TABLE, BrokerKind
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import Looser
from catalyst_bot.settings import Settings, load

KEYS = {limit.key: limit for limit in approvals.limits_of(Settings())}
BOUNDS = {
    f"{section}.{setting.name}": setting.metadata
    for section in ("risk", "sizing", "stops", "execution")
    for setting in fields(getattr(Settings(), section))
}


def with_setting(folder: Path, **values: Any) -> Settings:
    named = {key.replace("__", "."): str(value) for key, value in values.items()}
    overrides = {**named, "run.data_dir": str(folder)}
    return load(file=None, environ={}, overrides=overrides).settings


def towards(key: str, end: str) -> Any:
    """A value of its own type between the declared one and an end of its range."""
    declared, bound = KEYS[key].declared, BOUNDS[key][end]
    if isinstance(declared, int):
        return declared + (1 if end == "high" else -1)
    return type(declared)((float(declared) + float(bound)) / 2)


def looser_of(key: str) -> Any:
    return towards(key, "low" if KEYS[key].looser is Looser.LOWER else "high")


def stricter_of(key: str) -> Any:
    return towards(key, "high" if KEYS[key].looser is Looser.LOWER else "low")


def test_what_this_version_declares_needs_no_word(tmp_path: Path):
    settings = with_setting(tmp_path)
    assert approvals.loosened(settings) == []
    assert approvals.approval_of(settings, is_asked=True) == approvals.AS_DECLARED


def test_every_pre_trade_limit_knows_what_loosens_it():
    assert {
        "risk.max_position_fraction",
        "risk.min_confidence",
        "risk.max_daily_loss_fraction",
        "sizing.kelly_divisor",
        "stops.max_stop_fraction",
        "execution.naked_grace_s",
    } <= KEYS.keys()
    of_risk = {key for key in KEYS if key.startswith("risk.")}
    numbers = {f"risk.{name}" for name in Settings().risk.__dataclass_fields__}
    assert numbers - of_risk == {"risk.tradable_symbols"}  # the default allows all


@given(key=st.sampled_from(sorted(KEYS)))
def test_a_looser_one_is_refused_and_a_stricter_one_is_not(tmp_path_factory, key: str):
    folder, limit = tmp_path_factory.mktemp("data"), KEYS[key]
    looser = with_setting(folder, **{key.replace(".", "__"): looser_of(key)})
    with pytest.raises(ConfigError, match=f"{key} = .* looser than the approved .*config approve"):
        approvals.approval_of(looser, is_asked=True)
    if limit.looser is not Looser.OTHER:
        settings = with_setting(folder, **{key.replace(".", "__"): stricter_of(key)})
        assert approvals.approval_of(settings, is_asked=True) == approvals.AS_DECLARED


def test_once_approved_it_starts_and_a_still_looser_one_does_not(tmp_path: Path):
    settings = with_setting(tmp_path, risk__max_position_fraction=0.3)
    approved = approvals.approve(settings, by="ada", reason="a small account")
    told = approvals.approval_of(settings, is_asked=True)
    assert "approved by ada" in told
    assert "a small account" in told
    assert approvals.read_approved(tmp_path) == approved
    less = with_setting(tmp_path, risk__max_position_fraction=0.25)
    assert "approved by ada" in approvals.approval_of(less, is_asked=True)
    more = with_setting(tmp_path, risk__max_position_fraction=0.31)
    with pytest.raises(ConfigError, match=r"0\.31 is looser than the approved 0\.3"):
        approvals.approval_of(more, is_asked=True)
    other = with_setting(tmp_path, risk__max_leverage=3.5)
    with pytest.raises(ConfigError, match=r"max_leverage = 3\.5 is looser than the approved 3\.0"):
        approvals.approval_of(other, is_asked=True)


def test_an_approval_of_nothing_takes_the_last_one_back(tmp_path: Path):
    loose = with_setting(tmp_path, risk__min_trade_usd=50)
    approvals.approve(loose, by="ada", reason="try")
    approved = approvals.approve(with_setting(tmp_path), by="ada", reason="done")
    assert "nothing but that" in approvals.approved_text(approved)
    with pytest.raises(ConfigError):
        approvals.approval_of(loose, is_asked=True)


def test_where_nothing_is_traded_it_is_only_said(tmp_path: Path):
    settings = with_setting(tmp_path, risk__max_position_fraction=0.3)
    told = approvals.approval_of(settings, is_asked=False)
    assert told.startswith("nobody was asked")
    assert "risk.max_position_fraction = 0.3 (declared 0.2)" in told


def test_what_trades_asks_and_what_does_not_does_not():
    for key, row in MODE_TABLE.items():
        trades = key.mode is not Mode.BACKTEST and row.broker is not BrokerKind.DRY_RUN
        assert row.asks_approval is trades


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("0.3", "0.9"),
        lambda text: text.replace("ada", "bob"),
        lambda _: "[]",
        lambda _: "{",
        lambda text: json.dumps({**json.loads(text), "more": 1}),
    ],
)
def test_a_file_that_was_changed_is_no_approval(tmp_path: Path, damage):
    settings = with_setting(tmp_path, risk__max_position_fraction=0.3)
    approvals.approve(settings, by="ada", reason="a small account")
    file = tmp_path / approvals.FILE
    file.write_text(damage(file.read_text()))
    with pytest.raises(ConfigError, match="approve again"):
        approvals.approval_of(settings, is_asked=True)


def test_a_reason_is_needed(tmp_path: Path):
    with pytest.raises(ConfigError, match="--reason"):
        approvals.approve(with_setting(tmp_path), by=None, reason="  ")


def test_who_is_not_named_is_the_account_of_this_machine(tmp_path: Path):
    assert approvals.approve(with_setting(tmp_path), by=None, reason="try").by
