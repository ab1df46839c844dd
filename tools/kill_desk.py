"""The bot and the exchange as two processes that can be killed, started again and asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Timer
from typing import Any

import httpx2 as httpx

UNREACHABLE = 4  # the exit code of a bot that finds no exchange to trade at
KEY, SECRET, TOKEN = "KILLRUN", "kill-run-secret", "kill-run-token"
READY_WITHIN_S = 120.0
PATIENCE_S = 180.0
KNOBS = "rate_limit_per_min = 0\n"  # the exchange counts minutes of the wall
_LAST_LOOK = "SELECT max(seq) FROM journal WHERE name = 'BrokerSnapshotReceived'"
BOT, EXCHANGE, BOTH = "bot", "exchange", "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for."""

    kills: int
    seed: int
    folder: Path
    bars: Sequence[Path] = ()
    news: Sequence[Path] = ()
    start: str | None = None
    last_day: date | None = None
    speed: float = 60.0
    outage_min: float = 0.0
    benchmark: str = "MKT"


@dataclass(slots=True)
class Counts:
    """What was done."""

    strikes: int = 0
    kills_of_bot: int = 0
    kills_of_exchange: int = 0
    starts_of_bot: int = 0
    starts_of_exchange: int = 0
    starts_refused: int = 0
    outages: int = 0
    nights: int = 0
    odd: list[str] = field(default_factory=list)


def bot_settings(plan: Plan, url: str) -> dict[str, str]:
    """Return the bot's environment: what counts seconds of the exchange gets as many more of them
    as its days are faster, and no breaker ends the trading early.
    """
    fast = plan.speed
    own = {
        "ALPACA_API_KEY": KEY,
        "ALPACA_SECRET": SECRET,
        "CATALYST_ALPACA__BASE_URL": url,
        "CATALYST_ALPACA__POLL_S": f"{min(fast / 4, 60.0):g}",
        "CATALYST_ALPACA__CALM_POLL_S": f"{min(fast, 600.0):g}",
        "CATALYST_ALPACA__STREAM_SILENCE_S": "600",
        "CATALYST_ALPACA__REQUESTS_PER_MIN": "10000",
        "CATALYST_FEEDS__JSON_LINES_URLS": json.dumps([f"{url}/feeds/news.jsonl"]),
        "CATALYST_FEEDS__ALPACA_NEWS": "false",
        "CATALYST_FEEDS__POLL_S": f"{max(fast / 2, 1.0):g}",
        "CATALYST_RUN__BENCHMARK": plan.benchmark,
        "CATALYST_DASHBOARD__ENABLED": "false",
        "CATALYST_EXECUTION__VALID_FOR_S": f"{min(10 * fast, 3_600.0):g}",
        "CATALYST_EXECUTION__SECOND_LOOK_AFTER_S": f"{min(5 * fast, 600.0):g}",
        "CATALYST_EXECUTION__NAKED_GRACE_S": f"{min(2 * fast, 3_600.0):g}",
        "CATALYST_RISK__API_ERROR_HALT_S": "86400",
        "CATALYST_RISK__MAX_DAILY_LOSS_FRACTION": "1",
        "CATALYST_RISK__MAX_DRAWDOWN_FRACTION": "1",
        "CATALYST_RISK__HALT_AFTER_LOSSES": "100",
        "CATALYST_RISK__PAUSE_AFTER_CONSECUTIVE_LOSSES": "100",
        "CATALYST_RISK__MIN_SHARPE": "-10",
        "CATALYST_RISK__MAX_DAILY_TRADES": "1000",
    }
    return own | os.environ


