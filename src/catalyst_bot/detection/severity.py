"""How much an offering dilutes: new shares as a part of those there are, read out of the text.

Only what the text says counts: the number of shares offered, or the sum and the price of one; and
the shares outstanding or the float. Without both nothing is claimed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SEARCHED_CHARACTERS = 20_000
MINOR_BELOW, MODERATE_BELOW, SEVERE_UP_TO = 0.05, 0.15, 0.30
MAX_FRACTION = 100.0  # more is a number misread

_COUNT = r"(?P<count>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>million|billion|thousand|mm|m|b|k)?"
_KINDS = r"(?:ordinary |common |class [a-c] |american depositary |depositary |new )*"
_OFFERED = re.compile(
    r"(?:offer\w*|sale|sell\w*|sold|issu\w+|prices?|priced|placement|purchase) "
    r"(?:of |an? |the |and |aggregate |up to |approximately |about |price |its )*"
    rf"{_COUNT}\s+(?:of its )?{_KINDS}(?:shares?|units?|adss?\b|stock)",
)
_PRICE = re.compile(
    r"\$\s*(?P<count>\d[\d,]*(?:\.\d+)?)(?P<unit>)\s*(?:per|a|/|for each|each)\s*"
    rf"{_KINDS}(?:share|unit|ads)\b"
)
_SUM = re.compile(
    r"\$\s*(?P<count>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>million|billion|mm|m|b)\b(?!\s+shares)"
)
_OUTSTANDING = re.compile(
    rf"{_COUNT}\s+(?:of its )?{_KINDS}(?:shares?|units?)?\s*(?:of )?(?:its )?{_KINDS}(?:stock )?"
    r"(?:were |are |was |is |then |currently |issued and )*outstanding"
)
_FLOAT = re.compile(rf"(?:public )?float (?:of |is |was |: ?)*(?:about |approximately )?{_COUNT}")
_SCALE = {"thousand": 1e3, "k": 1e3, "million": 1e6, "mm": 1e6, "m": 1e6, "billion": 1e9, "b": 1e9}


class Severity(StrEnum):
    """How much an offering dilutes those who hold the share."""

    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"


WEIGHT_FACTOR = {
    Severity.MINOR: 0.5,
    Severity.MODERATE: 0.8,
    Severity.SEVERE: 1.0,
    Severity.EXTREME: 1.25,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dilution:
    """New shares as a fraction of the shares there are (0.1 is 10 %), and what that amounts to."""

    fraction: float
    severity: Severity


def severity_of(fraction: float) -> Severity:
    """Minor below 5 %, moderate below 15 %, severe to 30 %, extreme above."""
    if fraction < MINOR_BELOW:
        return Severity.MINOR
    if fraction < MODERATE_BELOW:
        return Severity.MODERATE
    return Severity.SEVERE if fraction <= SEVERE_UP_TO else Severity.EXTREME


def dilution(title: str, body: str) -> Dilution | None:
    """Return how much the offering of a text dilutes, or None where it does not say. Never raises.

    Of several numbers the first counts: the offering is told before the option to buy more.
    """
    text = f"{title}. {body[:SEARCHED_CHARACTERS]}".lower()
    if "float" not in text and "outstanding" not in text:
        return None
    existing = _first(_FLOAT, text) or _first(_OUTSTANDING, text)
    offered = _offered(text) if existing else 0.0
    if not offered:
        return None
    fraction = offered / existing
    if fraction > MAX_FRACTION:
        return None
    return Dilution(fraction=fraction, severity=severity_of(fraction))


def _offered(text: str) -> float:
    count = _first(_OFFERED, text)
    if count:
        return count
    total, price = _first(_SUM, text), _first(_PRICE, text)
    return total / price if price else 0.0


def _first(pattern: re.Pattern[str], text: str) -> float:
    """The first number a pattern finds, scaled; 0 when there is none."""
    found = pattern.search(text)
    if found is None:
        return 0.0
    return float(found["count"].replace(",", "")) * _SCALE.get(found["unit"] or "", 1.0)
