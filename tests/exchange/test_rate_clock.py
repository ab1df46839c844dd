"""By which clock requests are counted: the wall's, but in a run in steps the exchange's own."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from catalyst_bot.bootstrap.exchange import Asked, Ready, open_exchange
from catalyst_bot.exchange.books.rates import RateVerdict

MINUTE = timedelta(minutes=1)


def opened(stack: ExitStack, folder: Path, speed: str) -> Ready:
    knobs = folder / "knobs.toml"
    knobs.write_text("rate_limit_per_min = 2\n", "utf-8")
    return open_exchange(Asked(speed=speed, knobs=knobs, keys=[("K", "S")]), stack)


def taken(ready: Ready) -> RateVerdict:
    exchange = ready.parts.exchange
    account = exchange.account_of_key("K", "S")
    assert account is not None
    return exchange.take_token(account)


def test_in_steps_a_minute_is_over_when_the_clock_was_moved(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ready = opened(stack, tmp_path, "step")
        now = ready.parts.clock.now()
        assert [taken(ready).is_allowed for _ in range(3)] == [True, True, False]
        assert 0 < taken(ready).reset_s - now.timestamp() <= 60
        ready.parts.conductor.advance(now + MINUTE)
        assert taken(ready).is_allowed


def test_a_replay_counts_the_minutes_of_the_wall(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ready = opened(stack, tmp_path, "1000")
        assert taken(ready).reset_s > time.time() - 1
        ready.parts.conductor.advance(ready.parts.clock.now() + MINUTE)
        assert taken(ready).reset_s > time.time() - 1
