"""What detection remembers: headlines and stories of a week, and who waits for an opinion."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from catalyst_bot.detection.stories import Stories
from catalyst_bot.domain.news import Catalyst


@dataclass(frozen=True, slots=True)
class Seen:
    """The copy of a story that counts, and when it came."""

    item_id: str
    at: datetime


@dataclass
class State:
    """`seen` is by story key, oldest first; `settled` holds the ids of headlines that were
    read to the end, so that a later copy of the story is a duplicate whatever it says;
    `stories` are the events that were told; `held` are catalysts by id that wait for readers
    outside.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    stories: Stories = field(default_factory=Stories)
    held: dict[str, Catalyst] = field(default_factory=dict)
