"""A desk for scripted trades: invented days, the exchange as a process, the bot as a process.

The exchange's clock stands until the bot moves it. While the bot waits for a page of the news wire
here, nothing else moves, so that is when a person of the script acts at the exchange: always at
the same instant of the story.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import polars as pl

from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot
from tests.exchange.process import Running, exchange

PATIENCE_S = 100.0
FIVE = timedelta(minutes=5)
DAYS = tuple(datetime(2025, 10, day, 13, 30, tzinfo=UTC) for day in (20, 21, 22))  # 09:30 New York
OPEN = DAYS[-1]
LAST_DAY = f"{OPEN:%Y-%m-%d}"
BARS_A_DAY = 78
LAST_BARS = 24  # of the last day: from 11:30 in New York nothing happens
VOLUME = 100_000.0

Shape = Callable[[datetime], float]  # by how many dollars the price is off, at a time
Row = tuple[datetime, float, float, float, float, float]


def at(text: str) -> datetime:
    """A time of the last day, in UTC."""
    hour, minute = text.split(":")
    return OPEN.replace(hour=int(hour), minute=int(minute))


def steps(*moves: tuple[str, float]) -> Shape:
    """So many dollars off from each time on."""

    def shape(moment: datetime) -> float:
        return sum(dollars for since, dollars in moves if moment >= at(since))

    return shape


def prices(number: int, shape: Shape, *, volume: float = VOLUME, before: int = 0) -> list[Row]:
    """Five-minute bars of three days around $100, each symbol with a swing of its own.

    `before` bars come before the open of the last day. A move comes between two bars: as a gap.
    """
    chance = np.random.default_rng(number)
    starts = [day + FIVE * index for day in DAYS[:-1] for index in range(BARS_A_DAY)]
    starts += [OPEN + FIVE * index for index in range(LAST_BARS)]
    starts += [OPEN - FIVE * (index + 1) for index in range(before)]
    rows = []
    for start in sorted(starts):
        middle = 100.0 + shape(start)
        opened, closed = (round(middle + float(x) / 100, 2) for x in chance.integers(-8, 9, 2))
        high, low = round(max(opened, closed) + 0.05, 2), round(min(opened, closed) - 0.05, 2)
        rows.append((start, opened, high, low, closed, volume))
    return rows


def write_bars(folder: Path, symbols: Mapping[str, Sequence[Row]]) -> Path:
    names = ("timestamp", "open", "high", "low", "close", "volume")
    frames = [
        pl.DataFrame(rows, schema=names, orient="row").with_columns(symbol=pl.lit(symbol))
        for symbol, rows in symbols.items()
    ]
    path = folder / "bars.parquet"
    pl.concat(frames).write_parquet(path)
    return path


def title_of(symbol: str) -> str:
    return f"{symbol.title()} Robotics raises full-year 2026 guidance after record quarter"


def write_news(folder: Path, stories: Mapping[str, str]) -> Path:
    """One story a symbol, as a recording; the exchange shows each a minute later."""
    rows = [
        {"published_at": at(time).isoformat(), "title": title_of(symbol), "symbols": [symbol]}
        for symbol, time in stories.items()
    ]
    path = folder / "news.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@dataclass
class Wire:
    """An RSS feed over HTTP; whoever asks for its page lets the script go on."""

    stories: dict[str, str] = field(default_factory=dict)
    script: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    now: Callable[[], datetime] = lambda: OPEN
    failed: list[Exception] = field(default_factory=list)

    def page(self) -> bytes:
        now = self.now()
        while self.script and at(self.script[0][0]) <= now:
            _, act = self.script.pop(0)
            try:
                act()
            except (AssertionError, httpx.HTTPError, subprocess.SubprocessError) as error:
                self.failed.append(error)
        items = "".join(
            f"<item><title>{title_of(symbol)} (NASDAQ: {symbol})</title>"
            f"<link>http://wire.example/{symbol}</link><guid>{symbol}</guid>"
            f"<pubDate>{format_datetime(at(time))}</pubDate></item>"
            for symbol, time in self.stories.items()
            if at(time) <= now
        )
        page = f"<rss version='2.0'><channel><title>Wire</title>{items}</channel></rss>"
        return page.encode()


@contextmanager
def served(wire: Wire) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = wire.page()
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/wire"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Story:
    """The exchange, the bot's folder, and what a person can do and ask."""

    venue: Running
    http: httpx.Client
    data_dir: Path
    wire: Wire
    settings: dict[str, str]

    @property
    def journal(self) -> Path:
        return self.data_dir / "journals" / "live-alpaca.db"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the bot as a process of its own, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "catalyst_bot", *arguments, "--data-dir", str(self.data_dir)],
            env=os.environ | self.settings,
            capture_output=True,
            check=False,
            text=True,
            timeout=PATIENCE_S,
        )

    def asked(self, *arguments: str) -> Any:
        """What a command, run in this process, writes as JSON."""
        flags = ("--json", "-", "--data-dir", str(self.data_dir))
        said = catalyst_bot(*arguments, *flags, env=self.settings)
        assert said.code == 0, said.err
        return json.loads(said.out)

    def play(self) -> str:
        """Run the bot to the end of the last day; it moves the exchange."""
        self.command("config", "approve", "--reason", "a story in fast time")
        done = self.command("run", "--broker", "alpaca", "--to", LAST_DAY)
        assert done.returncode == 0, done.stderr
        assert self.wire.failed == []
        assert self.wire.script == []
        return done.stderr

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the exchange with the account's keys."""
        key, secret = self.venue.keys
        headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        answer = self.http.request(method, path, headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def orders(self, symbol: str) -> list[dict[str, Any]]:
        """Orders of a symbol at the exchange, oldest first, legs within their entries."""
        path = f"/v2/orders?status=all&limit=500&nested=true&direction=asc&symbols={symbol}"
        found: list[dict[str, Any]] = self.rest("GET", path)
        return found

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rest(
            "GET", "/v2/account/activities/FILL?page_size=100&direction=asc"
        )
        return found

    def records(self, message: str) -> list[Any]:
        """Messages of a kind with their times, as the journal has them."""
        with ReadModel(f"sqlite:///{self.journal}") as model:
            return list(model.records(message))

    def said(self, message: str) -> list[Any]:
        """Messages of a kind in the journal."""
        return [record.body for record in self.records(message)]


@contextmanager
def staged(
    folder: Path,
    *,
    bars: Mapping[str, Sequence[Row]],
    stories: Mapping[str, str],
    wire: Wire,
    knobs: str,
    flags: Sequence[str] = (),
    settings: Mapping[str, str],
) -> Iterator[Story]:
    (folder / "knobs.toml").write_text(f"rate_limit_per_min = 1000000\n{knobs}")
    served_with = [
        *("--bars", str(write_bars(folder, bars)), "--news", str(write_news(folder, stories))),
        *("--knobs", str(folder / "knobs.toml"), "--speed", "step", *flags),
    ]
    with (
        exchange(*served_with) as venue,
        httpx.Client(base_url=venue.url, timeout=30) as http,
        served(wire) as wire_url,
    ):
        key, secret = venue.keys
        story = Story(
            venue,
            http,
            folder / "data",
            wire,
            {
                "ALPACA_API_KEY": key,
                "ALPACA_SECRET": secret,
                "CATALYST_EXCHANGE_ADMIN_TOKEN": venue["admin-token"],
                "CATALYST_ALPACA__BASE_URL": venue.url,
                "CATALYST_ALPACA__REQUESTS_PER_MIN": "10000",
                "CATALYST_RUN__BENCHMARK": "MKT",
                "CATALYST_DASHBOARD__ENABLED": "false",
                "CATALYST_EXECUTION__RECONCILE_EVERY_S": "1800",
                "CATALYST_FEEDS__ALPACA_NEWS": "false",
                "CATALYST_FEEDS__JSON_LINES_URLS": json.dumps([f"{venue.url}/feeds/news.jsonl"]),
                "CATALYST_FEEDS__RSS_URLS": json.dumps([wire_url]),
                **settings,
            },
        )
        wire.now = lambda: datetime.fromisoformat(story.rest("GET", "/v2/clock")["timestamp"])
        yield story
