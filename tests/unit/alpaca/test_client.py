"""Every answer is one of three: usable, a no, or nothing we can rely on."""

from __future__ import annotations

import httpx2
import pytest

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent

ACCESS = access_of(
    base_url="http://localhost",
    data_url="http://localhost",
    environ={"ALPACA_API_KEY": "key", "ALPACA_SECRET": "hidden-secret"},
)


async def ask(status: int, body: str = "") -> object:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body.encode())

    async with AlpacaClient(ACCESS, transport=httpx2.MockTransport(answer)) as client:
        return await client.trading("GET", "/v2/x")


async def test_answers():
    assert await ask(200, '{"a": "1"}') == {"a": "1"}
    assert await ask(204) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"code":50010000,"message":"internal server error"}'),
        (502, "<html>"),
        (504, ""),
        (302, ""),
        (200, "<html>"),
        (200, '{"qty": NaN}'),
        (200, '{"qty": -Infinity}'),
    ],
)
async def test_what_cannot_be_relied_on_is_silence(status: int, body: str):
    with pytest.raises(AlpacaSilent):
        await ask(status, body)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, '{"message":"unauthorized."}\n', "keys"),
        (403, '{"message":"forbidden."}', "keys"),
        (403, "<html>nginx</html>", "keys"),
        (403, '{"code":40110000,"message":"request is not authorized"}', "keys"),
        (403, '{"code":40310000,"message":"insufficient buying power"}', "order"),
        (403, '{"message":"cannot have a short sell order open"}', "order"),
        (404, '{"code":40410000,"message":"order not found for x"}', "unknown"),
        (422, '{"code":40010001,"message":"client_order_id must be unique"}', "duplicate"),
        (422, '{"code":40010001,"message":"qty must be > 0"}', "order"),
        (429, '{"code":42910000,"message":"rate limit exceeded"}', "rate limit"),
        (429, "", "rate limit"),
        (400, "[]", "order"),
    ],
)
async def test_a_no_says_what_it_is_about(status: int, body: str, says: str):
    with pytest.raises(AlpacaRefused) as refused:
        await ask(status, body)
    error = refused.value
    found = {
        "keys": error.is_about_keys,
        "unknown": error.is_unknown,
        "duplicate": error.is_duplicate,
        "rate limit": error.is_rate_limit,
    }
    assert [name for name, is_so in found.items() if is_so] == ([says] if says != "order" else [])


async def test_a_long_message_is_one_bounded_line():
    with pytest.raises(AlpacaRefused) as refused:
        await ask(422, '{"message":"' + "word\\n" * 500 + '"}')
    assert len(str(refused.value)) <= 200
    assert "\n" not in str(refused.value)


async def test_a_broken_connection_is_silence_and_shows_no_key():
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("connection reset", request=request)

    async with AlpacaClient(ACCESS, transport=httpx2.MockTransport(broken)) as client:
        with pytest.raises(AlpacaSilent, match="ReadError") as silent:
            await client.trading("GET", "/v2/x")
    assert "hidden-secret" not in str(silent.value)
