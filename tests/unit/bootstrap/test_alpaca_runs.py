"""What a run at Alpaca is made of: its row, its feeds, its journal, its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap.alpaca import STEP_PACE, AlpacaDesk, alpaca_desk
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, mode_row
from catalyst_bot.bootstrap.requests import Asked, live_feeds_of
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.runtime.clock import SystemClock, VenueClock
from catalyst_bot.settings import Settings, load
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "CATALYST_LIVE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_API_KEY", KEY)
    monkeypatch.setenv("ALPACA_SECRET", SECRET)


def settings_of(**given: Any) -> Settings:
    return load(environ={}, overrides={k.replace("__", "."): v for k, v in given.items()}).settings


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_alpaca_has_rows_for_paper_and_for_real_money(mode: Mode):
    row = mode_row(mode, is_dry_run=False, venue="alpaca")
    assert (row.broker, row.live_prices) == (BrokerKind.ALPACA, LivePrices.ALPACA)
    assert row.is_durable
    assert mode_row(mode, is_dry_run=True, venue="alpaca").broker is BrokerKind.DRY_RUN


def test_no_other_broker_trades_real_money():
    with pytest.raises(ConfigError, match=r"broker\.kind = embedded is none.*alpaca\.allow_live"):
        mode_row(Mode.LIVE, is_dry_run=False, venue="embedded")
    with pytest.raises(ConfigError, match="trades by the wall clock"):
        mode_row(Mode.BACKTEST, is_dry_run=False, venue="alpaca")


def asked(**given: Any) -> Asked:
    return Asked(**({"is_dry_run": False, "broker": "alpaca"} | given))


def test_alpacas_news_is_a_feed_of_its_own(monkeypatch: pytest.MonkeyPatch):
    assert live_feeds_of(asked()).feeds.is_empty
    with pytest.raises(ConfigError, match="nothing to run on"):
        live_feeds_of(asked(broker="embedded"))
    monkeypatch.setenv("CATALYST_FEEDS__ALPACA_NEWS", "false")
    with pytest.raises(ConfigError, match="nothing to run on"):
        live_feeds_of(asked())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "live-alpaca.db"),
        ({"is_dry_run": True}, "live-alpaca-dry-run.db"),
        ({"mode": Mode.LIVE}, "live-alpaca-real-money.db"),
        ({"mode": Mode.LIVE, "is_dry_run": True}, "live-alpaca-real-money-dry-run.db"),
    ],
)
def test_every_account_has_a_journal_of_its_own(given: dict[str, Any], name: str):
    assert live_feeds_of(asked(**given)).journal.name == name


def desk_at(service: FakeAlpaca, **given: Any) -> AlpacaDesk:
    with served(service.app) as url:
        return alpaca_desk(settings_of(alpaca__base_url=url, **given))


def test_at_alpaca_the_time_is_the_walls():
    desk = desk_at(FakeAlpaca(now=now))
    assert isinstance(desk.clock(), SystemClock)
    assert desk.pace().speed == 1
    assert desk.silence_s(60.0) == 60.0
    assert not desk.access.live_account


@pytest.mark.parametrize(
    ("told", "pace", "silence_s"), [("60", 60.0, 300.0), ("step", STEP_PACE, None)]
)
def test_at_an_exchange_that_replays_the_time_is_the_exchanges(
    told: str, pace: float, silence_s: float | None
):
    ago = timedelta(days=-100)
    desk = desk_at(FakeAlpaca(now=now, clock_ahead=ago, replay_speed=told))
    clock = desk.clock()
    assert isinstance(clock, VenueClock)
    assert abs(clock.now() - now() - ago) < timedelta(hours=1)
    assert desk.pace().speed == pace
    assert desk.silence_s(60.0) == silence_s


def test_real_money_needs_the_setting_and_the_number(monkeypatch: pytest.MonkeyPatch):
    service = FakeAlpaca(now=now, account={"account_number": "987"})
    live = {"run__mode": "live", "broker__kind": "alpaca"}
    with pytest.raises(ConfigError, match=r"alpaca\.allow_live = true"):
        desk_at(service, **live)
    with pytest.raises(ConfigError, match="CATALYST_LIVE_ACCOUNT"):
        desk_at(service, **live, alpaca__allow_live=True)
    monkeypatch.setenv("CATALYST_LIVE_ACCOUNT", "123")
    with pytest.raises(ConfigError, match="account 987, and CATALYST_LIVE_ACCOUNT names 123"):
        desk_at(service, **live, alpaca__allow_live=True)
    monkeypatch.setenv("CATALYST_LIVE_ACCOUNT", "987")
    assert desk_at(service, **live, alpaca__allow_live=True).access.live_account == "987"
    with pytest.raises(ConfigError, match="no paper account"):
        desk_at(service)


def test_the_pinned_account_is_the_only_one():
    service = FakeAlpaca(now=now)
    assert desk_at(service, alpaca__account="PA3TEST").account.number == "PA3TEST"
    with pytest.raises(ConfigError, match=r"alpaca\.account = 'PA9'"):
        desk_at(service, alpaca__account="PA9")
