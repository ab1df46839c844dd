"""Kill the bot and the exchange again and again while they trade, and compare their books.

`python -m tools.kill_runs --kills 200 --seed 1 --bars FILE --news FILE --from 2025-10-01` starts
`catalyst-bot exchange serve` and `catalyst-bot run --broker alpaca` as processes of their own and
ends them with SIGKILL at moments that chance (from `--seed`) chooses. In the end both settle, and
whatever the journal says differently from the exchange is a difference: exit code 6.

Over the hours in which the market is closed the exchange's clock is moved while the bot is down.
Settings of the environment (`CATALYST_...`) reach the bot.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import httpx2 as httpx

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.read_model import ReadModel
from tools.compare_books import Verdict, compare, read_ours, read_theirs

DIFFERS = 6
UNREACHABLE = 4  # the exit code of a bot that finds no exchange to trade at
KEY, SECRET, TOKEN = "KILLRUN", "kill-run-secret", "kill-run-token"
READY_WITHIN_S = 120.0
PATIENCE_S = 180.0
BEFORE_OPEN_WALL_S = 6.0  # so long before the open, on the wall, the clock is moved
AFTER_CLOSE = timedelta(minutes=2)
KNOBS = "rate_limit_per_min = 0\n"  # the exchange counts minutes of the wall
BOT, EXCHANGE, BOTH = "bot", "exchange", "both"
WHOM = (BOT, EXCHANGE, BOTH)
WEIGHTS = (5, 3, 2)
WHILE_STARTING = 0.25  # so many kills do not wait until the bot has looked at its books


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
        patience = Timer(READY_WITHIN_S, process.kill)
        patience.start()
        assert process.stdout is not None
        line = process.stdout.readline()
        patience.cancel()
        if not line.startswith(b"exchange ready "):
            raise SystemExit(f"the exchange did not start: {plan.folder / 'exchange.log'}")
        self._exchange = process
        self.counts.starts_of_exchange += 1

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
            time.sleep(0.05)

    def look(self) -> None:
        """Wait until the bot has looked at the account once more."""
        last = self._last_seq()
        self.wait_until(lambda: self._has_looked(last))

    def _last_seq(self) -> int:
        with suppress(ConfigError), ReadModel(f"sqlite:///{self.journal}") as model:
            status = model.status()
            return status["last_seq"] if status else 0
        return 0

    def _has_looked(self, after_seq: int) -> bool:
        if not self.journal.exists():
            return False
        with suppress(ConfigError), ReadModel(f"sqlite:///{self.journal}") as model:
            return any(True for _ in model.records("BrokerSnapshotReceived", after_seq=after_seq))
        return False

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


def kill_again_and_again(desk: Desk, plan: Plan) -> None:
    """Strike at random until it was done often enough or the days are over."""
    chance = random.Random(plan.seed)  # noqa: S311 - it chooses moments, not keys
    while desk.counts.strikes < plan.kills:
        if not _skip_closed_hours(desk, plan):
            return
        if not desk.is_up():
            desk.start_bot()
        if chance.random() >= WHILE_STARTING:
            desk.look()
        time.sleep(chance.uniform(0.0, 2.0))
        whom = chance.choices(WHOM, WEIGHTS)[0]
        desk.strike(whom)
        if plan.outage_min and whom != EXCHANGE and chance.random() < 0.5:
            _be_away(desk, timedelta(minutes=chance.uniform(0.0, plan.outage_min)))
        if desk.counts.strikes % 10 == 0:
            now = desk.clock()[0]
            print(f"{desk.counts.strikes} strikes, {now:%Y-%m-%d %H:%M}", file=sys.stderr)


def _be_away(desk: Desk, pause: timedelta) -> None:
    """An outage: the market goes on without the bot, at most to the close."""
    now, is_open, _, closes_at = desk.clock()
    if is_open:
        desk.advance(min(now + pause, max(now, closes_at - timedelta(minutes=1))))
        desk.counts.outages += 1


def _skip_closed_hours(desk: Desk, plan: Plan) -> bool:
    """Go to shortly before the next open when closed; False when that is after the last day."""
    now, is_open, opens_at, _ = desk.clock()
    if is_open:
        return True
    if plan.last_day is not None and opens_at.date() > plan.last_day:
        return False
    shortly_before = opens_at - timedelta(seconds=BEFORE_OPEN_WALL_S * plan.speed)
    if shortly_before > now:
        desk.advance(shortly_before)
        desk.counts.nights += 1
    return True


def settle(desk: Desk, plan: Plan) -> None:
    """Let the session end with both at work, and the bot look at the account afterwards."""
    now, is_open, _, closes_at = desk.clock()
    if is_open:
        last_part = closes_at - timedelta(seconds=3 * BEFORE_OPEN_WALL_S * plan.speed)
        if last_part > now:
            desk.advance(last_part)
        desk.start_bot() if not desk.is_up() else None
        desk.look()
        desk.wait_until(lambda: desk.clock()[0] > closes_at + AFTER_CLOSE)
        desk.stop_bot()
    elif not desk.is_up():
        desk.start_bot()
    desk.look()
    time.sleep(1.0)
    desk.stop_bot()


def verified(plan: Plan) -> list[str]:
    """Prove the journal with the bot's own commands; return what they found wrong."""
    found = []
    journal = str(plan.folder / "data" / "journals" / "live-alpaca.db")
    for command in (["db", "verify", journal], ["replay", journal, "--verify"]):
        done = subprocess.run(
            [sys.executable, "-m", "catalyst_bot", *command],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            found.append(f"{' '.join(command[:1])}: {done.returncode} {done.stderr.strip()[-500:]}")
    return found


def run(plan: Plan) -> dict[str, Any]:
    """Do all of it and return the result."""
    began = time.monotonic()
    desk = Desk(plan)
    try:
        desk.start_exchange()
        kill_again_and_again(desk, plan)
        settle(desk, plan)
        shown_at = desk.clock()[0]
        theirs = read_theirs(desk.ask)
    finally:
        desk.close()
    with ReadModel(f"sqlite:///{desk.journal}") as model:
        verdict = compare(read_ours(model), theirs)
        names = Counter(type(record.body).__name__ for record in model.records())
    return result_of(
        plan,
        desk.counts,
        verdict,
        {
            "differences": [*verdict.differences, *desk.counts.odd, *verified(plan)],
            "journal_records": names.total(),
            "positions_opened": names["PositionOpened"],
            "positions_closed": names["PositionClosed"],
            "headlines": names["HeadlineReceived"],
            "ended_at": shown_at.isoformat(),
            "seconds": round(time.monotonic() - began, 1),
        },
    )


def result_of(plan: Plan, counts: Counts, verdict: Verdict, more: dict[str, Any]) -> dict[str, Any]:
    """Return the result as what is written to JSON."""
    done = {name: value for name, value in asdict(counts).items() if name != "odd"}
    asked = {"kills": plan.kills, "seed": plan.seed, "speed": plan.speed}
    return {"asked": asked, **done, **asdict(verdict), **more}


def plan_of(arguments: Sequence[str], folder: Path) -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.kill_runs")
    parser.add_argument("--kills", type=int, required=True, help="strikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bars", type=Path, action="append", default=[])
    parser.add_argument("--news", type=Path, action="append", default=[])
    parser.add_argument("--from", dest="start", help="day or RFC 3339 time")
    parser.add_argument("--to", dest="last_day", type=date.fromisoformat, help="the last day")
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--outage-min", type=float, default=0.0, help="of the exchange, at most")
    parser.add_argument("--benchmark", help="default: SPY with --bars, else MKT")
    parser.add_argument("--keep", type=Path, help="folder for journal, database and logs")
    parser.add_argument("--json", dest="_json", type=Path)
    told = vars(parser.parse_args(arguments))
    del told["_json"]
    told["benchmark"] = told["benchmark"] or ("SPY" if told["bars"] else "MKT")
    if told["start"] and len(told["start"]) == len("2025-10-01"):
        told["start"] += "T00:00:00Z"
    kept = told.pop("keep")
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    return Plan(**told, folder=kept or folder)


def main(arguments: Sequence[str]) -> int:
    """Run, print the result, return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(plan_of(arguments, Path(folder)))
    text = json.dumps(result, indent=1)
    print(text)
    if "--json" in arguments:
        path = Path(arguments[list(arguments).index("--json") + 1])
        path.write_text(text + "\n", encoding="utf-8")
    return DIFFERS if result["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
