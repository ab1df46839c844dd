"""The funnel steps a headline can fail to reach, and the reasons: a closed word list.

Reasons of the third step that come from data (noise lists, ignored forms) are not listed here.
"""

from __future__ import annotations

DEDUPED = "deduped"
WITH_TICKER = "with_ticker"
CATALYST = "catalyst"

DUPLICATE = "duplicate"
FUTURE_TIMESTAMP = "future_timestamp"
STALE = "stale"
KNOWN_STORY = "known_story"
RETRACTS = "retracts_a_story"

NO_TICKER = "no_ticker"
UNKNOWN_SYMBOL = "unknown_symbol"
NOT_THE_SUBJECT = "not_the_subject"
BYSTANDER = "bystander"
PART_UNKNOWN = "part_unknown"
TOO_MANY_SYMBOLS = "too_many_symbols"

# The reason of the signals stage that lets a better source tell a story again.
DOUBTED = "low_confidence"
MUTED_CATEGORY = "muted_category"
