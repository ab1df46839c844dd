"""`python -m benchmarks [PART...]`: measure, and print one table; `--page` writes all of it down.

Absolute figures belong to the machine; what counts is the same table before and after a change,
and the peer that ran beside us.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

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


PAGE = Path("docs/evidence/benchmarks.md")
ABOUT = """<!-- Written by `python -m benchmarks --page`. -->

# How fast it is: measured

`make bench` measures it again: the median of {rounds} rounds where nothing else is said. Absolute
figures belong to the machine; a target is what was asked for, and a peer ran in the same run.
"""


def main(arguments: list[str]) -> int:
    """Run the parts named, or all; exit code 2 for a name that is none."""
    names = [name for name in arguments if name != "--page"]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    where = (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} at the beginning, medians of {ROUNDS}"
    )
    lines: list[Line] = []
    for name in names or PARTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        lines += PARTS[name]()
    print(f"{where}\n\n{table(lines)}")
    if "--page" in arguments:
        page = f"{ABOUT.format(rounds=ROUNDS)}\n{where}.\n\n{table(lines)}\n"
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
