"""The scanner in a running bot at a served exchange: prices over HTTP, a hit in the journal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot
from tests.e2e.study_market import GAP_DAY, write_market
from tests.exchange.process import Running, exchange

PATIENCE_S = 100.0
START = f"{GAP_DAY}T17:10:00Z"  # by then three usual days' volume was traded


@contextmanager
def bot(venue: Running, folder: Path) -> Iterator[subprocess.Popen[str]]:
    config = folder / "catalyst.toml"
    config.write_text(
        '[scanner]\nenabled = true\nsymbols = ["GAPS", "DULL"]\n[feeds]\nalpaca_news = false\n',
        encoding="utf-8",
    )
    key, secret = venue.keys
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "catalyst_bot", "run", "--broker", "alpaca"),
            *("--config", str(config), "--data-dir", str(folder)),
        ],
        env=os.environ
        | {
            "ALPACA_API_KEY": key,
            "ALPACA_SECRET": secret,
            "CATALYST_ALPACA__BASE_URL": venue.url,
            "CATALYST_DASHBOARD__ENABLED": "false",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def catalysts(journal: Path) -> list[CatalystDetected]:
    try:
        with ReadModel(journal) as model:
            return [record.body for record in model.records("CatalystDetected")]
    except (BadData, ConfigError):
        return []  # not yet there


def test_a_hit_in_live_prices_becomes_a_catalyst_and_replays(tmp_path: Path):
    market = write_market(tmp_path)
    knobs = tmp_path / "knobs.toml"
    knobs.write_text("rate_limit_per_min = 1000000\n", encoding="utf-8")
    served = ("--bars", str(market.bars), "--start", START, "--speed", "60")
    journal = tmp_path / "journals" / "live-alpaca.db"
    with exchange(*served, "--knobs", str(knobs)) as venue, bot(venue, tmp_path) as process:
        until = time.monotonic() + PATIENCE_S
        while not catalysts(journal):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < until, "no hit was told"
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    found = catalysts(journal)
    assert [(each.catalyst.symbol, each.catalyst.category) for each in found] == [
        ("GAPS", "scan_gap_up")
    ]
    verified = catalyst_bot("replay", "--verify", str(journal))
    assert verified.code == 0, verified.out
