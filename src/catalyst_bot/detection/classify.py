"""Which event a headline tells: phrases of the title decide, the body only supports.

Pure look-up in one pass over the words. Of several categories the most pressing action wins
(close before avoid before trade), then the one with most weight and evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from catalyst_bot.detection.filings import PRIORITY
from catalyst_bot.detection.noise import Noise
from catalyst_bot.detection.phrases import CATEGORY, FACT, HEDGE, NOISE, Match, PhraseIndex
from catalyst_bot.detection.taxonomy import Category, Taxonomy
from catalyst_bot.detection.text import holds_in_clause, words

BODY_CHARACTERS = 400
REMAINING_DOUBT = 0.8  # of the doubt that is left, by every further phrase of a category
VOID_REACH_WORDS = 4
RECENT = 1_024  # certainties that are remembered: there are few
QUESTION = "opinion_or_roundup"
NOT_RECOGNISED = "no_category"


class Reading(NamedTuple):
    """What a headline was read as, with the words that say so.

    `is_contested`: the title also tells something of the opposite sign; `is_hedged`: it says
    may, could or in talks.
    """

    category: Category
    evidence: tuple[str, ...]
    is_in_title: bool
    is_hedged: bool
    is_contested: bool


class Unread(NamedTuple):
    """Why a headline is no catalyst."""

    reason: str
    detail: str


_NONE: frozenset[str] = frozenset()
_A_QUESTION = Unread(reason=QUESTION, detail="a question")
_NOTHING = Unread(reason=NOT_RECOGNISED, detail="no phrase of any category")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """A category, how pressing its action is, the phrases that tell it and those that veto it."""

    category: Category
    priority: int
    telling: PhraseIndex
    vetoing: PhraseIndex

    def urgency(self, evidence_count: int) -> tuple[int, float]:
        """Return what decides between categories: first the action, then the strength."""
        precision = certainty(self.category.precision, evidence_count)
        return self.priority, self.category.weight * precision


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """The phrases compiled: those of titles (all categories and noise), of bodies (categories),
    and each category's own. `voids` are words that make a phrase after them void.
    """

    taxonomy: Taxonomy
    title_index: PhraseIndex
    body_index: PhraseIndex
    by_category: Mapping[str, _Words]
    voids: frozenset[str]


def make_classifier(taxonomy: Taxonomy, noise: Noise) -> Classifier:
    """Compile the phrase lists; done once at start."""
    return Classifier(
        taxonomy=taxonomy,
        title_index=PhraseIndex((*taxonomy.telling, *noise.phrases)),
        body_index=PhraseIndex(taxonomy.telling),
        by_category={
            name: _Words(
                category=category,
                priority=PRIORITY[category.action],
                telling=PhraseIndex(tuple(p for p in taxonomy.telling if p.name == name)),
                vetoing=PhraseIndex(tuple(p for p in taxonomy.vetoing if p.name == name)),
            )
            for name, category in taxonomy.categories.items()
        },
        voids=noise.voids,
    )


def classify(title: str, body: str, classifier: Classifier) -> Reading | Unread:
    """Read a headline as one event, or say why it is none. Never raises."""
    title_words = words(title)
    matches = classifier.title_index.find(title_words)
    kinds = [match[0].kind for match in matches] if matches else []
    if NOISE in kinds and FACT not in kinds:
        noise, start, end = matches[kinds.index(NOISE)]
        return Unread(noise.name, " ".join(title_words[start:end]))
    if title_words and title_words[-1] == "?":
        return _A_QUESTION
    in_title = _by_category(matches, title_words, classifier) if CATEGORY in kinds else {}
    body_words = words(body[:BODY_CHARACTERS]) if body else ()
    found = in_title
    if body_words and not in_title:
        found = _by_category(classifier.body_index.find(body_words), body_words, classifier)
    if not found:
        return _NOTHING
    name = next(iter(found)) if len(found) == 1 else _most_pressing(found, classifier)
    evidence, chosen = found[name], classifier.by_category[name]
    if in_title and body_words and (support := chosen.telling.find(body_words)):
        evidence = [*evidence, *_by_category(support, body_words, classifier).get(name, ())]
    return Reading(
        category=chosen.category,
        evidence=tuple(evidence) if len(evidence) == 1 else tuple(dict.fromkeys(evidence)),
        is_in_title=bool(in_title),
        is_hedged=HEDGE in kinds,
        is_contested=len(in_title) > 1 and _is_contested(chosen.category, in_title, classifier),
    )


@lru_cache(maxsize=RECENT)
def certainty(precision: float, evidence_count: int) -> float:
    """Return the precision with every further phrase removing a fifth of the doubt left."""
    return 1 - (1 - precision) * REMAINING_DOUBT ** (max(evidence_count, 1) - 1)


def _most_pressing(found: Mapping[str, Sequence[str]], classifier: Classifier) -> str:
    by_category = classifier.by_category
    return max(found, key=lambda name: by_category[name].urgency(len(found[name])))


def _is_contested(category: Category, told: Iterable[str], classifier: Classifier) -> bool:
    """True when something of the opposite sign is told, too."""
    if category.polarity == 0:
        return False
    return -category.polarity in [classifier.by_category[name].category.polarity for name in told]


def _by_category(
    matches: Sequence[Match], text: Sequence[str], classifier: Classifier
) -> dict[str, list[str]]:
    """Quotes by category, without those that are vetoed or void: a word shortly before the phrase
    says that it did not happen.
    """
    found: dict[str, list[str]] = {}
    voids = _NONE if classifier.voids.isdisjoint(text) else classifier.voids
    for phrase, start, end in matches:
        if phrase.kind != CATEGORY:
            continue
        if voids and holds_in_clause(text[max(start - VOID_REACH_WORDS, 0) : start], voids):
            continue
        quote = " ".join(text[start:end])
        if phrase.name in found:
            found[phrase.name].append(quote)
        elif not classifier.by_category[phrase.name].vetoing.holds_any(text):
            found[phrase.name] = [quote]
    return found
