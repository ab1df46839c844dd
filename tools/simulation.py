"""Write docs/evidence/simulation.md from what `catalyst-bot simulate` counted.

    catalyst-bot simulate --seeds 0..10000 --jobs 2 --json summary.json
    catalyst-bot simulate --seeds 0..1000 --planted-bug all --json bugs.json
    catalyst-bot simulate --soak 24 --seed 1 --json soak.json
    python -m tools.simulation COMMIT bugs.json soak.json summary.json…

Summaries of several ranges of seeds are added up; COMMIT is the one that played them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalyst_bot.trials.bugs import BUGS
from catalyst_bot.trials.faults import ELSEWHERE, FAULTS
from catalyst_bot.trials.soak import MOST_MB_AN_HOUR, WARM_UP_H

PAGE = Path("docs/evidence/simulation.md")
SAMPLES_SHOWN = 12


def main() -> None:
    """Read the files that are named and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("commit")
    parser.add_argument("bugs", type=_read)
    parser.add_argument("soak", type=_read)
    parser.add_argument("summaries", type=_read, nargs="+", metavar="summary")
    told = parser.parse_args()
    if told.soak["mb_an_hour"] is None:
        parser.error("the soak was too short to tell whether memory grows")
    lines = page_of(told.commit, told.summaries, told.bugs, told.soak)
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(name).read_text(encoding="utf-8"))
    return found


def page_of(
    commit: str,
    summaries: Sequence[dict[str, Any]],
    bugs: dict[str, Any],
    soak: dict[str, Any],
) -> Iterator[str]:
    """Yield the lines of the page."""
    total: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    broken = [each for summary in summaries for each in summary["violations"]]
    for summary in summaries:
        total.update({name: summary[name] for name in ("seeds", "steps", "lives", "seconds")})
        fired.update(summary["faults"])
    fewest_steps = min(summary["fewest_steps"] for summary in summaries)
    yield "<!-- Written by `python -m tools.simulation COMMIT BUGS SOAK SUMMARY…`. -->"
    yield ""
    yield "# The whole bot against faults: measured"
    yield ""
    yield "What is played, and what is real in it: [how to simulate](../how-to/simulate.md)."
    yield "`catalyst-bot simulate --seeds 0..N --jobs 2 --json FILE`, and with `--planted-bug all`;"
    yield f"on two cores, beside other work on the machine, at commit {commit}."
    yield ""
    yield from _summary(total, fewest_steps, fired, broken)
    yield from _faults(fired)
    yield from _soak(soak)
    yield from _bugs(bugs)


def _summary(
    total: Counter[str],
    fewest_steps: int,
    fired: Counter[str],
    broken: Sequence[dict[str, Any]],
) -> Iterator[str]:
    speed = total["steps"] / total["seconds"]
    yield "| | |"
    yield "| --- | --- |"
    yield f"| schedules | {total['seeds']:,} |"
    mean_steps = total["steps"] / total["seeds"]
    yield f"| steps | {total['steps']:,}: {fewest_steps} or more each, mean {mean_steps:.0f} |"
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


def _soak(soak: dict[str, Any]) -> Iterator[str]:
    samples, step = soak["samples"], max(len(soak["samples"]) // SAMPLES_SHOWN, 1)
    shown = [*samples[:-1:step], samples[-1]]
    yield "## One long life"
    yield ""
    hours, grows = (
        f"{soak['hours']:.0f}",
        f"{soak['mb_an_hour']:.2f} MB/h (limit {MOST_MB_AN_HOUR:g})",
    )
    yield f"`catalyst-bot simulate --soak {hours} --seed {soak['seed']} --json FILE`: hours of the"
    yield f"session, {soak['messages']:,} messages, {len(soak['violations'])} broken promises, in"
    yield f"{soak['seconds']:.0f} s. After {WARM_UP_H:g} h memory grows by {grows}; what the"
    yield "simulated exchange keeps of every order is part of it."
    yield ""
    yield "| hour | messages | memory, MB | files | tasks |"
    yield "| --: | --: | --: | --: | --: |"
    for each in shown:
        yield (
            f"| {each['hour']:.1f} | {each['messages']:,} | {each['rss_mb']:.1f} | "
            f"{each['files']} | {each['tasks']} |"
        )
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
