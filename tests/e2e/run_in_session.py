"""`catalyst-bot run --broker alpaca` by a clock ahead of the wall: python FILE SECONDS DIR [dry].

Outside the hours of the exchange signals wait for the open; a test does not.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalyst_bot import console, runner
from catalyst_bot.bootstrap.requests import Asked, live_feeds_of


class ShiftedClock:
    """The wall clock, moved."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def main(ahead_s: str, data_dir: str, dry: str = "") -> None:
    clock = ShiftedClock(timedelta(seconds=float(ahead_s)))

    def action() -> int:
        asked = Asked(is_dry_run=bool(dry), broker="alpaca", data_dir=Path(data_dir))
        return runner.follow(replace(live_feeds_of(asked), clock=clock), json_path="")

    console.guarded(action)


if __name__ == "__main__":
    main(*sys.argv[1:])
