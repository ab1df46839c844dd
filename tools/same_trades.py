"""The same days twice: in one process, and over HTTP at the exchange; and where the two differ.

`python -m tools.same_trades --bars FILE --news FILE --from DAY --to DAY [--json FILE]`

The second run is the bot as it trades at Alpaca: alpaca-py, the streams, a feed of news over HTTP.
The exchange is stepped: it moves on when the bot has dealt with everything, so both runs decide at
the same instants under one fill profile (ours).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALYST_BOT = (sys.executable, "-m", "catalyst_bot")
KEY, SECRET, TOKEN = "PKSAMETRADES", "same-trades", "same-trades"
ENDS_WITHIN_S = 60.0
# What a trade is; ids and the spelling of a headline's source are none of it.
COMPARED = (
    *("symbol", "side", "quantity", "entry_at", "entry_price", "exit_at", "exit_price"),
    *("exit_reason", "pnl_usd"),
)
KNOBS = """\
rate_limit_per_min = 0
has_sip = true
"""


@dataclass(frozen=True, kw_only=True)
class Days:
    """What is traded: recorded bars and news, first and last day."""

    bars: Sequence[Path]
    news: Sequence[Path]
    first: str
    last: str

    def flags(self) -> list[str]:
        """The recordings as flags of a command."""
        bars = [flag for path in self.bars for flag in ("--bars", str(path))]
        return bars + [flag for path in self.news for flag in ("--news", str(path))]


def run_twice(days: Days, folder: Path) -> dict[str, Any]:
    """Run both and return what was found; the journals stay in `folder`."""
    here, seconds_here = _timed(lambda: in_one_process(days, folder))
    with exchange(days, folder) as url:
        there, seconds_there = _timed(lambda: at_the_exchange(days, folder, url))
    return {
        "from": days.first,
        "to": days.last,
        "trades": [len(here["trades"]), len(there["trades"])],
        "equity_end": [here["equity_end"], there["equity_end"]],
        "funnels_equal": here["funnel"] == there["funnel"],
        "differences": differences(here["trades"], there["trades"]),
        "journals": [here["journal"], there["journal"]],
        "seconds": [round(seconds_here, 1), round(seconds_there, 1)],
    }


def differences(
    here: Sequence[dict[str, Any]], there: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return what differs, trade by trade; a trade that only one has is a difference."""
    found: list[dict[str, Any]] = []
    for index in range(max(len(here), len(there))):
        pair = [trades[index] if index < len(trades) else {} for trades in (here, there)]
        apart = {
            name: [each.get(name) for each in pair]
            for name in COMPARED
            if pair[0].get(name) != pair[1].get(name)
        }
        if apart:
            found.append({"trade": index + 1, **apart})
    return found


def in_one_process(days: Days, folder: Path) -> dict[str, Any]:
    """Replay the days with the embedded venue."""
    return _result(
        [
            *(*CATALYST_BOT, "run", "--mode", "backtest", "--exit"),
            *("--from", days.first, "--to", days.last, *days.flags()),
            *("--data-dir", str(folder / "one-process")),
        ],
        folder / "one-process.json",
        {},
    )


def at_the_exchange(days: Days, folder: Path, url: str) -> dict[str, Any]:
    """Trade the days with the broker Alpaca, pointed at an exchange."""
    environ = {
        "ALPACA_API_KEY": KEY,
        "ALPACA_SECRET": SECRET,
        "CATALYST_EXCHANGE_ADMIN_TOKEN": TOKEN,
        "CATALYST_ALPACA__BASE_URL": url,
        "CATALYST_ALPACA__DATA_URL": url,
        "CATALYST_FEEDS__ALPACA_NEWS": "false",  # the feed of lines brings the same, and filings
        "CATALYST_FEEDS__JSON_LINES_URLS": json.dumps(
            [f"{url}/feeds/news.jsonl?since={days.first}T00:00:00Z"]
        ),
        "CATALYST_DASHBOARD__ENABLED": "false",
    }
    return _result(
        [
            *(*CATALYST_BOT, "run", "--broker", "alpaca", "--to", days.last),
            *("--data-dir", str(folder / "exchange")),
        ],
        folder / "exchange.json",
        environ,
    )


@contextmanager
def exchange(days: Days, folder: Path) -> Iterator[str]:
    """Serve the recordings, stepped and with our fill profile; yield the address."""
    knobs = folder / "knobs.toml"
    knobs.write_text(KNOBS, "utf-8")
    command = [
        *(*CATALYST_BOT, "exchange", "serve", "--port", "0", *days.flags()),
        *("--start", f"{days.first}T00:00:00Z", "--speed", "step", "--profile", "ours"),
        *("--key", KEY, "--secret", SECRET, "--admin-token", TOKEN, "--knobs", str(knobs)),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            if ready[:2] != ["exchange", "ready"]:
                raise SystemExit(f"the exchange did not start: {' '.join(ready)}")
            yield ready[2]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(ENDS_WITHIN_S)


def _result(command: list[str], json_file: Path, environ: dict[str, str]) -> dict[str, Any]:
    """Run the bot and read the result it wrote; ending halted (5) is a result too."""
    done = subprocess.run(
        [*command, "--json", str(json_file)],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 5} or not json_file.exists():
        raise SystemExit(f"{' '.join(command[2:4])} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(json_file.read_text("utf-8"))
    return found


def _timed(call: Any) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    return call(), time.perf_counter() - started


def main() -> int:
    """Print what was found; exit code 6 when the two runs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=Path, action="append", required=True)
    parser.add_argument("--news", type=Path, action="append", required=True)
    parser.add_argument("--from", dest="first", required=True)
    parser.add_argument("--to", dest="last", required=True)
    parser.add_argument("--json", type=Path, help="write what was found here")
    parser.add_argument("--keep", type=Path, help="folder for the journals")
    asked = parser.parse_args()
    days = Days(bars=asked.bars, news=asked.news, first=asked.first, last=asked.last)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found = run_twice(days, folder)
    text = json.dumps(found, indent=2)
    if asked.json:
        asked.json.write_text(text + "\n", "utf-8")
    print(text)
    return 6 if found["differences"] or not found["funnels_equal"] else 0


if __name__ == "__main__":
    sys.exit(main())
