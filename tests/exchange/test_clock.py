"""Three clocks: the wall's, a replayed day's, one that is told."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from catalyst_bot.domain.errors import ConfigError, InvariantViolated
from catalyst_bot.exchange.market.clock import ClockKind, ExchangeClock

START = datetime(2025, 10, 22, 13, 30, tzinfo=UTC)


class World:
    """Time of the world, moved by the test."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def world() -> World:
    return World()


def test_a_replay_stands_still_until_it_begins(world: World) -> None:
    clock = ExchangeClock.replay(START, 60, monotonic=world.monotonic)
    world.seconds += 5
    assert clock.now() == START
    clock.begin()
    clock.begin()
    world.seconds += 2
    assert clock.now() == START + timedelta(minutes=2)


def test_it_never_passes_the_hold(world: World) -> None:
    clock = ExchangeClock.replay(START, 1, monotonic=world.monotonic)
    clock.begin()
    moment = START + timedelta(seconds=10)
    clock.hold(moment)
    world.seconds += 60
    assert clock.now() == moment
    assert clock.wait_s(moment) == 0
    clock.hold(None)
    assert clock.now() == START + timedelta(seconds=60)


def test_it_says_how_long_the_world_must_wait(world: World) -> None:
    clock = ExchangeClock.replay(START, 60, monotonic=world.monotonic)
    clock.begin()
    assert clock.wait_s(START + timedelta(minutes=3)) == pytest.approx(3)
    world.seconds += 1
    assert clock.wait_s(START + timedelta(minutes=3)) == pytest.approx(2)


def test_the_wall_goes_back_but_the_exchange_does_not(world: World) -> None:
    clock = ExchangeClock.wall(world.wall)
    before = clock.now()
    world.seconds -= 50
    assert clock.now() == before
    world.seconds += 60
    assert clock.now() == before + timedelta(seconds=10)


def test_as_fast_as_possible_jumps_to_each_moment(world: World) -> None:
    clock = ExchangeClock.replay(START, math.inf, monotonic=world.monotonic)
    clock.begin()
    later = START + timedelta(days=1)
    assert clock.wait_s(later) == 0
    clock.move_to(later)
    assert clock.now() == later


def test_a_step_clock_waits_to_be_told() -> None:
    clock = ExchangeClock.step(START)
    assert clock.wait_s(START + timedelta(seconds=1)) == math.inf
    clock.move_to(START + timedelta(seconds=1))
    assert clock.now() == START + timedelta(seconds=1)
    with pytest.raises(InvariantViolated, match="go back"):
        clock.move_to(START)


def test_a_replay_goes_on_from_where_it_was_moved(world: World) -> None:
    clock = ExchangeClock.replay(START, 2, monotonic=world.monotonic)
    clock.begin()
    clock.move_to(START + timedelta(hours=1))
    world.seconds += 3
    assert clock.now() == START + timedelta(hours=1, seconds=6)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ClockKind.REPLAY, {"start": None}),
        (ClockKind.WALL, {"start": START}),
        (ClockKind.REPLAY, {"start": START, "speed": 0.0}),
        (ClockKind.REPLAY, {"start": START, "speed": math.nan}),
        (ClockKind.REPLAY, {"start": START.replace(tzinfo=None)}),
    ],
)
def test_what_cannot_be_is_refused(kind: ClockKind, given: dict) -> None:
    with pytest.raises(ConfigError):
        ExchangeClock(kind, **given)
