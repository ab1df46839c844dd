"""One socket that comes back: against a real server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from catalyst_bot.alpaca import network
from catalyst_bot.alpaca import stream as module
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.stream import MAX_REFUSALS, Line, Silence, Stream, StreamRefused
from catalyst_bot.domain.errors import BadData

PATIENCE_S = 10.0


@dataclass
class Talk:
    """Says hello and keeps what it hears."""

    url: str
    heard: list[Any] = field(default_factory=list)
    whys: list[Exception] = field(default_factory=list)
    openings: int = 0
    silence_s: float | None = None
    refusal: StreamRefused | None = None

    async def begin(self, line: Line) -> None:
        await line.say({"hello": 1})
        await line.hear()
        if self.refusal is not None:
            raise self.refusal

    def take(self, message: Any) -> None:
        self.heard.append(message)

    def opened(self) -> None:
        self.openings += 1

    def closed(self, why: Exception) -> None:
        self.whys.append(why)

    def longest_silence_s(self) -> float | None:
        return self.silence_s


@dataclass
class Server:
    """Answers the hello, then does what the test says."""

    then: Callable[[ServerConnection], Any]
    status: int | None = None
    connections: int = 0
    url: str = ""

    async def handle(self, connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(b'{"hello": 2}')
        await self.then(connection)

    def refuse(self, _: ServerConnection, __: Request) -> Response | None:
        self.connections += 1
        if self.status is None:
            return None
        return Response(self.status, HTTPStatus(self.status).phrase, _headers(self.status))


def _headers(status: int) -> Headers:
    return Headers({"Location": "ws://127.0.0.1:1/elsewhere"} if status == 302 else {})


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    async with serve(
        server.handle, "127.0.0.1", 0, process_request=server.refuse, ping_interval=None
    ) as door:
        port = next(iter(door.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}"
        yield server


@asynccontextmanager
async def following(talk: Talk, *, is_stepped: bool = False) -> AsyncIterator[Stream]:
    stream = Stream(talk, pace=Pace(is_stepped=is_stepped), chance=lambda: 0.0)
    task = asyncio.ensure_future(stream.run())
    try:
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "BUSY_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "MAX_PAUSE_S", 0.04)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - the other side has no event
            await asyncio.sleep(0.005)


async def send_and_close(connection: ServerConnection) -> None:
    await connection.send('{"n": 1}')


async def send_and_wait(connection: ServerConnection) -> None:
    await connection.send('{"n": 1}')
    await connection.wait_closed()


async def wait(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def test_text_and_binary_are_heard_and_a_drop_is_followed_by_a_new_connection():
    async with running(Server(send_and_close)) as server:
        talk = Talk(server.url)
        async with following(talk):
            await until(lambda: talk.openings >= 3)
    assert talk.heard[:2] == [{"n": 1}, {"n": 1}]
    assert len(talk.whys) >= 2


async def test_where_we_move_the_time_what_is_heard_waits_until_it_is_read():
    async with running(Server(send_and_wait)) as server:
        talk = Talk(server.url)
        async with following(talk, is_stepped=True) as stream:
            await until(lambda: stream.line and stream.line.heard_count == 2)
            assert talk.heard == []
            await stream.read()
            assert talk.heard == [{"n": 1}]
            await stream.read()
            assert talk.heard == [{"n": 1}]
            assert stream.line is not None
            assert (stream.line.said_count, stream.line.name) == (1, "")


async def test_what_cannot_be_read_breaks_the_connection():
    async with running(Server(send_and_wait)) as server:
        talk = Bewildered(server.url)
        async with following(talk, is_stepped=True) as stream:
            await until(lambda: stream.line and stream.line.heard_count == 2)
            await stream.read()
            await until(lambda: talk.openings == 2)


class Bewildered(Talk):
    """Understands nothing."""

    def take(self, message: Any) -> None:
        raise BadData(f"what is {message}?")


async def test_a_mute_server_is_left_when_there_should_be_news():
    async with running(Server(wait)) as server:
        talk = Talk(server.url, silence_s=0.05)
        async with following(talk):
            await until(lambda: talk.openings >= 2)
    assert isinstance(talk.whys[0], Silence)


async def test_a_server_that_answers_no_ping_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(network, "PING_S", 0.05)

    done = asyncio.Event()

    async def freeze(connection: ServerConnection) -> None:
        connection.transport.pause_reading()  # half-open: nothing arrives any more
        await done.wait()
        connection.transport.abort()

    async with running(Server(freeze)) as server:
        talk = Talk(server.url)
        async with following(talk):
            await until(lambda: talk.openings >= 2)
        done.set()


@pytest.mark.parametrize("junk", ["{", b"\xff\xfe", "[" * 100_000])
async def test_a_frame_that_is_no_json_begins_anew(junk: str | bytes):
    async def send_junk(connection: ServerConnection) -> None:
        await connection.send(junk)
        await connection.wait_closed()

    async with running(Server(send_junk)) as server:
        talk = Talk(server.url)
        async with following(talk):
            await until(lambda: talk.openings >= 2)
    assert "no JSON" in str(talk.whys[0])


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_keys_are_not_tried_for_ever(status: int):
    async with running(Server(wait, status=status)) as server:
        talk = Talk(server.url)
        stream = Stream(talk, pace=Pace(), chance=lambda: 0.0)
        async with asyncio.timeout(PATIENCE_S):
            await stream.run()  # it ends
        assert server.connections == MAX_REFUSALS
    assert all("keys are refused" in str(why) for why in talk.whys)


async def test_a_final_refusal_in_the_talk_ends_it_too():
    async with running(Server(wait)) as server:
        talk = Talk(server.url, refusal=StreamRefused("not paid for", is_final=True))
        async with asyncio.timeout(PATIENCE_S):
            await Stream(talk, pace=Pace()).run()
        assert server.connections == MAX_REFUSALS
    assert talk.openings == 0


@pytest.mark.parametrize("status", [406, 429, 500, 502])
async def test_other_refusals_are_tried_again(status: int):
    async with running(Server(wait, status=status)) as server:
        talk = Talk(server.url)
        async with following(talk):
            await until(lambda: server.connections > MAX_REFUSALS)
            server.status = None
            await until(lambda: talk.openings == 1)


async def test_keys_do_not_follow_a_redirect():
    async with running(Server(wait, status=302)) as server:
        talk = Talk(server.url)
        async with following(talk):
            await until(lambda: len(talk.whys) >= 2)
    assert "HTTP 302" in str(talk.whys[0])


async def test_nobody_there_is_tried_again():
    async with running(Server(wait)) as server:
        url = server.url
    talk = Talk(url)
    async with following(talk):
        await until(lambda: len(talk.whys) >= 3)
    assert all(isinstance(why, OSError) for why in talk.whys)


async def test_renew_makes_a_new_connection():
    async with running(Server(wait)) as server:
        talk = Talk(server.url)
        async with following(talk) as stream:
            await until(lambda: stream.is_up)
            await stream.renew()
            await until(lambda: talk.openings == 2)


def test_pauses_grow_to_a_limit_and_hearing_something_does_not_end_them():
    stream = Stream(Talk("ws://localhost"), pace=Pace(), chance=lambda: 1.0)
    module_first, why = module.FIRST_PAUSE_S, OSError("gone")
    pauses = [stream._pause_s(why, lived_s=1.0) for _ in range(5)]
    assert pauses == [module_first, module_first * 2, *[module.MAX_PAUSE_S] * 3]
    assert stream._pause_s(why, lived_s=module.STEADY_S) == module_first


def test_pauses_are_spread_by_chance_over_their_second_half():
    stream = Stream(Talk("ws://localhost"), pace=Pace(), chance=lambda: 0.5)
    assert stream._pause_s(OSError("gone"), lived_s=0) == module.FIRST_PAUSE_S * 0.75