class Desk:
    """The two processes, the way to start, strike and ask them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._bot: subprocess.Popen[bytes] | None = None
        self._exchange: subprocess.Popen[bytes] | None = None
        self._exchange_died = False
        self._log_path = plan.folder / "bot.log"
        (plan.folder / "knobs.toml").write_text(KNOBS, encoding="utf-8")
        self.counts = Counts()

    @property
    def journal(self) -> Path:
        """The bot's journal."""
        return self._plan.folder / "data" / "journals" / "live-alpaca.db"

    def start_exchange(self) -> None:
        """Start the exchange and wait for its line."""
        plan = self._plan
        files = [part for path in plan.bars for part in ("--bars", str(path))]
        files += [part for path in plan.news for part in ("--news", str(path))]
        start = ["--start", plan.start] if plan.start else []
        with (plan.folder / "exchange.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "catalyst_bot", "exchange", "serve"),
                    *("--db", str(plan.folder / "exchange.db"), "--port", str(self._port)),
                    *("--profile", "alpaca", "--speed", f"{plan.speed:g}"),
                    *("--knobs", str(plan.folder / "knobs.toml"), "--seed", str(plan.seed)),
                    *("--key", KEY, "--secret", SECRET, "--admin-token", TOKEN),
                    *(*files, *start),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._exchange = process
        patience = Timer(READY_WITHIN_S, process.kill)
        patience.daemon = True
        patience.start()
        assert process.stdout is not None
        line = process.stdout.readline()
        patience.cancel()
        if not line.startswith(b"exchange ready "):
            raise SystemExit(f"the exchange did not start: {plan.folder / 'exchange.log'}")
        self.counts.starts_of_exchange += 1

    def approve(self) -> None:
        """Approve the limits of `bot_settings`, which are looser so that nothing ends early."""
        data_dir = str(self._plan.folder / "data")
        subprocess.run(
            [
                *(sys.executable, "-m", "catalyst_bot", "config", "approve"),
                *("--reason", "killed runs in fast time", "--data-dir", data_dir),
            ],
            env=bot_settings(self._plan, self._url),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def start_bot(self) -> None:
        """Start the bot; it is not waited for."""
        command = ["run", "--broker", "alpaca", "--data-dir", str(self._plan.folder / "data")]
        with self._log_path.open("ab") as log:
            self._bot = subprocess.Popen(
                [sys.executable, "-m", "catalyst_bot", *command],
                env=bot_settings(self._plan, self._url),
                stdout=log,
                stderr=log,
            )
        self._exchange_died = False
        self.counts.starts_of_bot += 1

    def strike(self, whom: str) -> None:
        """End one or both with SIGKILL, and start again what is needed for the next strike."""
        if whom != EXCHANGE:
            self._kill_bot()
        if whom != BOT:
            assert self._exchange is not None
            self._exchange.kill()
            self._exchange.wait()
            self._exchange_died = True
            self.counts.kills_of_exchange += 1
            self.start_exchange()
        self.counts.strikes += 1

    def _kill_bot(self) -> None:
        if self.is_up():
            assert self._bot is not None
            self._bot.kill()
            self._bot.wait()
            self._bot = None
            self.counts.kills_of_bot += 1

    def is_up(self) -> bool:
        """Look whether the bot lives. One that ended by itself must have said a good reason."""
        if self._bot is None or (code := self._bot.poll()) is None:
            return self._bot is not None
        if code == UNREACHABLE:
            self.counts.starts_refused += 1
        else:
            self.counts.odd.append(f"the bot ended by itself with {code}: {self._last_words()}")
        self._bot = None
        return False

    def _last_words(self) -> str:
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:])

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait, with the bot at work; one that found no exchange is started again."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing happened for {PATIENCE_S:g} s: {self._log_path}")
            if not self.is_up():
                self.start_bot()
            time.sleep(0.1)

    def look(self) -> None:
        """Wait until the bot has looked at the account once more."""
        last = self._newest("SELECT max(seq) FROM journal")
        self.wait_until(lambda: self._newest(_LAST_LOOK) > last)

    def _newest(self, query: str) -> int:
        """Return a number out of the journal, 0 when it is just being made.

        It is asked so often that the read model would take the time of those who are watched.
        """
        if not self.journal.exists():
            return 0
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as connection,
        ):
            return int(connection.execute(query).fetchone()[0] or 0)
        return 0

    def ask(self, path: str) -> Any:
        """Ask the exchange as the account's owner."""
        headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
        answer = httpx.get(self._url + path, headers=headers, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def clock(self) -> tuple[datetime, bool, datetime, datetime]:
        """Return the exchange's time, whether it is open, its next open and its next close."""
        told = self.ask("/v2/clock")
        now, opens_at, closes_at = (
            datetime.fromisoformat(told[name]).astimezone(UTC)
            for name in ("timestamp", "next_open", "next_close")
        )
        return now, told["is_open"], opens_at, closes_at

    def advance(self, to: datetime) -> None:
        """Let the exchange's time pass while the bot is down."""
        self._kill_bot()
        answer = httpx.post(
            f"{self._url}/admin/clock/advance",
            json={"to": to.isoformat()},
            headers={"X-Admin-Token": TOKEN},
            timeout=600,
            trust_env=False,
        )
        answer.raise_for_status()

    def stop_bot(self) -> None:
        """End the bot in order."""
        if self.is_up():
            assert self._bot is not None
            self._bot.send_signal(signal.SIGTERM)
            code, self._bot = self._bot.wait(PATIENCE_S), None
            if code not in {0, 5}:
                self.counts.odd.append(f"SIGTERM ended the bot with {code}: {self._last_words()}")

    def close(self) -> None:
        """Leave no process behind."""
        for process in (self._bot, self._exchange):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
