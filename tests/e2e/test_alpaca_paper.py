"""A real process on a paper account: a headline becomes a bracket at Alpaca, once, kill or not."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.market import Bar
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served
from tests.fake_streams import TRADING

CALENDAR = load_calendar()
PROGRAM = Path(__file__).with_name("run_in_session.py")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TITLE = "Acme Robotics raises full-year 2026 guidance after record quarter (NASDAQ: ACME)"
KEYS = {"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET}


def bars_until(symbol: str, now: datetime) -> list[Bar]:
    """Five-minute bars of the last sessions, swinging a little around $100."""
    found = []
    for session in CALENDAR.between(now - timedelta(days=9), now):
        opened_at = session.opens_at
        while opened_at < min(session.closes_at, now):
            middle = 100.0 + math.sin(opened_at.timestamp() / 900)
            found.append(
                Bar(
                    symbol=symbol,
                    opened_at=opened_at,
                    closed_at=opened_at + timedelta(minutes=5),
                    open=middle,
                    high=middle + 0.4,
                    low=middle - 0.4,
                    close=middle,
                    volume=50_000.0,
                )
            )
            opened_at += timedelta(minutes=5)
    return found


@dataclass
class Stage:
    """A paper account, a news feed, and the bot between them."""

    data_dir: Path
    ahead: timedelta
    service: FakeAlpaca
    environ: dict[str, str]
    process: subprocess.Popen[str] | None = None

    @property
    def journal(self) -> Path:
        return self.data_dir / "journals" / "live-alpaca.db"

    def start(self, *more: str) -> None:
        arguments = [str(self.ahead.total_seconds()), str(self.data_dir), *more]
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            env=self.environ,
            cwd=self.data_dir,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, how: signal.Signals) -> str:
        assert self.process is not None
        self.process.send_signal(how)
        _, told = self.process.communicate(timeout=PATIENCE_S)
        return told

    def wait_until(self, is_so: Callable[[], Any]) -> Any:
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := is_so():
                return found
            time.sleep(0.1)
        raise AssertionError(f"it did not happen; the bot said:\n{self.end(signal.SIGTERM)}")

    def count(self, message: str, journal: Path | None = None) -> int:
        """How often a message is recorded; a journal that is just being made has none."""
        path = journal or self.journal
        if path.exists():
            with suppress(ConfigError), ReadModel(f"sqlite:///{path}") as model:
                return sum(1 for _ in model.records(message))
        return 0

    def status(self) -> dict[str, Any]:
        told = catalyst_bot("status", "--json", "-", "--data-dir", str(self.data_dir))
        return json.loads(told.out)


def feed_app(published_at: datetime) -> FastAPI:
    item = (
        f"<item><title>{TITLE}</title><link>http://localhost/acme</link><guid>acme-1</guid>"
        f"<pubDate>{format_datetime(published_at)}</pubDate></item>"
    )
    page = (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{item}</channel></rss>"
    )
    app = FastAPI()

    @app.get("/feed")
    def feed() -> Response:
        return Response(page, media_type="application/rss+xml")

    return app


@contextmanager
def staged(tmp_path: Path) -> Iterator[Stage]:
    wall = datetime.now(UTC)
    ahead = CALENDAR.next_session(wall).opens_at + timedelta(hours=2) - wall

    def now() -> datetime:
        return datetime.now(UTC) + ahead

    service = FakeAlpaca(now=now, bars=lambda symbol: bars_until(symbol, now()))
    service.prices["ACME"] = 100.0
    service.quotes["ACME"] = {"bp": 99.99, "ap": 100.01}
    with served(service.app) as alpaca, served(feed_app(now() - timedelta(seconds=30))) as news:
        stage = Stage(
            data_dir=tmp_path,
            ahead=ahead,
            service=service,
            environ=os.environ
            | KEYS
            | {
                "CATALYST_ALPACA__BASE_URL": alpaca,
                "CATALYST_ALPACA__POLL_S": "0.2",
                "CATALYST_FEEDS__RSS_URLS": json.dumps([f"{news}/feed"]),
                "CATALYST_FEEDS__POLL_S": "1",
                "CATALYST_DASHBOARD__ENABLED": "false",
            },
        )
        yield stage
        if stage.process is not None and stage.process.poll() is None:
            stage.process.kill()
            stage.process.communicate()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as made:
        yield made


def test_a_headline_becomes_a_paper_trade_once_through_kill_and_restart(stage: Stage):
    stage.start()
    stage.wait_until(lambda: stage.count("PositionOpened"))
    (trade,) = stage.status()["trades"]
    assert (trade["symbol"], trade["exit_at"]) == ("ACME", None)
    (order,) = stage.service.posts
    assert order["order_class"] == "bracket"
    assert order["client_order_id"].startswith("cb-")
    stage.end(signal.SIGKILL)

    stage.start()
    stage.wait_until(lambda: stage.count("BrokerSnapshotReceived") == 2)
    told = stage.end(signal.SIGTERM)
    assert stage.service.posts == [order]
    after = stage.status()
    assert [t["trade_id"] for t in after["trades"]] == [trade["trade_id"]]
    assert after["status"]["trading_state"] == "active", told
    assert SECRET not in told
    assert SECRET.encode() not in stage.journal.read_bytes()
    verified = catalyst_bot("replay", str(stage.journal), "--verify")
    assert verified.code == 0, verified.out


def test_a_kill_between_order_and_answer_makes_no_second_order(stage: Stage):
    stage.service.streams.mute.add(TRADING)  # or the order might be heard of before
    stage.service.on_post = lambda: stage.end(signal.SIGKILL)
    stage.start()
    assert stage.process is not None
    stage.process.wait(PATIENCE_S)
    assert stage.count("SubmitOrder") == 1
    assert stage.count("OrderAccepted") == 0

    stage.service.on_post = lambda: None
    stage.service.streams.mute.clear()
    stage.start()
    stage.wait_until(lambda: stage.count("PositionOpened"))
    stage.end(signal.SIGTERM)
    assert len(stage.service.posts) == 1
    assert stage.status()["status"]["trading_state"] == "active"


def test_a_dry_run_sees_the_prices_and_sends_nothing(stage: Stage):
    stage.start("dry")
    journal = stage.journal.with_name("live-alpaca-dry-run.db")
    stage.wait_until(lambda: stage.count("SubmitSuppressed", journal))
    stage.end(signal.SIGTERM)
    assert stage.service.posts == []
    assert not stage.journal.exists()


def test_a_journal_of_another_account_is_refused(stage: Stage):
    stage.start("dry")
    dry = stage.journal.with_name("live-alpaca-dry-run.db")
    stage.wait_until(lambda: stage.count("RunStarted", dry))
    stage.end(signal.SIGTERM)
    dry.rename(stage.journal)
    stage.start()
    assert stage.process is not None
    assert "began with broker dry_run" in stage.process.communicate(timeout=PATIENCE_S)[1]
    assert stage.process.returncode != 0


def test_the_account_is_where_the_money_of_the_first_start_comes_from(stage: Stage):
    stage.service.account["cash"] = "12345.67"
    stage.start()
    stage.wait_until(lambda: stage.count("RunStarted"))
    stage.end(signal.SIGTERM)
    with ReadModel(f"sqlite:///{stage.journal}") as model:
        started = next(model.records("RunStarted")).body
    assert (str(started.starting_cash_usd), started.broker) == ("12345.67", "alpaca")


def run(tmp_path: Path, *flags: str, **environ: str) -> subprocess.CompletedProcess[str]:
    empty = dict.fromkeys((*KEYS, "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"), "")
    feeds = {"CATALYST_FEEDS__RSS_URLS": '["http://127.0.0.1:9/feed"]'}
    quiet = {"CATALYST_DASHBOARD__ENABLED": "false"}
    arguments = ("run", "--broker", "alpaca", "--data-dir", str(tmp_path), *flags)
    return subprocess.run(
        [sys.executable, "-m", "catalyst_bot", *arguments],
        env=os.environ | empty | feeds | quiet | environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def test_missing_keys_refuse_the_start(tmp_path: Path):
    told = run(tmp_path)
    assert told.returncode == 3
    assert "ALPACA_API_KEY" in told.stderr


def test_a_live_address_refuses_the_start(tmp_path: Path):
    told = run(tmp_path, CATALYST_ALPACA__BASE_URL="https://api.alpaca.markets", **KEYS)
    assert told.returncode == 3
    assert "trades real money" in told.stderr
    assert "orders go to" not in told.stderr


def test_real_money_without_the_opt_in_refuses_the_start(tmp_path: Path):
    live = {"CATALYST_ALPACA__BASE_URL": "https://api.alpaca.markets"}
    keys = {"ALPACA_API_KEY": "AKTESTKEY", "ALPACA_SECRET": SECRET}
    told = run(tmp_path, "--mode", "live", **live, **keys)
    assert told.returncode == 3
    assert "alpaca.allow_live = true" in told.stderr
    told = run(tmp_path, "--mode", "live", CATALYST_ALPACA__ALLOW_LIVE="true", **live, **keys)
    assert told.returncode == 3
    assert "export CATALYST_LIVE_ACCOUNT" in told.stderr
    assert "REAL MONEY is traded" not in told.stderr


def test_days_to_replay_do_not_go_with_alpaca(tmp_path: Path):
    told = run(tmp_path, "--from", "2025-10-06", "--to", "2025-10-07", **KEYS)
    assert told.returncode == 3
    assert "--broker embedded" in told.stderr


def test_an_unreachable_broker_ends_the_start_with_its_own_code(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        told = run(tmp_path, CATALYST_ALPACA__BASE_URL=url, **KEYS)
    assert told.returncode == 4
    assert "cannot be reached" in told.stderr
    assert SECRET not in told.stderr


def test_doctor_looks_at_the_account(tmp_path: Path):
    service = FakeAlpaca(now=lambda: datetime.now(UTC))
    with served(service.app) as url:
        environ = {"CATALYST_BROKER__KIND": "alpaca", "CATALYST_ALPACA__BASE_URL": url, **KEYS}
        good = catalyst_bot("doctor", "--data-dir", str(tmp_path), env=environ)
        service.account["trading_blocked"] = True
        bad = catalyst_bot("doctor", "--data-dir", str(tmp_path), env=environ)
    assert "ok   alpaca account: PA3TEST may trade" in good.out
    assert "FAIL alpaca account" in bad.out
    assert bad.code == 3


def test_doctor_asks_nobody_without_alpaca(tmp_path: Path):
    told = catalyst_bot("doctor", "--data-dir", str(tmp_path))
    assert "alpaca" not in told.out
