"""Pictures of a breach, from the real page over a real run: `python -m tools.breach_story FOLDER`.

The generated session of seed 61, at first an hour in twenty seconds: exposure comes within nine
tenths of its limit. The bot is killed there and started again to go on faster: three losses in a
row halt trading, the notice waits, a person answers it, goes through the checklist and resumes.
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

SEED = "61"
CALM, FAST = "180", "900"  # seconds of the session in one
PATIENCE_MS = 240_000
SIZE = {"width": 1280, "height": 720}
TALL = {"x": 0, "y": 0, "width": 1280, "height": 1180}  # of the risk page, with its newest events


def main(folder: Path) -> None:
    """Run the session and take six pictures of it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # of the test tools

    with TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(PATIENCE_MS)
        for speed, tell in ((CALM, _come_near), (FAST, _breach)):
            bot = _bot(scratch, speed)
            try:
                tell(page, _address(bot), folder)
            finally:
                bot.kill()
                bot.communicate()
        browser.close()


def _bot(data_dir: str, speed: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "catalyst_bot", "demo", "--seed", SEED, "--speed", speed]
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


def _come_near(page: Any, url: str, folder: Path) -> None:
    """The warning."""
    page.goto(f"{url}/risk")
    page.locator("#timeline", has_text="exposure is at").wait_for()
    _shoot(page, folder, "1-warning", clip=TALL)


def _breach(page: Any, url: str, folder: Path) -> None:
    """Halt, notice, checklist, resume, and on it goes."""
    page.goto(url)
    page.locator("#state", has_text="HALTED").wait_for()
    _shoot(page, folder, "2-halted")
    page.goto(f"{url}/risk")
    page.locator("#alerts", has_text="Trading halted").wait_for()
    _shoot(page, folder, "3-notice", clip=TALL)
    page.get_by_role("button", name="I have seen it").first.click()
    page.locator("#alerts", has_text="Trading halted").wait_for(state="detached")
    page.goto(url)
    page.locator("#resume-open").click()
    page.locator("#resume-items p").first.wait_for()
    _shoot(page, folder, "4-checklist")
    for question in page.locator("#resume-items input").all():
        question.check()
    page.locator("#resume-form [name=reason]").fill("looked at the three trades: no fault of ours")
    _shoot(page, folder, "5-confirmed")
    page.locator("#resume-form [type=submit]").click()
    page.locator("#state", has_text="ACTIVE").wait_for()
    _shoot(page, folder, "6-active")


def _shoot(page: Any, folder: Path, name: str, *, clip: dict[str, int] | None = None) -> None:
    page.wait_for_timeout(300)
    path = folder / f"breach-{name}.png"
    page.screenshot(path=path, clip=clip, full_page=clip is not None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
