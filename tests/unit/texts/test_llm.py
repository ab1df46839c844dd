"""The client against a real server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.errors import BadData, SourceUnreachable
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.messages.facts import TextOpinionsReceived
from catalyst_bot.runtime.clock import SimulatedClock, SystemClock
from catalyst_bot.texts.readers.desk import MAX_WAITING, LiveDesk, RecordedDesk
from catalyst_bot.texts.readers.llm import MAX_REPLY_BYTES, LanguageModel, ModelAccess
from catalyst_bot.texts.readers.memory import AnswerMemory
from tests.builders import NOON
from tests.unit.texts.attacks import REFUSED_ANSWERS
from tests.unit.texts.model_server import ModelServer, Reply, completion, says, serving
from tests.unit.texts.test_attacks import asked

TODAY = date(2025, 10, 6)
GOOD = json.dumps(
    {
        "sentiment": 0.8,
        "confidence": 0.9,
        "event": "fda_approval",
        "decision": "approved",
    }
)
KEY = "a-key-nobody-may-see"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving(says(GOOD)) as running:
        yield running


def access_to(server: ModelServer, **given: Any) -> ModelAccess:
    values: dict[str, Any] = {
        "base_url": server.url,
        "model": "test-model",
        "knowledge_cutoff": date(2024, 6, 1),
        "timeout_s": 2.0,
        "daily_cap_usd": Decimal(1),
        "usd_per_million_input": Decimal(1),
        "usd_per_million_output": Decimal(2),
        "api_key": KEY,
    }
    return ModelAccess(**(values | given))


def model_of(server: ModelServer, folder: Path, **given: Any) -> LanguageModel:
    return LanguageModel(
        access_to(server, **given),
        AnswerMemory(folder),
        events=("fda_approval", "dilution"),
        today=lambda: TODAY,
    )


def test_an_answer_is_an_opinion_with_its_price_and_what_the_model_knows(
    server: ModelServer, tmp_path: Path
):
    said = model_of(server, tmp_path).read(asked(), 2.0)
    assert (said.reader, said.model, said.value, said.confidence) == ("llm", "test-model", 0.8, 0.9)
    assert (said.event, said.labels) == ("fda_approval", ("decision=approved",))
    assert said.knowledge_cutoff == date(2024, 6, 1)
    assert said.cost_usd == Decimal("0.0005")
    assert not said.is_cached
    assert AnswerMemory(tmp_path).spent(TODAY) == Decimal("0.0005")
    (request,) = server.seen
    assert request["path"] == "/v1/chat/completions"
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert request["temperature"] == 0
    assert request["response_format"] == {"type": "json_object"}
    assert server.keys == [f"Bearer {KEY}"]


def test_the_same_question_is_asked_and_paid_once(server: ModelServer, tmp_path: Path):
    first = model_of(server, tmp_path).read(asked(), 2.0)
    again = model_of(server, tmp_path).read(asked(), 2.0)
    assert again == replace(first, is_cached=True, cost_usd=Decimal(0))
    assert len(server.seen) == 1
    model_of(server, tmp_path).read(asked("Acme wins a contract"), 2.0)
    assert len(server.seen) == 2


def test_another_model_is_another_question(server: ModelServer, tmp_path: Path):
    model_of(server, tmp_path).read(asked(), 2.0)
    model_of(server, tmp_path, model="another").read(asked(), 2.0)
    assert len(server.seen) == 2


@pytest.mark.parametrize(("name", "content"), REFUSED_ANSWERS, ids=[n for n, _ in REFUSED_ANSWERS])
def test_a_bad_answer_is_refused_and_not_remembered(
    server: ModelServer, tmp_path: Path, name: str, content: str
):
    server.answer = says(content)
    with pytest.raises(BadData):
        model_of(server, tmp_path).read(asked(), 2.0)
    assert AnswerMemory(tmp_path).spent(TODAY) > 0  # a bad answer is paid for too
    server.answer = says(GOOD)
    assert model_of(server, tmp_path).read(asked(), 2.0).value == 0.8


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(body=b"<html>oops</html>", content_type="text/html"), "HTML"),
        (Reply(body=b"x" * (MAX_REPLY_BYTES + 1)), "reply of more than"),
        (Reply(body=b"{}"), "holds no answer"),
        (Reply(body=b"[]"), "no JSON object"),
        (Reply(body=b'{"choices": []}'), "holds no answer"),
        (Reply(body=completion(None)), "no text but NoneType"),
        (Reply(body=completion({"sentiment": 1})), "no text but dict"),
        (Reply(body=b"\xff\xfe"), "no JSON"),
        (Reply(body=b"[" * 50_000), "no JSON"),
        (Reply(body=b""), "no JSON"),
    ],
)
def test_a_reply_that_is_none_is_refused(
    server: ModelServer, tmp_path: Path, reply: Reply, reason: str
):
    server.answer = lambda request: reply
    with pytest.raises(BadData, match=reason):
        model_of(server, tmp_path).read(asked(), 2.0)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_status_is_a_reason_without_the_key(server: ModelServer, tmp_path: Path, status: int):
    server.answer = lambda request: Reply(body=KEY.encode(), status=status)
    with pytest.raises(SourceUnreachable, match=f"status {status}") as refused:
        model_of(server, tmp_path).read(asked(), 2.0)
    assert KEY not in str(refused.value)
    assert len(server.seen) == 1  # asked once


def test_a_redirect_is_not_followed(server: ModelServer, tmp_path: Path):
    target = f"{server.url}/elsewhere"
    server.answer = lambda request: Reply(body=b"", status=307, location=target)
    with pytest.raises(SourceUnreachable, match="status 307"):
        model_of(server, tmp_path).read(asked(), 2.0)
    assert len(server.seen) == 1


def test_a_slow_answer_and_a_dripping_one_are_given_up(server: ModelServer, tmp_path: Path):
    server.answer = says(GOOD, wait_s=1.0)
    with pytest.raises(SourceUnreachable, match="no answer within"):
        model_of(server, tmp_path, timeout_s=0.1).read(asked(), 2.0)
    server.answer = says(GOOD, drip_s=0.01)
    with pytest.raises(SourceUnreachable, match="too slowly"):
        model_of(server, tmp_path, timeout_s=0.1).read(asked(), 2.0)


def test_nobody_there_is_a_reason(tmp_path: Path):
    nowhere = ModelServer(says(GOOD), url="http://127.0.0.1:1/v1")
    with pytest.raises(SourceUnreachable, match="not reached"):
        model_of(nowhere, tmp_path).read(asked(), 2.0)


def test_the_purse_is_never_overdrawn(server: ModelServer, tmp_path: Path):
    model = model_of(server, tmp_path, daily_cap_usd=Decimal("0.003"))
    titles = (f"Acme wins contract number {number}" for number in range(100))
    asked_for = 0

    def until_refused() -> None:
        nonlocal asked_for
        for title in titles:
            model.read(asked(title), 2.0)
            asked_for += 1

    with pytest.raises(SourceUnreachable, match="are spent"):
        until_refused()
    assert 0 < asked_for < 10
    assert len(server.seen) == asked_for
    assert AnswerMemory(tmp_path).spent(TODAY) <= Decimal("0.003")
    assert model.read(asked("Acme wins contract number 0"), 2.0).is_cached  # costs nothing


def test_another_day_has_another_purse(tmp_path: Path):
    memory = AnswerMemory(tmp_path)
    assert memory.reserve(TODAY, Decimal(1), cap_usd=Decimal(1))
    assert not memory.reserve(TODAY, Decimal("0.01"), cap_usd=Decimal(1))
    assert memory.reserve(TODAY + timedelta(days=1), Decimal(1), cap_usd=Decimal(1))


@pytest.mark.parametrize("tokens", [None, (-5, 3), (10**9, 1)])
def test_a_bill_that_cannot_be_believed_leaves_the_reserve_spent(
    server: ModelServer, tmp_path: Path, tokens: tuple[int, int] | None
):
    server.answer = lambda request: Reply(body=completion(GOOD, tokens))
    said = model_of(server, tmp_path).read(asked(), 2.0)
    assert AnswerMemory(tmp_path).spent(TODAY) == said.cost_usd > 0


def test_an_event_nobody_knows_is_none(server: ModelServer, tmp_path: Path):
    server.answer = says('{"sentiment": 1, "confidence": 1, "event": "buy_now"}')
    assert model_of(server, tmp_path).read(asked(), 2.0).event == ""


def test_the_key_does_not_show(server: ModelServer):
    assert KEY not in repr(access_to(server))


def test_a_replay_is_told_a_second_later_whatever_it_took(server: ModelServer, tmp_path: Path):
    told: list[Any] = []
    clock = SimulatedClock(NOON)
    RecordedDesk([model_of(server, tmp_path)], clock=clock, sink=told.append).request_opinion(
        asked()
    )
    RecordedDesk([], clock=clock, sink=told.append).request_opinion(asked())
    assert [fact.at - NOON for fact in told] == [timedelta(seconds=1)] * 2
    assert told[0].opinions[0].value == 0.8
    assert told[1].refusals == ("no reader is configured",)


def live(seconds: float) -> RequestTextOpinion:
    return replace(asked(), answer_by=datetime.now(UTC) + timedelta(seconds=seconds))


async def first_answer(
    readers: list[LanguageModel], command: RequestTextOpinion
) -> TextOpinionsReceived:
    told: asyncio.Queue[Any] = asyncio.Queue()
    desk = LiveDesk(readers, clock=SystemClock(), sink=told.put_nowait)
    keeping = asyncio.ensure_future(desk.keep())
    desk.request_opinion(command)
    fact = await told.get()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert isinstance(fact, TextOpinionsReceived)
    return fact


async def test_a_live_answer_comes_as_a_fact(server: ModelServer, tmp_path: Path):
    fact = await first_answer([model_of(server, tmp_path)], live(30))
    assert fact.opinions[0].value == 0.8
    assert fact.request_id == "opinion:cat-1"


async def test_a_live_answer_that_does_not_come_is_a_refusal(server: ModelServer, tmp_path: Path):
    server.answer = says(GOOD, wait_s=0.5)
    fact = await first_answer([model_of(server, tmp_path)], live(0.1))
    assert fact.opinions == ()
    assert "no answer" in fact.refusals[0]


async def test_a_late_turn_is_a_refusal():
    assert (await first_answer([], live(-1))).refusals == ("its turn came too late",)


async def test_a_full_line_is_a_refusal():
    told: list[Any] = []
    desk = LiveDesk([], clock=SystemClock(), sink=told.append)
    for _ in range(MAX_WAITING + 1):
        desk.request_opinion(live(30))
    assert [fact.refusals for fact in told] == [(f"{MAX_WAITING} questions wait already",)]
