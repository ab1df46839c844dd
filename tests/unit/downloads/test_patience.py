"""A silent source is told early; a busy one is asked again; a wrong address is not."""

from __future__ import annotations

import asyncio

import pytest

from catalyst_bot.downloads import patience
from catalyst_bot.downloads.patience import PAUSES_S, Busy, Patience


class Line:
    """A question answered by a list of outcomes; pauses take no time."""

    def __init__(self, *outcomes: str | Exception) -> None:
        self.left = list(outcomes)
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.patience = Patience(self.told.append, pause=self._pause)

    async def _pause(self, wait_s: float) -> None:
        self.pauses.append(wait_s)

    async def _question(self) -> str:
        outcome = self.left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def ask(self) -> str:
        return asyncio.run(self.patience.ask(self._question))


def test_nobody_is_asked_again_before_anybody_answered() -> None:
    line = Line(Busy("refused"), "late")
    with pytest.raises(Busy, match="refused"):
        line.ask()
    assert (line.pauses, line.told) == ([], [])


def test_a_busy_source_is_asked_again_later_and_later() -> None:
    line = Line("first", *[Busy("503")] * len(PAUSES_S), "second")
    assert (line.ask(), line.ask()) == ("first", "second")
    assert line.pauses == list(PAUSES_S)
    assert line.told[0] == "503; asking again in 1 s"


def test_it_is_given_up_in_the_end() -> None:
    line = Line("first", *[Busy("503")] * (len(PAUSES_S) + 1))
    line.ask()
    with pytest.raises(Busy):
        line.ask()


def test_the_source_may_ask_for_a_longer_pause_but_not_for_any() -> None:
    line = Line("first", Busy("429", 60.0), "second", Busy("429", 86_400.0))
    line.ask()
    line.ask()
    assert line.pauses == [60.0]
    with pytest.raises(Busy):
        line.ask()


def test_a_silent_source_is_told_and_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "TELL_AFTER_S", 0.01)
    told: list[str] = []
    release = asyncio.Event()

    def tell(text: str) -> None:
        told.append(text)
        release.set()

    async def question() -> str:
        await release.wait()
        return "late"

    assert asyncio.run(Patience(tell).ask(question)) == "late"
    assert told == ["no answer within 0.01 s, still waiting"]
