"""The live feeds against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    HeadlineReceived,
    HeadlineUnreadable,
)
from catalyst_bot.feeds import fetch, poller
from catalyst_bot.feeds.poller import Poller
from catalyst_bot.feeds.sources import Feed, edgar_feed, live_feeds, rss_feed
from tests.builders import NOON
from tests.unit.feeds.test_edgar_atom import ENTRY, page
from tests.unit.feeds.test_rss import ITEM, feed


@dataclass
class Reply:
    """What the server answers, to every request from now on."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    release: threading.Event | None = None


class Server(ThreadingHTTPServer):
    """Answers with `reply` and keeps the headers it was asked with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = Reply()
        self.moved: dict[str, Reply] = {}
        self.asked: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/feed"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path, **dict(self.headers)})
        reply = self.server.moved.get(self.path, self.server.reply)
        if reply.release:
            reply.release.wait(30)
        with suppress(ConnectionError):
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with fetch.make_client() as made:
        yield made


class StoppedClock:
    """It is always noon."""

    def now(self) -> datetime:
        return NOON


@dataclass
class Desk:
    """One poller and what it said."""

    poller: Poller
    said: list[Any]

    def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact in self.said]


def desk(client: httpx2.AsyncClient, of: Feed) -> Desk:
    said: list[Any] = []
    return Desk(Poller(of, client=client, clock=StoppedClock(), sink=said.append), said)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for the server's thread or the poller's task."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  # a thread cannot set an asyncio event
            await asyncio.sleep(0.005)


def edgar(server: Server) -> Feed:
    return edgar_feed(server.url, contact="jane@example.com", poll_s=60)


async def test_a_page_is_handed_on_newest_first_and_once(server: Server, client: Any):
    older = ENTRY.replace("T11:59", "T10:00").replace("25-000001", "25-000002")
    server.reply = Reply(body=page(older, ENTRY))
    at = desk(client, edgar(server))
    assert await at.poller.poll() == 60
    assert await at.poller.poll() == 60
    assert [fact.headline.accession[-1] for fact in at.said] == ["1", "2"]
    assert all(fact.at == fact.headline.received_at == NOON for fact in at.said)
    assert server.asked[0]["User-Agent"] == "catalyst-bot jane@example.com"


async def test_what_has_not_changed_is_not_sent_again(server: Server, client: Any):
    validators = {"ETag": '"v1"', "Last-Modified": "Mon, 06 Oct 2025 15:59:00 GMT"}
    server.reply = Reply(body=page(ENTRY), headers=validators)
    at = desk(client, edgar(server))
    await at.poller.poll()
    server.reply = Reply(status=304)
    await at.poller.poll()
    assert "If-None-Match" not in server.asked[0]
    assert server.asked[1]["If-None-Match"] == '"v1"'
    assert server.asked[1]["If-Modified-Since"] == validators["Last-Modified"]
    assert at.kinds() == ["HeadlineReceived"]


async def test_a_failure_is_told_once_with_back_off_and_recovery(server: Server, client: Any):
    server.reply = Reply(status=503, body=b"<html>busy")
    at = desk(client, edgar(server))
    waits = [await at.poller.poll() for _ in range(6)]
    assert waits == [60, 120, 240, 480, poller.MAX_BACK_OFF_S, poller.MAX_BACK_OFF_S]
    assert at.said == [AdapterFailed(at=NOON, adapter="feed edgar", error="HTTP 503")]
    server.reply = Reply(body=page(ENTRY))
    assert await at.poller.poll() == 60
    assert at.kinds() == ["AdapterFailed", "HeadlineReceived", "AdapterRecovered"]


async def test_retry_after_is_respected_up_to_the_limit(server: Server, client: Any):
    at = desk(client, edgar(server))
    for asked, expected in (("90", 90), ("99999", poller.MAX_BACK_OFF_S), ("soon", 240)):
        server.reply = Reply(status=429, headers={"Retry-After": asked})
        assert await at.poller.poll() == expected


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(body=b"<!DOCTYPE html><title>Unavailable</title>"), "HTML page instead of XML"),
        (Reply(body=b"<feed"), "not readable as XML"),
        (Reply(body=b""), "not readable as XML"),
        (Reply(status=302, headers={"Location": "http://127.0.0.2/x"}), "another host"),
        (Reply(status=302, headers={"Location": "/feed"}), "more than 3 redirects"),
        (Reply(body=b"xx", headers={"Content-Encoding": "gzip"}), "DecodingError"),
        (
            Reply(
                body=gzip.compress(b" " * (fetch.MAX_BYTES + 1)),
                headers={"Content-Encoding": "gzip"},
            ),
            "more than 5 MiB",
        ),
    ],
)
async def test_bad_answers_are_failures_with_a_reason(
    server: Server, client: Any, reply: Reply, reason: str
):
    server.reply = reply
    at = desk(client, edgar(server))
    await at.poller.poll()
    (failed,) = at.said
    assert isinstance(failed, AdapterFailed)
    assert reason in failed.error


async def test_nobody_listening_is_a_failure(client: Any):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    at = desk(client, rss_feed(f"http://127.0.0.1:{port}/feed", poll_s=5))
    await at.poller.poll()
    assert "ConnectError" in at.said[0].error


async def test_a_redirect_within_the_host_is_followed(server: Server, client: Any):
    server.reply = Reply(status=301, headers={"Location": "/moved"})
    server.moved["/moved"] = Reply(body=page(ENTRY))
    at = desk(client, edgar(server))
    await at.poller.poll()
    assert at.kinds() == ["HeadlineReceived"]
    assert [asked["path"] for asked in server.asked] == ["/feed", "/moved"]


async def test_a_silent_feed_is_told_before_its_time_out(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(poller, "TELL_AFTER_S", 0.05)
    release = threading.Event()
    server.reply = Reply(body=page(ENTRY), release=release)
    at = desk(client, edgar(server))
    polling = asyncio.ensure_future(at.poller.poll())
    await until(lambda: bool(at.said))
    assert isinstance(at.said[0], AdapterFailed)
    release.set()
    await polling
    assert at.kinds() == ["AdapterFailed", "HeadlineReceived", "AdapterRecovered"]


async def test_a_feed_that_never_answers_times_out(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.1)
    release = threading.Event()
    server.reply = Reply(release=release)
    at = desk(client, edgar(server))
    await at.poller.poll()
    release.set()
    assert at.said[0].error == "no answer within 0.1 s"


async def test_a_broken_entry_is_recorded_once(server: Server, client: Any):
    server.reply = Reply(body=feed("<item><title>No date</title></item>", ITEM))
    at = desk(client, rss_feed(server.url, poll_s=5))
    await at.poller.poll()
    await at.poller.poll()
    assert at.kinds() == ["HeadlineReceived", "HeadlineUnreadable"]
    problem = at.said[1]
    assert isinstance(problem, HeadlineUnreadable)
    name = "rss:" + server.url.removeprefix("http://")
    assert (problem.source, problem.place) == (name, "127.0.0.1 entry 1")


async def test_running_polls_again_until_cancelled(server: Server, client: Any):
    server.reply = Reply(body=feed(ITEM))
    at = desk(client, rss_feed(server.url, poll_s=0.01))
    running = asyncio.ensure_future(at.poller.run())
    await until(lambda: len(server.asked) >= 3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert isinstance(at.said[0], HeadlineReceived)
    assert not any(isinstance(fact, AdapterRecovered) for fact in at.said)


async def test_the_memory_of_items_is_bounded(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(poller, "REMEMBERED_ITEMS", 1)
    at = desk(client, rss_feed(server.url, poll_s=5))
    for guid in ("1", "2", "1"):
        server.reply = Reply(body=feed(ITEM.replace("com/1", f"com/{guid}")))
        await at.poller.poll()
    assert len(at.said) == 3


@pytest.mark.parametrize("contact", ["", "jane", "jane@", "@example.com", "jane doe@example.com"])
def test_edgar_refuses_to_start_without_a_contact(contact: str):
    with pytest.raises(ConfigError, match=r"feeds\.edgar_contact"):
        edgar_feed("https://example.com/x", contact=contact, poll_s=60)


@pytest.mark.parametrize("url", ["ftp://example.com/x", "example.com", "file:///etc/passwd", ""])
def test_an_address_that_is_no_web_address_is_refused(url: str):
    with pytest.raises(ConfigError, match="no http or https address"):
        rss_feed(url, poll_s=60)


def test_the_feeds_of_a_configuration():
    made = live_feeds(
        edgar_url="https://www.example.com/e",
        edgar_contact="jane@example.com",
        rss_urls=("https://www.globewire.example.com/r", "http://127.0.0.1:1/r"),
        json_lines_urls=("http://127.0.0.1:1/news.jsonl",),
        poll_s=30,
    )
    rss = ["rss:www.globewire.example.com/r", "rss:127.0.0.1:1/r"]
    names = ["edgar", *rss, "json:127.0.0.1:1/news.jsonl"]
    assert [of.name for of in made] == names
    nothing = live_feeds(edgar_url="", edgar_contact="", rss_urls=(), json_lines_urls=(), poll_s=30)
    assert nothing == ()
    headline = made[1].parse(feed(ITEM), NOON).headlines[0]
    assert headline.source == "example"
