"""A history on disk that agents can be trained on within a second, and the job to do it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from catalyst_bot.history.panel import write_panel
from catalyst_bot.ml.terms import Terms, terms_of
from catalyst_bot.ml.training.train import TrainingJob
from catalyst_bot.settings import Settings
from tests.panels import Case, panel_of

SYMBOLS = ("ACME", "BOLT", "CRUX", "DUNE")
SMALL: dict[str, Any] = {"accounts": 16, "rounds": 3, "patience": 3, "keywords.n_steps": 16}


def terms() -> Terms:
    return terms_of(Settings())


def write_history(folder: Path, *, seed: int = 1, bars: int = 6) -> Path:
    """Four companies over 300 sessions, each with news every eleven, followed for some bars."""
    cases = [
        Case(symbol=symbol, bar=bar, bars=bars)
        for place, symbol in enumerate(SYMBOLS)
        for bar in range(30 + place, 296 - bars, 11)
    ]
    panel = panel_of(cases, symbols=SYMBOLS, seed=seed)
    write_panel(folder, replace(panel, card=replace(panel.card, data_hash=f"random-{seed}")))
    return folder


def job_of(history: Path, **changes: Any) -> TrainingJob:
    given: dict[str, Any] = {
        "history": history,
        "algorithm": "a2c",
        "seed": 1,
        "train": range(20, 180),
        "validation": range(190, 290),
        "terms": terms(),
        "steps": 3_072,
        "hyperparameters": SMALL,
    }
    return TrainingJob(**given | changes)
