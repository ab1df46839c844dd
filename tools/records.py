"""Measure again what two evidence pages show: `python -m tools.records FOLDER`.

FOLDER holds `labelled/`, `prices/` and `news/`. What stands above the mark on a page is a person's
reading of the figures and stays: read it again. The mark names the rules of detection the figures
were made with, so that a test notices when they are others.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import shipped
from tools.evidence import BARS, ROOT, STUDIES, command

OUTCOMES = ROOT / "docs/evidence/october-2025-outcomes.md"
CALIBRATION = ROOT / "docs/evidence/calibration.md"
FIGURE = ROOT / "docs/images/reliability.svg"
SIGNS = ROOT / "docs/evidence/october-2025-signs.csv"
_MARK = "<!-- Written by `python -m tools.records FOLDER` with the rules {rules}. -->"
_MARKED = re.compile(re.escape(_MARK).replace(r"\{rules\}", "(clf-[0-9a-f]+)"))


def rules_id() -> str:
    """The rules of detection as they are, with the model that comes with them."""
    return detection_rules(model=shipped(Task.SENTIMENT)).classifier_id


def rules_of(page: Path) -> str:
    """The rules that a page was made with; empty when it does not say."""
    found = _MARKED.search(page.read_text(encoding="utf-8"))
    return found[1] if found else ""


def outcomes(folder: Path, at: Path) -> str:
    """What became of everything that the run of October saw."""
    _catalyst_bot(at, *command(STUDIES[0], str(folder)))
    (journal,) = at.rglob("*.db")
    return _study(at, "outcomes", "--journal", str(journal), "--bars", str(folder / BARS))


def calibration(folder: Path, at: Path) -> str:
    """How well confidence is calibrated, with the figure of the page."""
    labelled = folder / "labelled"
    return _study(
        at,
        "calibrate",
        str(labelled / "twitter_financial_sentiment.jsonl.zst"),
        *("--check", str(labelled / "sentfin.jsonl.zst")),
        *("--check", str(folder / "news/stocknewsapi_2025-10.jsonl.zst")),
        *("--judged", str(SIGNS), "--figure", str(FIGURE)),
    )


def write(page: Path, figures: str) -> None:
    """Put figures below the mark of a page."""
    text = page.read_text(encoding="utf-8")
    marked = _MARKED.search(text)
    assert marked is not None, f"{page} has no mark"
    mark = _MARK.format(rules=rules_id())
    page.write_text(f"{text[: marked.start()]}{mark}\n\n{figures}", encoding="utf-8")


def _study(at: Path, *arguments: str) -> str:
    _catalyst_bot(at, "study", *arguments, "--markdown", "page.md")
    return (at / "page.md").read_text(encoding="utf-8")


def _catalyst_bot(at: Path, *arguments: str) -> None:
    own = {name: text for name, text in os.environ.items() if not name.startswith("CATALYST_")}
    done = subprocess.run(
        [sys.executable, "-m", "catalyst_bot", *arguments],
        cwd=at,
        env=own,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode not in {0, 5}:  # 5: trading was halted at the end
        raise SystemExit(done.stderr)


def main() -> None:
    """Write both pages from the recordings in the folder given."""
    folder = Path(sys.argv[1]).resolve()
    for page, measure in {OUTCOMES: outcomes, CALIBRATION: calibration}.items():
        with tempfile.TemporaryDirectory() as at:
            write(page, measure(folder, Path(at)))
        print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
