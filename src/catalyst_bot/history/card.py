"""The card of a history: what is in it, what is not, and how far it may be believed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.gates import Exclusion, Gate
from catalyst_bot.market_data.missing import MissingSessions

VERSION = 3
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where the bars of a symbol lie in the arrays; `is_gone`: it ended before the history did."""

    symbol: str
    source: str
    first_row: int
    rows: int
    first_day: str
    last_day: str
    is_gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An imported file that was read: how many symbols are from it, or go on in it; `unused`: all
    others, which an earlier file had already; `origin` says of a download who sold it, when it was
    asked, what was adjusted and what may be done.
    """

    source: str
    sha256: str
    is_adjusted: bool
    symbols: int
    unused: int
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a history is made of. `data_hash` is of all arrays: equal data, equal hash.

    `events` counts catalysts by what became of them, `events_hash` is of them and of the asks;
    empty before they were read. `missing` are sessions without a bar.
    """

    interval_s: int
    benchmark: str
    first_day: str
    last_day: str
    rows: int
    data_hash: str
    spans: tuple[Span, ...]
    excluded: tuple[Exclusion, ...]
    sources: tuple[Source, ...]
    events: dict[str, int]
    events_hash: str = ""
    missing: MissingSessions = field(default_factory=MissingSessions)

    @property
    def survivorship(self) -> str:
        """How much a result owes to names that are missing because they failed."""
        gone = sum(span.is_gone for span in self.spans)
        late = sum(span.first_day > self.first_day for span in self.spans)
        return (
            f"{gone} of {len(self.spans)} symbols stopped trading before {self.last_day}, {late} "
            f"began after {self.first_day}. Who was delisted before the vendor drew up its list is "
            "missing, so what is earned here flatters buying and holding, small names above all."
        )

    @property
    def missing_told(self) -> list[str]:
        """Which sessions are missing, of which symbols and files, as sentences."""
        files = {span.symbol: span.source for span in self.spans}
        return self.missing.told(
            ", ".join(each.source for each in self.sources if each.symbols),
            benchmark=self.benchmark,
            file_of=files.__getitem__,
        )

    @property
    def flaws(self) -> tuple[str, ...]:
        """What is known to be wrong with the data."""
        plain = [source.source for source in self.sources if not source.is_adjusted]
        found = [
            "volume of different vendors cannot be compared, only that of one symbol with itself",
            "a vendor that adjusts splits backwards changes prices: filters by price look ahead",
            "events carry no measured worth, and confidence is calibrated on later years as well",
        ]
        if plain:
            found.append(f"without adjusted closes, dividends look like losses: {', '.join(plain)}")
        joined = sum(" + " in span.source for span in self.spans)
        if joined:
            found.append(f"{joined} symbols are joined of several files: volume jumps at the seam")
        found += self.missing_told
        unused = sum(source.unused for source in self.sources)
        if unused:
            found.append(f"{unused} symbols are in several files; the file imported first counts")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        said = {"version": VERSION, "survivorship": self.survivorship, "flaws": list(self.flaws)}
        return said | asdict(self)

    def render(self) -> str:
        """Return the card as text for a person."""
        by_gate = Counter(each.gate for each in self.excluded)
        lines = [
            f"{self.rows:,} bars of {len(self.spans):,} symbols, {self.interval_s} s",
            f"{self.first_day} to {self.last_day}, benchmark {self.benchmark}",
            f"data hash: {self.data_hash}",
            *(
                f"source: {s.source}, {s.symbols} symbols, "
                f"{'adjusted' if s.is_adjusted else 'not adjusted'}"
                f"{f'; {s.origin}' if s.origin else ''}"
                for s in self.sources
            ),
            f"left out: {len(self.excluded)} symbols",
            *(f"  {gate}: {by_gate[gate]}{self._examples(gate)}" for gate in Gate if by_gate[gate]),
            "events: " + (", ".join(f"{n} {what}" for what, n in self.events.items()) or "none"),
            f"survivorship: {self.survivorship}",
            *(f"flaw: {flaw}" for flaw in self.flaws),
        ]
        return "\n".join(lines)

    def _examples(self, gate: Gate) -> str:
        named = [f"{e.symbol} {e.detail}" for e in self.excluded if e.gate is gate]
        more = ", …" if len(named) > _SHOWN else ""
        return f" ({', '.join(named[:_SHOWN])}{more})"


def card_from(content: Any) -> Card:
    """Read a card back. Raises `BadData` when it is none, or of another version."""
    try:
        if content["version"] != VERSION:
            raise BadData(
                f"a history of version {content['version']}, not {VERSION}: make it again"
            )
        values = {name: content[name] for name in Card.__dataclass_fields__}
        return Card(
            **values
            | {
                "spans": tuple(Span(**each) for each in content["spans"]),
                "excluded": tuple(
                    Exclusion(**each | {"gate": Gate(each["gate"])}) for each in content["excluded"]
                ),
                "sources": tuple(Source(**each) for each in content["sources"]),
                "missing": MissingSessions.from_json(content["missing"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"not the card of a history ({error}): make it again") from error
