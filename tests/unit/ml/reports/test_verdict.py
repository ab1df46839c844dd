from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from catalyst_bot import cli
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.ml.reports.files import FILE, read_report
from catalyst_bot.ml.reports.verdict import verdict_of
from catalyst_bot.ml.validation.noise import World, drawn_evidence
from catalyst_bot.ml.validation.trials import TrialLedger
from catalyst_bot.policies.model_files import Model, write_model
from tests import models

WORLD = World(folds=24)


class Desk:
    """A model with a good report, and the ledger that counted it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.model_folder = folder / "data", folder / "model"
        self.ledger = TrialLedger(self.data / "trials.jsonl")
        self.head = self.count()
        self.model: Model = models.model(card={"trials": self.head.as_dict()})
        write_model(self.model_folder, self.model)
        evidence = drawn_evidence(2.3, np.random.default_rng(6), WORLD)
        self.content: dict[str, Any] = {
            "version": 1,
            "models": [self.model.model_id],
            "trials": self.count("walk-forward", evidence.returns_hash).as_dict(),
            "history": {"data_hash": "d"},
            "aggregate": {"sharpe": 99.0},
            "evidence": evidence.to_json(),
        }
        self.write()

    def count(self, kind: str = "train", returns_hash: str = ""):
        return self.ledger.record(
            kind, at=datetime(2026, 1, 1, tzinfo=UTC), config_hash="", seeds=(1,),
            returns_hash=returns_hash, sharpe=0.3, periods=1_000,
        )  # fmt: skip

    def write(self) -> Path:
        path = self.model_folder / FILE
        path.write_text(json.dumps(self.content))
        return path

    def validate(self, *flags: str):
        command = ["validate", str(self.model_folder), "--data-dir", str(self.data), *flags]
        return CliRunner().invoke(cli.app, command)

    def refused(self) -> set[str]:
        found = json.loads(self.validate("--json", "-").stdout)
        return {gate["name"] for gate in found["gates"] if not gate["passes"]}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Desk(tmp_path)


def test_a_model_with_good_evidence_passes(desk: Desk):
    done = desk.validate("--json", "-")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["verdict"] == "passed"
    assert found["trials"]["trials"] == 2
    assert {"value", "threshold", "passes", "evidence"} <= set(found["gates"][0])
    assert next(g for g in found["gates"] if g["name"] == "sharpe")["value"] < 3  # not the 99


def test_the_table_is_for_people(desk: Desk):
    done = desk.validate()
    assert "deflated_sharpe" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(": passed")


def test_an_older_copy_of_the_ledger_refuses_the_model(desk: Desk):
    older = desk.ledger.path.read_bytes()
    desk.count()
    desk.ledger.path.write_bytes(older)
    assert desk.validate().exit_code == 7
    assert desk.refused() == {"trial_ledger", "deflated_sharpe"}


def test_a_deleted_ledger_refuses_the_model_on_any_machine(desk: Desk, tmp_path, monkeypatch):
    desk.ledger.path.unlink()
    assert desk.refused() == {"trial_ledger", "deflated_sharpe"}
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    assert desk.refused() == {"trial_ledger", "deflated_sharpe"}


def test_a_ledger_begun_anew_is_not_the_one_on_the_card(desk: Desk, tmp_path, monkeypatch):
    desk.ledger.path.unlink()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    TrialLedger(desk.ledger.path).record(
        "train", at=datetime(2026, 1, 1, tzinfo=UTC), config_hash="", seeds=(),
        returns_hash="", sharpe=1.0, periods=9,
    )  # fmt: skip
    assert desk.refused() == {"trial_ledger", "deflated_sharpe"}


def test_returns_that_were_edited_are_refused(desk: Desk):
    desk.content["evidence"]["returns"][3] += 0.001
    desk.write()
    assert desk.validate().exit_code == 7
    assert desk.refused() == {"trial_ledger", "deflated_sharpe"}
    assert "returns of this report" in desk.validate().stdout


def test_returns_that_were_counted_as_another_kind_are_no_walk_forward(desk: Desk):
    evidence = drawn_evidence(2.3, np.random.default_rng(7), WORLD)
    desk.content["evidence"] = evidence.to_json()
    desk.write()
    desk.count("train", evidence.returns_hash)
    assert "trial_ledger" in desk.refused()
    desk.count("walk-forward", evidence.returns_hash)
    assert "trial_ledger" not in desk.refused()


def test_trials_after_the_report_count_too(desk: Desk):
    desk.ledger.record(
        "sweep", at=datetime(2026, 1, 1, tzinfo=UTC), config_hash="", seeds=(), returns_hash="",
        sharpe=0.0, periods=1_000, trials=10_000_000, sharpe_variance=2.0,
    )  # fmt: skip
    assert desk.refused() == {"deflated_sharpe"}


def test_without_a_report_every_gate_says_no(desk: Desk):
    (desk.model_folder / FILE).unlink()
    done = desk.validate("--json", "-")
    assert done.exit_code == 7
    gates = json.loads(done.stdout)["gates"]
    assert [gate["name"] for gate in gates if gate["passes"]] == ["trial_ledger"]
    assert all("no evidence" in g["evidence"] or "report" in g["evidence"] for g in gates if not g["passes"])  # fmt: skip  # noqa: E501


def test_the_report_of_another_model_is_no_evidence(desk: Desk):
    desk.content["models"] = ["another"]
    desk.write()
    assert {"provenance", "sharpe"} <= desk.refused()


def test_a_card_without_a_count_is_refused(desk: Desk):
    model = models.model(card={"verdict": "passed"})
    desk.content["models"].append(model.model_id)
    report = read_report(desk.write())
    verdict = verdict_of(model, report, desk.ledger)
    assert not verdict.has_passed
    assert "does not say how many" in verdict.gates[1].evidence


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(version=2),
        lambda c: c.pop("evidence"),
        lambda c: c["evidence"].pop("returns"),
        lambda c: c.update(trials={"lines": 1}),
        lambda c: c.update(history=None),
        lambda c: c["evidence"]["returns"].__setitem__(0, "NaN"),
    ],
)
def test_a_damaged_report_is_refused(desk: Desk, change):
    change(desk.content)
    path = desk.write()
    with pytest.raises(BadData):
        read_report(path)
    assert desk.validate().exit_code == 3


def test_a_report_that_is_not_there_is_named(desk: Desk, tmp_path: Path):
    with pytest.raises(ConfigError, match="walk-forward"):
        read_report(tmp_path / "none.json")
    assert desk.validate("--report", str(tmp_path / "none.json")).exit_code == 3


def test_trials_are_listed_and_a_lost_ledger_is_carried_on(desk: Desk):
    flags = ["--data-dir", str(desk.data)]
    listed = CliRunner().invoke(cli.app, ["trials", *flags, "--json", "-"])
    assert json.loads(listed.stdout)["head"]["trials"] == 2
    assert "2 trials" in CliRunner().invoke(cli.app, ["trials", *flags]).stdout
    desk.ledger.path.unlink()
    assert CliRunner().invoke(cli.app, ["trials", *flags]).exit_code == 3
    again = CliRunner().invoke(cli.app, ["trials", *flags, "--carry-on", "disk died"])
    assert again.exit_code == 0
    assert "2 trials" in again.stdout
    assert CliRunner().invoke(cli.app, ["trials", *flags, "--carry-on", "x"]).exit_code == 3


def test_noise_is_refused_from_the_command_line(tmp_path: Path):
    out = tmp_path / "noise.json"
    flags = ["--sharpes", "0,2.2", "--strategies", "5", "--folds", "24", "--json", str(out)]
    done = CliRunner().invoke(cli.app, ["noise-test", *flags])
    assert done.exit_code == 0
    found = json.loads(out.read_text())["found"]
    assert [each["sharpe"] for each in found] == [0.0, 2.2]
    assert found[0]["by_all"] == 0.0
    assert "95 % band" in done.stdout
    bad = CliRunner().invoke(cli.app, ["noise-test", "--sharpes", "many"])
    assert bad.exit_code == 3
