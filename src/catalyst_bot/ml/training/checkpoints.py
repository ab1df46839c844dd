"""A training on disk, to go on with after the process died: one file, whole or not at all.

Plain arrays with a note in JSON (safetensors): nothing in it can run. It belongs to one training,
told by the hash of all that decides what that training learns; of another it is refused.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.training.snapshots import Snapshot

FORMAT = 1
_NOTE = "note"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training keeps how far it came; `training_hash` says which training it is."""

    path: Path
    training_hash: str

    def write(self, snapshot: Snapshot) -> None:
        """Replace the checkpoint; a reader finds the one before or this one, never half of it."""
        note = {"format": FORMAT, "training": self.training_hash, "facts": snapshot.facts}
        arrays = {name: np.ascontiguousarray(array) for name, array in snapshot.arrays.items()}
        part = self.path.with_name(f".{self.path.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(save(arrays, metadata={_NOTE: json.dumps(note, allow_nan=False)}))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def read(self) -> Snapshot | None:
        """Return what was kept, None where nothing was.

        Raises `BadData` for a file that is damaged or of another training.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="numpy") as file:
                note = json.loads((file.metadata() or {})[_NOTE])
                arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            is_ours = note["format"] == FORMAT and note["training"] == self.training_hash
            facts = dict(note["facts"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise BadData(
                f"{self.path}: is a damaged checkpoint ({error}); delete it to train from the start"
            ) from error
        if not is_ours:
            raise BadData(
                f"{self.path}: is of a training with other data, hyperparameters or program; "
                "delete it, or name another folder"
            )
        return Snapshot(arrays, facts)

    def remove(self) -> None:
        """Forget it: the training is done."""
        with suppress(FileNotFoundError):
            self.path.unlink()
