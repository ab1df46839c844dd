"""How far a source is to be believed, and under which names companies appear in headlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalyst_bot.detection.companies import NameRules
from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.text import words

FILE = "sources.toml"
_UNKNOWN = "unknown"
_NAMES = (
    *("generic", "legal", "trades", "whole", "in_context", "others"),
    *("commentators", "relations"),
)
RECENT_SOURCES = 256  # that are remembered: every headline names one


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Credibility in (0, 1] by lower-case beginning of a source's name, longest first; `by_word`
    holds the same by the first word of the name.
    """

    by_name: tuple[tuple[str, float], ...]
    by_word: Mapping[str, tuple[tuple[str, float], ...]]
    unknown: float
    names: NameRules
    _recent: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def credibility(self, source: str) -> float:
        """Return how much of a phrase's precision survives in this source."""
        if source not in self._recent:
            if len(self._recent) >= RECENT_SOURCES:
                self._recent.clear()
            self._recent[source] = self._look_up(source)
        return self._recent[source]

    def _look_up(self, source: str) -> float:
        name = source.lower()
        for start, value in self.by_word.get(_first_word(name), ()):
            if name.startswith(start) and not name[len(start) : len(start) + 1].isalnum():
                return value
        return self.unknown


def parse_sources(text: str, file: str = FILE) -> Sources:
    """Read `sources.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("tier", "aliases", *_NAMES)
    tiers = top.table("tier")
    by_name: dict[str, float] = {}
    for tier in tiers.values:
        table = tiers.table(tier)
        table.only("credibility", "names")
        credibility = table.number("credibility", 0.01, 1)
        by_name.update(dict.fromkeys(table.texts("names"), credibility))
    aliases, context = top.table("aliases"), top.table("in_context")
    longest_first = tuple(sorted(by_name.items(), key=lambda item: (-len(item[0]), item[0])))
    by_word: dict[str, tuple[tuple[str, float], ...]] = {}
    for start, value in longest_first:
        word = _first_word(start)
        by_word[word] = (*by_word.get(word, ()), (start, value))
    return Sources(
        by_name=longest_first,
        by_word=by_word,
        unknown=tiers.table(_UNKNOWN).number("credibility", 0.01, 1),
        names=NameRules(
            generic=frozenset(top.table("generic").text("words").split()),
            legal=frozenset(top.table("legal").text("words").split()),
            trades=frozenset(top.table("trades").text("words").split()),
            whole=frozenset(top.table("whole").text("symbols").split()),
            in_context=frozenset(context.text("names").split()),
            context=tuple(context.text("words").split()),
            others=top.table("others").texts("names"),
            commentators=frozenset(top.table("commentators").text("symbols").split()),
            relations=frozenset(top.table("relations").text("words").split()),
            aliases={symbol: aliases.texts(symbol) for symbol in aliases.values},
        ),
    )


def _first_word(name: str) -> str:
    return next(iter(words(name)), "")
