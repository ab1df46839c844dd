"""One poller with a clock that is set by hand, and what it said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from catalyst_bot.feeds.choice import Feed, Wanted, chosen_feeds
from catalyst_bot.feeds.poller import Poller, Shared
from tests.builders import NOON, calendar

KEY = "s3cret"


@dataclass
class SetClock:
    """It is noon until told otherwise."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def feed_of(asked: str, **given: Any) -> Feed:
    """The feed of one entry of `feeds.sources`."""
    wanted = Wanted(**({"asked": [asked], "contact": "jane@example.com"} | given))
    (made,) = chosen_feeds(wanted, ciks={"ACME": 101}, secret=lambda _: KEY)
    return made


@dataclass
class Desk:
    """Pollers of a run, and what they said."""

    client: httpx2.AsyncClient
    clock: SetClock = field(default_factory=SetClock)
    said: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shared = Shared(
            client=self.client, calendar=calendar(), clock=self.clock, sink=self.said.append
        )

    def poller(self, asked: str | Feed, **given: Any) -> Poller:
        feed = feed_of(asked, **given) if isinstance(asked, str) else asked
        return Poller(feed, self.shared)

    def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact in self.said]

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.said if isinstance(fact, kind)]
