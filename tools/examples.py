"""Refresh the output shown in the documents: `python -m tools.examples` runs the demo and pastes.

What a page shows between `<!-- begin NAME -->` and `<!-- end NAME -->` is what the program said.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from catalyst_bot.bootstrap.journal_tools import explanation
from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.domain.messages.decisions import PositionClosed, SignalDropped
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.monitoring.telling import Explanation
from catalyst_bot.storage.read_model import ReadModel

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/how-to/read-an-explanation.md", "docs/how-to/halt-and-resume.md")
BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
OWN_TO_A_RUN = re.compile(r"^(dashboard: |replayed in ).*\n", re.MULTILINE)
JOURNAL_DIGEST = re.compile(r"-[0-9a-f]{8}\.db")  # settings are part of it, the data folder too
SHORT_TRADE = {"Headline": 4, "Catalyst": 7, "Decision": 3, "Risk: approved": 12, "Outcome": 5}
SHORT_NO = {"Headline": 4, "No signal": 99, "Smallest change that flips it": 99}


def pages() -> dict[str, str]:
    """Return every page with its blocks filled from a demo run now: relative path -> text."""
    with tempfile.TemporaryDirectory() as folder:
        shown = examples(Path(folder))
    return {name: _filled((ROOT / name).read_text(encoding="utf-8"), shown) for name in PAGES}


def examples(folder: Path) -> dict[str, str]:
    """Run the demo in an empty folder; return the blocks by name."""
    told = _run("demo", "--exit", folder=folder)
    journal = next((folder / "data/journals").glob("*.db"))
    with ReadModel(f"sqlite:///{journal}") as model:
        records = list(model.records())
    winner = _closed_by(ExitReason.TAKE_PROFIT, records)
    loser = _closed_by(ExitReason.NEGATIVE_NEWS, records)
    trade, no = explanation(journal, winner.trade.trade_id), _verified_no(journal, records)
    return {
        "demo": _story(told, (winner.trade.symbol, loser.trade.symbol)),
        "trade": _short(trade, SHORT_TRADE),
        "no": _short(no, SHORT_NO),
        "trade-in-full": trade.as_text(),
        "no-in-full": no.as_text(),
        "verify": _run("replay", "--verify", str(journal.relative_to(folder)), folder=folder),
        "status": "\n".join(_run("status", folder=folder).splitlines()[:4]),
        "halt": _halted(folder),
    }


def _run(*arguments: str, folder: Path) -> str:
    """Run a command as a stranger would: no settings of ours, in an empty folder."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("CATALYST_")}
    done = subprocess.run(
        [sys.executable, "-m", "catalyst_bot", *arguments],
        cwd=folder,
        env=own | {"CATALYST_DASHBOARD__PORT": "0"},
        check=False,
        capture_output=True,
        text=True,
    )
    said = OWN_TO_A_RUN.sub("", done.stderr + done.stdout).strip()
    return JOURNAL_DIGEST.sub("-….db", said)


def _halted(folder: Path) -> str:
    """Halt, look, resume; the time the halt took differs from run to run."""
    said = [
        f"$ catalyst-bot {' '.join(arguments)}\n{_run(*arguments, folder=folder)}"
        for arguments in (("halt",), ("resume", "--reason", "checked"))
    ]
    return re.sub(r"in \d+\.\d ms", "in 0.3 ms", "\n".join(said))


def _story(told: str, symbols: Sequence[str]) -> str:
    """The head of the demo, all about two symbols, and its end."""
    lines = told.splitlines()
    opens = next(n for n, line in enumerate(lines) if line.startswith("-- "))
    ends = next(n for n, line in enumerate(lines) if line.startswith("Funnel"))
    about = (" session opens", *(f" {symbol}: " for symbol in symbols))
    days = [line for line in lines[opens:ends] if any(part in line for part in about)]
    return "\n".join([*lines[: opens - 1], *days, "[...]", *lines[ends:]])


def _closed_by(reason: ExitReason, records: Sequence[Recorded]) -> PositionClosed:
    closed = (r.body for r in records if isinstance(r.body, PositionClosed))
    return next(body for body in closed if body.trade.exit_reason is reason)


def _verified_no(journal: Path, records: Sequence[Recorded]) -> Explanation:
    """The first dropped signal for which a change of a limit was found that flips it."""
    dropped = (r.body for r in records if isinstance(r.body, SignalDropped))
    limited = (body for body in dropped if body.reason == "reaction_too_small")
    told = (explanation(journal, body.catalyst_id) for body in limited)
    return next(each for each in told if each.sections[-1].title.startswith("Smallest"))


def _short(told: Explanation, kept: dict[str, int]) -> str:
    """The verdict, and of some sections the first rows."""
    wanted: list[str] = [told.verdict]
    for block in told.as_text().split("\n\n")[1:]:
        title, *rows = block.splitlines()
        if title in kept and title not in "\n".join(wanted):
            cut = ["  [...]"] if len(rows) > kept[title] else []
            wanted += ["", title, *rows[: kept[title]], *cut]
    return "\n".join(wanted)


def _filled(page: str, shown: dict[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        return f"{found[1]}```text\n{shown[found[2]]}\n```\n{found[3]}"

    return BLOCK.sub(fill, page)


def main() -> None:
    """Refresh every page."""
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
