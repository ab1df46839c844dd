"""The bot as a process, trading a generated day at the exchange as another process.

Prices, news, orders and the clock all come over HTTP and WebSockets. Whatever dies meanwhile, the
bot's books end as the exchange's: no order twice, no fill lost.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import Said, catalyst_bot
from tests.exchange.process import Running, exchange

SPEED = "60"
PATIENCE_S = 120.0
START = "2025-03-13T13:52:00Z"  # some minutes before the first news that is traded
KNOBS = "rate_limit_per_min = 1000000\n"  # the exchange counts minutes of the wall


@dataclass
class Desk:
    """The exchange, and the bot that trades there."""

    venue: Running
    data_dir: Path
    process: subprocess.Popen[str] | None = None

    @property
    def journal(self) -> Path:
        return self.data_dir / "journals" / "live-alpaca.db"

    def start(self) -> None:
        key, secret = self.venue.keys
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "catalyst_bot", "run", "--broker", "alpaca"),
                *("--data-dir", str(self.data_dir)),
            ],
            env=os.environ
            | {
                "ALPACA_API_KEY": key,
                "ALPACA_SECRET": secret,
                "CATALYST_ALPACA__BASE_URL": self.venue.url,
                "CATALYST_RUN__BENCHMARK": "MKT",
                "CATALYST_DASHBOARD__ENABLED": "false",
            },
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
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
        raise AssertionError(f"it did not happen; the bot said:\n{self.end()}")

    def said(self, message: str) -> list[Any]:
        """Messages in the journal; one that is just being made has none."""
        if self.journal.exists():
            with suppress(ConfigError), ReadModel(f"sqlite:///{self.journal}") as model:
                return [record.body for record in model.records(message)]
        return []

    def ask(self, path: str) -> Any:
        key, secret = self.venue.keys
        headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        answer = httpx.get(self.venue.url + path, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def status(self) -> dict[str, Any]:
        told = other_command("status", "--json", "-", "--data-dir", str(self.data_dir))
        return json.loads(told.out)

    def check_books(self) -> None:
        """What the journal tells of shares and fills is what the exchange has."""
        theirs = {p["symbol"]: Decimal(p["qty"]) for p in self.ask("/v2/positions")}
        ours = {p["symbol"]: Decimal(p["quantity"]) for p in self.status()["positions"]}
        assert ours == theirs
        executions = self.ask("/v2/account/activities/FILL?page_size=100")
        fills = [fact.fill for fact in self.said("OrderFilled")]
        assert sum(Decimal(row["qty"]) for row in executions) == sum(f.quantity for f in fills)
        assert len({fill.fill_id for fill in fills}) == len(fills)
        spent = sum(Decimal(row["qty"]) * Decimal(row["price"]) for row in executions)
        assert abs(spent - sum(f.quantity * f.price for f in fills)) < Decimal("0.01")
        placed = self.ask("/v2/orders?status=all&limit=500")
        ids = [order["client_order_id"] for order in placed]
        assert len(ids) == len(set(ids))
        assert self.said("ForeignFilled") == []


def other_command(*arguments: str) -> Said:
    """Another command beside the bot, to its good end."""
    said = catalyst_bot(*arguments)
    assert said.code == 0, said.err
    return said


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    knobs = tmp_path / "knobs.toml"
    knobs.write_text(KNOBS)
    flags = ("--speed", SPEED, "--start", START, "--knobs", str(knobs), "--seed", "7")
    with exchange(*flags) as venue:
        made = Desk(venue, tmp_path / "data")
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


def test_a_day_at_the_exchange_through_kills_of_the_bot(desk: Desk):
    """Killed again and again while it trades; the last run settles and the books agree."""
    chance = random.Random(11)
    desk.start()
    desk.wait_until(lambda: desk.said("PositionOpened"))
    for _ in range(4):
        time.sleep(chance.uniform(0.5, 3.0))
        desk.end(signal.SIGKILL)
        desk.start()
        count = len(desk.said("BrokerSnapshotReceived"))
        desk.wait_until(lambda n=count: len(desk.said("BrokerSnapshotReceived")) > n)
    told = desk.end()
    desk.check_books()
    assert desk.said("MismatchFound") == [], told
    assert desk.status()["status"]["trading_state"] == "active", told


def test_prices_and_news_come_by_stream_at_the_exchanges_time(desk: Desk):
    desk.start()
    desk.wait_until(lambda: desk.said("BarClosed") and desk.said("QuoteSampled"))
    told = desk.end()
    assert "failed" not in told
    for quote in desk.said("QuoteSampled"):
        assert abs((quote.at - quote.quote.at).total_seconds()) < 600  # of that day, not of today
    received = desk.said("HeadlineReceived")
    assert all(0 <= (x.at - x.headline.published_at).total_seconds() < 3_600 for x in received)
    closed = [(fact.bar.symbol, fact.bar.closed_at) for fact in desk.said("BarClosed")]
    assert len(closed) == len(set(closed))
