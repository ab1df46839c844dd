"""Pictures of a breach, from the real page over a real run: `python -m tools.breach_story FOLDER`.

The generated session of seed 7, an hour in two seconds: exposure comes within nine tenths of its
limit, three losses in a row halt trading, the notice waits, a person answers it and resumes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SEED, SPEED = "7", "1800"
PATIENCE_MS = 120_000
SIZE = {"width": 1280, "height": 720}


def main(folder: Path) -> None:
    """Run the session and take five pictures of it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # of the test tools

    with TemporaryDirectory() as scratch, sync_playwright() as playwright:
        bot = _bot(scratch)
        try:
            url = _address(bot)
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport=SIZE)
            page.set_default_timeout(PATIENCE_MS)
            _tell(page, url, folder)
            browser.close()
        finally:
            bot.terminate()
            bot.communicate()


def _bot(data_dir: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "catalyst_bot", "demo", "--seed", SEED, "--speed", SPEED]
    return subprocess.Popen(
        [*command, "--data-dir", data_dir],
        env=os.environ | {"CATALYST_DASHBOARD__PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _address(bot: subprocess.Popen[str]) -> str:
    assert bot.stderr is not None
    for line in bot.stderr:
        if found := re.search(r"dashboard: (http://\S+)", line):
            return found[1]
    raise SystemExit("the bot did not serve its page")


def _tell(page: Any, url: str, folder: Path) -> None:
    """Warning, halt, notice, resume, and on it goes."""
    page.goto(f"{url}/risk")
    page.locator("#timeline", has_text="exposure is at").wait_for()
    _shoot(page, folder, "1-warning")
    page.goto(url)
    page.locator("#state", has_text="HALTED").wait_for()
    _shoot(page, folder, "2-halted")
    page.goto(f"{url}/risk")
    page.locator("#alerts", has_text="Trading halted").wait_for()
    _shoot(page, folder, "3-notice")
    page.get_by_role("button", name="I have seen it").first.click()
    page.locator("#alerts", has_text="Trading halted").wait_for(state="detached")
    page.goto(url)
    page.locator("#resume-open").click()
    page.locator("#resume-form [name=reason]").fill("looked at the three trades: no fault of ours")
    _shoot(page, folder, "4-resume")
    page.locator("#resume-form [type=submit]").click()
    page.locator("#state", has_text="ACTIVE").wait_for()
    _shoot(page, folder, "5-active")


def _shoot(page: Any, folder: Path, name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"breach-{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
