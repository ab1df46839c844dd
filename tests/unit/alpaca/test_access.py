"""Where Alpaca may be, who we are there, and whether the account may trade."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.alpaca import account as checking
from catalyst_bot.alpaca.access import DATA_URL, PAPER_URL, Access, access_of
from catalyst_bot.alpaca.account import Account, ask_account
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
        "",
    ],
)
def test_keys_are_sent_nowhere_else(url: str):
    with pytest.raises(ConfigError, match=r"alpaca\.base_url"):
        access(url)
    with pytest.raises(ConfigError, match=r"alpaca\.data_url"):
        access(data_url=url)


def test_live_trading_is_refused_by_name():
    with pytest.raises(ConfigError, match="live trading is refused"):
        access("https://api.alpaca.markets")


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


async def ask(**account: Any) -> Account:
    service = FakeAlpaca(now=lambda: NOON, account=account)
    with served(service.app) as url:
        return await ask_account(access(url))


async def test_a_good_account_is_told_with_its_money():
    found = await ask()
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
    with served(service.app) as url, pytest.raises(ConfigError, match="refuses the keys") as error:
        await ask_account(access(url, ALPACA_API_KEY="wrong", ALPACA_SECRET="wrong-secret"))
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize("broken", [{"cash": "NaN"}, {"cash": None}])
async def test_an_account_without_readable_money_is_no_alpaca(broken: dict[str, Any]):
    with pytest.raises(SourceUnreachable, match="is no Alpaca"):
        await ask(**broken)


async def test_nobody_there_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        await ask_account(access(f"http://127.0.0.1:{port}"))


async def test_silence_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "START_TIMEOUT_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceUnreachable, match="no answer within"):
            await ask_account(access(f"http://127.0.0.1:{silent.getsockname()[1]}"))


async def test_a_service_in_trouble_is_unreachable(monkeypatch: pytest.MonkeyPatch):
    service = FakeAlpaca(now=lambda: NOON, failing=1)
    with served(service.app) as url, pytest.raises(SourceUnreachable, match="HTTP 502"):
        await ask_account(access(url))


def test_silence_is_told_within_three_seconds():
    assert checking.START_TIMEOUT_S < 3
