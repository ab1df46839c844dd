"""JSON as the page reads it: money as decimal text, times in UTC, never NaN.

The standard encoder would turn Decimal into an error and NaN into something browsers refuse.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def to_json(value: object) -> str:
    """Return compact JSON of rows; see `plain` for what becomes of each type."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def moment(value: datetime | str) -> datetime:
    """Return the time a row gives, be it a datetime or RFC 3339 text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def plain(value: object) -> Any:
    """Return `value` with JSON's types only; a number that is not finite becomes null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return format(value, "f") if value.is_finite() else None
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence() | set() | frozenset():
            return [plain(item) for item in value]
    raise TypeError(f"the dashboard cannot show a {type(value).__name__}")
