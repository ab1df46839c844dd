"""Kill the bot and the exchange again and again while they trade, and compare their books.

`python -m tools.kill_runs --kills 200 --seed 1 --bars FILE --news FILE --from 2025-10-01` starts
`catalyst-bot exchange serve` and `catalyst-bot run --broker alpaca` as processes of their own and
ends them with SIGKILL at moments that chance (from `--seed`) chooses. In the end both settle, and
whatever the journal says differently from the exchange is a difference: exit code 6.

Over the hours in which the market is closed the exchange's clock is moved while the bot is down.
Settings of the environment (`CATALYST_...`) reach the bot.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.storage.read_model import ReadModel
from tools.compare_books import Verdict, compare, read_ours, read_theirs
from tools.kill_desk import BOT, BOTH, EXCHANGE, Counts, Desk, Plan

DIFFERS = 6
BEFORE_OPEN_WALL_S = 6.0  # so long before the open, on the wall, the clock is moved
BEFORE_CLOSE_WALL_S = 10.0
AFTER_CLOSE = timedelta(minutes=1)
WHOM = (BOT, EXCHANGE, BOTH)
WEIGHTS = (5, 3, 2)
WHILE_STARTING = 0.3  # so many kills do not wait until the bot has looked at its books
OUTAGES = 0.5  # so many kills of the bot are outages, with --outage-min


def kill_again_and_again(desk: Desk, plan: Plan) -> None:
    """Strike at random until it was done often enough or the days are over."""
    chance = random.Random(plan.seed)  # noqa: S311 - which moment is struck is no secret
    while desk.counts.strikes < plan.kills:
        if not _skip_closed_hours(desk, plan):
            return
        if not desk.is_up():
            desk.start_bot()
        if chance.random() >= WHILE_STARTING:
            desk.look()
        time.sleep(chance.uniform(0.0, 1.5))
        whom = chance.choices(WHOM, WEIGHTS)[0]
        desk.strike(whom)
        if plan.outage_min and whom != EXCHANGE and chance.random() < OUTAGES:
            _be_away(desk, timedelta(minutes=chance.uniform(0.0, plan.outage_min)))
        if desk.counts.strikes % 10 == 0:
            now = desk.clock()[0]
            print(f"{desk.counts.strikes} strikes, {now:%Y-%m-%d %H:%M}", file=sys.stderr)


def _be_away(desk: Desk, pause: timedelta) -> None:
    """An outage: the market goes on without the bot, at most to the close."""
    now, is_open, _, closes_at = desk.clock()
    if is_open:
        desk.advance(min(now + pause, max(now, closes_at - timedelta(minutes=1))))
        desk.counts.outages += 1


def _skip_closed_hours(desk: Desk, plan: Plan) -> bool:
    """Go to shortly before the next open when closed; False when that is after the last day."""
    now, is_open, opens_at, _ = desk.clock()
    if is_open:
        return True
    if plan.last_day is not None and opens_at.date() > plan.last_day:
        return False
    shortly_before = opens_at - timedelta(seconds=BEFORE_OPEN_WALL_S * plan.speed)
    if shortly_before > now:
        desk.advance(shortly_before)
        desk.counts.nights += 1
    return True


def settle(desk: Desk, plan: Plan) -> None:
    """Let the session end with both at work, and the bot look at the account afterwards."""
    now, is_open, _, closes_at = desk.clock()
    if is_open:
        last_part = closes_at - timedelta(seconds=BEFORE_CLOSE_WALL_S * plan.speed)
        if last_part > now:
            desk.advance(last_part)
        desk.wait_until(lambda: desk.clock()[0] > closes_at + AFTER_CLOSE)
        desk.stop_bot()
    desk.look()
    time.sleep(1.0)
    desk.stop_bot()


def verified(plan: Plan) -> list[str]:
    """Prove the journal with the bot's own commands; return what they found wrong."""
    found = []
    journal = str(plan.folder / "data" / "journals" / "live-alpaca.db")
    for command in (["db", "verify", journal], ["replay", journal, "--verify"]):
        done = subprocess.run(
            [sys.executable, "-m", "catalyst_bot", *command],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            found.append(f"{' '.join(command[:1])}: {done.returncode} {done.stderr.strip()[-500:]}")
    return found


def run(plan: Plan) -> dict[str, Any]:
    """Do all of it and return the result."""
    began = time.monotonic()
    desk = Desk(plan)
    try:
        desk.start_exchange()
        desk.approve()
        kill_again_and_again(desk, plan)
        settle(desk, plan)
        shown_at = desk.clock()[0]
        theirs = read_theirs(desk.ask)
    finally:
        desk.close()
    with ReadModel(f"sqlite:///{desk.journal}") as model:
        verdict = compare(read_ours(model), theirs)
        names = Counter(type(record.body).__name__ for record in model.records())
    return result_of(
        plan,
        desk.counts,
        verdict,
        {
            "differences": [*verdict.differences, *desk.counts.odd, *verified(plan)],
            "journal_records": names.total(),
            "positions_opened": names["PositionOpened"],
            "positions_closed": names["PositionClosed"],
            "headlines": names["HeadlineReceived"],
            "ended_at": shown_at.isoformat(),
            "seconds": round(time.monotonic() - began, 1),
        },
    )


def result_of(plan: Plan, counts: Counts, verdict: Verdict, more: dict[str, Any]) -> dict[str, Any]:
    """Return the result as what is written to JSON."""
    done = {name: value for name, value in asdict(counts).items() if name != "odd"}
    asked = {"kills": plan.kills, "seed": plan.seed, "speed": plan.speed}
    return {"asked": asked, **done, **asdict(verdict), **more}


def plan_of(arguments: Sequence[str], folder: Path) -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.kill_runs")
    parser.add_argument("--kills", type=int, required=True, help="strikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bars", type=Path, action="append", default=[])
    parser.add_argument("--news", type=Path, action="append", default=[])
    parser.add_argument("--from", dest="start", help="day or RFC 3339 time")
    parser.add_argument("--to", dest="last_day", type=date.fromisoformat, help="the last day")
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--outage-min", type=float, default=0.0, help="of the exchange, at most")
    parser.add_argument("--benchmark", help="default: SPY with --bars, else MKT")
    parser.add_argument("--keep", type=Path, help="folder for journal, database and logs")
    parser.add_argument("--json", dest="_json", type=Path)
    told = vars(parser.parse_args(arguments))
    del told["_json"]
    told["benchmark"] = told["benchmark"] or ("SPY" if told["bars"] else "MKT")
    if told["start"] and len(told["start"]) == len("2025-10-01"):
        told["start"] += "T00:00:00Z"
    kept = told.pop("keep")
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    return Plan(**told, folder=kept or folder)


def main(arguments: Sequence[str]) -> int:
    """Run, print the result, return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # leaves no process behind
    with tempfile.TemporaryDirectory() as folder:
        result = run(plan_of(arguments, Path(folder)))
    text = json.dumps(result, indent=1)
    print(text)
    if "--json" in arguments:
        path = Path(arguments[list(arguments).index("--json") + 1])
        path.write_text(text + "\n", encoding="utf-8")
    return DIFFERS if result["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
