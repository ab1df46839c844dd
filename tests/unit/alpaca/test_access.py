"""Where Alpaca may be, who we are there, and whether the account may trade."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.alpaca import account as checking
from catalyst_bot.alpaca.access import (
    DATA_URL,
    LIVE_ACCOUNT,
    LIVE_URL,
    PAPER_URL,
    Access,
    access_of,
)
from catalyst_bot.alpaca.account import Standing, VenueTime, ask_standing, read_time
from catalyst_bot.alpaca.client import Told
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from tests.builders import NOON
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served

KEYS = {"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET}


def access(base_url: str = PAPER_URL, data_url: str = DATA_URL, **environ: str) -> Access:
    return access_of(base_url=base_url, data_url=data_url, environ=environ or KEYS)


@pytest.mark.parametrize(
    "url",
    [PAPER_URL, PAPER_URL + "/", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"],
)
def test_the_paper_service_and_this_machine_are_accepted(url: str):
    assert access(url).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.alpaca.markets",
        "https://paper-api.alpaca.markets.example.com",
        "https://paper-api.alpaca.markets@example.com",
        "http://paper-api.alpaca.markets",
        "https://example.com/?https://paper-api.alpaca.markets",
        "ftp://127.0.0.1",
        "http://192.168.1.5",
        " ",
    ],
)
def test_keys_are_sent_nowhere_else(url: str):
    with pytest.raises(ConfigError, match=r"alpaca\.base_url"):
        access(url)
    with pytest.raises(ConfigError, match=r"alpaca\.data_url"):
        access(data_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", PAPER_URL])
def test_prices_come_from_where_the_orders_go(url: str):
    found = access_of(base_url=url, environ=KEYS)
    assert found.data_url == (DATA_URL if url == PAPER_URL else url)


def test_streams_lie_beside_what_is_asked():
    real, local = access(), access_of(base_url="http://127.0.0.1:9", environ=KEYS)
    assert real.trading_stream_url == "wss://paper-api.alpaca.markets/stream"
    assert real.data_stream_url == "wss://stream.data.alpaca.markets"
    assert local.trading_stream_url == "ws://127.0.0.1:9/stream"
    assert local.data_stream_url == "ws://127.0.0.1:9"


def test_the_live_address_is_refused_in_paper_mode_with_the_remedy():
    with pytest.raises(ConfigError, match=r"trades real money .* use https://paper-api"):
        access(LIVE_URL)


def live(base_url: str = LIVE_URL, *, allow_live: bool = True, **environ: str) -> Access:
    given = {"ALPACA_API_KEY": "AKTEST", "ALPACA_SECRET": SECRET, LIVE_ACCOUNT: "123"} | environ
    return access_of(base_url=base_url, environ=given, is_live=True, allow_live=allow_live)


def test_real_money_takes_two_steps_of_a_person():
    found = live()
    assert (found.base_url, found.live_account) == (LIVE_URL, "123")
    with pytest.raises(ConfigError, match=r"alpaca\.allow_live = true"):
        live(allow_live=False)
    with pytest.raises(ConfigError, match=LIVE_ACCOUNT):
        live(**{LIVE_ACCOUNT: " "})


def test_live_mode_does_not_trade_on_paper():
    with pytest.raises(ConfigError, match=r"run\.mode = paper-trading"):
        live(PAPER_URL)


def test_keys_of_the_other_kind_are_refused_before_they_are_sent():
    with pytest.raises(ConfigError, match="for real money"):
        access(ALPACA_API_KEY="AKOTHER", ALPACA_SECRET=SECRET)
    with pytest.raises(ConfigError, match="for a paper account"):
        live(ALPACA_API_KEY="PKOTHER")


def test_missing_keys_are_named():
    with pytest.raises(ConfigError, match=r"ALPACA_API_KEY .*APCA_API_KEY_ID"):
        access(NOTHING="")
    with pytest.raises(ConfigError, match=r"ALPACA_SECRET .*APCA_API_SECRET_KEY"):
        access(ALPACA_API_KEY=KEY)


def test_keys_come_under_both_names_and_from_files(tmp_path: Path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    given = access(APCA_API_KEY_ID=KEY, APCA_API_SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert given.headers() == {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    with pytest.raises(ConfigError, match="ALPACA_SECRET_FILE"):
        access(ALPACA_API_KEY=KEY, ALPACA_SECRET_FILE=str(tmp_path / "none"))


def test_keys_do_not_show():
    shown = repr(access())
    assert KEY not in shown
    assert SECRET not in shown


def test_a_key_that_cannot_be_a_header_is_refused():
    with pytest.raises(ConfigError, match="ALPACA_SECRET"):
        access(ALPACA_API_KEY=KEY, ALPACA_SECRET="two\nlines")


class Noon:
    def now(self) -> datetime:
        return NOON


async def standing(url: str, *, number: str = "", wants_sip: bool = False) -> Standing:
    found = access_of(base_url=url, environ=KEYS)
    return await ask_standing(found, clock=Noon(), number=number, wants_sip=wants_sip)


async def ask(**account: Any) -> Standing:
    service = FakeAlpaca(now=lambda: NOON, account=account)
    with served(service.app) as url:
        return await standing(url)


async def test_a_good_account_is_told_with_its_money():
    found = (await ask()).account
    assert (found.number, found.cash_usd, found.equity_usd) == ("PA3TEST", 100_000, 100_000)


@pytest.mark.parametrize(
    ("account", "why"),
    [
        ({"status": "ACCOUNT_UPDATED"}, "status ACCOUNT_UPDATED"),
        ({"account_blocked": True}, "account_blocked"),
        ({"trading_blocked": True}, "trading_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
        ({"cash": "0"}, "has no cash"),
    ],
)
async def test_an_account_that_may_not_trade_is_refused(account: dict[str, Any], why: str):
    with pytest.raises(ConfigError, match=why):
        await ask(**account)


async def test_wrong_keys_are_refused_without_being_shown():
    service = FakeAlpaca(now=lambda: NOON)
    wrong = {"ALPACA_API_KEY": "wrong", "ALPACA_SECRET": "wrong-secret"}
    with served(service.app) as url, pytest.raises(ConfigError, match="refuses the keys") as error:
        await ask_standing(access_of(base_url=url, environ=wrong), clock=Noon())
    assert "wrong" not in str(error.value)


async def test_a_benchmark_that_nobody_trades_there_is_refused():
    """Its silence would be taken for a stream that broke, again and again."""
    with served(FakeAlpaca(now=lambda: NOON, unknown=("QQQX",)).app) as url:
        found = access_of(base_url=url, environ=KEYS)
        await ask_standing(found, clock=Noon(), benchmark="SPY")
        with pytest.raises(ConfigError, match=r"run\.benchmark = QQQX is not traded at"):
            await ask_standing(found, clock=Noon(), benchmark="QQQX")


@pytest.mark.parametrize("number", ["PA9OTHER", "pa3test"])
async def test_another_account_than_the_configured_one_is_refused(number: str):
    with served(FakeAlpaca(now=lambda: NOON).app) as url:
        assert (await standing(url, number="PA3TEST")).account.number == "PA3TEST"
        with pytest.raises(ConfigError, match=r"account PA3TEST, and alpaca\.account"):
            await standing(url, number=number)


async def test_a_live_account_is_refused_in_paper_mode():
    with pytest.raises(ConfigError, match="no paper account"):
        await ask(account_number="123456789")


@pytest.mark.parametrize(("found", "is_it"), [("123", True), ("124", False), ("PA3TEST", False)])
async def test_real_money_is_traded_in_the_named_account_only(found: str, is_it: bool):
    service = FakeAlpaca(now=lambda: NOON, account={"account_number": found})
    with served(service.app) as url:
        asking = ask_standing(live(url, ALPACA_API_KEY=KEY, ALPACA_SECRET=SECRET), clock=Noon())
        if is_it:
            assert (await asking).account.number == found
        else:
            with pytest.raises(ConfigError, match=f"{LIVE_ACCOUNT} names 123"):
                await asking


@pytest.mark.parametrize(("told", "speed"), [("60", 60.0), ("0.5", 0.5), ("step", 0.0)])
async def test_an_exchange_on_this_machine_may_replay_another_day(told: str, speed: float):
    service = FakeAlpaca(now=lambda: NOON, clock_ahead=timedelta(days=-30), replay_speed=told)
    with served(service.app) as url:
        time = (await standing(url)).time
    assert (time.speed, time.is_replay) == (speed, True)
    assert time.at == NOON - timedelta(days=30)


@pytest.mark.parametrize("speed", ["max", "0", "-1", "nan", "inf"])
async def test_a_speed_that_a_bot_cannot_follow_is_refused(speed: str):
    service = FakeAlpaca(now=lambda: NOON, replay_speed=speed)
    with served(service.app) as url, pytest.raises(ConfigError, match="replays at speed"):
        await standing(url)


def told_time(apart: timedelta, took: timedelta = timedelta(0), **headers: str) -> VenueTime:
    told = Told({"timestamp": (NOON + apart).isoformat()}, headers)
    return read_time(told, asked_at=NOON - took, answered_at=NOON, access=access())


def test_only_this_machine_may_say_that_it_replays():
    time = told_time(timedelta(0), **{"X-Replay-Speed": "60"})
    assert (time.speed, time.is_replay) == (1.0, False)


@pytest.mark.parametrize("seconds", [-6, 6])
def test_clocks_that_are_apart_refuse_the_start(seconds: int):
    with pytest.raises(ConfigError, match=r"clock is 6\.0 s away"):
        checking._check_clocks(told_time(timedelta(seconds=seconds)), access())


def test_a_slow_answer_is_no_difference_of_clocks():
    slow = told_time(timedelta(seconds=-6), took=timedelta(seconds=12))
    checking._check_clocks(slow, access())
    checking._check_clocks(told_time(timedelta(seconds=5)), access())


async def test_prices_that_are_not_paid_for_are_refused_at_the_start():
    service = FakeAlpaca(now=lambda: NOON, has_sip=False)
    with served(service.app) as url:
        await standing(url)
        with pytest.raises(ConfigError, match=r"alpaca\.feed = sip is not open .* iex"):
            await standing(url, wants_sip=True)


@pytest.mark.parametrize("broken", [{"cash": "NaN"}, {"cash": None}])
async def test_an_account_without_readable_money_is_no_alpaca(broken: dict[str, Any]):
    with pytest.raises(SourceUnreachable, match="is no Alpaca"):
        await ask(**broken)


async def test_nobody_there_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        await standing(f"http://127.0.0.1:{port}")


async def test_silence_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "SILENCE_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceUnreachable, match="no answer within"):
            await standing(f"http://127.0.0.1:{silent.getsockname()[1]}")


async def test_a_service_in_trouble_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    service = FakeAlpaca(now=lambda: NOON, failing=1)
    with served(service.app) as url, pytest.raises(SourceUnreachable, match="HTTP 502"):
        await standing(url)


def test_silence_is_told_within_three_seconds():
    assert 2 * checking.SILENCE_S < 3  # nobody there, or somebody who says nothing
