"""The drill of the kill switch: fill a book with orders, press, look whether it is empty.

The switch is pressed as a person would: a process of its own, with keys and HTTP. Whether the book
is empty is asked by the drill itself, not believed. The exchange is another process of ours, unless
the paper account is asked for; there, only an account without orders and positions will do, because
the drill would take them along.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

import catalyst_bot
from catalyst_bot.alpaca.access import KEY_NAMES, SECRET_NAMES, Access, access_of
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.drills import Certificate, percentile
from catalyst_bot.runtime.latch_file import note_broker
from catalyst_bot.settings import Settings

READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 60.0
BOT_FOLLOWS = "following "
START = "2025-03-13T15:00:00Z"  # in a session of the generated market
THREADS = 8
OPEN_ORDERS = "/v2/orders?status=open&limit=500"
SAY_AFTER_TRIES = 10
_KNOBS = "rate_limit_per_min = 0\npartial_probability = 0\nstarting_cash_usd = 1000000\n"
_LOG = "drill.log"
_TOO_MANY = 429
_PAUSE_S = 2.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """How hard to drill. `hangs`: a bot on that account stands still (SIGSTOP) meanwhile."""

    orders: int = 500
    latency_ms: float = 50.0
    tries: int = 1
    hangs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    took_ms: float
    is_verified: bool
    steps_ms: Mapping[str, float]


def drill_here(plan: DrillPlan, say: Say) -> Certificate:
    """Drill at an exchange of our own; raises `SourceUnreachable` when it does not start."""
    with TemporaryDirectory(prefix="catalyst-drill-") as scratch, _exchange(Path(scratch)) as venue:
        data_dir = Path(scratch) / "data"
        note_broker(data_dir, {"kind": "alpaca", "base_url": venue.access.base_url})
        if not plan.hangs:
            return _drill(plan, venue, data_dir, say)
        with _hanging_bot(venue.access, data_dir):
            return _drill(plan, venue, data_dir, say)


def drill_on_paper(plan: DrillPlan, settings: Settings, say: Say) -> Certificate:
    """Drill at the configured paper account.

    Raises `ConfigError` for keys or an address of anything else, and for an account that holds
    orders or positions; `SourceUnreachable` when nobody answers.
    """
    if plan.hangs:
        raise ConfigError("--hanging-bot: is for an exchange of our own; leave out --paper")
    access = access_of(base_url=settings.alpaca.base_url, environ=os.environ)
    venue = _Venue(access, symbol=settings.run.benchmark, name="the paper account")
    with venue, TemporaryDirectory(prefix="catalyst-drill-") as scratch:
        held = len(venue.ask("GET", OPEN_ORDERS)), len(venue.ask("GET", "/v2/positions"))
        if any(held):
            raise ConfigError(
                f"--paper: the account has {held[0]} open orders and {held[1]} positions, and the "
                "drill would take them along: drill without --paper, or with another account"
            )
        note_broker(Path(scratch), {"kind": "alpaca", "base_url": access.base_url})
        return _drill(plan, venue, Path(scratch), say)


def _drill(plan: DrillPlan, venue: _Venue, data_dir: Path, say: Say) -> Certificate:
    tries: list[_Try] = []
    for number in range(plan.tries):
        venue.be_slow(0.0)
        venue.fill(plan.orders)
        venue.be_slow(plan.latency_ms)
        tries.append(_press(venue, data_dir))
        if plan.tries > 1 and (number + 1) % SAY_AFTER_TRIES == 0:
            say(f"{number + 1} of {plan.tries} tries")
    took = [each.took_ms for each in tries]
    medians = {
        name: round(median(each.steps_ms.get(name, 0.0) for each in tries), 1)
        for name in tries[0].steps_ms
    }
    return Certificate(
        at=SystemClock().now().replace(microsecond=0),
        version=catalyst_bot.__version__,
        venue=venue.name,
        orders=plan.orders,
        latency_ms=plan.latency_ms if venue.admin_token else 0.0,
        tries=plan.tries,
        verified=sum(each.is_verified for each in tries),
        p50_ms=round(percentile(took, 0.5), 1),
        p99_ms=round(percentile(took, 0.99), 1),
        max_ms=round(max(took), 1),
        steps_ms=medians,
        verified_by="a GET of the drill",
        bot="a hanging bot on the account" if plan.hangs else "no bot on the account",
    )


def _press(venue: _Venue, data_dir: Path) -> _Try:
    """Press once; the time ends when the switch says that it has verified the book."""
    report = data_dir / "report.json"
    command = [sys.executable, "-m", "catalyst_bot.kill", "--hold", "--watch-s", "0"]
    command += ["--data-dir", str(data_dir), "--reason", "drill", "--json", str(report)]
    command += ["--config", str(_no_settings(data_dir))]
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  # our own program
        command, env=_environment(venue.access), stdout=subprocess.PIPE, text=True
    ) as switch:
        assert switch.stdout is not None
        told = next((line for line in switch.stdout if line.startswith("VERIFIED")), "")
        took_ms = (time.perf_counter() - started) * 1000.0
        switch.stdout.read()
    steps = json.loads(report.read_bytes())
    by_step = {"latch": steps["latch_ms"] or 0.0}
    by_step |= {step["step"]: step["ms"] for step in steps["steps"]}
    is_empty = not venue.ask("GET", OPEN_ORDERS)
    return _Try(
        took_ms=took_ms,
        is_verified=bool(told) and is_empty and switch.returncode == 0,
        steps_ms=by_step,
    )


def _environment(access: Access) -> dict[str, str]:
    """What a bot or a switch gets to know: the keys of this account and no settings of ours."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("ALPACA_", "APCA_", "CATALYST_"))
    }
    return kept | {KEY_NAMES[0]: access.key_id, SECRET_NAMES[0]: access.secret}


