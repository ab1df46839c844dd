from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.ml.validation.trials import START, TrialLedger, seal_folder

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> TrialLedger:
    return TrialLedger(tmp_path / "data" / "trials.jsonl", seals=tmp_path / "seals")


def record(ledger: TrialLedger, sharpe: float | None = 1.0, trials: int = 1):
    return ledger.record(
        "train",
        at=AT,
        config_hash="c",
        seeds=(1, 2),
        returns_hash="r",
        sharpe=sharpe,
        periods=250,
        trials=trials,
    )


def test_every_trial_counts_and_is_read_back(ledger: TrialLedger):
    assert ledger.read() == ((), START)
    record(ledger, 0.5)
    head = record(ledger, None, trials=1_000)
    trials, read = ledger.read()
    assert read == head
    assert (head.lines, head.trials) == (2, 1_001)
    assert [t.sharpe for t in trials] == [0.5, None]
    assert trials[0].seeds == (1, 2)
    assert trials[0].at == "2026-01-02T03:04:05Z"


def test_a_ledger_that_grew_still_holds_its_earlier_heads(ledger: TrialLedger):
    first = record(ledger)
    record(ledger)
    ledger.must_hold(START)
    ledger.must_hold(first)


def test_an_older_copy_is_noticed_and_takes_no_more_trials(ledger: TrialLedger):
    record(ledger)
    older = ledger.path.read_bytes()
    record(ledger)
    ledger.path.write_bytes(older)
    for use in (ledger.read, lambda: record(ledger), lambda: ledger.must_hold(START)):
        with pytest.raises(BadData, match="older copy"):
            use()
    assert ledger.path.read_bytes() == older


def test_a_deleted_ledger_is_noticed(ledger: TrialLedger):
    record(ledger)
    ledger.path.unlink()
    with pytest.raises(BadData, match="deleted"):
        ledger.read()
    with pytest.raises(BadData, match="deleted"):
        record(ledger)


def test_a_ledger_grown_anew_to_the_same_length_is_noticed(ledger: TrialLedger, tmp_path: Path):
    record(ledger, 3.0)
    other = TrialLedger(tmp_path / "other.jsonl", seals=tmp_path / "other seals")
    record(other, 0.1)
    ledger.path.write_bytes(other.path.read_bytes())
    with pytest.raises(BadData, match="put in its place"):
        ledger.read()


def test_without_its_seal_a_card_still_tells_that_trials_are_missing(
    ledger: TrialLedger, tmp_path: Path
):
    record(ledger)
    older = ledger.path.read_bytes()
    on_the_card = record(ledger)
    ledger.path.write_bytes(older)
    elsewhere = TrialLedger(ledger.path, seals=tmp_path / "another machine")
    elsewhere.read()
    with pytest.raises(BadData, match="counted 2 trials"):
        elsewhere.must_hold(on_the_card)


@pytest.mark.parametrize("change", ['"sharpe":1.0', '"trials":1}', '"kind":"train"'])
def test_a_changed_line_is_named(ledger: TrialLedger, change: str):
    record(ledger)
    record(ledger)
    text = ledger.path.read_text("utf-8")
    assert change in text
    ledger.path.write_text(text.replace(change, change.replace("1", "0").replace("n", "m"), 1))
    with pytest.raises(BadData, match=r"trials\.jsonl:1: was changed"):
        ledger.read()


def test_half_a_line_of_a_process_that_died_is_written_over(ledger: TrialLedger):
    record(ledger)
    with ledger.path.open("ab") as file:
        file.write(b'{"kind": "tr')
    assert len(ledger.read()[0]) == 1
    assert record(ledger).lines == 2
    assert len(ledger.read()[0]) == 2


def test_a_line_that_was_written_and_not_sealed_counts(ledger: TrialLedger, tmp_path: Path):
    record(ledger)
    (seal,) = (tmp_path / "seals").iterdir()
    before = seal.read_bytes()
    record(ledger)
    seal.write_bytes(before)  # killed between the two
    assert ledger.read()[1].lines == 2
    assert record(ledger).lines == 3


def test_many_may_record_at_once(ledger: TrialLedger):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: record(ledger, float(number)), range(40)))
    trials, head = ledger.read()
    assert head.trials == 40
    assert sorted(t.sharpe or 0.0 for t in trials) == [float(n) for n in range(40)]


def test_a_lost_ledger_is_carried_on_with_its_count(ledger: TrialLedger):
    head = record(ledger, trials=70)
    with pytest.raises(ConfigError, match="is whole"):
        ledger.carry_on(at=AT, reason="x")
    ledger.path.unlink()
    assert ledger.carry_on(at=AT, reason="a new disk").trials == 70
    assert record(ledger).trials == 71
    with pytest.raises(BadData, match="70 trials"):
        ledger.must_hold(head)


@pytest.mark.parametrize(
    ("sharpe", "trials"), [(float("nan"), 1), (float("inf"), 1), (1.0, 0), (1.0, -3)]
)
def test_what_is_no_number_is_no_trial(ledger: TrialLedger, sharpe: float, trials: int):
    with pytest.raises(ValueError, match="not a trial"):
        record(ledger, sharpe, trials)
    assert not ledger.path.exists()


def test_a_seal_that_cannot_be_read_or_written_is_told(ledger: TrialLedger, tmp_path: Path):
    record(ledger)
    (seal,) = (tmp_path / "seals").iterdir()
    seal.write_text(json.dumps({"head": {"lines": 1}}))
    with pytest.raises(BadData, match="is not a seal"):
        ledger.read()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="XDG_STATE_HOME"):
        record(TrialLedger(tmp_path / "new.jsonl", seals=blocked))


def test_seals_lie_in_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert seal_folder() == tmp_path / "catalyst-bot" / "trials"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert seal_folder() == tmp_path / "home/.local/state/catalyst-bot/trials"


def test_a_ledger_is_a_file_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "trials.jsonl"):
        with pytest.raises(ConfigError, match="is no place for a ledger"):
            TrialLedger(path)
    assert TrialLedger(tmp_path / "not" / "yet.jsonl").path.name == "yet.jsonl"
