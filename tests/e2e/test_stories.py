"""A story through the whole bot: told again it changes nothing, taken back it is sold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.domain.enums import ExitReason, StoryRelation
from catalyst_bot.domain.messages.decisions import (
    CatalystDetected,
    HeadlineIgnored,
    PositionClosed,
    PositionOpened,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Catalyst, Headline
from tests.replays import Played, generated, play

LATER = timedelta(minutes=4)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> ReplayRequest:
    return generated(tmp_path_factory.mktemp("stories"))


@pytest.fixture(scope="module")
def original(request_: ReplayRequest) -> Played:
    return play(request_)


def trade_to_undo(played: Played) -> tuple[PositionOpened, Catalyst]:
    """A position of a headline, held for a while after it was opened."""
    closed = {r.body.trade.catalyst_id: r.at for r in played.records if _is(r, PositionClosed)}
    catalysts = {
        r.body.catalyst.catalyst_id: r.body.catalyst
        for r in played.records
        if _is(r, CatalystDetected)
    }
    for record in played.records:
        if not _is(record, PositionOpened):
            continue
        position = record.body.position
        catalyst = catalysts[position.catalyst_id]
        is_held = closed.get(position.catalyst_id, record.at + 9 * LATER) > record.at + 5 * LATER
        if (
            is_held
            and not catalyst.title.startswith("8-K")
            and catalyst.received_at > (record.at - LATER)
        ):
            return record.body, catalyst
    raise AssertionError("the generated session holds no such trade")


def _is(record: object, kind: type) -> bool:
    return isinstance(record.body, kind)  # type: ignore[attr-defined]


def with_headline(request: ReplayRequest, catalyst: Catalyst, title: str) -> ReplayRequest:
    """The same days with one headline more, a while after the catalyst."""
    at = catalyst.received_at + LATER
    more = HeadlineReceived(
        at=at,
        headline=Headline(
            item_id=f"more {title}",
            source="Reuters",
            title=title,
            symbols=(catalyst.symbol,),
            published_at=at,
            received_at=at,
        ),
    )
    tape = request.recording.tape
    news = tuple(sorted((*tape.news, more), key=lambda fact: fact.at))
    recording = replace(request.recording, tape=replace(tape, news=news))
    return replace(request, recording=recording)


def test_a_retraction_sells_the_position_of_its_story(request_: ReplayRequest, original: Played):
    opened, catalyst = trade_to_undo(original)
    title = f"Report was false: {catalyst.title}"
    played = play(with_headline(request_, catalyst, title))
    told = next(
        r.body
        for r in played.records
        if _is(r, StoryTold) and r.body.relation is StoryRelation.RETRACTION
    )
    assert told.story_id == catalyst.story_id
    closed = next(
        r
        for r in played.records
        if _is(r, PositionClosed) and r.body.trade.trade_id == opened.position.trade_id
    )
    assert closed.body.trade.exit_reason is ExitReason.NEGATIVE_NEWS
    before = next(
        (
            r
            for r in original.records
            if _is(r, PositionClosed) and r.body.trade.trade_id == opened.position.trade_id
        ),
        None,
    )
    assert before is None or before.body.trade.exit_reason is not ExitReason.NEGATIVE_NEWS


def test_a_retelling_is_ignored_and_changes_no_trade(request_: ReplayRequest, original: Played):
    _, catalyst = trade_to_undo(original)
    title = f"{catalyst.title}, company says"
    played = play(with_headline(request_, catalyst, title))
    ignored = next(
        r.body
        for r in played.records
        if _is(r, HeadlineIgnored) and r.body.item_id == f"more {title}"
    )
    assert ignored.reason == "known_story"
    assert catalyst.story_id in ignored.observed
    trades = [r.body for r in played.records if _is(r, PositionOpened | PositionClosed)]
    assert trades == [r.body for r in original.records if _is(r, PositionOpened | PositionClosed)]
