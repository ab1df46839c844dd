"""Turns to ask: how many there are, what answers say about them, and who may use the last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.rate_limit import RESERVE, OutOfTurns, RateLimit

EPOCH = 1_759_766_400.0


class StillPace(Pace):
    """Time that passes only in pauses, and then at once."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1_000.0

    def seconds(self) -> float:
        return self.time

    async def sleep(self, pause_s: float) -> None:
        self.time += pause_s


def limit_of(pace: Pace, per_min: int = 200) -> RateLimit:
    return RateLimit(per_min=per_min, pace=pace, reserve=RESERVE, epoch=lambda: EPOCH)


async def taken_at_once(limit: RateLimit, *, is_urgent: bool = False) -> int:
    count = 0
    while True:
        try:
            await limit.turn(is_urgent=is_urgent, patience_s=0)
        except OutOfTurns:
            return count
        count += 1


async def test_the_reserve_is_for_urgent_requests_only():
    pace = StillPace()
    limit = limit_of(pace)
    assert await taken_at_once(limit) == 200 - RESERVE
    assert await taken_at_once(limit, is_urgent=True) == RESERVE
    assert await taken_at_once(limit, is_urgent=True) == 0


async def test_turns_come_back_with_time_and_are_waited_for():
    pace = StillPace()
    limit = limit_of(pace, per_min=60)
    await taken_at_once(limit)
    before = pace.time
    for _ in range(30):
        await limit.turn()
    assert pace.time - before == pytest.approx(30, abs=1.1)


async def test_what_alpaca_counts_is_less_than_what_we_count():
    pace = StillPace()
    limit = limit_of(pace)
    limit.learn(200, {"X-RateLimit-Remaining": "25"})
    assert await taken_at_once(limit) == 25 - RESERVE
    limit.learn(200, {"X-RateLimit-Remaining": "a lot"})
    limit.learn(200, {"X-RateLimit-Remaining": "inf"})
    assert await taken_at_once(limit) == 0


async def test_a_refusal_closes_the_gate_ever_longer_but_not_for_cancels():
    pace = StillPace()
    limit = limit_of(pace)
    waited = []
    for _ in range(4):
        limit.learn(429, {})
        await limit.turn(is_urgent=True, patience_s=0.5)
        before = pace.time
        await limit.turn()
        waited.append(pace.time - before)
    assert waited == sorted(waited)
    assert waited[0] >= 2
    assert waited[-1] >= 16
    limit.learn(200, {})
    limit.learn(429, {})
    before = pace.time
    await limit.turn()
    assert pace.time - before < 3  # an answer in between begins anew


async def test_a_cancel_that_is_refused_does_not_open_the_gate_for_others():
    pace = StillPace()
    limit = limit_of(pace)
    limit.learn(429, {"x-ratelimit-reset": str(EPOCH + 30)})
    await limit.turn(is_urgent=True)
    limit.learn(429, {})
    before = pace.time
    await limit.turn()
    assert pace.time - before == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize(
    ("reset", "wait_s"),
    [(str(EPOCH + 30), 30), (str(EPOCH - 5), 2), (str(EPOCH + 9_999), 2), ("soon", 2)],
)
async def test_the_told_end_of_the_minute_is_waited_for_if_it_makes_sense(
    reset: str, wait_s: float
):
    pace = StillPace()
    limit = limit_of(pace)
    limit.learn(429, {"x-ratelimit-reset": reset})
    before = pace.time
    await limit.turn()
    assert pace.time - before == pytest.approx(wait_s, abs=0.5)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=60))
async def test_never_more_than_allowed_in_any_minute(asks: list[tuple[bool, float]]):
    pace = StillPace()
    limit = limit_of(pace, per_min=60)
    times = []
    for is_urgent, pause_s in asks:
        await pace.sleep(pause_s)
        await limit.turn(is_urgent=is_urgent, patience_s=600)
        times.append(pace.time)
    for start in times:
        in_minute = [at for at in times if start <= at < start + 60]
        assert len(in_minute) <= 2 * 60  # a full bucket and what flows in meanwhile
