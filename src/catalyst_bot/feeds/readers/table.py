"""All readers by the kind of page they read: what `feeds parse --kind` and the vendors name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Protocol

from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.edgar_atom import parse_edgar_atom
from catalyst_bot.feeds.readers.edgar_submissions import parse_edgar_submissions
from catalyst_bot.feeds.readers.finviz import parse_finviz
from catalyst_bot.feeds.readers.json_lines import parse_json_lines
from catalyst_bot.feeds.readers.nasdaq_halts import parse_nasdaq_halts
from catalyst_bot.feeds.readers.nyse_halts import parse_nyse_halts
from catalyst_bot.feeds.readers.rss import DIALECTS, PLAIN, parse_rss
from catalyst_bot.feeds.readers.services import (
    parse_alpha_vantage,
    parse_finnhub,
    parse_fmp,
    parse_marketaux,
    parse_tiingo,
)
from catalyst_bot.feeds.readers.social import parse_reddit, parse_stocktwits


class Reader(Protocol):
    """Reads one answer of a source. Raises `BadData` when the answer as a whole is none."""

    def __call__(self, content: bytes, *, source: str, received_at: datetime) -> Page: ...


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "edgar-atom": parse_edgar_atom,
        "edgar-submissions": parse_edgar_submissions,
        "nasdaq-halts": parse_nasdaq_halts,
        "nyse-halts": parse_nyse_halts,
        "json-lines": parse_json_lines,
        "rss": partial(parse_rss, dialect=PLAIN),
        **{kind: partial(parse_rss, dialect=dialect) for kind, dialect in DIALECTS.items()},
        "finviz": parse_finviz,
        "stocktwits": parse_stocktwits,
        "reddit": parse_reddit,
        "finnhub": parse_finnhub,
        "alpha-vantage": parse_alpha_vantage,
        "marketaux": parse_marketaux,
        "tiingo": parse_tiingo,
        "fmp": parse_fmp,
    }
)
