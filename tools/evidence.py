"""Measure the real days again: `python -m tools.evidence FOLDER` writes `docs/evidence/*.md`.

FOLDER holds `prices/` and `news/`. The pages show figures only: no vendor's headline or price
leaves the folder. Every sentence with a number in it is written from the run it tells of.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import polars as pl

from catalyst_bot.bootstrap.journal_tools import explanation
from catalyst_bot.domain.messages.decisions import SignalDropped
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.monitoring.journal_source import performance_of
from catalyst_bot.monitoring.narrator import STEPS
from catalyst_bot.portfolio.tracker import Performance
from catalyst_bot.storage.read_model import ReadModel

ROOT = Path(__file__).parents[1]
BARS = "prices/bars_5m_2025.parquet"
DOUBLED = {
    "CATALYST_COSTS__COMMISSION_FRACTION": "0.002",
    "CATALYST_COSTS__SLIPPAGE_FRACTION": "0.002",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Recorded days to replay, and what a reader must know of them."""

    page: str
    title: str
    first_day: date
    last_day: date
    news: tuple[str, ...]
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run gave."""

    exit_code: int
    result: dict[str, Any]
    performance: Performance
    closed: list[ClosedTrade]
    fees_usd: Decimal
    records: int
    inputs_hash: str
    stories: tuple[str, ...]


STUDIES = (
    Study(
        page="docs/evidence/october-2025.md",
        title="October 2025: one month, six large companies",
        first_day=date(2025, 10, 2),
        last_day=date(2025, 10, 31),
        news=("news/stocknewsapi_2025-10.jsonl.zst", "news/sec_filings_2025-10.jsonl.zst"),
        notes=(
            "The news are media headlines on seven of the largest companies, six of which have "
            "bars, and a few filings. Media repeat and comment; most headlines are no event, and "
            "large companies move little on them. Headlines are received 60 s after their time of "
            "publication, so a faster reader has always traded before us."
        ),
    ),
    Study(
        page="docs/evidence/december-2025-edgar.md",
        title="10 to 12 December 2025: everything the SEC published",
        first_day=date(2025, 12, 10),
        last_day=date(2025, 12, 12),
        news=("news/edgar_getcurrent_2025-12.jsonl.zst",),
        notes=(
            "The news are the SEC's market-wide list of current filings. It is here to test "
            "reading, identity and dedupe at the scale of the market, not to trade: nearly all "
            "filings are by companies without bars in the file, or structured notes of banks and "
            "Form 4. `still_waiting` are filings that arrived after the last open of the "
            "recording."
        ),
    ),
)


def command(study: Study, folder: str) -> list[str]:
    """The arguments of `catalyst-bot` that replay the days."""
    news = [part for file in study.news for part in ("--news", f"{folder}/{file}")]
    days = ["--from", str(study.first_day), "--to", str(study.last_day)]
    return ["run", "--mode", "backtest", *days, "--bars", f"{folder}/{BARS}", *news]


def measure(study: Study, folder: Path, costs: dict[str, str]) -> Measured:
    """Replay the days once in a folder of its own, with the default settings but for `costs`."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("CATALYST_")}
    with tempfile.TemporaryDirectory() as at:
        done = subprocess.run(
            [sys.executable, "-m", "catalyst_bot", *command(study, str(folder.resolve()))],
            cwd=at,
            env=own | costs,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode not in {0, 5}:
            raise SystemExit(done.stderr)
        journal = next(Path(at).rglob("*.db"))
        with ReadModel(f"sqlite:///{journal}") as model:
            account, status = model.account(), model.status()
            assert account is not None
            assert status is not None
            started: Any = next(model.records("RunStarted")).body
            return Measured(
                exit_code=done.returncode,
                result=dict(model.run_result()),
                performance=performance_of(model),
                closed=model.closed_trades(),
                fees_usd=Decimal(account["fees_usd"]),
                records=status["last_seq"],
                inputs_hash=started.inputs_hash,
                stories=stories_of_filings(model),
            )


def stories_of_filings(model: ReadModel) -> tuple[str, ...]:
    """Explanations of every trade that a filing caused and of the first filing that was refused.

    Filings are public; their prices are a vendor's, so dollar amounts are left out.
    """
    filings = {
        record.body.headline.item_id
        for record in model.records("HeadlineReceived")
        if isinstance(record.body, HeadlineReceived) and record.body.headline.form
    }
    told = [trade["trade_id"] for trade in model.trades() if trade["headline_id"] in filings]
    refused = [
        record.trail_id
        for record in model.records("SignalDropped")
        if isinstance(record.body, SignalDropped)
        and record.body.item_id in filings
        and record.body.reason == "reaction_too_small"
    ]
    return tuple(
        _without_prices(explanation(model.place, subject).as_text())
        for subject in [*reversed(told), *refused[:1]]
    )


def _without_prices(text: str) -> str:
    rows = r"price|quote|VWAP|ATR|position|pass price_floor|size: whole_shares"
    text = re.sub(rf"^(  (?:{rows})  +).*$", r"\1...", text, flags=re.MULTILINE)
    return re.sub(r"[-+]?\$[-+]?[\d,]+(\.\d+)?|(?<=stop at )[\d.]+", "...", text)


def buy_and_hold(study: Study, folder: Path) -> float:
    """Return of SPY from the first bar's open to the last bar's close, without costs."""
    day = pl.col("timestamp").dt.date()
    bars = (
        pl.read_parquet(folder / BARS)
        .filter((pl.col("symbol") == "SPY") & day.is_between(study.first_day, study.last_day))
        .sort("timestamp")
    )
    return float(bars["close"][-1] / bars["open"][0] - 1)


def page(study: Study, once: Measured, twice: Measured, spy: float) -> str:
    """The page as Markdown."""
    return (
        "\n\n".join(
            [
                "<!-- Written by `python -m tools.evidence FOLDER`. -->",
                f"# {study.title}",
                study.notes,
                "```sh\ncatalyst-bot " + _in_lines(command(study, "PATH/TO")) + "\n```",
                _summary(once, twice, spy),
                _sample(once),
                "## Funnel\n\nHeadlines that reached each step, and why the others did not.",
                _funnel(once.result["funnel"]),
                *_explained(once),
                (
                    "## Reproduce\n\nEqual inputs and equal code give equal hashes (SHA-256 over "
                    "every fact and decision of the run)."
                ),
                _identity(once, twice),
            ]
        )
        + "\n"
    )


def _explained(once: Measured) -> list[str]:
    if not once.stories:
        return []
    intro = (
        "## Filings, explained\n\nWhat `catalyst-bot explain` says of every trade that a filing "
        "caused, and of one filing that was not traded. A filing names no direction: the opening "
        "reaction gave it. Dollar amounts are left out here, because the prices are a vendor's."
    )
    return [intro, *(f"```text\n{story}\n```" for story in once.stories)]


def _in_lines(arguments: list[str]) -> str:
    text = " ".join(arguments)
    return (
        text.replace(" --from", " \\\n  --from")
        .replace(" --bars", " \\\n  --bars")
        .replace(" --news", " \\\n  --news")
    )


def _summary(once: Measured, twice: Measured, spy: float) -> str:
    rows = [
        ("", "costs 0.1 % + 0.1 %", "costs doubled"),
        ("---", "---", "---"),
        ("entries filled", *(str(len(m.result["trades"])) for m in (once, twice))),
        ("round trips closed", *(str(len(m.closed)) for m in (once, twice))),
        ("entries and exits refused", *(str(len(m.result["refusals"])) for m in (once, twice))),
        ("return of the account", *(_change(m.performance.total_return) for m in (once, twice))),
        ("largest drawdown", *(_share(m.performance.max_drawdown) for m in (once, twice))),
        ("win rate", *(_share(m.performance.win_rate) for m in (once, twice))),
        ("profit factor", *(_plain(m.performance.profit_factor) for m in (once, twice))),
        ("commission paid, USD", *(str(m.fees_usd) for m in (once, twice))),
        ("trading halted at the end", *(_halted(m) for m in (once, twice))),
        ("SPY bought and held", _change(spy), ""),
    ]
    text = (
        "Costs are commission and slippage, each per side, on top of half a spread and at most a "
        "tenth of each bar's volume ([assumptions](../concepts/simulation-assumptions.md)). The "
        "account starts with 100,000 USD and is mostly in cash; SPY is fully invested, from the "
        "first open to the last close, without costs. Where trading was halted at the end, a "
        "breaker had stopped new entries: in a replay nobody is there to resume."
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n\n" + text


def _sample(once: Measured) -> str:
    """What so few trades can and cannot say."""
    returns = [trade.pnl_fraction for trade in once.closed]
    if len(returns) < 2:
        return (
            "## What it means\n\nNothing about profit: there was no trade. That the run says so, "
            "and where every headline was lost, is the point."
        )
    mean, error = fmean(returns), stdev(returns) / sqrt(len(returns))
    return (
        f"## What it means\n\nThe mean of {len(returns)} closed trades is {mean:+.2%} after costs "
        f"with a standard error of {error:.2%}: {abs(mean) / error:.1f} standard errors from "
        "zero. Below two, luck can explain it; and one month that was looked at while the rules "
        "were written would prove little even above. No edge is claimed: these are the trades of "
        "the baseline that a learned policy has to beat."
    )


def _funnel(funnel: dict[str, Any]) -> str:
    lines = ["| step | headlines | lost before it |", "| --- | --- | --- |"]
    for step in STEPS:
        reasons = sorted(funnel["lost"].get(step, {}).items(), key=lambda item: (-item[1], item[0]))
        lost = ", ".join(f"{reason} {count}" for reason, count in reasons)
        lines.append(f"| {step} | {funnel[step]} | {lost} |")
    return "\n".join(lines)


def _identity(once: Measured, twice: Measured) -> str:
    return "\n".join(
        [
            f"- inputs (bars and news): `{once.inputs_hash}`",
            f"- journal: `{once.result['journal_hash']}` ({once.records} records)",
            f"- journal with doubled costs: `{twice.result['journal_hash']}`",
        ]
    )


def _change(value: float | None) -> str:
    return "n/a" if value is None else f"{value:+.2%}"


def _share(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2%}"


def _plain(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"


def _halted(measured: Measured) -> str:
    return "yes" if measured.exit_code else "no"


def main() -> None:
    """Write every evidence page from the recordings in the folder given."""
    folder = Path(sys.argv[1])
    for study in STUDIES:
        once, twice = measure(study, folder, {}), measure(study, folder, DOUBLED)
        path = ROOT / study.page
        path.parent.mkdir(parents=True, exist_ok=True)
        text = page(study, once, twice, buy_and_hold(study, folder))
        path.write_text(text, encoding="utf-8")
        print(study.page)


if __name__ == "__main__":
    main()
