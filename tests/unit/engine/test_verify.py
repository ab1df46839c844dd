"""Any edit of a recorded decision is found, and not later than where it is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import is_fact
from catalyst_bot.engine.verify import batches, first_divergence
from catalyst_bot.settings import load
from tests.replays import generated, play

LENGTH = 220  # enough for views, signals, orders and fills


@cache
def records() -> tuple[Recorded, ...]:
    """The beginning of the generated session, whole batches only."""
    with TemporaryDirectory() as folder:
        played = play(generated(Path(folder))).records
    kept = [batch for batch in batches(played) if batch[-1].seq <= LENGTH]
    return tuple(record for batch in kept for record in batch)


def indexes() -> st.SearchStrategy[int]:
    return st.sampled_from([i for i, record in enumerate(records()) if not is_fact(record)])


def renumbered(kept: list[Recorded]) -> list[Recorded]:
    return [replace(record, seq=seq) for seq, record in enumerate(kept, start=1)]


def test_the_untouched_beginning_is_identical():
    assert first_divergence(records(), engine_of) is None


@settings(max_examples=12)
@given(indexes(), st.data())
def test_a_decision_replaced_by_another_is_named(index: int, data: st.DataObject):
    original = records()[index]
    other = records()[data.draw(indexes())].body
    if other == original.body:
        return
    edited = [*records()[:index], replace(original, body=other), *records()[index + 1 :]]
    found = first_divergence(edited, engine_of)
    assert found is not None
    assert found.seq == original.seq
    assert found.recorded == repr(other)


@settings(max_examples=12)
@given(indexes())
def test_a_decision_taken_out_is_found_where_it_was(index: int):
    kept = list(records())
    gone = kept.pop(index)
    found = first_divergence(renumbered(kept), engine_of)
    assert found is not None
    assert found.seq <= gone.seq


@settings(max_examples=12)
@given(indexes())
def test_a_decision_put_in_twice_is_found(index: int):
    kept = list(records())
    kept.insert(index, kept[index])
    found = first_divergence(renumbered(kept), engine_of)
    assert found is not None
    assert found.seq <= records()[index].seq + 1


@settings(max_examples=8)
@given(indexes())
def test_a_changed_cause_or_trail_is_found(index: int):
    original = records()[index]
    for forged in (
        replace(original, cause_seq=(original.cause_seq or 0) + 1),
        replace(original, trail_id="another"),
    ):
        edited = [*records()[:index], forged, *records()[index + 1 :]]
        found = first_divergence(edited, engine_of)
        assert found is not None
        assert found.seq == original.seq


def test_a_restart_with_other_settings_decides_by_those_from_there_on():
    """A live journal goes on across restarts; each start records the settings it runs with."""
    first = records()[0]
    assert isinstance(first.body, RunStarted)
    strict = load(environ={}, overrides={"signals.min_confidence": 0.99, "run.generated_seed": 7})
    begun = engine_of(first)
    story = [record for record in records()[:60] if is_fact(record)]
    recorded = [made for fact in story[:10] for made in begun.handle(fact.body)]  # type: ignore[arg-type]
    restart = replace(first.body, at=recorded[-1].at, settings=strict.as_json())
    stricter = engine_of(replace(first, body=restart))
    stricter.state = begun.state
    recorded += stricter.handle(restart)
    recorded += [made for fact in story[10:] for made in stricter.handle(fact.body)]  # type: ignore[arg-type]
    assert first_divergence(recorded, engine_of) is None


def test_a_journal_without_a_start_is_refused():
    with pytest.raises(BadData, match="begins with RunStarted"):
        first_divergence(records()[1:3], engine_of)
