"""The server lives in a loop of ours and says clearly when it cannot listen."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.monitoring.dashboard.app import create_app
from catalyst_bot.monitoring.dashboard.server import listen, serve_on
from catalyst_bot.monitoring.dashboard.settings import DashboardSettings
from tests.unit.monitoring.dashboard.sample import SampleDesk, SampleSource


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .* set dashboard\.port"):
            listen("127.0.0.1", port)


def test_the_next_free_port_is_taken_only_when_told() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port, next_free=True) as other:
            assert port < other.getsockname()[1] <= port + 20


async def test_it_streams_and_stops_with_a_page_open() -> None:
    source = SampleSource()
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(source, SampleDesk(source), DashboardSettings())
    serving = asyncio.create_task(serve_on(app, listener))
    async with (
        asyncio.timeout(20),
        httpx2.AsyncClient(base_url=address, trust_env=False) as client,
        client.stream("GET", "/api/events") as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == "event: state"
        serving.cancel()
        async for _ in lines:  # ends because the server closes the stream
            pass
        with pytest.raises(asyncio.CancelledError):
            await serving
    assert app.state.desk.pulse.viewers == 0
