"""The kill switch where orders rest at a broker: real processes on both ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from catalyst_bot import kill
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.latch_file import note_broker, noted_broker
from tests.e2e.test_alpaca_exchange import START, Desk, other_command
from tests.exchange.process import Running, exchange
from tests.hook_server import hook

IN_SESSION = "2025-03-13T15:00:00Z"
QUICK = ("--watch-s", "0", "--deadline-s", "5")


class Account:
    """One account at an exchange whose clock stands still."""

    def __init__(self, venue: Running) -> None:
        self.venue = venue
        key, secret = venue.keys
        self.headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        self.keys = {"ALPACA_API_KEY": key, "ALPACA_SECRET": secret}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        told = httpx.request(
            method, self.venue.url + path, json=body, headers=self.headers, timeout=30
        )
        assert told.status_code < 300, told.text
        return told.json()

    def buy(self, quantity: int, **more: Any) -> Any:
        body = {"symbol": "MKT", "qty": str(quantity), "side": "buy", "type": "market"}
        return self.ask("POST", "/v2/orders", body | {"time_in_force": "day"} | more)

    def rest(self, count: int) -> None:
        """Place orders that nobody will fill."""
        for _ in range(count):
            self.buy(1, type="limit", limit_price="1.00")

    @property
    def books(self) -> tuple[int, int]:
        return len(self.ask("GET", "/v2/orders")), len(self.ask("GET", "/v2/positions"))


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    knobs = tmp_path_factory.mktemp("exchange") / "knobs.toml"
    knobs.write_text("rate_limit_per_min = 0\npartial_probability = 0\n")
    flags = ("--speed", "step", "--start", IN_SESSION, "--knobs", str(knobs))
    with exchange(*flags) as running:
        yield running


@pytest.fixture
def account(venue: Running, tmp_path: Path) -> Account:
    """Flat and in the session, and known in `tmp_path` as the place of the bot's orders."""
    account = Account(venue)
    account.ask("DELETE", "/v2/positions?cancel_orders=true")
    number = account.ask("GET", "/v2/account")["account_number"]
    note_broker(tmp_path, {"kind": "alpaca", "base_url": venue.url, "account": number})
    return account


