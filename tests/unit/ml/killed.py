"""A training in a process of its own, kept at every round: somebody kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from catalyst_bot.ml.training.train import train
from tests.unit.ml.histories import SMALL, job_of

if __name__ == "__main__":
    long = {**SMALL, "rounds": 150, "patience": 150}
    job = job_of(Path(sys.argv[1]), steps=150 * 256, hyperparameters=long, folder=Path(sys.argv[2]))
    train(job, keep_every_s=0.0)
