"""How detection's memory follows the messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalyst_bot.detection.dedupe import MEMORY, story_key
from catalyst_bot.detection.reasons import CATALYST, DOUBTED, KNOWN_STORY, RETRACTS
from catalyst_bot.detection.state import Seen, State
from catalyst_bot.detection.stories import doubt, remember
from catalyst_bot.domain.messages.decisions import (
    CatalystDetected,
    CatalystHeld,
    HeadlineIgnored,
    SignalDropped,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import HeadlineReceived, SymbolRenamed


def remember_headline(state: State, message: HeadlineReceived, at: datetime) -> None:
    """Remember the story, and forget those of more than a week ago."""
    _forget(state, at)
    key = story_key(message.headline)
    known = state.seen.get(key)
    if known is None or known.item_id not in state.settled:
        state.seen.pop(key, None)  # to keep the order of arrival
        state.seen[key] = Seen(message.headline.item_id, at)


def settle_ignored(state: State, message: HeadlineIgnored, at: datetime) -> None:
    """A headline that was read and found to be no catalyst, or no news, is done with."""
    if message.step == CATALYST or message.reason in {KNOWN_STORY, RETRACTS}:
        state.settled.add(message.item_id)


def hold_catalyst(state: State, message: CatalystHeld, at: datetime) -> None:
    """A headline that will be a catalyst is done with; the catalyst waits."""
    state.settled.add(message.catalyst.item_id)
    state.held[message.catalyst.catalyst_id] = message.catalyst


def settle_catalyst(state: State, message: CatalystDetected, at: datetime) -> None:
    """A headline that became a catalyst is done with."""
    state.settled.add(message.catalyst.item_id)
    state.held.pop(message.catalyst.catalyst_id, None)


def follow_story(state: State, message: StoryTold, at: datetime) -> None:
    """A story begins, goes on or is taken back."""
    remember(state.stories, message, at)


def doubt_story(state: State, message: SignalDropped, at: datetime) -> None:
    """A catalyst was not believed: a better source may tell its story again."""
    if message.reason == DOUBTED:
        doubt(state.stories, message.symbol, message.catalyst_id)


def rename_symbol(state: State, message: SymbolRenamed, at: datetime) -> None:
    """The stories of a company go on under its new symbol."""
    known = state.stories.by_symbol.pop(message.symbol, None)
    if known is not None:
        state.stories.by_symbol[message.new_symbol] = tuple(
            replace(story, symbol=message.new_symbol) for story in known
        )


def _forget(state: State, at: datetime) -> None:
    while state.seen:
        key, oldest = next(iter(state.seen.items()))
        if at - oldest.at <= MEMORY:
            return
        del state.seen[key]
        state.settled.discard(oldest.item_id)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    HeadlineReceived: remember_headline,
    HeadlineIgnored: settle_ignored,
    CatalystHeld: hold_catalyst,
    CatalystDetected: settle_catalyst,
    StoryTold: follow_story,
    SignalDropped: doubt_story,
    SymbolRenamed: rename_symbol,
}
