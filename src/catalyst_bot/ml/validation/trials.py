"""The ledger of trials: every model and rule that was ever measured, counted once and for good.

The best of a thousand tries looks good by chance, so luck can only be told from skill by whoever
knows how many tries there were. The ledger is a file of lines that only grows; each line carries
the hash of all before it. Its length and last hash are kept a second time outside it, as a *seal*
in the user's own state folder, and a third time on the card of every model and in every report:
a ledger that is gone, shorter, or another one is noticed by whoever holds one of these.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import BadData, ConfigError

FILE = "trials.jsonl"
WALK_FORWARD = "walk-forward"  # the kind of trial that a report is about
_NOTHING = "0" * 64  # what stands before the first line
_STATE = Path(".local") / "state" / "catalyst-bot" / "trials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One line: something measured, `trials` of a kind at once where a search tried many.

    `sharpe` is annual: of the one trial, or the mean of the many, whose variance is
    `sharpe_variance`. `periods` is how many returns it was measured on, `returns_hash` their hash.
    None for what was given up before it had a result; it counts nevertheless.
    """

    kind: str
    at: str
    config_hash: str
    seeds: tuple[int, ...]
    returns_hash: str
    sharpe: float | None
    periods: int
    trials: int
    sharpe_variance: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a ledger had come: lines, trials in them, and the hash of the last line."""

    lines: int
    trials: int
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """Return what a card and a report say."""
        return asdict(self)


START = Head(lines=0, trials=0, hash=_NOTHING)


class TrialLedger:
    """The ledger in a file, guarded by its seal; both are made by the first trial.

    Raises `ConfigError` for a folder, and for a place below a file.
    """

    def __init__(self, path: Path, *, seals: Path | None = None) -> None:
        self._path = path.absolute()
        above = next(each for each in self._path.parents if each.exists())
        if self._path.is_dir() or not above.is_dir():
            raise ConfigError(f"{path} is no place for a ledger of trials: name a file in a folder")
        folder = seals if seals is not None else seal_folder()
        self._seal = folder / f"{sha256(str(self._path).encode()).hexdigest()[:32]}.json"

    @property
    def path(self) -> Path:
        """Where the ledger is."""
        return self._path

    def record(
        self,
        kind: str,
        *,
        at: datetime,
        config_hash: str,
        seeds: Sequence[int],
        returns_hash: str,
        sharpe: float | None,
        periods: int,
        trials: int = 1,
        sharpe_variance: float = 0.0,
    ) -> Head:
        """Add a line and seal it; return the new head.

        Several processes may record at once. Raises `BadData` for a ledger that lost lines (then
        nothing is recorded) and `ValueError` for numbers that are none.
        """
        known = sharpe is None or isfinite(sharpe)
        if not (known and isfinite(sharpe_variance) and sharpe_variance >= 0 and trials > 0):
            raise ValueError(f"not a trial: Sharpe {sharpe}, {trials} trials")
        trial = Trial(
            kind=kind,
            at=at.isoformat().replace("+00:00", "Z"),
            config_hash=config_hash,
            seeds=tuple(seeds),
            returns_hash=returns_hash,
            sharpe=sharpe,
            periods=periods,
            trials=trials,
            sharpe_variance=sharpe_variance,
        )
        with self._held():
            lines, whole = _lines_of(self._path)
            head = _last(self._checked(lines))
            text = _line_of(trial, head)
            with self._path.open("r+b") as file:
                file.seek(whole)
                file.truncate()  # half a line of a process that died while it wrote
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            head = Head(
                lines=head.lines + 1,
                trials=head.trials + trials,
                hash=json.loads(text)["hash"],
            )
            self._write_seal(head)
        return head

    def read(self) -> tuple[tuple[Trial, ...], Head]:
        """Return all trials and the head.

        Raises `BadData` when a line was changed, when the ledger is gone, or when it is shorter
        than, or another one than, the one that was sealed.
        """
        lines, _ = _lines_of(self._path)
        chain = self._checked(lines)
        return tuple(trial for trial, _ in chain), _last(chain)

    def must_hold(self, head: Head) -> None:
        """Raise `BadData` unless the ledger had this head once: it grew out of that one."""
        lines, _ = _lines_of(self._path)
        chain = self._checked(lines)
        heads = [START, *(each for _, each in chain)]
        if head.lines >= len(heads) or heads[head.lines] != head:
            raise BadData(
                f"{self._path}: is not the ledger that counted {head.trials} trials in "
                f"{head.lines} lines (hash {head.hash[:12]}…); bring that one back"
            )

    def carry_on(self, *, at: datetime, reason: str) -> Head:
        """Begin a new ledger in the place of one that is lost, carrying the number of its trials.

        What was tried stays tried: the count goes on from the sealed one. Models and reports that
        name the lost ledger stay refused. Raises `ConfigError` when nothing is lost.
        """
        try:
            self.read()
        except BadData:
            lost = self._read_seal()
        else:
            raise ConfigError(f"{self._path}: is whole; there is nothing to carry on from")
        if self._path.is_file():
            self._path.replace(self._path.with_name(f"{self._path.name}.{at:%Y%m%dT%H%M%S}.lost"))
        self._seal.unlink(missing_ok=True)
        return self.record(
            f"carried: {reason}",
            at=at,
            config_hash="",
            seeds=(),
            returns_hash="",
            sharpe=None,
            periods=0,
            trials=max(lost.trials, 1),
        )

    def _checked(self, lines: Sequence[bytes]) -> list[tuple[Trial, Head]]:
        chain = _chain(lines, self._path)
        sealed = self._read_seal()
        heads = [START, *(head for _, head in chain)]
        if sealed.lines >= len(heads) or heads[sealed.lines] != sealed:
            raise BadData(
                f"{self._path}: {len(lines)} lines, but {sealed.lines} lines with {sealed.trials} "
                "trials were recorded here: it was deleted, cut, or an older copy was put in its "
                "place; bring the newest back. Trials that nobody counts make every result a lie"
            )
        return chain

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One process at a time, over reading, writing and sealing."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _read_seal(self) -> Head:
        try:
            return Head(**json.loads(self._seal.read_text(encoding="utf-8"))["head"])
        except (FileNotFoundError, NotADirectoryError):
            return START
        except (ValueError, TypeError, KeyError) as error:
            raise BadData(f"{self._seal}: is not a seal of a ledger ({error})") from error

    def _write_seal(self, head: Head) -> None:
        try:
            self._seal.parent.mkdir(parents=True, exist_ok=True)
            part = self._seal.with_suffix(f".{os.getpid()}.part")
            said = {"ledger": str(self._path), "head": head.as_dict()}
            part.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
            part.replace(self._seal)
        except OSError as error:
            raise ConfigError(
                f"{self._seal}: cannot be written ({error.strerror or error}); trials are sealed "
                "there: make it writable, or name a folder with XDG_STATE_HOME"
            ) from error


def seal_folder() -> Path:
    """Return the user's folder of seals: away from the ledger, so that losing one shows."""
    named = os.environ.get("XDG_STATE_HOME")
    return Path(named) / "catalyst-bot" / "trials" if named else Path.home() / _STATE


