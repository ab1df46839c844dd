"""Where a recording comes from, kept with it: who sold it, when it was asked, what may be done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a card must say of a download.

    `place` is an address without keys, `asked_at` RFC 3339; `adjustment` says in words what the
    vendor did to the prices, `terms` what it lets people do with them.
    """

    vendor: str
    place: str
    asked_at: str
    adjustment: str
    terms: str

    def describe(self) -> str:
        """Return one sentence for a card."""
        said = f"{self.vendor} ({self.place}), asked {self.asked_at}; {self.adjustment}"
        return f"{said}; {self.terms}"
