"""Where news comes from."""

from __future__ import annotations

from typing import Protocol


class NewsFeed(Protocol):
    """Finds news and tells it through the `Sink` it was made with, each item once, newest first.

    A source that does not answer, or answers nonsense, is told (`AdapterFailed`) and told again
    when it is back (`AdapterRecovered`); an item that is none is `HeadlineUnreadable`. Neither
    raises: the other sources go on.
    """

    @property
    def name(self) -> str:
        """What facts about this feed call it."""
        ...

    async def look(self) -> float:
        """Ask once, tell what is new, and return the seconds until the next look is due."""
        ...

    async def run(self) -> None:
        """Look again and again until cancelled."""
        ...
