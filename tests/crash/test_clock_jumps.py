"""The wall clock jumps while facts come in: the core goes on, and old quotes stay old."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import is_fact
from tests.replays import generated, play


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    played = play(generated(tmp_path_factory.mktemp("day")))
    return [record for record in played.records if is_fact(record)]


@pytest.mark.parametrize("jump_s", [5, -5, 300, -300, 3_600, -3_600])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_facts_that_come_after_a_jump_break_nothing(
    facts: list[Recorded], jump_s: int, share: float
):
    """What the bot stamps jumps, what others stamp (quotes, bars, news) does not."""
    from_ = int(len(facts) * share)
    engine = engine_of(facts[0])
    entries = 0
    for place, record in enumerate(facts):
        fact = record.body
        if place >= from_ and not isinstance(
            fact, f.RunStarted | f.SessionOpened | f.SessionClosed
        ):
            fact = replace(fact, at=fact.at + timedelta(seconds=jump_s))  # type: ignore[type-var]
        for made in engine.handle(fact):  # type: ignore[arg-type]
            if isinstance(made.body, d.OrderApproved) and made.body.order.role is OrderRole.ENTRY:
                entries += 1
                age = next(check for check in made.body.order.checks if check.name == "quote_age")
                assert age.passed
                assert 0 <= age.observed <= age.limit
    assert entries > 0
    assert engine.state.last_seq > len(facts)
