"""The stream of news (`/v1beta1/news`): the manners of the data streams, one channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from catalyst_bot.exchange.faults import FaultBook
from catalyst_bot.exchange.streams.channels import news_feed
from catalyst_bot.exchange.streams.data import FeedHub
from catalyst_bot.exchange.streams.lane import StreamEvent
from catalyst_bot.exchange.streams.limits import Register, StreamLimits

_TIMES: Final = ("created_at", "updated_at")


class NewsHub(FeedHub):
    """All sockets of the news stream."""

    def __init__(self, *, register: Register, limits: StreamLimits, faults: FaultBook) -> None:
        super().__init__("news", register=register, limits=limits, faults=faults)
        self.feed = news_feed()

    def publish(self, item: dict[str, Any]) -> None:
        """Send an item, as the REST side shows it, to whoever subscribed to one of its symbols."""
        message = {"T": "n", **{name: value for name, value in item.items() if name != "images"}}
        message.update((name, _time(message[name])) for name in _TIMES)
        self.put([StreamEvent(kind="n", symbols=tuple(item["symbols"]), message=message)])


def _time(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
