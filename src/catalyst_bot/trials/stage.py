"""The stage of a schedule: world, broker, what is seen, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.messages.facts import SplitApplied
from catalyst_bot.domain.messages.registry import Fact, Recorded
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.trials.disk import Disk
from catalyst_bot.trials.faults import FaultPlan
from catalyst_bot.trials.invariants.table import Watch
from catalyst_bot.trials.life import BotClock, Latch, Life
from catalyst_bot.trials.venue import Venue
from catalyst_bot.trials.virtual_loop import VirtualLoop
from catalyst_bot.trials.wire import Asking, Exchanged
from catalyst_bot.trials.world import World

MAX_SKEW_S = 240.0
FIRST_DAY, DAYS = datetime(2025, 9, 2, tzinfo=UTC), 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a story: when (virtual seconds), who, what."""

    at_s: float
    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a schedule is played with; `settings` are the bot's as JSON."""

    rules: EngineRules
    settings: str
    quarantine: Path
    faults: Collection[str]
    is_told: bool = False


class Stage:
    """What all parts of a schedule share, drawn from its one source of chance."""

    def __init__(self, seed: int, setting: Setting, loop: VirtualLoop) -> None:
        self.seed = seed
        self.rules = setting.rules
        self.settings = setting.settings
        self.quarantine = setting.quarantine
        self.is_told = setting.is_told
        self.story: list[Told] = []
        self.steps = 0
        self.loop = loop
        self.chance = Random(seed)  # noqa: S311  # a schedule is to be repeated, not secret
        self.faults = FaultPlan(self.chance, setting.faults)
        self.is_before_night = False
        self.is_day = asyncio.Event()
        self.is_day.set()
        self.session = self._draw_session()
        self._start = self._draw_start(self.session)
        self.phase = self.rules.calendar.phase_at(self._start)
        self.world = World(self.chance, self._start)
        is_small = self.faults.strikes("small-fills")
        self.venue = Venue(
            self.world,
            now=self.true_time,
            seed=seed,
            partial_probability=Decimal("0.9") if is_small else Decimal("0.1"),
            tell=self._on_update,
        )
        self.disk = Disk()
        self.clock = BotClock(self.true_time)
        self.latch = Latch()
        self.latched_at_s: float | None = None
        self.calm_at_s: float | None = None
        self.observed = Watch(self.rules)
        if self.faults.strikes("clock-skew"):
            self.put_off_clock()
        self.shared = Exchanged(
            self.venue,
            self.faults,
            self.chance,
            true_time=self.true_time,
            note=self.note,
            on_order=self._on_order,
            on_request=self._on_request,
        )
        self.life: Life | None = None
        self.lives = 0
        self.splits: list[SplitApplied] = []
        self.paid_out_usd = Decimal(0)

    # Time and the story

    def true_time(self) -> datetime:
        """Return the time of the exchange."""
        return self._start + timedelta(seconds=self.loop.time())

    def now_s(self) -> float:
        """Return the virtual seconds since the schedule began."""
        return self.loop.time()

    def is_in_session(self) -> bool:
        """Tell whether the exchange trades in its regular session."""
        return self.phase is SessionPhase.REGULAR

    def change_phase(self) -> None:
        """Begin another part of the day when it is time."""
        phase = self.rules.calendar.phase_at(self.true_time())
        if phase is not self.phase:
            self.phase = phase
            self.venue.change_session(phase)
            self.note("world", f"the exchange is {phase}")

    def put_off_clock(self) -> None:
        """Set the bot's clock wrong."""
        self.observed.is_clock_off = True
        self.clock.is_off_by = timedelta(seconds=self.chance.uniform(-MAX_SKEW_S, MAX_SKEW_S))

    def note(self, who: str, what: str) -> None:
        """Count a step, check what must hold after every one, and tell it if somebody listens."""
        self.steps += 1
        if self.is_told:
            self.story.append(Told(at_s=self.loop.time(), who=who, what=what))
        self.observed.after_step(self)

    def on_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take notice of an error in a callback of ours; a task that died is known already."""
        error = context.get("exception")
        if error is not None and "callback" in str(context.get("message", "")):
            self.observed.broken(self, f"a callback failed: {error!r}")

    @property
    def keys_refused_at_s(self) -> float | None:
        """When the living bot was first told that its keys are refused."""
        return self.shared.keys_refused_at_s

    # The bot

    def alive(self) -> Life | None:
        """Return the life that goes on, if one does."""
        return self.life if self.life is not None and not self.life.is_dead else None

    def tell(self, fact: Fact) -> None:
        """Let the bot hear something, if it lives."""
        life = self.alive()
        if life is not None:
            life.sink(fact)

    def on_batch(self, batch: Sequence[Recorded]) -> None:
        """See what was committed."""
        self.observed.on_batch(self, batch)
        if self.is_told:
            self.story += [
                Told(at_s=self.loop.time(), who="core", what=f"{each.seq} {each.body!r}")
                for each in batch
            ]
        self.note("core", type(batch[0].body).__name__)

    def _on_order(self, body: Mapping[str, Any]) -> None:
        self.observed.on_order(self, body)

    def _on_request(self, asking: Asking) -> None:
        self.observed.on_request(self, asking)

    def _on_update(self, message: dict[str, Any]) -> None:
        order = message["order"]
        what = f"{message['event']} {order['symbol']} {order['side']} {order['id'][:8]}"
        self.note("venue", what)
        self.shared.tell(message)

    # Draws at the beginning

    def _draw_session(self) -> Session:
        at = FIRST_DAY + timedelta(days=self.chance.randrange(DAYS))
        return self.rules.calendar.next_session(at)

    def _draw_start(self, session: Session) -> datetime:
        """Return a moment in the session: mostly its middle, now and then its edges."""
        kind = self.chance.random()
        if kind < 0.1:
            return session.opens_at - timedelta(minutes=self.chance.uniform(1, 10))
        if kind < 0.3:
            self.is_before_night = True
            return session.closes_at - timedelta(minutes=self.chance.uniform(1, 4))
        return session.opens_at + timedelta(minutes=self.chance.uniform(15, 240))
