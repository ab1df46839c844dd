"""One start over a journal, as a process of its own: `python -m benchmarks.restart_once FILE`."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

from catalyst_bot.bootstrap import journals
from catalyst_bot.bootstrap.journal_tools import engine_of
from catalyst_bot.bootstrap.parts import embedded_venue
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.engine.recovery import unanswered
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.replay import Inlet
from catalyst_bot.settings import from_json
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place

ROWS, ORDERS, POSITIONS = 100_000, 500, 50


def restart(place: Place) -> tuple[float, ...]:
    """Seconds of each part of a start over a journal."""
    marks = [time.perf_counter()]
    with SqlJournal(place) as journal:
        marks.append(time.perf_counter())
        records = journals.all_records(journal)
        marks.append(time.perf_counter())
        engine = engine_of(records[0])
        engine.fold(records)
        marks.append(time.perf_counter())
        clock = SimulatedClock(records[-1].at)
        assert isinstance(records[0].body, RunStarted)
        venue = embedded_venue(from_json(records[0].body.settings), sink=Inlet(), clock=clock)
        venue.recover((record.body for record in records), clock.now())
        unanswered(records)
        marks.append(time.perf_counter())
    if len(engine.state.portfolio.positions) != POSITIONS or len(records) != ROWS:
        raise RuntimeError("not what was written: the measurement is of something else")
    return tuple(after - before for before, after in pairwise(marks))


if __name__ == "__main__":
    restart(Path(sys.argv[1]))
