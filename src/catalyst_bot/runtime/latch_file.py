"""The HALT latch as a file, and the note that says where the bot's orders are.

What the kill switch needs of the mailbox, without what the bot needs of it: nothing here imports
messages, so a process that only has to stop the bot starts at once.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from catalyst_bot.domain.enums import PositionsPolicy

FOLDER = "operator"
HALT_FILE = "HALT"
BROKER_FILE = "BROKER"
LOCK_FILE = "ATTENDED"

Note = dict[str, str]


def set_latch(data_dir: Path, *, by: str, reason: str, positions_policy: PositionsPolicy) -> Path:
    """Set the latch; returns its path. Safe to call twice.

    Where the disk has no room for the words, an empty file is tried: it needs none, and halts as
    well. Raises `OSError` when not even that can be made.
    """
    path = data_dir / FOLDER / HALT_FILE
    note = {"by": by, "reason": reason, "positions_policy": str(positions_policy)}
    try:
        return write_note(path, note)
    except OSError:
        path.touch()
        return path


def hold(data_dir: Path) -> int | None:
    """Take the lock of the one bot on a folder: the open file, which holds it until it is closed
    or the process is gone. None when another bot has it. Raises `OSError`.
    """
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def is_attended(data_dir: Path) -> bool:
    """True while a bot holds the lock; a folder without one is left as it is. Raises `OSError`."""
    if not (data_dir / FOLDER / LOCK_FILE).exists():
        return False
    held = hold(data_dir)
    if held is not None:
        os.close(held)
    return held is None


def note_broker(data_dir: Path, note: Note) -> None:
    """Say where the orders of the running bot are, for a kill switch that nobody told.

    It holds no secret. Raises `OSError`.
    """
    write_note(data_dir / FOLDER / BROKER_FILE, note)


def noted_broker(data_dir: Path) -> Note:
    """Return the note of the bot that ran last; empty when there is none that can be read."""
    try:
        content = (data_dir / FOLDER / BROKER_FILE).read_bytes()
    except OSError:
        return {}
    return read_note(content)


def write_note(path: Path, note: Note) -> Path:
    """Write a note so that nobody ever reads half of it. Raises `OSError`."""
    return write_text_whole(path, json.dumps(note))


def write_text_whole(path: Path, text: str) -> Path:
    """Write a file that is there as a whole or not at all. Raises `OSError` that names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    return path


def read_note(content: bytes) -> Note:
    """A note as text values; a damaged or empty one reads as none, so that a halt still halts."""
    try:
        note = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return {k: str(v) for k, v in note.items()} if isinstance(note, dict) else {}
