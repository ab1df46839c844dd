"""Places where people write: StockTwits and Reddit. What they say is opinion, told as its place."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.feeds.entries import Draft
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.answers import Item, number, objects, read_answer, text
from catalyst_bot.feeds.times import epoch, iso

_COIN = ".X"  # BTC.X


def parse_stocktwits(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read `/api/2/streams/symbol/SYMBOL.json`; a message is a title without body."""
    return read_answer(
        content, _message, under=("messages",), source=source, received_at=received_at
    )


def parse_reddit(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read a listing of posts, such as `/r/stocks/new.json`."""
    return read_answer(
        content, _post, under=("data", "children"), source=source, received_at=received_at
    )


def _message(item: Item) -> Draft:
    user = item.get("user")
    name = text(user, "username") if isinstance(user, dict) else ""
    of_item = number(item, "id")
    symbols = (text(part, "symbol") for part in objects(item, "symbols"))
    return Draft(
        key=of_item,
        title=text(item, "body"),
        published_at=iso(text(item, "created_at")),
        url=f"https://stocktwits.com/{name}/message/{of_item}" if name and of_item else "",
        symbols=[symbol for symbol in symbols if not symbol.endswith(_COIN)],
    )


def _post(item: Item) -> Draft:
    post = item.get("data")
    if not isinstance(post, dict):
        raise ValueError("holds no post")
    path = text(post, "permalink")
    return Draft(
        key=text(post, "name"),
        title=text(post, "title"),
        published_at=epoch(post.get("created_utc")),
        body=text(post, "selftext"),
        url=f"https://www.reddit.com{path}" if path.startswith("/") else "",
    )
