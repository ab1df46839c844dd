"""Schedules played in the test's own process, over rules that are made once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from catalyst_bot.bootstrap.simulating import trial_rules
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.trials.faults import chosen
from catalyst_bot.trials.schedule import Outcome, play
from catalyst_bot.trials.stage import Setting


@lru_cache(maxsize=1)
def rules() -> EngineRules:
    return trial_rules()


def played(seed: int, folder: Path, *, faults: str = "all", is_told: bool = False) -> Outcome:
    setting = Setting(
        rules=rules(),
        settings="{}",
        quarantine=folder / f"{seed}.jsonl",
        faults=chosen(faults),
        is_told=is_told,
    )
    return play(seed, setting)
