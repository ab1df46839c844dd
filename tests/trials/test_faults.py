"""Which faults a schedule has, and that each of them is seen."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.trials.faults import ELSEWHERE, FAULTS, FaultPlan, chosen


def test_words_mean_faults():
    assert chosen("all") == frozenset(FAULTS)
    assert chosen("none") == frozenset()
    assert chosen("halt, gap") == {"halt", "gap"}
    with pytest.raises(ConfigError, match="no such fault"):
        chosen("halt,earthquake")


def test_every_number_of_the_list_is_simulated_or_tested_elsewhere():
    numbers = {number for number, _, _ in FAULTS.values()} | ELSEWHERE.keys()
    assert numbers == {f"F{number}" for number in range(1, 36)}


@given(st.integers(0, 10_000))
def test_what_is_not_allowed_never_happens(seed: int):
    plan = FaultPlan(Random(seed), {"halt"})
    for name in FAULTS:
        happens = any(plan.strikes(name, times=1e9) for _ in range(3))
        assert not happens or name == "halt"
    plan.is_over = True
    assert not plan.strikes("halt", times=1e9)


@given(st.integers(0, 10_000))
def test_what_happens_is_counted(seed: int):
    plan = FaultPlan(Random(seed), FAULTS)
    happened = sum(plan.strikes("quote-bad", times=5.0) for _ in range(50))
    assert plan.fired["quote-bad"] == happened
