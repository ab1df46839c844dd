"""One engine in every mode: the same inputs give the same records, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import is_fact
from catalyst_bot.storage.read_model import ReadModel
from tests.replays import as_bytes, first_difference, generated


def journal_of(
    folder: Path, *, mode: Mode, is_dry_run: bool = False, seed: int
) -> tuple[list[Recorded], str]:
    """Records and journal hash of a whole run through its real loop and journal."""
    request = generated(folder, mode=mode, is_dry_run=is_dry_run, seed=seed)
    with ReadModel(f"sqlite:///{run.replay(request).journal}") as model:
        return list(model.records()), model.journal_hash()


@pytest.mark.parametrize("seed", [4, 11])
@pytest.mark.parametrize("is_dry_run", [False, True])
def test_synchronous_and_asyncio_runs_record_the_same_bytes(
    tmp_path: Path, seed: int, is_dry_run: bool
):
    backtest, hash_of_backtest = journal_of(
        tmp_path / "a", mode=Mode.BACKTEST, is_dry_run=is_dry_run, seed=seed
    )
    paper, hash_of_paper = journal_of(
        tmp_path / "b", mode=Mode.PAPER, is_dry_run=is_dry_run, seed=seed
    )
    assert not first_difference(list(as_bytes(backtest)), list(as_bytes(paper)))
    assert hash_of_backtest == hash_of_paper
    assert any(isinstance(record.body, SubmitOrder) for record in backtest)


@pytest.mark.parametrize("seed", [4, 11])
def test_a_dry_run_decides_the_same_up_to_its_first_suppressed_order(tmp_path: Path, seed: int):
    """From there on the worlds differ: one account holds a position, the other does not."""
    traded, _ = journal_of(tmp_path / "a", mode=Mode.BACKTEST, seed=seed)
    dry, _ = journal_of(tmp_path / "b", mode=Mode.BACKTEST, is_dry_run=True, seed=seed)
    suppressed = next(
        index for index, r in enumerate(dry) if isinstance(r.body, f.SubmitSuppressed)
    )
    ours, theirs = list(as_bytes(traded)), list(as_bytes(dry))
    assert not first_difference(ours[:suppressed], theirs[:suppressed])
    assert ours[suppressed] != theirs[suppressed]
    assert any(isinstance(record.body, SubmitOrder) for record in dry[:suppressed])


def test_a_dry_run_never_fills(tmp_path: Path):
    dry, _ = journal_of(tmp_path, mode=Mode.PAPER, is_dry_run=True, seed=4)
    answers = {type(record.body) for record in dry if is_fact(record)}
    assert f.SubmitSuppressed in answers
    assert not answers & {f.OrderAccepted, f.OrderFilled, f.OrderRejected}
