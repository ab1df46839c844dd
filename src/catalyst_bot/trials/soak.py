"""One long life of the bot, and what it costs the machine by the hour: memory, files, tasks.

Hours of the regular session are counted, for by night nothing happens that could pile up. Nothing
kills the bot, its disk and its clock are good, no shares are split, and a person only resumes what
was halted; all other faults happen. Every promise is held as in a schedule.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Any

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.risk.checklist import checklist
from catalyst_bot.trials.disk import Disk
from catalyst_bot.trials.faults import FAULTS
from catalyst_bot.trials.invariants.seen import Violation
from catalyst_bot.trials.report import Request
from catalyst_bot.trials.schedule import Schedule
from catalyst_bot.trials.stage import Setting, Stage
from catalyst_bot.trials.virtual_loop import VirtualLoop

MOVES_APART_S = (0.3, 1.1)
SAMPLE_EVERY = timedelta(minutes=10)
RESUME_EVERY = timedelta(minutes=30)
NIGHT_STEP_S = 900.0
WARM_UP_H = 2.0  # until caches, pools and the bars that are remembered are full
MOST_MB_AN_HOUR = 1.0
MOST_FILES_MORE = 2
MOST_TASKS_MORE = 8
_MB = 1024.0 * 1024.0
_PROCESS = Path("/proc/self")  # Linux tells there what a process uses
_LEFT_OUT = frozenset(
    name
    for name in FAULTS
    if name.startswith(("crash", "disk", "clock", "sigterm", "split", "operator"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How much the process uses after so many hours of the session."""

    hour: float
    rss_mb: float
    files: int
    tasks: int
    messages: int

    def as_words(self) -> str:
        """Return it as a line of progress."""
        return (
            f"{self.hour:.1f} h: {self.messages} messages, {self.rss_mb:.1f} MB, "
            f"{self.files} files, {self.tasks} tasks"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Soaked:
    """What a soak came to."""

    seed: int
    hours: float
    seconds: float
    samples: tuple[Sample, ...]
    violations: tuple[Violation, ...]

    @property
    def warm(self) -> tuple[Sample, ...]:
        """The samples after the warm-up."""
        return tuple(each for each in self.samples if each.hour >= WARM_UP_H)

    @property
    def is_warm(self) -> bool:
        """True when the life lasted long enough to tell whether something grows."""
        return len(self.warm) >= 2

    @property
    def mb_an_hour(self) -> float | None:
        """The slope of memory over hours, by least squares over the warm samples; None before."""
        if not self.is_warm:
            return None
        return linear_regression([s.hour for s in self.warm], [s.rss_mb for s in self.warm]).slope

    @property
    def leaks(self) -> list[str]:
        """Say what grows that should not; nothing when all is flat, or not warm (`is_warm`)."""
        slope = self.mb_an_hour
        if slope is None:
            return []
        first, last = self.warm[0], self.warm[-1]
        return [
            said
            for is_leak, said in (
                (not slope < MOST_MB_AN_HOUR, f"memory by {slope:.2f} MB/h"),
                (last.files > first.files + MOST_FILES_MORE, f"files: {first.files}, {last.files}"),
                (last.tasks > first.tasks + MOST_TASKS_MORE, f"tasks: {first.tasks}, {last.tasks}"),
            )
            if is_leak
        ]

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "seed": self.seed,
            "hours": round(self.hours, 2),
            "messages": self.samples[-1].messages,
            "is_warm": self.is_warm,
            "mb_an_hour": None if self.mb_an_hour is None else round(self.mb_an_hour, 4),
            "leaks": self.leaks,
            "violations": [asdict(each) for each in self.violations],
            "seconds": round(self.seconds, 1),
            "samples": [asdict(each) for each in self.samples],
        }


def soak(
    request: Request, hours: float, *, on_sample: Callable[[Sample], None] = lambda _: None
) -> Soaked:
    """Let the bot of the request's first seed live for so many hours of the session.

    Raises `ConfigError` where the system does not tell what a process uses.
    """
    if not _PROCESS.is_dir():
        raise ConfigError("--soak reads /proc, which only Linux has: soak the bot there")
    began_s = time.perf_counter()
    seed = request.seeds[0]
    loop = VirtualLoop()
    with TemporaryDirectory() as folder:
        setting = Setting(
            rules=request.rules(),
            settings=request.settings,
            quarantine=Path(folder) / "quarantine.jsonl",
            faults=request.faults - _LEFT_OUT,
        )
        try:
            life = _LongLife(Stage(seed, setting, loop), hours, on_sample)
            loop.run_until_complete(life.run())
        finally:
            loop.close()
    return Soaked(
        seed=seed,
        hours=life.hour,
        seconds=time.perf_counter() - began_s,
        samples=tuple(life.samples),
        violations=tuple(life.stage.observed.violations),
    )


