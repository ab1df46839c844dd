"""`sources.md`: what can be named in `feeds.sources`."""

from __future__ import annotations

from urllib.parse import urlsplit

from catalyst_bot.feeds.sources import SOURCES
from tools.reference.markdown import table


def page() -> str:
    """What can be named in `feeds.sources`."""
    rows = [
        (
            f"`{row.name}`",
            row.source or "its host",
            f"`{row.kind}`",
            "each company" if row.is_by_company else "",
            f"`{row.key_env}`" if row.key_env else "",
            ", ".join(f"{count} in {seconds} s" for count, seconds in row.limits),
            urlsplit(row.url).hostname or "given as `NAME=ADDRESS`",
        )
        for row in SOURCES.values()
    ]
    header = ("name", "who says it", "kind", "asked about", "key", "requests at most", "host")
    purpose = (
        "What can be named in `feeds.sources` ([run live feeds](../how-to/run-live-feeds.md)), "
        "beside `recorded=FILE`. A key is given in the environment variable named here, or in a "
        "file whose path is in `NAME_FILE`."
    )
    return "\n\n".join(["# Sources", purpose, table(header, rows)])
