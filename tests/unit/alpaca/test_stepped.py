"""When a stepped exchange and we are level: nothing is under way, in either direction."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from catalyst_bot.alpaca import stepped
from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.stepped import SteppedExchange
from catalyst_bot.domain.errors import SourceUnreachable

ACCESS = access_of(
    base_url="http://localhost", environ={"ALPACA_API_KEY": "K", "ALPACA_SECRET": "S"}
)


@dataclass
class Ours:
    """A stream of ours that said 3 messages and heard 5."""

    url: str = "ws://localhost/v2/iex"
    line: Any = None
    is_given_up: bool = False


def up(name: str = "one") -> Ours:
    return Ours(line=SimpleNamespace(name=name, said_count=3, heard_count=5))


class Exchange(SteppedExchange):
    """Tells one list of counts after the other, the last one for ever."""

    def __init__(self, *told: list[dict[str, Any]], stream: Ours) -> None:
        super().__init__(ACCESS, "token", streams=[stream])  # type: ignore[list-item]
        self._told = list(told)
        self.asked = 0

    async def _ask(self, method: str, path: str, body: dict[str, str] | None) -> dict[str, Any]:
        assert (method, path, body) == ("GET", "/admin/streams", None)
        self.asked += 1
        return {"streams": self._told.pop(0) if len(self._told) > 1 else self._told[0]}


def row(heard: int, sent: int, name: str = "one") -> dict[str, Any]:
    return {"id": name, "heard": heard, "sent": sent}


LEVEL = row(3, 5)
OTHER = row(9, 9, name="somebody else's")
BEHIND = {
    "they have not heard all": row(2, 5),
    "we have not heard all": row(3, 6),
    "they do not know us any more": OTHER,
}


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepped, "HEARD_WITHIN_S", 0.05)


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
async def test_it_is_waited_for_what_is_under_way(behind: dict[str, Any]) -> None:
    async with Exchange([OTHER, behind], [OTHER, LEVEL], stream=up()) as exchange:
        await exchange.heard()
        assert exchange.asked == 2
    async with Exchange([behind], stream=up()) as exchange:
        with pytest.raises(SourceUnreachable, match="ws://localhost/v2/iex: not everything"):
            await exchange.heard()


async def test_who_heard_more_than_was_counted_is_level() -> None:
    async with Exchange([row(4, 4)], stream=up()) as exchange:
        await exchange.heard()


async def test_a_stream_that_is_down_is_waited_for_unless_it_was_given_up() -> None:
    async with Exchange([LEVEL], stream=Ours()) as exchange:
        with pytest.raises(SourceUnreachable, match="v2/iex"):
            await exchange.heard()
    async with Exchange([LEVEL], stream=Ours(is_given_up=True)) as exchange:
        await exchange.heard()
        assert exchange.asked == 0
