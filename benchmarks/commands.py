"""Whole commands as a person meets them: wall time and peak memory of the process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.line import ROUNDS, Line, shared_data, skipped

_BOT = (sys.executable, "-m", "catalyst_bot")
_KIB_PER_MB = 1e6 / 1024


def lines() -> list[Line]:
    """Measure `--help`, the demo, a real month and three days of EDGAR."""
    with TemporaryDirectory() as folder:
        return [*_help(), *_demo(Path(folder)), *_month(Path(folder)), *_edgar(Path(folder))]


def _help() -> list[Line]:
    seconds, _ = _medians(["--help"])
    return [Line(job="--help", unit="s", value=seconds, target=0.3, is_less_better=True)]


def _demo(folder: Path) -> list[Line]:
    demo = ["demo", "--exit", "--data-dir", str(folder / "demo")]
    _seconds_and_mb(demo)  # the first time also compiles the package
    seconds, megabytes = _medians(demo)
    return [
        Line(job="demo, second time", unit="s", value=seconds, target=5, is_less_better=True),
        Line(job="demo, peak RSS", unit="MB", value=megabytes, target=250, is_less_better=True),
    ]


def _month(folder: Path) -> list[Line]:
    news = ("stocknewsapi_2025-10", "sec_filings_2025-10")
    job = "real month, October 2025"
    return _replay(job, folder, days=("2025-10-02", "2025-10-31"), news=news, target_s=60)


def _edgar(folder: Path) -> list[Line]:
    news = ("edgar_getcurrent_2025-12",)
    job = "three days of all EDGAR filings"
    return _replay(job, folder, days=("2025-12-10", "2025-12-12"), news=news, target_s=10)


def _replay(
    job: str, folder: Path, *, days: tuple[str, str], news: Sequence[str], target_s: float
) -> list[Line]:
    data = shared_data()
    if data is None:
        return [skipped(job, "no shared data")]
    files = [f for name in news for f in ("--news", str(data / "news" / f"{name}.jsonl.zst"))]
    bars = str(data / "prices" / "bars_5m_2025.parquet")
    first, last = days
    command = ["run", "--mode", "backtest", "--from", first, "--to", last, "--bars", bars, *files]
    seconds, megabytes = _medians([*command, "--exit", "--data-dir", str(folder / first)])
    note = f"peak RSS {megabytes:.0f} MB"
    return [Line(job=job, unit="s", value=seconds, target=target_s, is_less_better=True, note=note)]


def _medians(arguments: Sequence[str]) -> tuple[float, float]:
    seconds, megabytes = zip(*(_seconds_and_mb(arguments) for _ in range(ROUNDS)), strict=True)
    return median(seconds), median(megabytes)


def _seconds_and_mb(arguments: Sequence[str]) -> tuple[float, float]:
    """Run the bot once. Raises `RuntimeError` when it fails: a quick failure is no result."""
    start = time.perf_counter()
    with subprocess.Popen(
        [*_BOT, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        said = process.stderr.read() if process.stderr is not None else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} exited {process.returncode}: {said[-500:]}")
    return seconds, usage.ru_maxrss / _KIB_PER_MB