class _LongLife:
    """A stage on which one bot lives for days."""

    def __init__(self, stage: Stage, hours: float, on_sample: Callable[[Sample], None]) -> None:
        stage.disk = Disk(keeps=False)
        self.stage = stage
        self.hour = 0.0
        self.samples: list[Sample] = []
        self._hours = hours
        self._on_sample = on_sample
        self._schedule = Schedule(stage)

    async def run(self) -> None:
        """Live from session to session until the hours are over or a promise is broken."""
        lives = self._schedule.lives
        keeper = asyncio.ensure_future(lives.keep_alive())
        try:
            while self.hour < self._hours and not self.stage.observed.violations:
                await self._until_open()
                await self._trade()
        finally:
            await lives.end(keeper)

    async def _until_open(self) -> None:
        """Pass the night: the bot stays up, and looks at its books now and then."""
        stage = self.stage
        while not stage.is_in_session():
            following = stage.rules.calendar.next_session(stage.true_time())
            left_s = (following.opens_at - stage.true_time()).total_seconds()
            await asyncio.sleep(min(max(left_s, 1.0), NIGHT_STEP_S))
            stage.change_phase()
        stage.world.skip_to(stage.true_time())

    async def _trade(self) -> None:
        """Live through a session, or what is left of the hours."""
        stage = self.stage
        sample_at = resume_at = stage.true_time()
        while stage.is_in_session() and self.hour < self._hours:
            if stage.true_time() >= sample_at:
                sample_at = stage.true_time() + SAMPLE_EVERY
                self._sample()
            if stage.true_time() >= resume_at:
                resume_at = stage.true_time() + RESUME_EVERY
                self._resume()
            pause_s = stage.chance.uniform(*MOVES_APART_S)
            await asyncio.sleep(pause_s)
            self.hour += pause_s / 3_600.0
            self._schedule.move()
            self._schedule.mischief.befall()
            if stage.observed.violations:
                return

    def _sample(self) -> None:
        gc.collect()
        sample = Sample(
            hour=round(self.hour, 3),
            rss_mb=round(_resident_bytes() / _MB, 3),
            files=sum(1 for _ in (_PROCESS / "fd").iterdir()),
            tasks=len(asyncio.all_tasks()),
            messages=self.stage.disk.count,
        )
        self.samples.append(sample)
        self._on_sample(sample)

    def _resume(self) -> None:
        """A person looks at the whole checklist and resumes."""
        life = self.stage.alive()
        if life is None or life.engine.state.risk.trading_state is TradingState.ACTIVE:
            return
        now, engine = self.stage.clock.now(), life.engine
        items = checklist(engine.state.risk, engine.desk_at(now), engine.rules.risk.limits)
        confirmed = tuple(item.name for item in items)
        life.sink(f.OperatorResumed(at=now, by="soak", reason="looked at it", confirmed=confirmed))


def _resident_bytes() -> int:
    """Return the memory that the process has in use now, as Linux counts it."""
    pages = int((_PROCESS / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def as_lines(soaked: Soaked) -> Iterator[str]:
    """Return what a soak came to, in words."""
    first, last = (soaked.warm or soaked.samples)[0], soaked.samples[-1]
    slope = soaked.mb_an_hour
    growth = "" if slope is None else f" ({slope:+.3f} MB/h after {WARM_UP_H:g} h)"
    yield (
        f"{soaked.hours:.1f} h of the session, {last.messages} messages: memory {first.rss_mb:.1f} "
        f"to {last.rss_mb:.1f} MB{growth}, files "
        f"{first.files} to {last.files}, tasks {first.tasks} to {last.tasks}, "
        f"{len(soaked.violations)} broken promises in {soaked.seconds:.0f} s"
    )
    if not soaked.is_warm:
        yield f"not warm: no verdict; what grows is told after more than {WARM_UP_H:g} h"
    yield from (f"LEAK: {leak}" for leak in soaked.leaks)