def killed(
    folder: Path, *flags: str, keys: dict[str, str], files: int | None = None
) -> tuple[int, str, dict[str, Any]]:
    """Press the switch as a person would: a process of its own, with nothing but keys."""
    report = folder.parent / "report.json"
    under = ["sh", "-c", f'ulimit -f {files} && exec "$@"', "sh"] if files is not None else []
    command = [*under, sys.executable, "-m", "catalyst_bot.kill", "--data-dir", str(folder)]
    told = [] if files is not None else ["--json", str(report)]
    clean = {name: text for name, text in os.environ.items() if "ALPACA" not in name}
    done = subprocess.run(
        [*command, *QUICK, *told, *flags],
        env=clean | keys,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout, json.loads(report.read_text()) if told else {}


def test_hold_cancels_every_order_and_says_what_is_held_without_a_stop(
    account: Account, tmp_path: Path
):
    account.buy(5)
    account.rest(7)
    code, told, report = killed(tmp_path, "--hold", keys=account.keys)
    assert code == 0, told
    assert account.books == (0, 1)
    assert report["cancelled"] == 7
    assert report["verified_ms"] > 0
    assert "HELD WITHOUT A STOP unless the bot runs: 5 MKT" in told
    assert OperatorMailbox(tmp_path).is_halted()
    assert account.keys["ALPACA_SECRET"] not in told


def test_close_leaves_nothing_and_a_second_press_changes_nothing(account: Account, tmp_path: Path):
    account.buy(5)
    account.rest(3)
    for cancelled in (3, 0):
        code, told, report = killed(tmp_path, "--close", keys=account.keys)
        assert code == 0, told
        assert account.books == (0, 0)
        assert report["cancelled"] == cancelled
    assert "verified: no open order and no position" in told


def test_a_full_disk_still_halts_and_cancels(account: Account, tmp_path: Path):
    """An empty latch needs no room."""
    account.rest(2)
    code, told, _ = killed(tmp_path, "--hold", keys=account.keys, files=0)
    assert code == 0, told
    assert account.books == (0, 0)
    assert OperatorMailbox(tmp_path).is_halted()


def test_without_a_latch_it_cancels_all_the_same_and_says_so_loudly(
    account: Account, tmp_path: Path
):
    account.rest(2)
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    broker = {"CATALYST_BROKER__KIND": "alpaca", "CATALYST_ALPACA__BASE_URL": account.venue.url}
    code, told, _ = killed(blocked, "--hold", keys=account.keys | broker)
    assert code == 3
    assert "NOT HALTED" in told
    assert account.books == (0, 0)


def test_wrong_keys_leave_the_latch_and_an_honest_code(account: Account, tmp_path: Path):
    account.rest(1)
    code, told, report = killed(tmp_path, "--hold", keys=account.keys | {"ALPACA_SECRET": "wrong"})
    assert code == 4
    assert "HALT latch set" in told
    assert "NOT VERIFIED at the broker: DELETE /v2/orders is refused: HTTP 40" in told
    assert report["verified_ms"] is None
    assert OperatorMailbox(tmp_path).is_halted()
    assert account.books == (1, 0)


def test_no_keys_and_no_broker(account: Account, tmp_path: Path):
    code, told, _ = killed(tmp_path, "--hold", keys={})
    assert code == 3
    assert "NOT CANCELLED at the broker: Alpaca needs ALPACA_API_KEY" in told
    note_broker(tmp_path, {"kind": "alpaca", "base_url": "http://127.0.0.1:9"})
    code, told, _ = killed(tmp_path, "--hold", "--deadline-s", "0.3", keys=account.keys)
    assert code == 4
    assert "HALT latch set" in told


def test_keys_of_another_account_are_told(account: Account, tmp_path: Path):
    note_broker(tmp_path, noted_broker(tmp_path) | {"account": "PA-OTHER"})
    code, told, _ = killed(tmp_path, "--hold", keys=account.keys)
    assert code == 4
    assert "NOT THE BOT'S ACCOUNT" in told


def test_a_broken_configuration_stops_nobody(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "broken.toml"
    broken.write_text("[risk\n")
    asked = kill.asked_by(
        policy=kill.PositionsPolicy.HOLD,
        reason="test",
        environ={"CATALYST_RUN__DATA_DIR": str(tmp_path), "CATALYST_X__LIST": "[1"},
        config=broken,
    )
    assert asked.broker == "embedded"
    assert "not read" in capsys.readouterr().err
    pretended = tmp_path / "pretended"
    note_broker(pretended, {"kind": "dry_run"})
    alpaca = {"CATALYST_BROKER__KIND": "alpaca"}
    for folder, broker in ((pretended, "embedded"), (tmp_path / "new", "alpaca")):
        asked = kill.asked_by(
            policy=kill.PositionsPolicy.HOLD, reason="", environ=alpaca, data_dir=folder
        )
        assert asked.broker == broker
    known = kill.asked_by(
        policy=kill.PositionsPolicy.HOLD, reason="", environ={}, data_dir=tmp_path, config=broken
    )
    assert (known.broker, known.base_url) == ("alpaca", account.venue.url)


@pytest.mark.parametrize("symbol", ["MKT", "AXQL"])
def test_after_the_close_it_says_what_waits_for_the_open(tmp_path: Path, symbol: str):
    """A purchase that waits for its cancel keeps the shares of its own symbol from being sold."""
    with exchange("--speed", "step", "--start", "2025-03-13T19:59:00Z") as venue:
        account = Account(venue)
        account.buy(5)
        venue.advance("2025-03-13T21:00:00Z")
        account.buy(1, type="limit", limit_price="1.00", time_in_force="gtc", symbol=symbol)
        note_broker(tmp_path, {"kind": "alpaca", "base_url": venue.url})
        code, told, report = killed(tmp_path, "--close", keys=account.keys)
    assert code == 5
    assert "NOT FLAT: the market is closed until 2025-03-14T" in told
    is_blocked = symbol == "MKT"
    assert ("PRESS AGAIN" in told) is is_blocked
    assert report["still_open"][-1] == ("5 MKT" if is_blocked else "5 MKT (being closed)")


@pytest.mark.parametrize("hangs", [True, False], ids=["hanging", "living"])
def test_a_bot_is_stopped_from_outside_and_stays_so(tmp_path: Path, hangs: bool):
    """Its process stands still with positions, stops and targets at the broker; or it was halted
    by a signal and sells at the same moment.
    """
    knobs = tmp_path / "knobs.toml"
    knobs.write_text("rate_limit_per_min = 1000000\n")
    with exchange("--speed", "60", "--start", START, "--knobs", str(knobs), "--seed", "7") as venue:
        desk = Desk(venue, tmp_path / "data")
        try:
            desk.start()
            desk.wait_until(lambda: desk.said("PositionOpened"))
            assert desk.process is not None
            desk.process.send_signal(signal.SIGSTOP if hangs else signal.SIGUSR1)
            if not hangs:
                desk.wait_until(lambda: desk.said("TradingHalted"))
            key, secret = venue.keys
            keys = {"ALPACA_API_KEY": key, "ALPACA_SECRET": secret}
            code, told, _ = killed(desk.data_dir, "--close", "--deadline-s", "30", keys=keys)
            assert code == 0, told
            assert desk.ask("/v2/orders") == desk.ask("/v2/positions") == []
            desk.process.send_signal(signal.SIGCONT)
            desk.wait_until(lambda: desk.said("TradingHalted") and desk.said("PositionClosed"))
            desk.wait_until(lambda: desk.status()["positions"] == [])
            desk.end()
            assert desk.ask("/v2/orders") == desk.ask("/v2/positions") == []
            assert desk.process.returncode == 5
        finally:
            if desk.process is not None and desk.process.poll() is None:
                desk.process.kill()
                desk.process.communicate()


def test_halt_close_goes_through_the_bulk_requests_of_the_broker(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, text in account.keys.items():
        monkeypatch.setenv(name, text)
    account.buy(5)
    account.rest(2)
    told = other_command("halt", "--close", "--data-dir", str(tmp_path)).out
    assert "cancel all orders: 2 asked" in told
    assert account.books == (0, 0)


def test_people_are_told_by_the_switch_itself(account: Account, tmp_path: Path):
    """The bot that would tell them may be the one that hangs."""
    account.rest(1)
    with hook() as at:
        channels = {
            "CATALYST_ALERTS__CHANNELS": '["ops"]',
            "CATALYST_ALERT_URL_OPS": f"json://127.0.0.1:{at.port}/hook",
        }
        code, told, _ = killed(tmp_path, "--hold", keys=account.keys | channels)
        assert code == 0, told
    (said,) = at.told
    assert said.json["title"] == "Kill switch pressed (hold): latch set"
    assert "verified: no open order" in said.json["message"]
