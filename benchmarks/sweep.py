"""A thousand parameter sets over twenty symbols and 2,500 days, beside vectorbt.

Ours are whole accounts: sizes from seven caps, the table of checks, trailing stops, time exits,
breakers, participation. The peer's are stop, target and size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.line import Line, skipped

PEER = "CATALYST_VECTORBT"  # the Python of an environment with vectorbt==1.2.0
_JOB = "sweep of 1,000 sets, 20 symbols x 2,500 days"
_HERE = Path(__file__).parent


def lines() -> list[Line]:
    """Run ours and, where the variable names an environment, the peer; one after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sweep_once"],
        capture_output=True,
        text=True,
        check=False,
        cwd=_HERE.parent,
    )
    if done.returncode:
        return [skipped(_JOB, done.stderr.strip().splitlines()[-1])]
    ours = json.loads(done.stdout)
    note = f"{ours['trades']:.0f} trades a set, 2 threads"
    memory = Line(
        job="its memory", unit="MB", value=ours["peak_mb"], target=500, is_less_better=True
    )
    python = os.environ.get(PEER)
    if not python:
        why = f"{note}; {PEER} names no Python with vectorbt==1.2.0"
        return [Line(job=_JOB, unit="s", value=ours["seconds"], note=why), memory]
    told = subprocess.run(
        [python, str(_HERE / "sweep_peer.py")], capture_output=True, text=True, check=True
    )
    theirs = json.loads(told.stdout)
    return [
        Line(
            job=f"{_JOB}, against vectorbt",
            unit="x",
            value=theirs["measures_s"] / ours["seconds"],
            target=50,
            peer=(
                f"vectorbt {theirs['measures_s']:.1f} s with 4 measures, "
                f"{theirs['returns_s']:.1f} s return only, {theirs['peak_mb']:,.0f} MB"
            ),
            note=f"ours {ours['seconds']:.2f} s; {note}",
        ),
        memory,
    ]
