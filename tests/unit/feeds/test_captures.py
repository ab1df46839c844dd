"""Real answers of real sources, served by an HTTP server on this machine and polled from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.messages.facts import AdapterFailed, HeadlineReceived, SymbolHalted
from catalyst_bot.feeds import fetch
from tests.feed_desk import Desk
from tests.feed_server import Reply, Server, serving

LATER = datetime(2026, 9, 1, 3, 59, tzinfo=UTC)  # than every capture, and late in New York
CAPTURES = [  # source, file below fixtures, headlines, halts
    ("edgar", "edgar_atom/getcurrent_start0_0.xml", 100, 0),
    ("edgar", "edgar_atom/getcurrent_start0_1.xml", 40, 0),
    ("edgar", "edgar_atom/getcurrent_rich8k_0.xml", 100, 0),
    ("edgar", "edgar_atom/atom.xml", None, 0),
    ("edgar", "edgar_atom/atom1.xml", None, 0),
    ("edgar-submissions", "edgar_submissions/AAPL_2026-06_times_are_true_UTC.json", 20, 0),
    ("edgar-submissions", "edgar_submissions/maquia_submission.json", 20, 0),
    ("rss", "edgar_rss/pressreleases.rss", None, 0),
    ("rss", "edgar_rss/usgaap.rss", None, 0),
    ("nasdaq-halts", "nasdaq_halts/tradehalts_2023-06-19.xml", 14, 14),
    ("nyse-halts", "nasdaq_halts/nyse_halts_shape.csv", 2, 2),
    ("globenewswire", "wire_rss/globenewswire_shape.xml", 3, 0),
    ("prnewswire", "wire_rss/prnewswire_shape.xml", None, 0),
    ("yahoo", "wire_rss/yahoo_general_shape.xml", None, 0),
    ("yahoo-symbol", "wire_rss/yahoo_symbol_shape.xml", None, 0),
    ("google-symbol", "wire_rss/google_news_shape.xml", None, 0),
    ("finviz-symbol", "finviz/news_table_shape.html", 5, 0),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with fetch.make_client() as client:
        made = Desk(client)
        made.clock.time = LATER
        yield made


@pytest.mark.parametrize(("name", "file", "headlines", "halts"), CAPTURES)
async def test_a_capture_is_polled_whole(
    server: Server,
    desk: Desk,
    shared_data: Path,
    name: str,
    file: str,
    headlines: int | None,
    halts: int,
):
    server.reply = Reply(status=404)
    server.replies["/x"] = Reply(body=(shared_data / "fixtures" / file).read_bytes())
    await desk.poller(f"{name}={server.origin}/x").look()
    assert not desk.of(AdapterFailed)
    told = desk.of(HeadlineReceived)
    assert len(told) == headlines if headlines is not None else told
    assert len(desk.of(SymbolHalted)) == halts
    times = [fact.headline.published_at for fact in told if fact.headline.form != "8-K"]
    assert halts or times == sorted(times, reverse=True)


async def test_the_page_of_a_busy_edgar_is_a_failure(server: Server, desk: Desk, shared_data: Path):
    busy = shared_data / "fixtures" / "edgar_atom" / "getcurrent_503.html"
    server.reply = Reply(body=busy.read_bytes())
    await desk.poller(f"edgar={server.url}").look()
    (failed,) = desk.said
    assert "File Unavailable" in failed.error
