"""Certificates of drills: files in `<data dir>/drills`, and how old the newest is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

from catalyst_bot.runtime.latch_file import write_text_whole

FOLDER = "drills"
OVERDUE_AFTER = timedelta(days=31)
TARGET_MS = 1000.0  # roadmap: "kill switch activation < 1 second"
PASSED, FAILED = "passed", "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a drill of the kill switch came to. Times are milliseconds from the press, the start
    of the process included, to the verified book; `steps_ms` are medians.

    `tries` presses were made and `verified` of them left no open order, as `verified_by` saw.
    """

    at: datetime
    version: str
    venue: str
    orders: int
    latency_ms: float
    tries: int
    verified: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    steps_ms: Mapping[str, float]
    verified_by: str
    bot: str

    @property
    def is_passed(self) -> bool:
        """Every try was verified, and nearly all within a second."""
        return self.verified == self.tries and self.p99_ms < TARGET_MS

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        result = PASSED if self.is_passed else FAILED
        return {**asdict(self), "at": self.at.isoformat(), "result": result}

    def line(self) -> str:
        """The certificate in one line."""
        return (
            f"kill switch {PASSED if self.is_passed else FAILED} on {self.at:%Y-%m-%d %H:%M} UTC: "
            f"{self.verified} of {self.tries} verified without an open order by "
            f"{self.verified_by}, {self.orders} orders at {self.venue}, {self.latency_ms:g} ms "
            f"latency, {self.bot}; p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms, max "
            f"{self.max_ms:.0f} ms ({', '.join(f'{k} {v:.0f}' for k, v in self.steps_ms.items())}"
            f"); version {self.version}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDrill:
    """The newest certificate and its age; none was ever made where `at` is None."""

    at: datetime | None
    age: timedelta | None
    result: str
    line: str

    @property
    def is_overdue(self) -> bool:
        """A month has passed since, or it failed, or there was none, or none of this time."""
        is_fresh = self.age is not None and timedelta() <= self.age <= OVERDUE_AFTER
        return not is_fresh or self.result != PASSED

    def text(self) -> str:
        """How long ago it was, for people."""
        if self.age is None:
            return "never drilled: `catalyst-bot drill kill-switch` takes a minute"
        if self.age < timedelta():
            return f"{self.result} in the future, by its certificate: drill it again"
        ago = "today" if self.age < timedelta(days=1) else f"{self.age.days} days ago"
        late = ": drill it again" if self.is_overdue else ""
        return f"{self.result} {ago}{late}"

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "at": self.at,
            "age_days": None if self.age is None else self.age.days,
            "is_overdue": self.is_overdue,
            "text": self.text(),
            "line": self.line,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed; 0 of none."""
    ranked = sorted(values)
    return ranked[max(ceil(share * len(ranked)) - 1, 0)] if ranked else 0.0


def keep(data_dir: Path, certificate: Certificate) -> Path:
    """Write a certificate and return where. Raises `OSError`."""
    path = data_dir / FOLDER / f"kill-switch-{certificate.at:%Y%m%dT%H%M%SZ}.json"
    return write_text_whole(path, json.dumps(certificate.as_dict() | {"line": certificate.line()}))


def last_drill(data_dir: Path, now: datetime) -> LastDrill:
    """Return the newest drill; a certificate that cannot be read counts as none."""
    for path in sorted((data_dir / FOLDER).glob("kill-switch-*.json"), reverse=True):
        try:
            told = json.loads(path.read_bytes())
            at = datetime.fromisoformat(told["at"])
            return LastDrill(at=at, age=now - at, result=told["result"], line=told["line"])
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return LastDrill(at=None, age=None, result="", line="")
