"""News items as the exchange shows them: a minute after their publication, never before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from catalyst_bot.domain.news import Headline
from catalyst_bot.exchange.replies import rfc3339
from catalyst_bot.exchange.timeline import Timeline

_ID_BITS = 52  # whole numbers that JavaScript, too, keeps exactly
_SUMMARY_CHARACTERS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """One item; `shown_at` is when the exchange publishes it."""

    news_id: int
    headline: str
    author: str
    summary: str
    content: str
    url: str | None
    symbols: tuple[str, ...]
    source: str
    created_at: datetime
    shown_at: datetime

    @property
    def updated_at(self) -> datetime:
        """When it was last changed: our items never are."""
        return self.created_at

    def body(self, *, has_content: bool) -> dict[str, Any]:
        """Return it as `GET /v1beta1/news` shows it.

        The schema wants some text in `content`; where it was not asked for, that is the summary.
        """
        return {
            "author": self.author,
            "content": self.content if has_content and self.content else self.summary,
            "created_at": rfc3339(self.created_at),
            "headline": self.headline,
            "id": self.news_id,
            "images": [],
            "source": self.source,
            "summary": self.summary,
            "symbols": list(self.symbols),
            "updated_at": rfc3339(self.updated_at),
            "url": self.url,
        }

    def message(self) -> dict[str, Any]:
        """Return it as the news stream tells it."""
        return {
            "T": "n",
            "id": self.news_id,
            "headline": self.headline,
            "summary": self.summary,
            "author": self.author,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "url": self.url,
            "content": self.content,
            "symbols": list(self.symbols),
            "source": self.source,
        }


def news_timeline(items: Iterable[NewsItem]) -> Timeline[NewsItem]:
    """Return items by the time they are shown; a repeated delivery is no new item."""
    first: dict[int, NewsItem] = {}
    for item in sorted(items, key=lambda item: (item.shown_at, item.news_id)):
        first.setdefault(item.news_id, item)
    return Timeline((item.shown_at, item) for item in first.values())


def news_item(headline: Headline, delay: timedelta) -> NewsItem:
    """Make an item of a headline, shown `delay` after its publication.

    One without a time of day (published when it is received, as the feeds say) is shown then.
    """
    has_time = headline.received_at != headline.published_at
    created_at = headline.published_at
    shown_at = created_at + delay if has_time else headline.received_at
    source = headline.source or "unknown"
    return NewsItem(
        news_id=_news_id(headline),
        headline=headline.title,
        author=source,
        summary=_summary(headline),
        content=headline.body,
        url=headline.url if headline.url.startswith(("http://", "https://")) else None,
        symbols=tuple(sorted({alpaca_symbol(symbol) for symbol in headline.symbols if symbol})),
        source=source,
        created_at=created_at,
        shown_at=shown_at,
    )


def alpaca_symbol(symbol: str) -> str:
    """Return a recorded symbol as Alpaca spells it: BRK.B where others write BRK-B."""
    return symbol.upper().replace("-", ".")


def _news_id(headline: Headline) -> int:
    key = f"{headline.item_id}|{headline.published_at.isoformat()}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") >> (64 - _ID_BITS)


def _summary(headline: Headline) -> str:
    text = headline.body or headline.title
    if len(text) <= _SUMMARY_CHARACTERS:
        return text
    return text[:_SUMMARY_CHARACTERS].rsplit(" ", 1)[0] + "…"