def _lines_of(path: Path) -> tuple[list[bytes], int]:
    """Return the whole lines of a file and where they end."""
    content = path.read_bytes() if path.is_file() else b""
    whole = content.rfind(b"\n") + 1
    return content[:whole].splitlines(), whole


def _line_of(trial: Trial, before: Head) -> bytes:
    row = asdict(trial) | {"previous": before.hash}
    return _canonical(row | {"hash": sha256(_canonical(row)).hexdigest()}) + b"\n"


def _canonical(row: dict[str, Any]) -> bytes:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _chain(lines: Sequence[bytes], path: Path) -> list[tuple[Trial, Head]]:
    """Return each line with the head after it. Raises `BadData` naming the first broken line."""
    chain, head = list[tuple[Trial, Head]](), START
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            claimed, previous = row.pop("hash"), row["previous"]
            if previous != head.hash or sha256(_canonical(row)).hexdigest() != claimed:
                raise ValueError("its hash does not fit")
            del row["previous"]
            trial = Trial(**row | {"seeds": tuple(row["seeds"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BadData(f"{path}:{number}: was changed ({error}); bring it back") from error
        head = Head(lines=number, trials=head.trials + trial.trials, hash=claimed)
        chain.append((trial, head))
    return chain


def _last(chain: Sequence[tuple[Trial, Head]]) -> Head:
    return chain[-1][1] if chain else START
