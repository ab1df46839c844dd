"""Stories: many headlines about one event of one company.

A headline is the same event as an earlier one when both tell something that a company has once in
two days (its results, an offering), or when the words of their titles agree; how much they must
agree depends on whether they were read as the same kind of event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from catalyst_bot.detection.companies import Companies
from catalyst_bot.detection.phrases import CORRECTION, RETRACTION, PhraseIndex
from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import Taxonomy, parse_phrases
from catalyst_bot.detection.text import BREAKS, words
from catalyst_bot.domain.enums import CategoryAction, StoryRelation
from catalyst_bot.domain.messages.decisions import StoryTold

FILE = "stories.toml"
MEMORY = timedelta(days=7)
ONCE_WITHIN = timedelta(hours=48)
ALIKE_WITHIN = timedelta(hours=72)
RATED_WITHIN = timedelta(hours=30)
MAX_STORIES = 64  # of one symbol; the oldest is forgotten first
MAX_TELLINGS = 6  # that are compared with: the first and the latest
MAX_SOURCES = 16
MAX_CATALYSTS = 16
NUMBER, PLAIN, GROUPED, WEAK = 1.2, 1.0, 0.6, 0.25
SHORT_TITLE = 2.0  # weight of words below which a title cannot agree fully
ALIKE, ALIKE_COMMON = 0.4, 0.9
RELATED_ALIKE, RELATED_COMMON = 0.2, 0.6
UNLIKE_ALIKE = 0.7  # good news after bad, a merger after a partnership: nearly the same words
RATED_ALIKE, RATED_COMMON = 0.3, 1.0
RETRACTED_ALIKE, RETRACTED_COMMON = 0.15, 0.9
RATING, OFFERING, DEAL = "rating", "offering", "deal"  # families of stories.toml
NAMED = frozenset({"deal", "merger", "court"})  # told apart by the other party
RETRACTED = "story_retracted"  # the category of what closes a position of a retracted story
_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s")
_MIN_STEM = 4


@dataclass(frozen=True, kw_only=True)
class StoryRules:
    """What counts in a comparison; see `stories.toml`."""

    silent: frozenset[str]
    weak: frozenset[str]
    rating_words: frozenset[str]
    group_of: Mapping[str, str]
    once: Mapping[str, str]
    related: Mapping[str, str]
    undoing: frozenset[str]
    polarity: Mapping[str, int]
    relations: PhraseIndex


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a headline is compared: the words that count, the category it was read as, and
    whether its title told that.
    """

    words: frozenset[str]
    category: str
    is_in_title: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One event of one company as far as it was told. `catalyst_ids` are the catalysts it led to;
    `is_doubted`: the last of them was not believed, so that a better source may tell it again.
    """

    story_id: str
    symbol: str
    first_at: datetime
    last_at: datetime
    direction: int
    action: CategoryAction
    tellings: tuple[Telling, ...]
    sources: tuple[str, ...]
    catalyst_ids: tuple[str, ...] = ()
    confidence: float = 0.0
    is_doubted: bool = False
    is_retracted: bool = False


@dataclass(slots=True)
class Stories:
    """The stories of the last week, by symbol; the symbol told of last stands last."""

    by_symbol: dict[str, tuple[Story, ...]] = field(default_factory=dict)


def parse_stories(text: str, taxonomy: Taxonomy, file: str = FILE) -> StoryRules:
    """Read `stories.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("words", "groups", "once", "related", "retractions", "corrections")
    lists = top.table("words")
    groups = [group.split() for group in top.table("groups").texts("same")]
    retractions = top.table("retractions")
    phrases = [
        *parse_phrases(retractions, "phrases", RETRACTION, RETRACTION, {}),
        *parse_phrases(top.table("corrections"), "phrases", CORRECTION, CORRECTION, {}),
    ]
    undoing = retractions.texts("categories")
    _refuse_unknown(retractions, "categories", undoing, taxonomy)
    return StoryRules(
        silent=frozenset(lists.text("silent").split()),
        weak=frozenset(map(_stem, lists.text("weak").split())),
        rating_words=frozenset(map(_stem, lists.text("rating").split())),
        group_of={word: group[0] for group in groups for word in group},
        once=_families(top.table("once"), taxonomy),
        related=_families(top.table("related"), taxonomy),
        undoing=frozenset(undoing),
        polarity={name: category.polarity for name, category in taxonomy.categories.items()},
        relations=PhraseIndex(tuple(phrases)),
    )


def _families(table: Table, taxonomy: Taxonomy) -> dict[str, str]:
    family_of: dict[str, str] = {}
    for family in table.values:
        names = table.texts(family)
        _refuse_unknown(table, family, names, taxonomy)
        family_of.update(dict.fromkeys(names, family))
    return family_of


def _refuse_unknown(table: Table, key: str, names: Iterable[str], taxonomy: Taxonomy) -> None:
    for name in names:
        if name not in taxonomy.categories:
            raise table.fail(key, f"{name!r} is not a category of categories.toml")


def words_of(title: str, symbol: str, rules: StoryRules, companies: Companies) -> frozenset[str]:
    """Return the words of a title that are compared. The company's own names say nothing: all
    have them.
    """
    own = companies.own_words.get(symbol, frozenset({symbol.lower()}))
    return frozenset(
        rules.group_of.get(word) or _stem(word)
        for word in words(title)
        if word not in BREAKS and word not in rules.silent and word not in own
    )


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)]
    return word


def _weight(word: str, rules: StoryRules) -> float:
    if word.isdigit():
        return NUMBER if len(word) > 1 else PLAIN
    if word in rules.weak:
        return WEAK
    return GROUPED if word in rules.group_of else PLAIN


def agreement(a: Telling, b: Telling, rules: StoryRules) -> tuple[float, float]:
    """Return how far two tellings agree: the share of the shorter one in [0, 1], and the weight
    of the common words. Of ratings only who rates counts.
    """
    words_a, words_b = a.words, b.words
    if rules.related.get(a.category) == rules.related.get(b.category) == RATING:
        words_a, words_b = _raters(a, rules), _raters(b, rules)
    common = sum(_weight(word, rules) for word in sorted(words_a & words_b))
    shorter = min(sum(_weight(word, rules) for word in sorted(one)) for one in (words_a, words_b))
    return min(common / max(shorter, SHORT_TITLE), 1.0), common


def _raters(telling: Telling, rules: StoryRules) -> frozenset[str]:
    return frozenset(word for word in telling.words - rules.rating_words if not word.isdigit())


def is_same_event(a: Telling, b: Telling, apart: timedelta, rules: StoryRules) -> bool:
    """Tell whether two headlines about one company tell the same event.

    A rating the other way, another target price and another sum of a deal are another event,
    however alike the words are: nobody tells one event with two figures.
    """
    if _is_once(a, b, rules) and apart <= ONCE_WITHIN:
        return True
    share, common = agreement(a, b, rules)
    kind_a, kind_b = rules.related.get(a.category), rules.related.get(b.category)
    is_opposed = rules.polarity.get(a.category, 0) * rules.polarity.get(b.category, 0) < 0
    if kind_a == kind_b == RATING:
        is_alike = share >= RATED_ALIKE and common >= RATED_COMMON and apart <= RATED_WITHIN
        return is_alike and not is_opposed and not _figures_differ(a, b)
    if apart > ALIKE_WITHIN:
        return False
    if is_opposed or RATING in {kind_a, kind_b} or (kind_a and kind_b and kind_a != kind_b):
        return share >= UNLIKE_ALIKE and not _figures_differ(a, b)
    if kind_a in NAMED and kind_a == kind_b and not _share_a_name(a, b, rules):
        return False
    if kind_a == kind_b == DEAL and _figures_differ(a, b):
        return False
    is_related = a.category == b.category or (kind_a is not None and kind_a == kind_b)
    if is_related and not _figures_differ(a, b):
        return share >= RELATED_ALIKE and common >= RELATED_COMMON
    return share >= ALIKE and common >= ALIKE_COMMON


def _share_a_name(a: Telling, b: Telling, rules: StoryRules) -> bool:
    """True when a word that no list knows is in both: the other company, the product."""
    return any(_weight(word, rules) == PLAIN for word in a.words & b.words)


def _figures_differ(a: Telling, b: Telling) -> bool:
    """True when both titles hold figures and none is in both: two contracts, two products."""
    figures_a, figures_b = _figures(a), _figures(b)
    return bool(figures_a and figures_b) and figures_a.isdisjoint(figures_b)


def _figures(telling: Telling) -> set[str]:
    return {word for word in telling.words if word.isdigit() and len(word) > 1}


def _is_once(a: Telling, b: Telling, rules: StoryRules) -> bool:
    """Only titles count: the body of a market report speaks of results too."""
    if not (a.is_in_title and b.is_in_title):
        return False
    family = rules.once.get(a.category)
    return family is not None and family == rules.once.get(b.category)


def find_story(
    stories: Sequence[Story], telling: Telling, at: datetime, rules: StoryRules
) -> Story | None:
    """Return the story that a headline belongs to, or None when it tells something new.

    Of several it is the one of an event that happens once, then the one whose words agree best,
    then the latest.
    """
    best: tuple[float, Story] | None = None
    for story in stories:
        if at - story.first_at > MEMORY:
            continue
        for earlier in story.tellings:
            if is_same_event(telling, earlier, at - story.last_at, rules):
                fit = agreement(telling, earlier, rules)[0] + _is_once(telling, earlier, rules)
                if best is None or fit >= best[0]:
                    best = (fit, story)
    return best[1] if best is not None else None


def find_retracted(
    stories: Sequence[Story], telling: Telling, at: datetime, rules: StoryRules
) -> Story | None:
    """Return the story that a retraction takes back: of those still told, the one whose words
    agree best with it.
    """
    best: tuple[float, Story] | None = None
    for story in stories:
        if at - story.first_at > MEMORY or story.is_retracted:
            continue
        for earlier in story.tellings:
            share, common = agreement(telling, earlier, rules)
            is_enough = share >= RETRACTED_ALIKE and common >= RETRACTED_COMMON
            if is_enough and (best is None or share >= best[0]):
                best = (share, story)
    return best[1] if best is not None else None


def novelty(story: Story, telling: Telling, rules: StoryRules) -> float:
    """Return the share of a headline that the story has not told yet, in [0, 1]."""
    return 1.0 - max(agreement(telling, earlier, rules)[0] for earlier in story.tellings)


def relation_of(title: str, category: str, rules: StoryRules) -> StoryRelation:
    """Return how a headline would belong to an earlier story, by its words."""
    kinds = {phrase.kind for phrase, _, _ in rules.relations.find(words(title))}
    if RETRACTION in kinds or category in rules.undoing:
        return StoryRelation.RETRACTION
    return StoryRelation.CORRECTION if CORRECTION in kinds else StoryRelation.FOLLOW_UP


def remember(stories: Stories, told: StoryTold, at: datetime) -> None:
    """Add a telling to its story, or begin one; forget what is older than a week."""
    known = stories.by_symbol.pop(told.symbol, ())
    fresh = tuple(story for story in known if at - story.last_at <= MEMORY)
    mine = next((story for story in fresh if story.story_id == told.story_id), None)
    others = tuple(story for story in fresh if story is not mine)
    story = _begun(told, at) if mine is None else _extended(mine, told, at)
    stories.by_symbol[told.symbol] = (*others, story)[-MAX_STORIES:]
    _forget(stories, at)


def _begun(told: StoryTold, at: datetime) -> Story:
    return Story(
        story_id=told.story_id,
        symbol=told.symbol,
        first_at=at,
        last_at=at,
        direction=told.direction,
        action=told.action,
        tellings=(_telling(told),),
        sources=(told.source,),
        catalyst_ids=(told.catalyst_id,) if told.catalyst_id else (),
        confidence=told.confidence,
    )


def _telling(told: StoryTold) -> Telling:
    return Telling(frozenset(told.words), told.category, told.is_in_title)


def _extended(story: Story, told: StoryTold, at: datetime) -> Story:
    telling = _telling(told)
    latest = [] if telling in story.tellings else [telling]
    first, *later = [*story.tellings, *latest]
    extended = replace(
        story,
        last_at=at,
        tellings=(first, *later[-(MAX_TELLINGS - 1) :]),
        sources=tuple(dict.fromkeys((*story.sources, told.source)))[:MAX_SOURCES],
        is_retracted=story.is_retracted or told.relation is StoryRelation.RETRACTION,
    )
    if not told.catalyst_id:
        return extended
    return replace(
        extended,
        direction=told.direction,
        action=told.action,
        confidence=told.confidence,
        catalyst_ids=(*story.catalyst_ids, told.catalyst_id)[-MAX_CATALYSTS:],
        is_doubted=False,
    )


def doubt(stories: Stories, symbol: str, catalyst_id: str) -> None:
    """Note that a story's catalyst was not believed."""
    stories.by_symbol[symbol] = tuple(
        replace(story, is_doubted=True) if catalyst_id in story.catalyst_ids[-1:] else story
        for story in stories.by_symbol.get(symbol, ())
    )


def _forget(stories: Stories, at: datetime) -> None:
    while stories.by_symbol:
        symbol, oldest = next(iter(stories.by_symbol.items()))
        if oldest and at - max(story.last_at for story in oldest) <= MEMORY:
            return
        del stories.by_symbol[symbol]
