"""`python -m benchmarks [PART...]`: measure, and print one table.

Absolute figures belong to the machine; what counts is the same table before and after a change,
and the peer that ran beside us.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping

from benchmarks import (
    classification,
    commands,
    core,
    crash,
    environment,
    event_engine,
    exchange,
    features,
    feeds,
    indicators,
    inference,
    install,
    order_path,
    restart,
    risk,
    storage,
    sweep,
    texts,
    training,
    venue,
)
from benchmarks.line import ROUNDS, Line, table

PARTS: Mapping[str, Callable[[], list[Line]]] = {
    "classification": classification.lines,
    "feeds": feeds.lines,
    "texts": texts.lines,
    "commands": commands.lines,
    "order_path": order_path.lines,
    "risk": risk.lines,
    "core": core.lines,
    "event_engine": event_engine.lines,
    "environment": environment.lines,
    "venue": venue.lines,
    "exchange": exchange.lines,
    "storage": storage.lines,
    "restart": restart.lines,
    "crash": crash.lines,
    "indicators": indicators.lines,
    "features": features.lines,
    "sweep": sweep.lines,
    "inference": inference.lines,
    "training": training.lines,
    "install": install.lines,
}


def main(names: list[str]) -> int:
    """Run the parts named, or all; exit code 2 for a name that is none."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    lines: list[Line] = []
    for name in names or PARTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        lines += PARTS[name]()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}, medians of {ROUNDS}\n"
    )
    print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
