"""News v1beta1 over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalyst_bot.exchange.data_query import DataQuery, Entitlement, bad_request, page_token
from catalyst_bot.exchange.market import Market
from catalyst_bot.exchange.news import NewsItem
from catalyst_bot.exchange.replies import json_reply
from catalyst_bot.exchange.world import microseconds

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 50
_NAMES: Final = (
    *("start", "end", "sort", "symbols", "limit", "include_content"),
    *("exclude_contentless", "page_token"),
)
_NANOSECONDS: Final = 1_000
Key = tuple[int, int]


class NewsDesk:
    """Answers the news API over one market; `now` is the exchange's clock."""

    def __init__(self, market: Market, *, now: Callable[[], datetime]) -> None:
        self._market = market
        self._now = now

    def routes(self) -> list[Route]:
        """Return the route of the news API."""
        return [Route("/v1beta1/news", self.news)]

    async def news(self, request: Request) -> Response:
        """The latest items, or older ones page by page."""
        query = DataQuery(request.query_params, self._now(), Entitlement()).only(*_NAMES)
        start, end = query.time("start"), query.time("end")
        if start is not None and end is not None and end < start:
            raise bad_request("end should not be before start")
        symbols = frozenset(query.words("symbols"))
        limit = query.limit(DEFAULT_LIMIT, most=MAX_LIMIT)
        is_descending = query.is_descending("desc")
        needs_content = query.flag("exclude_contentless")
        after = _read_token(query)
        found = [
            item
            for item in self._market.world.news.until(query.at)
            if (start is None or item.updated_at >= start)
            and (end is None or item.updated_at <= end)
            and (not symbols or not symbols.isdisjoint(item.symbols))
            and (item.content or not needs_content)
        ]
        found.sort(key=_key, reverse=is_descending)
        if after is not None:
            found = [
                item
                for item in found
                if (_key(item) < after if is_descending else _key(item) > after)
            ]
        page = found[:limit]
        has_content = query.flag("include_content")
        return json_reply(
            {
                "news": [item.body(has_content=has_content) for item in page],
                "next_page_token": page_token(*_key(page[-1])) if len(found) > limit else None,
            }
        )


def _key(item: NewsItem) -> Key:
    """Time of the last change in nanoseconds, and id."""
    return microseconds(item.updated_at) * _NANOSECONDS, item.news_id


def _read_token(query: DataQuery) -> Key | None:
    parts = query.token()
    if parts is None:
        return None
    try:
        time_ns, news_id = parts
        return int(time_ns), int(news_id)
    except ValueError as error:
        raise bad_request(f"invalid page_token: {query.text('page_token')}") from error
