"""When two headlines are one: the same filing, or the same title within a week."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalyst_bot.detection.normalise import normalise_title
from catalyst_bot.detection.state import State
from catalyst_bot.domain.news import Headline

MEMORY = timedelta(days=7)
_MIN_TITLE_WORDS = 4


def story_key(headline: Headline) -> str:
    """Return what a story is known by: accession number, else title, else the feed's id.

    Short titles ("Third quarter results") are told apart by the hinted symbols.
    """
    if headline.accession:
        return f"accession:{headline.accession}"
    title = normalise_title(headline.title)
    if not title:
        return f"item:{headline.item_id}"
    if len(title.split()) >= _MIN_TITLE_WORDS:
        return f"title:{title}"
    return f"title:{title}:{','.join(sorted(headline.symbols))}"


def is_duplicate(state: State, headline: Headline, at: datetime, *, is_readable: bool) -> bool:
    """Tell whether the story was seen before.

    EDGAR lists a filing once per party, and some entries name no listed company. So a copy that
    could not be read (no ticker, wrong time) does not make a readable one a duplicate.
    """
    seen = state.seen.get(story_key(headline))
    if seen is None or at - seen.at > MEMORY:
        return False
    return seen.item_id in state.settled or not is_readable
