"""Which event a headline tells: phrases of the title decide, the body only supports.

Pure look-up in one pass over the words. Of several categories the most pressing action wins
(close before avoid before trade), then the one with most weight and evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalyst_bot.detection.filings import PRIORITY
from catalyst_bot.detection.noise import Noise
from catalyst_bot.detection.phrases import Match, PhraseIndex, merged
from catalyst_bot.detection.taxonomy import Category, Taxonomy
from catalyst_bot.detection.text import BREAKS, words

BODY_CHARACTERS = 400
REMAINING_DOUBT = 0.8  # of the doubt that is left, by every further phrase of a category
NEGATION_REACH_WORDS = 4
QUESTION = "opinion_or_roundup"
NOT_RECOGNISED = "no_category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a headline was read as, with the words that say so.

    `is_contested`: the title also tells something of the opposite sign; `is_hedged`: it says
    may, could or in talks.
    """

    category: Category
    evidence: tuple[str, ...]
    is_in_title: bool
    is_hedged: bool
    is_contested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Why a headline is no catalyst."""

    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """The phrases compiled for titles and for bodies."""

    taxonomy: Taxonomy
    title_index: PhraseIndex
    negators: frozenset[str]


def make_classifier(taxonomy: Taxonomy, noise: Noise) -> Classifier:
    """Compile the phrase lists; done once at start."""
    return Classifier(
        taxonomy=taxonomy,
        title_index=merged((taxonomy.index, noise.index)),
        negators=noise.negators,
    )


def classify(title: str, body: str, classifier: Classifier) -> Reading | Unread:
    """Read a headline as one event, or say why it is none. Never raises."""
    title_words = words(title)
    matches = classifier.title_index.find(title_words)
    if noise := next((m for m in matches if m.phrase.kind == "noise"), None):
        return Unread(reason=noise.phrase.name, detail=_quote(title_words, noise))
    if title_words and title_words[-1] == "?":
        return Unread(reason=QUESTION, detail="a question")
    body_words = words(body[:BODY_CHARACTERS]) if body else []
    in_title = _by_category(matches, title_words, classifier.negators)
    in_body = _by_category(
        classifier.taxonomy.index.find(body_words), body_words, classifier.negators
    )
    found = in_title or in_body
    if not found:
        return Unread(reason=NOT_RECOGNISED, detail="no phrase of any category")
    categories = classifier.taxonomy.categories
    name = max(found, key=lambda name: _urgency(categories[name], len(found[name])))
    category = categories[name]
    return Reading(
        category=category,
        evidence=tuple(dict.fromkeys((*found[name], *in_body.get(name, ())))),
        is_in_title=bool(in_title),
        is_hedged=any(match.phrase.kind == "hedge" for match in matches),
        is_contested=any(categories[other].polarity * category.polarity < 0 for other in in_title),
    )


def certainty(precision: float, evidence_count: int) -> float:
    """Return the precision with every further phrase removing a fifth of the doubt left."""
    return 1 - (1 - precision) * REMAINING_DOUBT ** (max(evidence_count, 1) - 1)


def _urgency(category: Category, evidence_count: int) -> tuple[int, float]:
    strength = category.weight * certainty(category.precision, evidence_count)
    return PRIORITY[category.action], strength


def _by_category(
    matches: Sequence[Match], text: Sequence[str], negators: frozenset[str]
) -> dict[str, list[str]]:
    """Quotes by category, without those that are vetoed or negated."""
    vetoed = {match.phrase.name for match in matches if match.phrase.kind == "exclude"}
    found: dict[str, list[str]] = {}
    for match in matches:
        phrase = match.phrase
        if phrase.kind != "category" or phrase.name in vetoed:
            continue
        if not _is_negated(text, match.start, negators):
            found.setdefault(phrase.name, []).append(_quote(text, match))
    return found


def _is_negated(text: Sequence[str], start: int, negators: frozenset[str]) -> bool:
    for index in range(start - 1, max(start - 1 - NEGATION_REACH_WORDS, -1), -1):
        if text[index] in BREAKS:
            return False
        if text[index] in negators:
            return True
    return False


def _quote(text: Sequence[str], match: Match) -> str:
    return " ".join(text[match.start : match.end])
