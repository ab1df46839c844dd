"""The lives of the bot in a schedule, one after the other, and how each of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from catalyst_bot.domain.errors import JournalUnwritable
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.trials.faces import Prices
from catalyst_bot.trials.life import Life, run_started
from catalyst_bot.trials.stage import Stage
from catalyst_bot.trials.wire import SimulatedWire

PAUSES_S = (0.5, 3.0, 20.0, 90.0)  # until somebody starts it again
MOST_DEATHS_IN_RECOVERY = 5
CHECKS_OF_A_RECOVERY = 25


class Lives:
    """Keeps the bot alive on a stage; `tell_halt` lets a new life read the latch."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._died_in_recovery = 0
        self._checks_to_death: int | None = None
        self.tell_halt: Callable[[], None] = lambda: None

    async def keep_alive(self) -> None:
        """Start the bot again whenever it is gone."""
        stage = self._stage
        while True:
            task = asyncio.ensure_future(self._live())
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            self._bury(task.exception())
            stage.life = None
            pause_s = 1.0 if stage.faults.is_over else stage.chance.choice(PAUSES_S)
            await asyncio.sleep(pause_s)
            await stage.is_day.wait()  # a pause that ends in the night ends in the morning

    async def _live(self) -> None:
        stage = self._stage
        self._checks_to_death = (
            stage.chance.randint(1, CHECKS_OF_A_RECOVERY) if self._dies_again() else None
        )
        stage.lives += 1
        stage.shared.keys_refused_at_s = None
        number = stage.lives
        stage.note("bot", f"starts, life {number}")
        life = Life(
            stage.rules,
            stage.disk,
            stage.clock,
            stage.latch,
            number=number,
            quarantine=stage.quarantine,
            points=self._dies_at,
            fails=self._disk_fails,
            on_batch=stage.on_batch,
            wire=lambda check: SimulatedWire(stage.shared, check=check),
            prices=self._prices,
        )
        stage.observed.on_start(stage, life)
        stage.life = life
        asyncio.get_running_loop().call_later(stage.chance.uniform(0.1, 3.0), self._greet, life)
        await life.live(
            lambda: run_started(
                stage.clock.now(),
                life=number,
                settings=stage.settings,
                cash_usd=stage.venue.cash_usd,
            )
        )

    def _bury(self, error: BaseException | None) -> None:
        """Take notice of how a life ended: in order, killed, without a disk, or as none may."""
        stage = self._stage
        life = stage.life
        if error is None or (life is not None and life.is_dead):
            stage.note("bot", "is gone")
        elif _is(error, JournalUnwritable):
            stage.note("bot", "ends: the journal takes no more")
        else:
            stage.observed.broken(stage, f"the bot ended with {error!r}")
        if life is not None:
            life.is_dead = True

    def _prices(self, sink: Callable[[Fact], None]) -> Prices:
        stage = self._stage
        return Prices(
            stage.world,
            stage.faults,
            stage.chance,
            clock=stage.clock,
            true_time=stage.true_time,
            sink=sink,
        )

    def _greet(self, life: Life) -> None:
        """Tell a new life what its sources tell at a start: splits, the latch, the last news."""
        stage = self._stage
        if life is not stage.alive():
            return
        for split in stage.splits:
            if not any(
                isinstance(each.body, f.SplitApplied) and each.body.symbol == split.symbol
                for each in life.records
            ):
                life.sink(replace(split, at=stage.clock.now()))
        if stage.latch.is_set:
            self.tell_halt()
        for headline in list(stage.world.headlines)[-3:]:
            life.sink(f.HeadlineReceived(at=stage.clock.now(), headline=headline))

    def kill(self, why: str) -> None:
        """End the process at once."""
        life = self._stage.alive()
        if life is not None:
            self._stage.note("bot", f"is killed: {why}")
            life.is_dead = True
            life.is_stopping.set()

    def _dies_again(self) -> bool:
        return (
            self._stage.lives > 0
            and self._died_in_recovery < MOST_DEATHS_IN_RECOVERY
            and self._stage.faults.strikes("crash-in-recovery")
        )

    def _dies_at(self, point: str) -> bool:
        """Say whether the process dies at a named step."""
        stage = self._stage
        if self._checks_to_death is not None:
            self._checks_to_death -= 1
            if self._checks_to_death <= 0:
                self._checks_to_death = None
                self._died_in_recovery += 1
                stage.note("bot", f"dies in recovery, {point}")
                return True
        if stage.faults.strikes("crash-at-point"):
            stage.note("bot", f"dies {point}")
            return True
        return False

    def _disk_fails(self) -> bool:
        return bool(self._stage.faults.first_of("disk-full", "disk-locked"))

    async def end(self, keeper: asyncio.Future[None]) -> None:
        """End the last life, and the keeper with it."""
        if self._stage.life is not None:
            self._stage.life.is_dead = True
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


def _is(error: BaseException, kind: type[BaseException]) -> bool:
    """Tell whether an error, or one in its group, is of a kind."""
    if isinstance(error, BaseExceptionGroup):
        return any(_is(each, kind) for each in error.exceptions)
    return isinstance(error, kind)
