"""What a client in another process told, one JSON object a line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conformance.answers import Answers

RUN_S = 120.0


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], answers: Answers, *, cwd: Path
) -> dict[str, Any]:
    """Run a client to its end; its answers are held against the documents, its steps returned."""
    done = subprocess.run(
        [str(word) for word in command],
        env=os.environ | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    steps: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        told = json.loads(line)
        if "http" in told:
            answer = told["http"]
            answers.look(answer["method"], answer["url"], answer["status"], answer["body"].encode())
        else:
            steps[told["step"]] = told["value"]
    last = next(reversed(steps), "nothing")
    assert done.returncode == 0, f"after {last!r}:\n{done.stderr}"
    assert "done" in steps, f"ended after {last!r}:\n{done.stderr}"
    return steps
