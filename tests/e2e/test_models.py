"""A trained model in the running bot, from its folder to its trades; the weights are drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import models
from catalyst_bot.bootstrap.requests import Asked, recorded_replay
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.policies.model_files import UNJUDGED, WEIGHTS, write_model
from tests import replays
from tests.daily_market import FEW_LOOKS, REPLAYED, DailyMarket, write_daily_market
from tests.e2e.commands import Said, catalyst_bot
from tests.models import agent, model

BUYS = 0.5  # a bias with which the drawn agents mostly want to buy


@pytest.fixture(scope="module", autouse=True)
def _few_looks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW_LOOKS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> DailyMarket:
    return write_daily_market(tmp_path_factory.mktemp("market"))


def three(verdict: str = "passed", **given: Any) -> Any:
    agents = (
        agent("ppo-0", seed=1, weight=0.5, bias=BUYS),
        agent("sac-0", seed=2, bias=BUYS, activation="relu", squash="tanh"),
        agent("a2c-0", seed=3, weight=0.25, bias=BUYS),
    )
    return model(*agents, card={"verdict": verdict}, **given)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "models" / "champion"
    write_model(folder, three())
    return folder


def backtest(market: DailyMarket, folder: Path, name: str) -> tuple[Said, dict[str, Any]]:
    flags = ["--mode", "backtest", "--exit", "--json", "-", "--data-dir", str(folder)]
    said = catalyst_bot("run", *market.flags(), "--model", name, *flags)
    assert said.code == 0, said.err
    return said, json.loads(said.out)


@pytest.fixture(scope="module")
def decided(market: DailyMarket, champion: Path) -> dict[str, Any]:
    return backtest(market, champion.parents[1], "champion")[1]


def test_a_model_that_passed_decides_and_trades(decided: dict[str, Any]) -> None:
    assert len(decided["trades"]) > 5
    for trade in decided["trades"]:
        assert [vote["agent"] for vote in trade["votes"]] == ["ppo-0", "sac-0", "a2c-0"]
        assert trade["decided_at"].endswith("20:00:00Z")
        assert trade["entry_at"] > trade["decided_at"]


def test_explain_tells_who_voted_what(decided: dict[str, Any]) -> None:
    trade = decided["trades"][0]
    told = catalyst_bot("explain", trade["trade_id"], "--journal", decided["journal"])
    assert told.code == 0, told.err
    for vote in trade["votes"]:
        assert f"vote of {vote['agent']}" in told.out
        assert f"(weight {vote['weight']:g})" in told.out
    assert "agreement" in told.out
    assert "On watch" in told.out


def test_the_journal_is_decided_again_the_same(decided: dict[str, Any]) -> None:
    verified = catalyst_bot("replay", "--verify", decided["journal"])
    assert verified.code == 0, verified.out + verified.err
    assert "identical" in verified.out


def test_a_model_that_did_not_pass_only_votes(market: DailyMarket, tmp_path: Path) -> None:
    write_model(tmp_path / "refused", three("refused"))
    said, result = backtest(market, tmp_path, str(tmp_path / "refused"))
    _, alone = backtest(market, tmp_path, "rule")
    assert [t["trade_id"] for t in result["trades"]] == [t["trade_id"] for t in alone["trades"]]
    assert all([vote["agent"] for vote in t["votes"]] == ["rule"] for t in result["trades"])
    assert "may not decide (validation said: refused)" in said.err
    shown = catalyst_bot("status", "--journal", result["journal"], "--data-dir", str(tmp_path))
    assert "model rule" in shown.out
    assert "its votes are shown, the rule decides" in shown.out
    trade = result["trades"][0]["trade_id"]
    told = catalyst_bot("explain", trade, "--journal", result["journal"])
    assert "shown, not followed" in told.out
    assert "vote of sac-0" in told.out


def test_a_model_that_no_gate_has_seen_was_never_validated(tmp_path: Path) -> None:
    write_model(tmp_path / "models" / "new", three(UNJUDGED))
    write_model(tmp_path / "models" / "refused", three("refused"))
    notes = {row["name"]: row["note"] for row in models.listed(tmp_path)}
    assert "may not decide (it was never validated)" in notes["new"]
    assert "may not decide (validation said: refused)" in notes["refused"]


def test_a_model_runs_only_on_bars_of_its_length(market: DailyMarket, tmp_path: Path) -> None:
    write_model(tmp_path / "fast", three(bar_interval_s=300))
    flags = ["--mode", "backtest", "--exit", "--data-dir", str(tmp_path)]
    refused = catalyst_bot("run", *market.flags(), "--model", str(tmp_path / "fast"), *flags)
    assert refused.code == 3
    assert "trained on bars of 300 s and does not run on bars of 86400 s" in refused.err


def test_a_tampered_model_is_refused_before_anything_runs(
    market: DailyMarket, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "bad"
    write_model(folder, three())
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    refused = catalyst_bot("run", *market.flags(), "--model", "bad", "--data-dir", str(tmp_path))
    assert refused.code == 3
    assert "hash differs" in refused.err
    assert not (tmp_path / "journals").exists()
    listed = catalyst_bot("models", "list", "--data-dir", str(tmp_path))
    assert "does not run" in listed.out
    assert "hash differs" in listed.out


def test_models_are_listed_and_shown(champion: Path) -> None:
    data = ["--data-dir", str(champion.parents[1]), "--json", "-"]
    rows = json.loads(catalyst_bot("models", "list", *data).out)["models"]
    assert {row["name"]: row["role"] for row in rows}["champion"] == "champion"
    shown = json.loads(catalyst_bot("models", "show", "champion", *data).out)
    assert [each["name"] for each in shown["agents"]] == ["ppo-0", "sac-0", "a2c-0"]
    assert shown["card"] == {"verdict": "passed"}
    assert shown["model_id"] == three().model_id
    text = catalyst_bot("models", "show", "champion", *data[:2]).out
    assert "sac-0  sac, seed 2, weight 1.0000, validation Sharpe 1.00" in text


def test_a_name_that_is_none_says_what_there_is(champion: Path) -> None:
    said = catalyst_bot("models", "show", "nobody", "--data-dir", str(champion.parents[1]))
    assert said.code == 3
    assert "there are rule, shipped, champion" in said.err


def some_of(commits: list[int], count: int) -> Iterator[int]:
    return iter(commits[:: max(1, len(commits) // count)])


def test_killed_anywhere_a_run_with_a_model_ends_the_same(
    market: DailyMarket, champion: Path
) -> None:
    first, last = (date.fromisoformat(day) for day in REPLAYED)
    request = recorded_replay(
        Asked(
            is_dry_run=False,
            mode=Mode.BACKTEST,
            first_day=first,
            last_day=min(last, date(2025, 9, 26)),
            bars=[market.bars],
            news=[market.news],
            model="champion",
            data_dir=champion.parents[1],
        )
    )
    whole = replays.play(request)
    formed = [r.body.signal for r in whole.records if isinstance(r.body, d.SignalFormed)]
    assert any(signal.is_review for signal in formed)
    for commit in some_of(whole.commits, 12):
        resumed = replays.play(request, whole.records[:commit])
        assert verdicts(resumed.records) == verdicts(whole.records), f"killed after {commit}"
        assert resumed.broker_books == whole.broker_books


def verdicts(records: Any) -> list[Any]:
    kinds = (d.SignalFormed, d.IntentFormed, d.IntentDeclined, d.CaseOpened, f.OrderFilled)
    return [record.body for record in records if isinstance(record.body, kinds)]


def test_the_demo_takes_the_shipped_model_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "shipped_folder", lambda: tmp_path / "shipped")
    write_model(tmp_path / "shipped", three("refused", bar_interval_s=300))
    said = catalyst_bot("demo", "--exit", "--mode", "backtest", "--data-dir", str(tmp_path / "a"))
    assert (said.code, "its votes are shown, the rule decides" in said.err) == (0, True)
    shutil.rmtree(tmp_path / "shipped")
    write_model(tmp_path / "shipped", three())
    said = catalyst_bot("demo", "--exit", "--mode", "backtest", "--data-dir", str(tmp_path / "b"))
    assert said.code == 0
    assert "does not run on bars of 300 s" in said.err
