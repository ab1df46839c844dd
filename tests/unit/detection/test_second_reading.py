"""Holding good news for the opinion of readers outside, through decide and evolve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.detection.decide import DECIDE
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.rules import Asking, Rules
from catalyst_bot.detection.state import State
from catalyst_bot.domain.messages.commands import ClearTimer, RequestTextOpinion, SetTimer
from catalyst_bot.domain.messages.decisions import CatalystDetected, CatalystHeld
from catalyst_bot.domain.messages.facts import (
    HeadlineReceived,
    TextOpinionsReceived,
    TimerFired,
)
from catalyst_bot.domain.news import Headline, TextOpinion
from tests.builders import NOON, FakeDesk, headline
from tests.detection_rules import rules

WAIT = timedelta(seconds=2)
ASKING = replace(rules(), asking=Asking(wait_s=2.0, min_confidence=0.7))
GOOD = headline(title="FDA approves Acme's pump", source="Business Wire", published_at=NOON)
AGREES = TextOpinion(
    reader="llm", model="m", value=1.0, confidence=1.0, knowledge_cutoff=date(2024, 1, 1)
)


@dataclass
class Stage:
    """Detection alone, driven like the engine drives it."""

    rules: Rules = ASKING
    state: State = field(default_factory=State)

    def receive(self, fact: Any) -> list[Any]:
        queue, said = [fact], []
        for message in queue:
            if type(message) in DECIDE:
                desk = FakeDesk(now=fact.at)
                answer = DECIDE[type(message)](self.state, message, desk, self.rules)
                said += answer
                queue += answer
            if type(message) in EVOLVE:
                EVOLVE[type(message)](self.state, message, fact.at)
        return said

    def read(self, given: Headline) -> list[Any]:
        return self.receive(HeadlineReceived(at=given.received_at, headline=given))


def answer(stage: Stage, *opinions: TextOpinion, at: datetime) -> list[Any]:
    (catalyst_id,) = stage.state.held or [""]
    return stage.receive(
        TextOpinionsReceived(
            at=at,
            request_id=f"opinion:{catalyst_id}",
            catalyst_id=catalyst_id,
            opinions=opinions,
            refusals=(),
        )
    )


def test_good_news_is_held_and_a_question_goes_out():
    stage = Stage()
    held, request, timer, _story = stage.read(GOOD)
    assert isinstance(held, CatalystHeld)
    assert held.until == GOOD.received_at + WAIT
    assert isinstance(request, RequestTextOpinion)
    assert (request.symbol, request.title) == ("ACME", GOOD.title)
    assert timer == SetTimer(timer_id=request.request_id, due_at=request.answer_by)
    assert list(stage.state.held) == [request.catalyst_id]


def test_an_answer_in_time_frees_it_once():
    stage = Stage()
    before = stage.read(GOOD)[0].catalyst
    said = answer(stage, AGREES, at=GOOD.received_at + WAIT / 2)
    assert [type(m) for m in said[:2]] == [ClearTimer, CatalystDetected]
    after = said[1].catalyst
    assert after.confidence == before.confidence
    assert after.opinions[-1].name == "llm"
    assert answer(stage, AGREES, at=GOOD.received_at + WAIT) == []
    assert not stage.state.held


def test_silence_frees_it_when_the_time_is_over():
    stage = Stage()
    held, request, timer, _story = stage.read(GOOD)
    said = stage.receive(TimerFired(at=timer.due_at, timer_id=timer.timer_id))
    assert isinstance(said[0], CatalystDetected)
    freed = said[0].catalyst
    assert (freed.score, freed.confidence) == (held.catalyst.score, held.catalyst.confidence)
    assert "no answer in time" in freed.factors[-1].note
    late = TextOpinionsReceived(
        at=timer.due_at + WAIT,
        request_id=request.request_id,
        catalyst_id=request.catalyst_id,
        opinions=(replace(AGREES, value=-1.0),),
        refusals=(),
    )
    assert stage.receive(late) == []


def test_doubt_lowers_it():
    stage = Stage()
    before = stage.read(GOOD)[0].catalyst
    doubt = replace(AGREES, value=-1.0)
    after = answer(stage, doubt, at=GOOD.received_at)[1].catalyst
    assert after.confidence < before.confidence
    assert after.score < before.score


@pytest.mark.parametrize(
    "given",
    [
        headline(title="Acme prices public offering", source="Business Wire"),
        headline(title="Acme receives delisting notice from Nasdaq", source="Business Wire"),
        headline(title="Acme could gain from cloud deal", source="The Motley Fool"),
    ],
    ids=["avoid", "close", "not confident"],
)
def test_nothing_else_waits(given: Headline):
    said = Stage().read(given)
    assert not any(isinstance(m, CatalystHeld | RequestTextOpinion) for m in said)
    assert isinstance(said[0], CatalystDetected)


def test_without_readers_nothing_waits():
    assert isinstance(Stage(rules=rules()).read(GOOD)[0], CatalystDetected)


def test_a_copy_of_a_held_story_is_a_duplicate():
    stage = Stage()
    stage.read(GOOD)
    copy = replace(GOOD, item_id="another", received_at=GOOD.received_at + WAIT / 4)
    assert stage.read(copy)[0].reason == "duplicate"


def test_another_timer_frees_nothing():
    stage = Stage()
    _, request, _, _ = stage.read(GOOD)
    assert stage.receive(TimerFired(at=NOON, timer_id=f"view:{request.catalyst_id}")) == []
    assert stage.receive(TimerFired(at=NOON, timer_id=request.catalyst_id)) == []
