"""One account both ways: through the whole bot, and through the compiled kernel over a history.

One side is what `run` does: journal, venue, detection, stages, every check, exact money. The other
is the kernel over a history of the same files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap.configuration import load_settings
from catalyst_bot.features.catalyst import Edges
from catalyst_bot.history.edges import with_edges
from catalyst_bot.history.panel import Panel, open_panel
from catalyst_bot.ml.portfolio.run import PortfolioRun, RowsPolicy, run_portfolio
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import Terms, terms_of
from catalyst_bot.policies.rule_action import RULE_TERMS, RuleTerms
from tests.e2e.commands import catalyst_bot


def write_news(path: Path, told: Iterable[tuple[datetime, str, bool]]) -> None:
    """Write headlines, good or bad, about symbols at times."""
    lines = [
        {
            "published_at": at.isoformat(),
            "title": f"{symbol.title()} {(BAD if is_bad else GOOD)[number % 2]} {number}",
            "symbols": [symbol],
            "source": "Wire",
        }
        for number, (at, symbol, is_bad) in enumerate(sorted(told))
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


GOOD = ("Receives FDA Approval For Its Pump Number", "Wins $900 Million Contract Number")
BAD = ("Cuts Full-Year Guidance After Recall Number", "Gets Subpoena In Investigation Number")


def through_the_engine(
    folder: Path, flags: list[str], config: Path, model: str = "rule"
) -> dict[str, Any]:
    """Replay the files that the flags name with the whole bot; return what it tells of the run."""
    out = folder / "out.json"
    said = catalyst_bot(
        *("run", "--mode", "backtest", *flags, "--data-dir", str(folder / "data")),
        *("--config", str(config), "--model", model, "--exit", "--json", str(out)),
    )
    assert said.code == 0, said.err
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


def through_the_kernel(
    folder: Path,
    flags: list[str],
    config: Path,
    policy: RuleTerms | RowsPolicy = RULE_TERMS,
    *,
    interval_s: int = 86_400,
    edges: Edges | None = None,
) -> tuple[Tape, PortfolioRun]:
    """Make a history of the files that the flags name and trade their days by the kernel."""
    panel, terms = history_of(folder, flags, config, interval_s=interval_s)
    panel = panel if edges is None else with_edges(panel, edges)
    tape = tape_of(panel, atr_length=terms.atr_length)
    days = range([day.isoformat() for day in tape.days].index(flags[1]), len(tape.days))
    return tape, run_portfolio(tape, terms, sessions=days, policy=policy)


def history_of(
    folder: Path, flags: list[str], config: Path, *, interval_s: int = 86_400
) -> tuple[Panel, Terms]:
    """Make a history of the files that the flags name; return it with the terms of the settings."""
    catalog, history = str(folder / "catalog"), folder / "history"
    assert catalyst_bot("data", "import", flags[5], flags[7], "--catalog", catalog).code == 0
    said = catalyst_bot(
        *("data", "history", "--catalog", catalog, "--out", str(history), "--features"),
        *("--config", str(config), "--interval", str(interval_s)),
    )
    assert said.code == 0, said.err
    return open_panel(history), terms_of(load_settings(config=config, data_dir=None).settings)


Trade = tuple[str | float, ...]


def trades_of(engine: dict[str, Any]) -> set[Trade]:
    """What the bot traded: symbol, times, reason, shares, prices, result."""
    return {
        (
            *(trade["symbol"], _seconds(trade["entry_at"]), _seconds(trade["exit_at"])),
            *(trade["exit_reason"], float(trade["quantity"]), float(trade["entry_price"])),
            *(float(trade["exit_price"]), float(trade["pnl_usd"])),
        )
        for trade in engine["trades"]
        if trade["exit_at"] is not None
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def trades_in(kernel: PortfolioRun) -> set[Trade]:
    """What the kernel traded, as `trades_of` tells it."""
    return {
        (
            *(str(trade["symbol"]), float(trade["entered_s"]), float(trade["left_s"])),
            *(str(trade["exit_reason"]), float(trade["shares"])),
            *(round(float(trade["entry_price"]), 8), round(float(trade["exit_price"]), 8)),
            round(float(trade["pnl_usd"]), 4),
        )
        for trade in kernel.trades
    }


def the_rule_alike(
    folder: Path, flags: list[str], settings: str, *, interval_s: int = 86_400
) -> set[Trade]:
    """Hold both ways to the same trades, refusals, answers and worth by the rule; return the
    trades.
    """
    config = folder / "catalyst.toml"
    config.write_text(settings, encoding="utf-8")
    engine = through_the_engine(folder, flags, config)
    _tape, kernel = through_the_kernel(folder, flags, config, interval_s=interval_s)
    trades = trades_in(kernel)
    assert trades == trades_of(engine)
    assert_equal(engine, kernel)
    funnel = engine["funnel"]
    assert kernel.outcomes["entries"] == funnel["approved"]
    declined = funnel["lost"].get("intent", {}).get("policy_says_no", 0)
    assert kernel.outcomes.get("declined", 0) == declined
    return trades


def assert_equal(engine: dict[str, Any], kernel: PortfolioRun) -> None:
    """The same worth at the end, and the same refusals."""
    assert kernel.equity[-1] == pytest.approx(float(engine["equity_end"]), abs=0.005)
    answers = {"entries", "exits", "declined"}
    refused = Counter(refusal["rule"] for refusal in engine["refusals"])
    assert {name: n for name, n in kernel.outcomes.items() if name not in answers} == dict(refused)
