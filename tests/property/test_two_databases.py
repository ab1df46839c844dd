"""Every statement of every reducer, with any message, writes the same rows in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData, CatalystError
from catalyst_bot.domain.messages.registry import MESSAGES, trail_of
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.projector import _REDUCERS
from catalyst_bot.storage.proof import prove
from tests.databases import read_tables
from tests.postgres import Postgres
from tests.property.message_strategies import LEAVES, values
from tests.unit.storage import stories
from tests.unit.storage.stories import record

# Few words, so that messages meet in the same rows; amounts as there are in an account.
FEW = {
    str: st.sampled_from(["a", "b", "a-sl", "a-tp", "Ω%'\"", "x\x00y"]),
    Decimal: st.decimals("-100000", "100000", places=4),
    int: st.integers(-1, 1_000),
}


def messages() -> st.SearchStrategy[Any]:
    with patch.dict(LEAVES, FEW):
        kinds = [values(kind) for kind in MESSAGES.values() if kind in _REDUCERS]
    return st.one_of(*kinds).filter(makes_sense)


def makes_sense(message: Any) -> bool:
    """False for what no stage would say, such as a step that does not exist."""
    if "\x00" in (trail_of(message) or ""):
        return False  # refused by the codec, see below
    (told,) = record([message], trail_id="t")
    try:
        for reduce in _REDUCERS[type(message)]:
            list(reduce(told, message))
    except (KeyError, TypeError, ValueError, ArithmeticError, CatalystError):
        return False
    return True


class Twins(NamedTuple):
    """The same journal twice."""

    file: Place
    schema: Place


@pytest.fixture(scope="module")
def twins(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """After all examples the proof folds them once more and finds no difference."""
    both = Twins(tmp_path_factory.mktemp("twins") / "journal.db", postgres_server.place())
    yield both
    assert prove(both.file).is_whole
    assert prove(both.schema).is_whole
    assert prove(both.file).chain == prove(both.schema).chain


# All examples go into the same journals, so that later ones meet the rows of earlier ones; a
# failure cannot be made smaller that way.
@settings(phases=[Phase.generate])
@given(st.lists(messages(), min_size=1, max_size=25))
def test_any_messages_give_the_same_rows(twins: Twins, told: list[Any]):
    for place in twins:
        with SqlJournal(place, durable=False) as journal:
            journal.append(record(told, after_seq=journal.last_seq(), trail_id="t"))
    assert read_tables(twins.file) == read_tables(twins.schema)


def test_every_kind_is_tried():
    assert {kind for kind in MESSAGES.values() if kind in _REDUCERS} == set(_REDUCERS)


def test_a_trail_that_one_database_cannot_hold_is_refused_by_both(twins: Twins):
    (told,) = record([stories.run_started()])
    for place in twins:
        with SqlJournal(place, durable=False) as journal, pytest.raises(BadData, match="NUL"):
            journal.append([replace(told, seq=journal.last_seq() + 1, trail_id="a\x00b")])
