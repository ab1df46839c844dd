"""How a headline continues what was told: is it a new event, more of a known one, or its end?

A story leads to one catalyst. It leads to another only when what is told now presses more (avoid
or close after trade, bad after good), or when nobody believed the first because of its source. A
retraction closes the position that the story led to, and no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalyst_bot.detection import stories
from catalyst_bot.detection.catalysts import catalyst_of
from catalyst_bot.detection.classify import Unread
from catalyst_bot.detection.filings import PRIORITY
from catalyst_bot.detection.reading import Finding, retraction
from catalyst_bot.detection.reasons import DEDUPED, KNOWN_STORY, RETRACTS
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.stories import Story, Telling
from catalyst_bot.domain.enums import StoryRelation
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored, StoryTold
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Catalyst, Headline
from catalyst_bot.ports.desk import Desk


def follow(
    known: Sequence[Story],
    headline: Headline,
    symbol: str,
    finding: Finding | Unread,
    *,
    desk: Desk,
    rules: Rules,
) -> list[Message]:
    """Return what becomes of a headline for one symbol: a catalyst or why there is none, and the
    story; empty when it tells no event and takes none back.
    """
    category = finding.category.name if isinstance(finding, Finding) else ""
    if not category and not known:
        return []
    telling = _telling(headline, symbol, finding, rules)
    relation = StoryRelation.FIRST
    if known:
        relation = stories.relation_of(headline.title, category, rules.stories)
    if relation is StoryRelation.RETRACTION:
        story = stories.find_retracted(known, telling, desk.now, rules.stories)
        if story is not None:
            return _retract(story, headline, telling, desk=desk, rules=rules)
    if not isinstance(finding, Finding):
        return []
    story = stories.find_story(known, telling, desk.now, rules.stories)
    if story is None and relation is StoryRelation.CORRECTION:  # of its figures, perhaps
        story = stories.find_retracted(known, telling, desk.now, rules.stories)
    if story is None:
        return _begin(headline, symbol, finding, telling, rules=rules)
    if relation is StoryRelation.CORRECTION and story.direction * finding.category.polarity < 0:
        return _retract(story, headline, telling, desk=desk, rules=rules)
    return _go_on(story, relation, headline, finding, telling, rules=rules)


def _telling(headline: Headline, symbol: str, finding: Finding | Unread, rules: Rules) -> Telling:
    """The title of a filing names form and company: nothing to compare but its category."""
    title = "" if headline.form else headline.title
    counting = stories.words_of(title, symbol, rules.stories, rules.companies)
    if not isinstance(finding, Finding):
        return Telling(counting, "")
    is_in_title = finding.reading is None or finding.reading.is_in_title
    return Telling(counting, finding.category.name, is_in_title)


def _begin(
    headline: Headline, symbol: str, finding: Finding, telling: Telling, *, rules: Rules
) -> list[Message]:
    story_id = content_id("story", headline.item_id, symbol)
    first = catalyst_of(headline, symbol, finding, rules, story_id=story_id)
    return [
        CatalystDetected(catalyst=first),
        _as_message(first, StoryRelation.FIRST, headline, telling, is_trigger=True),
    ]


def _go_on(
    story: Story,
    relation: StoryRelation,
    headline: Headline,
    finding: Finding,
    telling: Telling,
    *,
    rules: Rules,
) -> list[Message]:
    again = catalyst_of(
        headline,
        story.symbol,
        finding,
        rules,
        story_id=story.story_id,
        novelty=stories.novelty(story, telling, rules.stories),
    )
    is_trigger = _is_more_pressing(again, story)
    message = _as_message(again, _more(relation), headline, telling, is_trigger=is_trigger)
    if is_trigger:
        return [CatalystDetected(catalyst=again), message]
    return [_known(story, headline, KNOWN_STORY), message]


def _more(relation: StoryRelation) -> StoryRelation:
    is_correction = relation is StoryRelation.CORRECTION
    return StoryRelation.CORRECTION if is_correction else StoryRelation.FOLLOW_UP


def _is_more_pressing(catalyst: Catalyst, story: Story) -> bool:
    if (
        PRIORITY[catalyst.action] > PRIORITY[story.action]
        or catalyst.direction < 0 < story.direction
    ):
        return True
    return story.is_doubted and catalyst.confidence > story.confidence


def _retract(
    story: Story, headline: Headline, telling: Telling, *, desk: Desk, rules: Rules
) -> list[Message]:
    """Close the position if this story opened it; what waits is dropped by the signals stage."""
    position = desk.positions.get(story.symbol)
    is_ours = position is not None and position.catalyst_id in story.catalyst_ids
    closing = catalyst_of(headline, story.symbol, retraction(rules), rules, story_id=story.story_id)
    message = _as_message(closing, StoryRelation.RETRACTION, headline, telling, is_trigger=is_ours)
    if is_ours:
        return [CatalystDetected(catalyst=closing), message]
    return [_known(story, headline, RETRACTS), message]


def _known(story: Story, headline: Headline, reason: str) -> HeadlineIgnored:
    return HeadlineIgnored(
        item_id=headline.item_id,
        step=DEDUPED,
        reason=reason,
        limit="once a story",
        observed=(
            f"{story.story_id} of {story.symbol}, told first by {story.sources[0]} at "
            f"{story.first_at:%Y-%m-%d %H:%M:%S} UTC"
        ),
    )


def _as_message(
    catalyst: Catalyst,
    relation: StoryRelation,
    headline: Headline,
    telling: Telling,
    *,
    is_trigger: bool,
) -> StoryTold:
    return StoryTold(
        story_id=catalyst.story_id,
        symbol=catalyst.symbol,
        item_id=headline.item_id,
        source=headline.source,
        relation=relation,
        category=catalyst.category,
        direction=catalyst.direction,
        action=catalyst.action,
        confidence=catalyst.confidence,
        words=tuple(sorted(telling.words)),
        is_in_title=telling.is_in_title,
        catalyst_id=catalyst.catalyst_id if is_trigger else "",
    )
