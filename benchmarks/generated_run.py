"""The generated market played through the real parts, for measurements and as a source of data."""

from __future__ import annotations

from pathlib import Path

from catalyst_bot.bootstrap.requests import Asked, generated_replay
from catalyst_bot.bootstrap.run import ReplayRequest, assemble, story
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.journal import Journal
from catalyst_bot.runtime.sync_loop import run_batches
from catalyst_bot.storage.memory import MemoryJournal

SEED = 4  # that of `catalyst-bot demo`


def generated_request(folder: Path, seed: int = SEED) -> ReplayRequest:
    """Return the request of `catalyst-bot demo --mode backtest`; `folder` is its data folder."""
    asked = Asked(mode=Mode.BACKTEST, is_dry_run=False, data_dir=folder)
    return generated_replay(asked, seed=seed, effects=1.0)[0]


def play(request: ReplayRequest, journal: Journal) -> None:
    """Play the request into a journal, in this process."""
    parts = assemble(request, journal)
    batches = story(request, parts)
    run_batches(batches, pipeline=parts.pipeline, effects=parts.effects, first=parts.undone)


def recorded_session(folder: Path) -> list[Recorded]:
    """Return every record of the generated market."""
    journal = MemoryJournal()
    play(generated_request(folder), journal)
    return list(journal.read())
