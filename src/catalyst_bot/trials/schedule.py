"""One schedule: a seed, a world, a broker, and lives of the bot one after the other.

Everything that could be otherwise is drawn from one source of chance, so a seed is the schedule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.storage.rows import journal_hash_of_rows
from catalyst_bot.trials.invariants.seen import Violation
from catalyst_bot.trials.lives import Lives
from catalyst_bot.trials.mischief import Mischief
from catalyst_bot.trials.stage import Setting, Stage, Told
from catalyst_bot.trials.virtual_loop import VirtualLoop

LEAST_STEPS = 200  # of a schedule, the quiet at its end included
DISTURBED_STEPS = (165, 190)
STEPS_AFTER_A_NIGHT = 60
LONGEST_S = 5_400.0  # of one schedule, before its faults stop
RECOVERY_S = 300.0  # after the faults: two looks at the books are two minutes apart
STILL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one schedule came to."""

    seed: int
    steps: int
    lives: int
    journal_hash: str
    violations: tuple[Violation, ...]
    fired: Mapping[str, int]
    counts: Mapping[str, int]
    story: tuple[Told, ...]


def play(seed: int, setting: Setting) -> Outcome:
    """Play one schedule to its end."""
    loop = VirtualLoop()
    try:
        stage = Stage(seed, setting, loop)
        loop.set_exception_handler(stage.on_loop_error)
        loop.run_until_complete(Schedule(stage).run())
        return _outcome(stage)
    finally:
        loop.close()


def _outcome(stage: Stage) -> Outcome:
    return Outcome(
        seed=stage.seed,
        steps=stage.steps,
        lives=stage.lives,
        journal_hash=journal_hash_of_rows(stage.disk.rows),
        violations=tuple(stage.observed.violations),
        fired=dict(stage.faults.fired),
        counts=dict(stage.observed.counts),
        story=tuple(stage.story),
    )


class Schedule:
    """What happens on a stage from start to end."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.lives = Lives(stage)
        self.mischief = Mischief(stage, kill=self.lives.kill)
        self.lives.tell_halt = self.mischief.tell_halt
        self._steps_wanted = stage.chance.randint(*DISTURBED_STEPS)

    async def run(self) -> None:
        """Live through the faults, then through the quiet after them."""
        keeper = asyncio.ensure_future(self.lives.keep_alive())
        try:
            await self._disturb(keeper)
            await self._calm_down()
        finally:
            await self.lives.end(keeper)

    async def _disturb(self, keeper: asyncio.Future[None]) -> None:
        """Move the world until enough has happened."""
        stage = self._stage
        night_at = stage.session.closes_at + timedelta(minutes=stage.chance.uniform(0.3, 2))
        until_s = LONGEST_S
        while self._wants_more() and stage.loop.time() < until_s:
            await asyncio.sleep(stage.chance.uniform(0.2, 9.0))
            if keeper.done() or stage.observed.violations:
                return
            if stage.true_time() >= night_at:
                await self._sleep_until_morning()
                stage.is_before_night = False
                self._steps_wanted = stage.steps + STEPS_AFTER_A_NIGHT
                night_at, until_s = (
                    night_at + timedelta(days=30),
                    stage.loop.time() + LONGEST_S,
                )
            self.move()
            self.mischief.befall()

    def _wants_more(self) -> bool:
        return self._stage.is_before_night or self._stage.steps < self._steps_wanted

    async def _sleep_until_morning(self) -> None:
        """Let the bot be stopped for the night, in which companies may split their shares."""
        stage = self._stage
        stage.is_day.clear()
        if stage.life is not None:
            stage.life.is_stopping.set()
        following = stage.rules.calendar.next_session(stage.true_time())
        while stage.phase is not SessionPhase.CLOSED:
            await asyncio.sleep(600.0)
            stage.change_phase()
        midnight = following.opens_at - timedelta(hours=8)
        await asyncio.sleep((midnight - stage.true_time()).total_seconds())
        if stage.faults.strikes("split"):
            held = sorted(name for name, each in stage.venue.holdings.items() if each.quantity > 0)
            self._split(stage.chance.choice(held or stage.world.tradable()))
        early = timedelta(minutes=stage.chance.uniform(1, 20))
        while stage.true_time() < following.opens_at - early:
            left_s = (following.opens_at - early - stage.true_time()).total_seconds()
            await asyncio.sleep(min(left_s, 1_800.0))
            stage.change_phase()
        stage.world.skip_to(following.opens_at)
        stage.is_day.set()

    def _split(self, symbol: str) -> None:
        """Split shares before the first trade of the day."""
        stage = self._stage
        shares_per_share = stage.chance.choice((Decimal(2), Decimal(10), Decimal(5)))
        before_usd = stage.venue.cash_usd
        stage.observed.has_split = True
        stage.world.split(symbol, int(shares_per_share))
        stage.venue.split(symbol, shares_per_share)
        stage.paid_out_usd += stage.venue.cash_usd - before_usd
        stage.note("world", f"{symbol} is split {shares_per_share} for 1")
        stage.splits.append(
            f.SplitApplied(
                at=stage.true_time(),
                symbol=symbol,
                shares_per_share=shares_per_share,
                effective_on=stage.rules.calendar.next_session(stage.true_time()).day,
            )
        )

    def move(self) -> None:
        """Let prices, sessions and bars go on."""
        stage = self._stage
        stage.change_phase()
        stage.world.walk()
        for symbol in stage.world.stocks:
            stage.venue.trade(symbol)
        life = stage.alive()
        if stage.true_time() >= stage.world.next_bar_at:
            bars = stage.world.close_bars()
            if life is not None:
                life.prices.tell_bars(bars)
        if life is not None:
            for symbol in list(life.prices.watched):
                if stage.chance.random() < 0.5:
                    life.prices.sample(symbol)
        self.mischief.lift()
        stage.note("world", "prices move")

    async def _calm_down(self) -> None:
        """Stop every fault, start the bot afresh, wait for two looks at the books, and judge.

        A look that was planned by a clock that ran ahead comes so much later.
        """
        stage = self._stage
        if stage.observed.violations:
            return
        ahead_s = max(0.0, stage.clock.is_off_by.total_seconds())
        self.mischief.stop()
        if stage.shared.sockets and stage.chance.random() < 0.5:
            stage.shared.break_streams()
        else:
            self.lives.kill("the faults are over: a fresh start")
        stage.note("world", "the faults stop")
        await self._go_on(RECOVERY_S + ahead_s, step_s=30.0)
        while stage.steps < LEAST_STEPS and not stage.observed.violations:
            await self._go_on(2 * STILL_S, step_s=30.0)
        stage.observed.when_quiet(stage)

    async def _go_on(self, for_s: float, *, step_s: float) -> None:
        stage = self._stage
        until_s = stage.loop.time() + for_s
        while stage.loop.time() < until_s and not stage.observed.violations:
            await asyncio.sleep(step_s)
            if stage.loop.time() < until_s - STILL_S:
                self.move()
