"""The clock of an exchange that replays days, as seen from here."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.runtime.clock import VenueClock
from tests.builders import NOON, OPEN

SECOND = timedelta(seconds=1)


class Wall:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


def test_it_runs_as_fast_as_the_exchange():
    wall = Wall()
    clock = VenueClock(at=OPEN, shown_at=NOON - SECOND, speed=60, wall=wall)
    assert clock.now() == OPEN + 60 * SECOND
    wall.time += SECOND
    assert clock.now() == OPEN + 120 * SECOND


def test_it_does_not_run_ahead_of_an_exchange_that_cannot_keep_up():
    wall = Wall()
    clock = VenueClock(at=OPEN, shown_at=NOON, speed=60, wall=wall)
    wall.time += 10 * SECOND
    clock.correct(at=OPEN + 100 * SECOND, shown_at=wall.time)  # ten times as fast, not sixty
    shown = clock.now()
    wall.time += 100 * SECOND
    assert clock.now() == OPEN + 1_100 * SECOND
    assert shown == OPEN + 100 * SECOND


def test_a_clock_that_moves_only_when_told_stands_still():
    wall = Wall()
    clock = VenueClock(at=OPEN, shown_at=NOON, speed=0, wall=wall)
    wall.time += 3_600 * SECOND
    assert clock.now() == OPEN
    clock.correct(at=OPEN + SECOND, shown_at=wall.time)
    assert clock.now() == OPEN + SECOND


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-100, 100)), max_size=20))
def test_it_never_goes_back(steps: list[tuple[float, float]]):
    wall = Wall()
    clock = VenueClock(at=OPEN, shown_at=NOON, speed=10, wall=wall)
    shown = [clock.now()]
    for wall_s, correction_s in steps:
        wall.time += timedelta(seconds=wall_s)
        clock.correct(at=OPEN + timedelta(seconds=correction_s), shown_at=wall.time)
        shown.append(clock.now())
    assert shown == sorted(shown)
