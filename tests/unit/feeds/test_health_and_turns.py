"""How long to wait: after failures, in silence, and for a host's patience."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.feeds.health import MAX_BACK_OFF_S, Health
from catalyst_bot.feeds.turns import HostTurns, Turns, domain_of
from tests.feed_desk import SetClock


class Wall:
    """A wall clock that moves when somebody pauses."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def seconds(self) -> float:
        return self.now_s

    async def pause(self, seconds: float) -> None:
        self.now_s += seconds


def taken_at(limits: list[tuple[int, int]], rests_s: list[float]) -> list[float]:
    """Take a turn after each rest, and tell when each was given."""
    wall = Wall()
    turns = Turns(limits, seconds=wall.seconds, pause=wall.pause)

    async def take_all() -> list[float]:
        times = []
        for rest_s in rests_s:
            wall.now_s += rest_s
            await turns.take()
            times.append(wall.now_s)
        return times

    return asyncio.run(take_all())


def test_turns_wait_for_the_window_to_move_on():
    assert taken_at([(3, 2)], [0.0] * 5) == [0, 0, 0, 2, 2]
    assert taken_at([(2, 1), (3, 60)], [0.0] * 4) == [0, 0, 1, 60]
    assert taken_at([(1, 60)], [0.0, 10.0, 300.0]) == [0, 60, 360]


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9)), min_size=1, max_size=3),
    st.lists(st.floats(0, 3), min_size=1, max_size=40),
)
def test_no_window_holds_more_than_its_limit(limits: list[tuple[int, int]], rests_s: list[float]):
    times = taken_at(limits, rests_s)
    for count, window_s in limits:
        for first, beyond in zip(times, times[count:], strict=False):
            assert beyond - first >= window_s - 1e-6


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.sec.gov/x", "sec.gov"),
        ("https://data.sec.gov/y", "sec.gov"),
        ("http://127.0.0.1:81/x", "127.0.0.1:81"),
        ("http://localhost:82/", "localhost:82"),
    ],
)
def test_the_hosts_of_a_domain_share_their_turns(url: str, domain: str):
    assert domain_of(url) == domain
    hosts = HostTurns()
    assert hosts.of(url, [(1, 1)]) is hosts.of(url, [(9, 9)])


def health(stale_after_s: float = 0.0) -> tuple[Health, SetClock, list[Any]]:
    clock, said = SetClock(), []
    return Health("feed x", sink=said.append, clock=clock, stale_after_s=stale_after_s), clock, said


@given(st.integers(1, 200), st.floats(0.01, 5_000), st.floats(0, 1e6))
def test_back_off_grows_within_bounds(failures: int, usual_s: float, asked_s: float):
    made, _, said = health()
    assert made.pause_s(usual_s, asked_s) == usual_s
    pauses = []
    for _ in range(failures):
        made.failed("busy")
        pauses.append(made.pause_s(usual_s, asked_s))
    assert pauses == sorted(pauses)
    assert all(usual_s <= pause_s <= max(usual_s, MAX_BACK_OFF_S) for pause_s in pauses)
    assert len(said) == 1


def test_only_the_open_exchange_makes_silence_count():
    made, clock, said = health(stale_after_s=100)
    for is_open in (True, False, True):
        for _ in range(4):
            made.worked(brought=False, is_open=is_open)
            clock.pass_s(20)
    assert [type(fact).__name__ for fact in said] == ["AdapterFailed"]
    assert said[0].error == "answers, but has brought nothing for 2 min"
    made.worked(brought=True, is_open=True)
    assert [type(fact).__name__ for fact in said] == ["AdapterFailed", "AdapterRecovered"]


def test_a_night_is_no_silence():
    made, clock, said = health(stale_after_s=100)
    made.worked(brought=False, is_open=True)
    made.worked(brought=False, is_open=False)
    clock.pass_s(60_000)
    made.worked(brought=False, is_open=True)
    assert said == []