def _no_settings(folder: Path) -> Path:
    """An empty file instead of the settings of this machine: the drill is about the switch."""
    path = folder / "drill.toml"
    path.touch()
    return path


class _Venue:
    """Where the drill's orders rest; close it after use."""

    def __init__(self, access: Access, *, symbol: str, name: str, admin_token: str = "") -> None:
        self.access = access
        self.name = name
        self.admin_token = admin_token
        self._symbol = symbol
        self._client = httpx2.Client(
            base_url=access.base_url, headers=access.headers(), timeout=30.0, trust_env=False
        )

    def __enter__(self) -> _Venue:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask until there is room for it. Raises `SourceUnreachable`."""
        while True:
            try:
                told = self._client.request(method, path, json=body)
            except httpx2.HTTPError as error:
                raise SourceUnreachable(f"{self.access.base_url}: {error!r}") from error
            if told.status_code != _TOO_MANY:
                break
            time.sleep(_PAUSE_S)
        if told.is_error:
            raise SourceUnreachable(f"{method} {path}: HTTP {told.status_code} {told.text[:200]}")
        return told.json()

    def fill(self, orders: int) -> None:
        """Place orders that nobody will fill: a dollar for a share."""
        body = {"symbol": self._symbol, "qty": "1", "side": "buy", "type": "limit"}
        body |= {"limit_price": "1.00", "time_in_force": "gtc"}
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda _: self.ask("POST", "/v2/orders", body), range(orders)))
        resting = len(self.ask("GET", OPEN_ORDERS))
        if resting < min(orders, 500):
            raise SourceUnreachable(f"{resting} of {orders} orders rest at {self.name}")

    def be_slow(self, latency_ms: float) -> None:
        """Let every answer take so long; nobody can tell a paper account to."""
        if not self.admin_token:
            return
        rules = [{"match": {"path": "^/v2/"}, "action": {"delay_s": latency_ms / 1000.0}}]
        told = self._client.put(
            "/admin/faults",
            json={"rule": rules if latency_ms else []},
            headers={"X-Admin-Token": self.admin_token},
        )
        if told.is_error:
            raise SourceUnreachable(f"the exchange does not take faults: {told.text[:200]}")


@contextmanager
def _exchange(scratch: Path) -> Iterator[_Venue]:
    """An exchange in a process of its own, that ends with the drill."""
    knobs = scratch / "knobs.toml"
    knobs.write_text(_KNOBS, encoding="utf-8")
    command = [sys.executable, "-m", "catalyst_bot", "exchange", "serve", "--start", START]
    with _running([*command, "--knobs", str(knobs)], os.environ, scratch) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("exchange ready "):
            raise SourceUnreachable("an exchange of our own did not start; see `exchange serve`")
        url, *words = line.split()[2:]
        told = dict(word.split("=", 1) for word in words)
        access = Access(base_url=url, data_url=url, key_id=told["key"], secret=told["secret"])
        token = told["admin-token"]
        with _Venue(access, symbol="MKT", name="an own exchange", admin_token=token) as venue:
            yield venue


@contextmanager
def _hanging_bot(access: Access, data_dir: Path) -> Iterator[None]:
    """A bot that trades in the account and then stands still, its database open."""
    environment = _environment(access) | {
        "CATALYST_ALPACA__BASE_URL": access.base_url,
        "CATALYST_RUN__BENCHMARK": "MKT",
        "CATALYST_DASHBOARD__ENABLED": "false",
    }
    command = [sys.executable, "-m", "catalyst_bot", "run", "--broker", "alpaca"]
    command += ["--config", str(_no_settings(data_dir))]
    with _running([*command, "--data-dir", str(data_dir)], environment, data_dir) as process:
        until = time.monotonic() + READY_WITHIN_S
        log = data_dir / _LOG
        while BOT_FOLLOWS not in log.read_text(encoding="utf-8"):
            if process.poll() is not None or time.monotonic() > until:
                raise SourceUnreachable(f"a bot did not start: {log.read_text('utf-8')[-500:]}")
            time.sleep(0.05)
        process.send_signal(signal.SIGSTOP)
        yield


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """A process with its words in a file; killed in the end, for it may stand still."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / _LOG).open("w", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603  # our own program
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
