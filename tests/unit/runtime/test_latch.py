from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.messages.facts import (
    NotificationAcknowledged,
    OperatorHalted,
    OperatorResumed,
)
from catalyst_bot.runtime.latch import HALT_FILE, OperatorMailbox
from tests.builders import NOON


def halt(mailbox: OperatorMailbox, reason: str = "look") -> None:
    mailbox.halt(by="me", reason=reason, positions_policy=PositionsPolicy.CLOSE)


def test_a_halt_is_told_once_and_stays_set(tmp_path: Path):
    mailbox = OperatorMailbox(tmp_path)
    assert not mailbox.is_halted()
    halt(mailbox)
    (fact,) = mailbox.collect(NOON)
    assert fact == OperatorHalted(
        at=NOON, by="me", reason="look", positions_policy=PositionsPolicy.CLOSE
    )
    assert mailbox.collect(NOON) == []
    assert mailbox.is_halted()


def test_a_new_process_is_told_of_the_old_latch(tmp_path: Path):
    halt(OperatorMailbox(tmp_path))
    assert len(OperatorMailbox(tmp_path).collect(NOON)) == 1


def test_another_halt_is_told_again(tmp_path: Path):
    mailbox = OperatorMailbox(tmp_path)
    halt(mailbox)
    mailbox.collect(NOON)
    halt(mailbox, reason="still")
    assert len(mailbox.collect(NOON)) == 1


def test_a_resume_lifts_the_latch_and_is_told_once_by_whoever_reads(tmp_path: Path):
    mailbox, other = OperatorMailbox(tmp_path), OperatorMailbox(tmp_path)
    halt(mailbox)
    mailbox.collect(NOON)
    other.resume(by="you", reason="fine")
    assert not mailbox.is_halted()
    assert mailbox.collect(NOON) == [OperatorResumed(at=NOON, by="you", reason="fine")]
    assert mailbox.collect(NOON) == []


def test_the_same_halt_after_a_resume_is_told_again(tmp_path: Path):
    mailbox, other = OperatorMailbox(tmp_path), OperatorMailbox(tmp_path)
    halt(other)
    mailbox.collect(NOON)
    other.resume(by="you", reason="fine")
    mailbox.collect(NOON)
    halt(other)
    assert [type(fact) for fact in mailbox.collect(NOON)] == [OperatorHalted]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"not json", b"[1]", b"{}"])
def test_a_damaged_latch_still_halts(tmp_path: Path, content: bytes):
    mailbox = OperatorMailbox(tmp_path)
    path = mailbox.halt(by="me", reason="x", positions_policy=PositionsPolicy.HOLD)
    path.write_bytes(content)
    assert path.name == HALT_FILE
    assert mailbox.is_halted()
    (fact,) = mailbox.collect(NOON)
    assert isinstance(fact, OperatorHalted)
    assert fact.positions_policy is PositionsPolicy.HOLD


def test_an_empty_latch_halts_too(tmp_path: Path):
    """A disk that was full when it was written, or `touch HALT` by a person in a hurry."""
    mailbox = OperatorMailbox(tmp_path)
    mailbox.halt(by="me", reason="x", positions_policy=PositionsPolicy.HOLD).write_bytes(b"")
    assert mailbox.is_halted()
    assert [type(fact) for fact in mailbox.collect(NOON)] == [OperatorHalted]
    assert mailbox.collect(NOON) == []


def test_what_a_person_has_seen_is_told_once(tmp_path: Path):
    OperatorMailbox(tmp_path).acknowledge("note_1", by="me")
    bot = OperatorMailbox(tmp_path)
    assert bot.collect(NOON) == [NotificationAcknowledged(at=NOON, notice_id="note_1", by="me")]
    assert bot.collect(NOON) == []


@pytest.mark.parametrize("notice_id", ["", "../HALT", "a/b", "x" * 81, "a.b"])
def test_an_id_is_never_a_path(tmp_path: Path, notice_id: str):
    with pytest.raises(ValueError, match="no id"):
        OperatorMailbox(tmp_path).acknowledge(notice_id, by="me")
    assert not list(tmp_path.rglob("*"))


def test_a_disk_without_room_for_words_takes_an_empty_latch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mailbox = OperatorMailbox(tmp_path)
    monkeypatch.setattr(Path, "write_text", _full_disk)
    halt(mailbox)
    assert mailbox.is_halted()
    assert not list(tmp_path.rglob("*.tmp"))
    (fact,) = mailbox.collect(NOON)
    assert isinstance(fact, OperatorHalted)


def _full_disk(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")
