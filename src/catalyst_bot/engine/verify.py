"""Decide again on every recorded fact and compare: a regression test and an audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import Engine, is_fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The first place where deciding again gives something else than the journal says."""

    seq: int
    recorded: str
    decided: str


def batches(records: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """Split a journal into facts with what followed from each."""
    batch: list[Recorded] = []
    for record in records:
        if is_fact(record) and batch:
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def first_divergence(
    records: Iterable[Recorded], engine_for: Callable[[Recorded], Engine]
) -> Divergence | None:
    """Re-decide a journal; None when every decision and command comes out the same.

    `engine_for` makes the engine from a RunStarted, with the settings in it: a restart may have
    brought others, and what is remembered goes on.
    """
    engine: Engine | None = None
    for recorded in batches(records):
        if engine is None or isinstance(recorded[0].body, RunStarted):
            engine = _restarted(engine, engine_for(recorded[0]))
        fact = recorded[0].body
        decided = engine.handle(fact)  # type: ignore[arg-type]  # a batch begins with a fact
        for ours, theirs in zip(decided, recorded, strict=False):
            if ours != theirs:
                return _divergence(theirs.seq, theirs, ours)
        if len(decided) != len(recorded):
            return _length_divergence(recorded, decided)
    return None


def _restarted(before: Engine | None, engine: Engine) -> Engine:
    """The new engine with the memory of the one before."""
    if before is not None:
        engine.state = before.state
    return engine


def _divergence(seq: int, recorded: Recorded | None, decided: Recorded | None) -> Divergence:
    return Divergence(
        seq=seq,
        recorded=repr(recorded.body) if recorded is not None else "nothing",
        decided=repr(decided.body) if decided is not None else "nothing",
    )


def _length_divergence(recorded: list[Recorded], decided: list[Recorded]) -> Divergence:
    shorter = min(len(recorded), len(decided))
    seq = recorded[0].seq + shorter
    if len(recorded) > shorter:
        return _divergence(seq, recorded[shorter], None)
    return _divergence(seq, None, decided[shorter])
