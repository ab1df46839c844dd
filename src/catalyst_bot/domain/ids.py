"""Deterministic ids: content hashes, so that a replay makes the same ids again.

No run id, clock or random number enters an id; `blake2b` over the parts joined by a separator
that cannot occur in them.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

_OURS = "cb"
OUR_PREFIX = f"{_OURS}-"  # of every order id that the bot gives
_SEPARATOR = "\x1f"
_ID_BYTES = 10


def content_id(prefix: str, *parts: str) -> str:
    """Return `prefix-<20 hex digits>`, a pure function of the parts."""
    digest = blake2b(_SEPARATOR.join(parts).encode(), digest_size=_ID_BYTES).hexdigest()
    return f"{prefix}-{digest}"


def item_id(source: str, key: str) -> str:
    """Id of one news item: `key` is the accession number, the guid or url + normalised title."""
    return content_id("news", source, key)


def catalyst_id(headline_id: str, symbol: str) -> str:
    """Id of the catalyst that one headline is for one symbol; also the id of the whole trail."""
    return content_id("cat", headline_id, symbol)


def signal_id(of_catalyst: str) -> str:
    """Id of the signal formed from a catalyst."""
    return content_id("sig", of_catalyst)


def review_id(of_catalyst: str, bar_closed_at: datetime) -> str:
    """Id of the signal of a later look at a catalyst, at the close of a decision bar."""
    return content_id("sig", of_catalyst, bar_closed_at.isoformat())


def intent_id(of_signal: str) -> str:
    """Id of the intent a policy forms from a signal."""
    return content_id("int", of_signal)


def client_order_id(of_signal: str, leg: str) -> str:
    """Order id sent to the broker: a function of the signal and the leg, never of the attempt."""
    return content_id(_OURS, of_signal, leg)


def trade_id(entry_client_order_id: str) -> str:
    """Id of the round trip that an entry order begins."""
    return content_id("trd", entry_client_order_id)


def trade_of_entry(of_signal: str) -> str:
    """Id of the trade that the entry of a signal begins."""
    return trade_id(client_order_id(of_signal, "entry"))


def fill_id(order_id: str, *parts: str) -> str:
    """Id of one execution of an order; equal parts give the same id, so duplicates show."""
    return content_id("fil", order_id, *parts)
