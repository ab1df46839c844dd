"""From how sure the rules are to how often they are right: numbers fitted on labelled headlines.

`calibration.toml` holds the precision of every category that has enough labels, and one curve from
the product of all factors to a probability. It is written by `catalyst-bot study calibrate`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import Category, Taxonomy

FILE = "calibration.toml"
MAX_OFFSET, MIN_SLOPE, MAX_SLOPE = 10.0, 0.01, 20.0
_NEVER, _ALWAYS = 1e-9, 1 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Platt's curve: the log-odds are stretched by `slope` and moved by `offset`.

    Strictly rising (the slope is above zero), from [0, 1] into [0, 1]; the default changes nothing.
    """

    offset: float = 0.0
    slope: float = 1.0

    @property
    def is_plain(self) -> bool:
        """True when it changes nothing."""
        return (self.offset, self.slope) == (0.0, 1.0)

    def of(self, raw: float) -> float:
        """Return the probability that belongs to a product of factors; outside [0, 1] is cut."""
        bounded = min(max(raw, 0.0), 1.0)
        if self.is_plain:
            return bounded
        inside = min(max(bounded, _NEVER), _ALWAYS)
        odds = self.offset + self.slope * math.log(inside / (1 - inside))
        return 1 / (1 + math.exp(-odds))


PLAIN = Curve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The curve for headlines read by their words, and precisions by category."""

    words: Curve = PLAIN
    precisions: Mapping[str, float] = field(default_factory=dict)


def parse_calibration(text: str, file: str = FILE) -> Calibration:
    """Read `calibration.toml`; an empty text calibrates nothing.

    Raises `ConfigError` naming file, key and reason.
    """
    top = Table(load(text, file), file)
    top.only("words", "precision")
    words, precision = top.table("words"), top.table("precision")
    words.only("offset", "slope")
    return Calibration(
        words=Curve(
            offset=words.number("offset", -MAX_OFFSET, MAX_OFFSET),
            slope=words.number("slope", MIN_SLOPE, MAX_SLOPE),
        )
        if words.values
        else PLAIN,
        precisions={name: precision.number(name, 0.01, 0.99) for name in precision.values},
    )


def calibrated(taxonomy: Taxonomy, precisions: Mapping[str, float], file: str = FILE) -> Taxonomy:
    """Return the categories with fitted precisions. Raises `ConfigError` for an unknown one."""
    table = Table(precisions, f"{file}: precision")
    table.only(*taxonomy.categories)
    return with_categories(
        taxonomy,
        {
            name: replace(taxonomy.categories[name], precision=precision)
            for name, precision in precisions.items()
        },
    )


def with_categories(taxonomy: Taxonomy, changed: Mapping[str, Category]) -> Taxonomy:
    """Return the taxonomy with some categories replaced."""
    return replace(taxonomy, categories={**taxonomy.categories, **changed})
