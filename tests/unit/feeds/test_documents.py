"""Texts of filings: what is read of them, and how they become the body of a headline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import AdapterFailed, HeadlineReceived
from catalyst_bot.feeds import documents, fetch
from catalyst_bot.feeds.readers.edgar_document import (
    MAX_TEXT_CHARACTERS,
    Document,
    read_documents,
    text_of,
)
from tests.feed_desk import Desk
from tests.feed_samples import EDGAR_ENTRY, edgar_page
from tests.feed_server import Reply, Server, serving

WHOLE = "/Archives/edgar/data/101/000000010125000001/0000000101-25-000001.txt"
COVER = "<p>Check the box: Item 1, see Rule 425</p>"
REPORT = f"""<html><title>x</title><ix:header>hidden</ix:header>{COVER}
<b>Item&nbsp;2.02</b> Results. See the release.</html>"""
RELEASE = "<p>Acme sold <b>twice</b> as much &amp; more.</p>"


def part(kind: str, text: str) -> str:
    return f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>1\n<DESCRIPTION>x\n<TEXT>\n{text}\n</TEXT>\n"


def whole(*parts: str) -> bytes:
    return ("<SEC-DOCUMENT>\n<SEC-HEADER>x</SEC-HEADER>\n" + "".join(parts)).encode()


FILING = whole(
    part("8-K", REPORT),
    part("EX-10.1", "A contract"),
    part("EX-99.1", RELEASE),
    part("GRAPHIC", "M"),
)
TEXT = "Item 2.02 Results. See the release. Acme sold twice as much & more."


def test_a_report_begins_at_its_first_item_and_the_release_follows():
    read = read_documents(FILING, "x")
    assert [document.kind for document in read] == ["8-K", "EX-99.1"]
    assert text_of(read) == TEXT


def test_a_prospectus_is_read_from_its_beginning():
    cover = "We are offering 5,000,000 shares at $2.00 per share. See Item 2.02 of our report."
    assert text_of(read_documents(whole(part("424B5", cover)), "x")) == cover


@pytest.mark.parametrize("content", [b"", b"  ", b"<html></html>", whole(part("8-K", ""))[:90]])
def test_a_filing_without_text_is_refused(content: bytes):
    with pytest.raises(BadData, match="no text in this filing"):
        text_of(read_documents(content, "x"))


@given(st.lists(st.text(max_size=50_000), min_size=1, max_size=3))
def test_a_text_is_bounded_and_leaves_room_for_the_release(texts: list[str]):
    made = tuple(Document(kind="424B5", description="", text=text) for text in texts)
    assert len(text_of(made)) <= MAX_TEXT_CHARACTERS


def test_a_long_report_leaves_room_for_the_release():
    long = Document(kind="8-K", description="", text="a" * 50_000)
    release = Document(kind="EX-99.1", description="", text="b" * 50_000)
    assert text_of((long, release)).count("b") == MAX_TEXT_CHARACTERS // 2
    assert text_of((long, Document(kind="EX-99.1", description="", text="b"))).endswith(" b")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes):
    with suppress(BadData):
        assert text_of(read_documents(content, "x"))


def test_real_filings_have_a_text(shared_data: Path):
    for folder, words in (("form8k_html", "item"), ("edgar_sgml", "beneficially")):
        for file in sorted((shared_data / "fixtures" / folder).iterdir()):
            text = text_of(read_documents(file.read_bytes(), file.name))
            assert words in text.lower() or "99.1" in file.name
            assert "<" not in text


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.reply = Reply(status=404)
        yield running


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with fetch.make_client() as client:
        yield Desk(client)


def listed(server: Server, *entries: str) -> str:
    server.replies["/current"] = Reply(body=edgar_page(*entries))
    return f"edgar={server.origin}/current"


def bodies(desk: Desk) -> list[str]:
    return [fact.headline.body for fact in desk.of(HeadlineReceived)]


async def test_the_text_of_a_report_becomes_its_body(server: Server, desk: Desk):
    server.replies[WHOLE] = Reply(body=FILING)
    await desk.poller(listed(server, EDGAR_ENTRY)).look()
    assert bodies(desk) == [TEXT]
    assert server.asked[-1]["User-Agent"] == "catalyst-bot jane@example.com"


async def test_a_filing_of_two_parties_is_fetched_once(server: Server, desk: Desk):
    server.replies[WHOLE] = Reply(body=FILING)
    other = EDGAR_ENTRY.replace("(0000000101)", "(0000000102)")
    await desk.poller(listed(server, EDGAR_ENTRY, other)).look()
    assert bodies(desk) == [TEXT, TEXT]
    assert server.paths() == ["/current", WHOLE]


async def test_what_needs_no_text_does_not_wait_for_one(server: Server, desk: Desk):
    release = threading.Event()
    server.replies[WHOLE] = Reply(body=FILING, release=release)
    quick = EDGAR_ENTRY.replace('term="8-K"', 'term="4"').replace("25-000001<", "25-000002<")
    looking = asyncio.ensure_future(desk.poller(listed(server, EDGAR_ENTRY, quick)).look())
    async with asyncio.timeout(30):
        while not desk.said:  # noqa: ASYNC110  # a thread cannot set an asyncio event
            await asyncio.sleep(0.005)
    assert [fact.headline.form for fact in desk.said] == ["4"]
    release.set()
    await looking
    assert len(desk.said) == 2


async def test_a_text_that_is_not_there_is_nobody_s_failure(server: Server, desk: Desk):
    await desk.poller(listed(server, EDGAR_ENTRY)).look()
    assert desk.kinds() == ["HeadlineReceived"]
    assert bodies(desk)[0].startswith("Filed: 2025-10-06")


async def test_texts_that_cannot_be_had_are_told_once_and_the_headlines_go_on(
    server: Server, desk: Desk
):
    server.replies[WHOLE] = Reply(status=503)
    poller = desk.poller(listed(server, EDGAR_ENTRY))
    await poller.look()
    server.replies["/current"] = Reply(body=edgar_page(EDGAR_ENTRY.replace("000001<", "000002<")))
    await poller.look()
    assert desk.kinds() == ["AdapterFailed", "HeadlineReceived", "HeadlineReceived"]
    failed: Any = desk.of(AdapterFailed)[0]
    assert (failed.adapter, failed.error) == ("feed edgar documents", "HTTP 503")


async def test_a_slow_text_is_not_waited_for(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(documents, "PATIENCE_S", 0.05)
    release = threading.Event()
    server.replies[WHOLE] = Reply(body=FILING, release=release)
    await desk.poller(listed(server, EDGAR_ENTRY)).look()
    release.set()
    assert desk.kinds() == ["AdapterFailed", "HeadlineReceived"]


async def test_only_so_many_texts_are_fetched_and_no_other_host_is_asked(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(documents, "MAX_FILINGS", 1)
    server.replies[WHOLE] = Reply(body=FILING)
    older = EDGAR_ENTRY.replace("25-000001", "25-000002").replace("T11:59", "T11:58")
    elsewhere = EDGAR_ENTRY.replace("25-000001", "25-000003").replace("/Archives/", "/etc/passwd/")
    await desk.poller(listed(server, older, elsewhere, EDGAR_ENTRY)).look()
    assert server.paths() == ["/current", WHOLE]
    assert sorted(body == TEXT for body in bodies(desk)) == [False, False, True]


async def test_of_a_long_filing_the_beginning_is_enough(
    server: Server, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(documents, "MAX_BYTES", len(FILING) - 60)
    server.replies[WHOLE] = Reply(body=FILING + bytes(3 << 20))
    await desk.poller(listed(server, EDGAR_ENTRY)).look()
    assert bodies(desk)[0].startswith("Item 2.02 Results.")
