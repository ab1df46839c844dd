"""A running bot tells people: its feed and their channel are real servers on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from catalyst_bot.domain.messages.facts import (
    NotificationAcknowledged,
    NotificationDelivered,
    NotificationEscalated,
)
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot
from tests.hook_server import Hook, Say, hook

TITLE = "{name} (NASDAQ: {symbol}) files for Chapter 11 bankruptcy protection"
SYMBOLS = ("ACME", "BOLT", "CRUX", "DYNE")


@contextmanager
def wire() -> Iterator[str]:
    """The address of a feed that says that companies failed, a minute ago."""
    published = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    rows = [
        {
            "id": f"item-{symbol}",
            "title": TITLE.format(name=symbol.title(), symbol=symbol),
            "source": "Wire",
            "symbols": [symbol],
            "published_at": published,
        }
        for symbol in SYMBOLS
    ]
    page = "\n".join(map(json.dumps, rows)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/news"
        server.shutdown()


def env_of(feed: str, at: Hook, tmp_path: Path) -> dict[str, str]:
    address = tmp_path / "ops.url"
    address.write_text(f"json://127.0.0.1:{at.port}/hook\n", encoding="utf-8")
    return {
        "CATALYST_DASHBOARD__ENABLED": "false",
        "CATALYST_FEEDS__JSON_LINES_URLS": json.dumps([feed]),
        "CATALYST_FEEDS__POLL_S": "1",
        "CATALYST_ALERTS__CHANNELS": '["ops"]',
        "CATALYST_ALERTS__SPACING_S": "0",
        "CATALYST_ALERT_URL_OPS_FILE": str(address),
    }


def start(data_dir: Path, env: dict[str, str], *flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "catalyst_bot", "run", "--data-dir", str(data_dir), *flags]
    return subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def until(done: Callable[[], bool], bot: subprocess.Popen[bytes]) -> None:
    given_up = time.monotonic() + 60
    while not done():
        assert bot.poll() is None, bot.stderr and bot.stderr.read().decode()
        assert time.monotonic() < given_up, "nothing came in a minute"
        time.sleep(0.02)


def stop(bot: subprocess.Popen[bytes]) -> str:
    bot.send_signal(signal.SIGINT)
    _, err = bot.communicate(timeout=60)
    return err.decode()


def marked(data_dir: Path) -> list[str]:
    (journal,) = (data_dir / "journals").glob("live*.db")
    with ReadModel(journal) as model:
        return [
            record.body.notice_id
            for record in model.records(NotificationDelivered.__name__)
            if isinstance(record.body, NotificationDelivered)
        ]


def keys(at: Hook) -> list[str]:
    return [told.headers["Idempotency-Key"] for told in at.told]


def test_a_running_bot_delivers_a_critical_alert(tmp_path: Path):
    with wire() as feed, hook() as at:
        bot = start(tmp_path, env_of(feed, at, tmp_path))
        until(lambda: len(at.told) >= len(SYMBOLS), bot)
        assert "/hook" not in stop(bot)
    assert bot.returncode == 0
    for symbol, told in zip(SYMBOLS, at.told, strict=True):
        assert told.json["title"] == f"{symbol}: bankruptcy"
        assert told.json["type"] == "failure"
        assert "Chapter 11" in told.json["message"]
        assert "severity critical" in told.json["message"]
    assert marked(tmp_path) == keys(at)


def test_a_dry_run_records_and_tells_nobody(tmp_path: Path):
    with wire() as feed, hook() as at:
        env = env_of(feed, at, tmp_path)
        bot = start(tmp_path, env, "--dry-run")
        listed: list[Any] = []

        def is_recorded() -> bool:
            found = catalyst_bot(
                "alerts", "list", "--data-dir", str(tmp_path), "--json", "-", env=env
            )
            listed[:] = json.loads(found.out) if found.code == 0 else []
            return len(listed) == len(SYMBOLS)

        until(is_recorded, bot)
        stop(bot)
        assert not at.told
    assert {row["state"] for row in listed} == {"waiting"}
    assert [row["title"] for row in listed] == [f"{symbol}: bankruptcy" for symbol in SYMBOLS]


def test_a_replay_records_and_tells_nobody(tmp_path: Path):
    with hook() as at:
        env = env_of("http://127.0.0.1:9/", at, tmp_path)
        said = catalyst_bot("demo", "--exit", "--data-dir", str(tmp_path), env=env)
        assert said.code == 0
        assert not at.told
    (journal,) = (tmp_path / "journals").glob("*.db")
    with ReadModel(journal) as model:
        assert next(model.records("AlertRaised"), None) is not None
        assert next(model.records("NotificationDelivered"), None) is None


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_in_the_middle_nothing_is_lost(tmp_path: Path, after: int):
    """Killed while the service holds the `after`th message: it took the ones before, and knows
    this one, but its answer never came. All arrive; only that one arrives twice, by the same key.
    """
    with wire() as feed, hook() as at:
        env = env_of(feed, at, tmp_path)
        at.answers.extend([*[Say()] * (after - 1), Say(hang=True)])
        bot = start(tmp_path, env)
        until(lambda: len(at.told) == after, bot)
        bot.kill()
        bot.communicate(timeout=60)
        before = keys(at)
        at.answers.clear()
        bot = start(tmp_path, env)
        until(lambda: len(set(keys(at))) == len(SYMBOLS) and len(at.told) > after, bot)
        stop(bot)
    assert bot.returncode == 0
    told = Counter(keys(at))
    assert set(told) == set(marked(tmp_path))
    assert told[before[-1]] == 2
    assert [key for key, count in told.items() if count > 1] == [before[-1]]


def test_test_says_what_came_of_it(tmp_path: Path):
    with hook() as at:
        env = env_of("http://127.0.0.1:9/", at, tmp_path)
        good = catalyst_bot("alerts", "test", "--json", "-", env=env)
        at.then = Say(403)
        bad = catalyst_bot("alerts", "test", env=env)
    (tried,) = json.loads(good.out)
    assert good.code == 0
    assert (tried["channel"], tried["answer"]["is_delivered"]) == ("ops", True)
    assert "Test of catalyst-bot" in at.texts[0]
    assert bad.code == 4
    assert "HTTP 403" in bad.out
    assert "/hook" not in bad.out + bad.err


def test_a_channel_without_an_address_is_refused_at_start(tmp_path: Path):
    env = {
        "CATALYST_FEEDS__JSON_LINES_URLS": '["http://127.0.0.1:9/"]',
        "CATALYST_ALERTS__CHANNELS": '["phone"]',
    }
    said = catalyst_bot("run", "--data-dir", str(tmp_path), env=env)
    assert said.code == 3
    assert "set CATALYST_ALERT_URL_PHONE" in said.err


def test_status_names_a_channel_that_is_down(tmp_path: Path):
    with wire() as feed, hook() as at:
        env = env_of(feed, at, tmp_path) | {"CATALYST_ALERTS__ALARM_AFTER": "1"}
        at.then = Say(404)
        bot = start(tmp_path, env)
        found: list[Any] = []

        def is_down() -> bool:
            said = catalyst_bot("status", "--data-dir", str(tmp_path), "--json", "-", env=env)
            found[:] = [json.loads(said.out)["alerts"]["ops"]] if said.code == 0 else []
            return bool(found and found[0]["down"])

        until(is_down, bot)
        stop(bot)
    assert found[0]["down"] == "failed tries in a row: 1, the last with HTTP 404"
    assert found[0]["waiting"] >= 1
    (journal,) = (tmp_path / "journals").glob("live*.db")
    with ReadModel(journal) as model:  # what the dashboard shows
        texts = [event["text"] for event in model.events(limit=1_000)]
    assert any(text.startswith("alerts ops failed: failed tries in a row: 1") for text in texts)
    shown = catalyst_bot("status", "--data-dir", str(tmp_path), env=env)
    assert "alerts to ops:" in shown.out
    assert "DOWN: failed tries in a row: 1" in shown.out


def recorded(data_dir: Path, kind: type) -> int:
    (journal,) = (data_dir / "journals").glob("live*.db")
    with ReadModel(journal) as model:
        return sum(1 for _ in model.records(kind.__name__))


def test_a_halt_is_told_until_a_person_has_seen_it(tmp_path: Path):
    """Nobody answers: it is told again, and to the boss; the watchman is pinged all the while."""
    with wire() as feed, hook() as at, hook() as boss, hook() as watchman:
        env = env_of(feed, at, tmp_path) | {
            "CATALYST_ALERTS__CATALYSTS": "false",
            "CATALYST_ALERTS__ESCALATE_AFTER_S": "1",
            "CATALYST_ALERTS__ESCALATE_TIMES": "20",
            "CATALYST_ALERTS__ESCALATE_TO": '["boss"]',
            "CATALYST_ALERTS__PING_EVERY_S": "1",
            "CATALYST_ALERT_URL_BOSS": f"json://127.0.0.1:{boss.port}/boss",
            "CATALYST_PING_URL": f"{watchman.url}/ping",
        }
        bot = start(tmp_path, env)
        until(lambda: bool(watchman.told), bot)
        assert catalyst_bot("halt", "--data-dir", str(tmp_path), env=env).code == 0
        until(lambda: len(boss.told) >= 2, bot)
        flags = ("--data-dir", str(tmp_path))
        listed = catalyst_bot("alerts", "list", "--json", "-", *flags, env=env)
        (halted,) = [row for row in json.loads(listed.out) if row["state"] == "not answered"]
        assert halted["title"] == "Trading halted: operator"
        shown = catalyst_bot("alerts", "show", halted["id"][:-3], "--json", "-", *flags, env=env)
        assert json.loads(shown.out)["title"] == halted["title"]
        assert json.loads(shown.out)["notice_id"] == halted["id"]
        assert halted["id"] in catalyst_bot("alerts", "show", halted["id"], *flags, env=env).out
        assert catalyst_bot("alerts", "show", "nonsense", *flags, env=env).code == 3
        assert catalyst_bot("alerts", "ack", "nonsense", *flags, env=env).code == 3
        nobody = catalyst_bot("alerts", "ack", halted["id"], "--by", " ", *flags, env=env)
        assert (nobody.code, "--by: say who has seen it" in nobody.err) == (3, True)
        assert catalyst_bot("alerts", "ack", halted["id"], *flags, env=env).code == 0
        until(lambda: recorded(tmp_path, NotificationAcknowledged) == 1, bot)
        count = recorded(tmp_path, NotificationEscalated)
        time.sleep(1.5)
        assert recorded(tmp_path, NotificationEscalated) == count
        assert "/ping" not in stop(bot)
    assert bot.returncode == 5
    titles = [told.json["title"] for told in boss.told]
    assert all(title.startswith("Not answered for ") for title in titles)
    assert catalyst_bot("alerts", "ack", "all", *flags, env=env).code == 3  # nothing is left


def test_people_are_told_why_a_bot_did_not_start(tmp_path: Path):
    with wire() as feed, hook() as at:
        env = env_of(feed, at, tmp_path) | {"CATALYST_ALERTS__CATALYSTS": "false"}
        bot = start(tmp_path, env)
        until(lambda: bool(list((tmp_path / "journals").glob("live*.db"))), bot)
        until(lambda: catalyst_bot("status", "--data-dir", str(tmp_path), env=env).code == 0, bot)
        stop(bot)
        (journal,) = (tmp_path / "journals").glob("live*.db")
        journal.write_bytes(b"noise" * 1000)
        told = len(at.told)
        again = start(tmp_path, env)
        _, err = again.communicate(timeout=60)
        assert again.returncode not in {0, 5}, err
        (last,) = at.told[told:]
    assert last.json["title"] in {"The bot did not start", "The bot stopped: a fault"}
    assert str(journal) in last.json["message"]
