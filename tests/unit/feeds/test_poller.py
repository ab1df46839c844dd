"""The live feeds against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx2
import pytest

from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    HeadlineReceived,
    HeadlineUnreadable,
)
from catalyst_bot.feeds import fetch, health, poller
from catalyst_bot.feeds.choice import Feed
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.poller import Poller
from tests.builders import NOON
from tests.feed_desk import Desk, feed_of
from tests.feed_server import Reply, Server, serving
from tests.unit.feeds.test_edgar_atom import ENTRY, page
from tests.unit.feeds.test_rss import ITEM, feed


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with fetch.make_client() as made:
        yield made


@dataclass
class OneDesk:
    """One poller and what it said."""

    desk: Desk
    poller: Poller

    @property
    def said(self) -> list[Any]:
        return self.desk.said

    def kinds(self) -> list[str]:
        return self.desk.kinds()


def desk(client: httpx2.AsyncClient, of: Feed) -> OneDesk:
    made = Desk(client)
    return OneDesk(made, made.poller(of))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for the server's thread or the poller's task."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  # a thread cannot set an asyncio event
            await asyncio.sleep(0.005)


def edgar(server: Server) -> Feed:
    return feed_of(f"edgar={server.url}")


async def test_a_page_is_handed_on_newest_first_and_once(server: Server, client: Any):
    older = ENTRY.replace("T11:59", "T10:00").replace("25-000001", "25-000002")
    server.reply = Reply(body=page(older, ENTRY))
    at = desk(client, edgar(server))
    assert await at.poller.look() == 60
    assert await at.poller.look() == 60
    assert [fact.headline.accession[-1] for fact in at.said] == ["1", "2"]
    assert all(fact.at == fact.headline.received_at == NOON for fact in at.said)
    assert server.asked[0]["User-Agent"] == "catalyst-bot jane@example.com"


async def test_what_has_not_changed_is_not_sent_again(server: Server, client: Any):
    validators = {"ETag": '"v1"', "Last-Modified": "Mon, 06 Oct 2025 15:59:00 GMT"}
    server.reply = Reply(body=page(ENTRY), headers=validators)
    at = desk(client, edgar(server))
    await at.poller.look()
    server.reply = Reply(status=304)
    await at.poller.look()
    assert "If-None-Match" not in server.asked[0]
    assert server.asked[1]["If-None-Match"] == '"v1"'
    assert server.asked[1]["If-Modified-Since"] == validators["Last-Modified"]
    assert at.kinds() == ["HeadlineReceived"]


async def test_a_failure_is_told_once_with_back_off_and_recovery(server: Server, client: Any):
    server.reply = Reply(status=503, body=b"<html>busy")
    at = desk(client, edgar(server))
    waits = [await at.poller.look() for _ in range(6)]
    assert waits == [60, 120, 240, 480, health.MAX_BACK_OFF_S, health.MAX_BACK_OFF_S]
    assert at.said == [AdapterFailed(at=NOON, adapter="feed edgar", error="HTTP 503")]
    server.reply = Reply(body=page(ENTRY))
    assert await at.poller.look() == 60
    assert at.kinds() == ["AdapterFailed", "HeadlineReceived", "AdapterRecovered"]


async def test_retry_after_is_respected_up_to_the_limit(server: Server, client: Any):
    at = desk(client, edgar(server))
    for asked, expected in (("90", 90), ("99999", health.MAX_BACK_OFF_S), ("soon", 240)):
        server.reply = Reply(status=429, headers={"Retry-After": asked})
        assert await at.poller.look() == expected


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(body=b"<!DOCTYPE html><title>Unavailable</title>"), "HTML page instead of XML"),
        (Reply(body=b"<feed"), "not readable as XML"),
        (Reply(body=b""), "not readable as XML"),
        (Reply(status=302, headers={"Location": "http://127.0.0.2/x"}), "another host"),
        (Reply(status=302, headers={"Location": "/feed"}), "more than 3 redirects"),
        (Reply(status=302, headers={"Location": "http://[::1"}), "no address"),
        (Reply(body=b"xx", headers={"Content-Encoding": "gzip"}), "not readable as gzip"),
        (
            Reply(body=gzip.compress(page(ENTRY))[:-9], headers={"Content-Encoding": "gzip"}),
            "ends in the middle",
        ),
        (Reply(body=b"xx", headers={"Content-Encoding": "br"}), "was not asked for"),
        (Reply(body=b"\xff\xfe<feed/>"), "not readable as XML"),
        (Reply(body=page(ENTRY * 100_000)[:5_000_000]), "elements and values"),
        (Reply(body=b"<a>" * 200_000), "elements and values"),
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
    await at.poller.look()
    (failed,) = at.said
    assert isinstance(failed, AdapterFailed)
    assert reason in failed.error


async def test_nobody_listening_is_a_failure(client: Any):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    at = desk(client, feed_of(f"rss=http://127.0.0.1:{port}/feed"))
    await at.poller.look()
    assert at.said[0].error == "no connection: All connection attempts failed"


async def test_a_redirect_within_the_host_is_followed(server: Server, client: Any):
    server.reply = Reply(status=301, headers={"Location": "/moved"})
    server.replies["/moved"] = Reply(body=page(ENTRY))
    at = desk(client, edgar(server))
    await at.poller.look()
    assert at.kinds() == ["HeadlineReceived"]
    assert server.paths() == ["/feed", "/moved"]


async def test_a_silent_feed_is_told_before_its_time_out(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(poller, "TELL_AFTER_S", 0.05)
    release = threading.Event()
    server.reply = Reply(body=page(ENTRY), release=release)
    at = desk(client, edgar(server))
    polling = asyncio.ensure_future(at.poller.look())
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
    await at.poller.look()
    release.set()
    assert at.said[0].error == "no answer within 0.1 s"


async def test_a_broken_entry_is_recorded_once(server: Server, client: Any):
    server.reply = Reply(body=feed("<item><title>No date</title></item>", ITEM))
    at = desk(client, feed_of(f"rss={server.url}", poll_s=5))
    await at.poller.look()
    await at.poller.look()
    assert at.kinds() == ["HeadlineReceived", "HeadlineUnreadable"]
    problem = at.said[1]
    assert isinstance(problem, HeadlineUnreadable)
    name = "rss:" + server.url.removeprefix("http://")
    assert (problem.source, problem.place) == (name, "127.0.0.1 entry 1")


async def test_running_polls_again_until_cancelled(server: Server, client: Any):
    server.reply = Reply(body=feed(ITEM))
    at = desk(client, feed_of(f"rss={server.url}", poll_s=0.01))
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
    at = desk(client, feed_of(f"rss={server.url}", poll_s=5))
    for guid in ("1", "2", "1"):
        server.reply = Reply(body=feed(ITEM.replace("com/1", f"com/{guid}")))
        await at.poller.look()
    assert len(at.said) == 3


async def test_a_bomb_is_never_unpacked(server: Server, client: Any):
    bomb = gzip.compress(bytes(200 << 20), 9)
    server.reply = Reply(body=bomb, headers={"Content-Encoding": "gzip"})
    at = desk(client, edgar(server))
    tracemalloc.start()
    try:
        await at.poller.look()
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 5 MiB" in at.said[0].error
    assert most_bytes < 50 << 20


async def test_pages_are_turned_until_one_overlaps_what_is_known(server: Server, client: Any):
    def entry(number: int) -> str:
        return ENTRY.replace("T11:59:00", f"T11:{number:02}:00").replace(
            "25-000001", f"25-{number:06}"
        )

    def listed(*numbers: int) -> Reply:
        return Reply(body=page(*map(entry, numbers)))

    of = feed_of(f"edgar={server.url}?start={{start}}")
    at = desk(client, of)
    server.reply = Reply(body=page())
    server.replies = {"/feed?start=0": listed(9, 8), "/feed?start=100": listed(8, 7)}
    await at.poller.look()
    assert [fact.headline.accession[-1] for fact in at.said] == ["9", "8", "7"]
    assert server.paths() == ["/feed?start=0", "/feed?start=100"]
    server.replies["/feed?start=0"] = listed(10, 9)
    await at.poller.look()
    assert server.paths()[2:] == ["/feed?start=0"]
    assert len(at.said) == 4


async def test_a_round_that_broke_off_is_made_up_for(server: Server, client: Any):
    at = desk(client, feed_of(f"edgar={server.url}?start={{start}}"))
    older = ENTRY.replace("25-000001", "25-000002")
    server.reply = Reply(body=page())
    server.replies = {
        "/feed?start=0": Reply(body=page(ENTRY)),
        "/feed?start=100": Reply(status=503),
    }
    await at.poller.look()
    server.replies["/feed?start=100"] = Reply(body=page(older))
    await at.poller.look()
    assert at.kinds() == [
        "HeadlineReceived",
        "AdapterFailed",
        "HeadlineReceived",
        "AdapterRecovered",
    ]


@pytest.mark.parametrize(
    ("at", "expected_s"),
    [
        (NOON, 60),
        (NOON.replace(hour=12), 90),  # before the session
        (NOON.replace(hour=21), 90),  # after it
        (NOON.replace(hour=3), 180),
        (NOON.replace(year=2040), 180),  # outside of all tables
    ],
)
async def test_the_session_sets_the_pace(
    server: Server, client: Any, at: datetime, expected_s: float
):
    server.reply = Reply(body=feed(ITEM))
    made = desk(client, feed_of(f"rss={server.url}"))
    made.desk.clock.time = at
    assert await made.poller.look() == expected_s


async def test_one_item_of_two_feeds_is_told_once(server: Server, client: Any):
    server.reply = Reply(body=page(ENTRY))
    made = Desk(client)
    for asked in (f"edgar={server.url}", f"edgar={server.url}?again"):
        await made.poller(asked).look()
    assert made.kinds() == ["HeadlineReceived"]


async def test_a_feed_that_brings_nothing_in_the_session_is_stale(server: Server, client: Any):
    server.reply = Reply(body=page(ENTRY))
    at = desk(client, edgar(server))
    for _ in range(4):
        await at.poller.look()
        at.desk.clock.pass_s(700)
    assert at.kinds() == ["HeadlineReceived", "AdapterFailed"]
    assert "has brought nothing for 35 min" in at.said[1].error
    server.reply = Reply(body=page(ENTRY.replace("25-000001", "25-000002")))
    await at.poller.look()
    assert at.kinds()[2:] == ["HeadlineReceived", "AdapterRecovered"]


async def test_a_reader_that_breaks_is_a_failure_of_its_feed(server: Server, client: Any):
    def broken(_: bytes, __: datetime) -> Page:
        raise OverflowError("date value out of range")

    at = desk(client, replace(feed_of(f"rss={server.url}"), read=broken))
    await at.poller.look()
    assert at.said[0].error.startswith("the reader of rss broke: OverflowError")
