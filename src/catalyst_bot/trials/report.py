"""Many schedules: played by several processes, summed up, and told as JSON or in words."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.trials.bugs import BUGS
from catalyst_bot.trials.faults import ELSEWHERE, FAULTS
from catalyst_bot.trials.invariants.seen import Violation
from catalyst_bot.trials.schedule import Outcome, play
from catalyst_bot.trials.stage import Setting, Told

CHUNK = 50  # seeds between two reports of progress
MOST_VIOLATIONS = 50  # after so many there is nothing left to learn
SEEN_WITHIN = 1_000  # seeds: a fault that was not seen among so many does not work

Rules = Callable[[], EngineRules]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which schedules to play; `rules` makes the rules of the core, once in a process."""

    rules: Rules
    settings: str
    seeds: range
    faults: frozenset[str]
    planted_bug: str = ""


@dataclass(slots=True)
class Summary:
    """What many schedules came to."""

    seeds: int = 0
    steps: int = 0
    fewest_steps: int = 0  # of one schedule; 0 while there is none
    lives: int = 0
    seconds: float = 0.0
    violations: list[Violation] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        """Add what others came to."""
        both = (self.fewest_steps, other.fewest_steps)
        self.fewest_steps = min(both) if all(both) else max(both)
        self.seeds += other.seeds
        self.steps += other.steps
        self.lives += other.lives
        self.violations += other.violations
        self.faults.update(other.faults)
        self.counts.update(other.counts)

    def unseen(self, allowed: frozenset[str]) -> list[str]:
        """Return the faults that were allowed and never happened, where seeds are enough."""
        if self.seeds < SEEN_WITHIN:
            return []
        return sorted(name for name in allowed if not self.faults[name])


def play_all(
    request: Request, *, jobs: int, on_progress: Callable[[Summary], None] = lambda _: None
) -> Summary:
    """Play every schedule of a request."""
    began_s = time.perf_counter()
    total = Summary()
    for part in _parts(request, jobs):
        total.add(part)
        total.seconds = time.perf_counter() - began_s
        on_progress(total)
        if len(total.violations) >= MOST_VIOLATIONS or (request.planted_bug and total.violations):
            break
    total.seconds = time.perf_counter() - began_s
    return total


def hunt(request: Request, *, jobs: int) -> Iterator[tuple[str, Violation | None]]:
    """Plant every bug in turn; yield what was broken by it first, None when nothing was."""
    for name in sorted(BUGS):
        found = play_all(replace(request, planted_bug=name), jobs=jobs).violations
        yield name, found[0] if found else None


def tell(request: Request, seed: int) -> Outcome:
    """Play one schedule and keep its story."""
    rules = request.rules()
    with TemporaryDirectory() as folder, _planted(request.planted_bug):
        setting = Setting(
            rules=rules,
            settings=request.settings,
            quarantine=Path(folder) / "quarantine.jsonl",
            faults=request.faults,
            is_told=True,
        )
        return play(seed, setting)


def _parts(request: Request, jobs: int) -> Iterator[Summary]:
    chunks = [request.seeds[start : start + CHUNK] for start in range(0, len(request.seeds), CHUNK)]
    if jobs <= 1:
        work = _Work(request)
        yield from map(work.play, chunks)
        return
    context = get_context("spawn")  # a fork would share what the parent has loaded, and its locks
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(request,)
    ) as pool:
        waiting = [pool.submit(_play, chunk) for chunk in chunks]
        try:
            for each in waiting:
                yield each.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class _Work:
    """What one process plays: its rules are made once."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._rules = request.rules()
        gc.collect()
        gc.freeze()

    def play(self, seeds: Sequence[int]) -> Summary:
        """Play some seeds; the collector rests meanwhile, for a schedule is one big garbage."""
        total = Summary()
        gc.disable()
        with TemporaryDirectory() as folder, _planted(self._request.planted_bug):
            for seed in seeds:
                setting = Setting(
                    rules=self._rules,
                    settings=self._request.settings,
                    quarantine=Path(folder) / f"{seed}.jsonl",
                    faults=self._request.faults,
                )
                outcome = play(seed, setting)
                total.add(_summed(outcome))
                if self._request.planted_bug and total.violations:
                    break
                if seed % 10 == 0:
                    gc.collect()
        gc.enable()
        return total


_work: list[_Work] = []  # of this process, when it is one of several


def _begin(request: Request) -> None:
    _work.append(_Work(request))


def _play(seeds: Sequence[int]) -> Summary:
    return _work[0].play(seeds)


def _planted(bug: str) -> Any:
    return BUGS[bug].planted() if bug else nullcontext()


def _summed(outcome: Outcome) -> Summary:
    return Summary(
        seeds=1,
        steps=outcome.steps,
        fewest_steps=outcome.steps,
        lives=outcome.lives,
        violations=list(outcome.violations),
        faults=Counter(outcome.fired),
        counts=Counter(outcome.counts),
    )


def as_json(total: Summary, request: Request) -> dict[str, Any]:
    """Return the summary for machines."""
    return {
        "seeds": total.seeds,
        "steps": total.steps,
        "fewest_steps": total.fewest_steps,
        "lives": total.lives,
        "violations": [
            {
                "seed": each.seed,
                "step": each.step,
                "invariant": each.invariant,
                "detail": each.detail,
            }
            for each in total.violations
        ],
        "faults": {name: total.faults[name] for name in FAULTS},
        "unseen": total.unseen(request.faults),
        "elsewhere": ELSEWHERE,
        "planted_bug": request.planted_bug or None,
        "seconds": round(total.seconds, 2),
        "steps_per_s": round(total.steps / total.seconds) if total.seconds else 0,
    }


def as_story(story: Sequence[Told]) -> Iterator[str]:
    """Return a story line by line: when, who, what."""
    for line in story:
        yield f"{line.at_s:10.3f} s  {line.who:<8} {line.what}"
