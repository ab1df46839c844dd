"""A stepped exchange and a bot in step: what a step told has been heard before the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.alpaca import stepped
from catalyst_bot.alpaca import stream as stream_module
from catalyst_bot.alpaca.access import Access, access_of
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.stepped import SteppedExchange
from catalyst_bot.alpaca.stream import Stream
from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.market_data.alpaca_stream import PriceTalk
from tests.exchange.process import Running, exchange

START = datetime(2025, 3, 13, 14, 0, tzinfo=UTC)
FLAGS = ("--key", "K", "--secret", "S", "--speed", "step", "--start", START.isoformat())
SYMBOL = "ARVQ"  # a company of the generated session


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with exchange(*FLAGS) as running:
        yield running


class Prices:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.quotes = 0

    def take_bar(self, row: Mapping[str, Any]) -> None:
        pass

    def take_quote(self, _: Mapping[str, Any]) -> None:
        self.quotes += 1

    def take_status(self, row: Mapping[str, Any]) -> None:
        self.statuses.append(str(row["sc"]))


def access(running: Running) -> Access:
    environ = {"ALPACA_API_KEY": "K", "ALPACA_SECRET": "S"}
    return access_of(base_url=running.url, data_url=running.url, environ=environ)


def stream_of(running: Running, prices: Prices, feed: str = "iex") -> Stream:
    def nothing(*_: object) -> None:
        pass

    talk = PriceTalk(
        access(running),
        feed,
        prices,
        on_open=nothing,
        on_close=nothing,
        on_fewer=nothing,
        silence_s=lambda: None,
    )
    talk.want([SYMBOL])
    return Stream(talk, pace=Pace(is_stepped=True))


@asynccontextmanager
async def in_step(running: Running, stream: Stream) -> AsyncIterator[SteppedExchange]:
    task = asyncio.ensure_future(stream.run())
    try:
        token = running["admin-token"]
        async with SteppedExchange(access(running), token, streams=[stream]) as venue:
            yield venue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_was_told_has_been_heard(served: Running) -> None:
    prices = Prices()
    stream = stream_of(served, prices)
    async with in_step(served, stream) as venue:
        await venue.heard()  # it is up, and all that it subscribed to is known there
        at = START
        for number in range(1, 21):
            for path in ("/admin/halt", "/admin/resume"):
                served.admin("POST", path, {"symbol": SYMBOL})  # without a turn for the stream
            at = await venue.advance(at + timedelta(seconds=30))
            await venue.heard()
            assert len(prices.statuses) == 2 * number - 2
            await stream.read()
            assert len(prices.statuses) == 2 * number
        assert prices.statuses[:2] == ["H", "T"]
        assert prices.quotes


async def test_a_stream_that_does_not_bring_what_was_told_is_named(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepped, "HEARD_WITHIN_S", 0.2)
    stream = stream_of(served, Prices())
    token = served["admin-token"]
    async with SteppedExchange(access(served), token, streams=[stream]) as venue:
        with pytest.raises(SourceUnreachable, match="/v2/iex: not everything"):
            await venue.heard()  # nobody runs it


async def test_a_stream_that_is_refused_for_good_is_not_waited_for(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.01)
    stream = stream_of(served, Prices(), feed="sip")
    async with in_step(served, stream) as venue:
        await venue.heard()
    assert stream.is_given_up
