"""Write docs/evidence/simulation.md from what `catalyst-bot simulate` counted.

    catalyst-bot simulate --seeds 0..10000 --json summary.json
    catalyst-bot simulate --seeds 0..1000 --planted-bug all --json bugs.json
    python -m tools.simulation bugs.json summary.json…

Summaries of several ranges of seeds are added up.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalyst_bot.trials.bugs import BUGS
from catalyst_bot.trials.faults import ELSEWHERE, FAULTS

PAGE = Path("docs/evidence/simulation.md")


def main() -> None:
    """Read the files that are named and write the page."""
    bugs, *summaries = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    PAGE.write_text("\n".join(page_of(summaries, bugs)) + "\n", encoding="utf-8")


def page_of(summaries: Sequence[dict[str, Any]], bugs: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page."""
    total: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    broken = [each for summary in summaries for each in summary["violations"]]
    for summary in summaries:
        total.update({name: summary[name] for name in ("seeds", "steps", "lives", "seconds")})
        fired.update(summary["faults"])
    yield "<!-- Written by `python -m tools.simulation BUGS SUMMARY…`. -->"
    yield ""
    yield "# The whole bot against faults: measured"
    yield ""
    yield "What is played, and what is real in it: [how to simulate](../how-to/simulate.md)."
    yield "`catalyst-bot simulate --seeds 0..N --json FILE`, and with `--planted-bug all`."
    yield ""
    yield from _summary(total, fired, broken)
    yield from _faults(fired)
    yield from _bugs(bugs)


def _summary(
    total: Counter[str], fired: Counter[str], broken: Sequence[dict[str, Any]]
) -> Iterator[str]:
    speed = total["steps"] / total["seconds"]
    yield "| | |"
    yield "| --- | --- |"
    yield f"| schedules | {total['seeds']:,} |"
    yield f"| steps | {total['steps']:,} ({total['steps'] / total['seeds']:.0f} a schedule) |"
    yield f"| lives of the bot | {total['lives']:,} |"
    yield f"| faults that happened | {sum(fired.values()):,} |"
    yield f"| broken promises | {len(broken)} |"
    yield f"| speed | {speed:,.0f} steps/s, {total['seconds']:,.0f} s in all |"
    yield ""
    for each in broken:
        yield f"- seed {each['seed']}: {each['invariant']}: {each['detail']}"
    if broken:
        yield ""


def _faults(fired: Counter[str]) -> Iterator[str]:
    yield "## Faults"
    yield ""
    yield "| fault | of the list | what happens | happened |"
    yield "| --- | --- | --- | --: |"
    for name, (number, what, _) in FAULTS.items():
        yield f"| `{name}` | {number} | {what} | {fired[name]:,} |"
    yield ""
    yield "Not simulated here:"
    yield ""
    for number, where in ELSEWHERE.items():
        yield f"- {number}: {where}"
    yield ""


def _bugs(bugs: dict[str, Any]) -> Iterator[str]:
    found = {name: row for name, row in bugs["bugs"].items() if row is not None}
    yield "## Planted bugs"
    yield ""
    yield f"{len(found)} of {len(bugs['bugs'])} were found within {bugs['seeds']:,} schedules."
    yield ""
    yield "| bug | what the tired person did | found by seed | as |"
    yield "| --- | --- | --: | --- |"
    for name, row in bugs["bugs"].items():
        seed, promise = (row["seed"], row["invariant"]) if row else ("not found", "")
        yield f"| `{name}` | {BUGS[name].what.splitlines()[0]} | {seed} | {promise} |"


if __name__ == "__main__":
    main()
