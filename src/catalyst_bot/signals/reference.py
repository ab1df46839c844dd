"""What a reference file says about companies: figures that no bar tells, each from its day on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """Figures of one company as they were known on the day `as_of`; None where not given.

    The two counts are shares; `short_interest_fraction` is short shares over the float.
    """

    as_of: date
    float_shares: float | None = None
    shares_outstanding: float | None = None
    short_interest_fraction: float | None = None
    sector: str | None = None


Reference = Mapping[str, Sequence[ReferenceRow]]


def usable_from(row: ReferenceRow) -> datetime:
    """The first moment a row may be used: midnight (UTC) after its day."""
    return datetime.combine(row.as_of + timedelta(days=1), time(), UTC)


def figure(
    rows: Sequence[ReferenceRow], name: str, at: datetime
) -> tuple[float | str, datetime] | None:
    """Return the newest value of a column that was usable at a time, and from when; or None."""
    known = [
        (usable_from(row), value)
        for row in rows
        if (value := getattr(row, name)) is not None and usable_from(row) <= at
    ]
    newest = max(known, key=lambda pair: pair[0], default=None)
    return None if newest is None else (newest[1], newest[0])
