from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from catalyst_bot.domain.messages.facts import OperatorOverrode, OperatorReduced
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.words import WordBox, parse_duration
from tests.builders import NOON


def test_a_word_reaches_the_mailbox_once(tmp_path: Path):
    box = WordBox(tmp_path)
    box.reduce(by="ada", reason="holiday")
    ten = timedelta(minutes=10)
    name = box.override(by="ada", reason="fine", lasts=ten, at=NOON, intent_id="int-1")
    mailbox = OperatorMailbox(tmp_path)
    assert mailbox.collect(NOON) == [
        OperatorOverrode(
            at=NOON,
            override_id=name,
            by="ada",
            reason="fine",
            expires_at=NOON + ten,
            intent_id="int-1",
        ),
        OperatorReduced(at=NOON, by="ada", reason="holiday"),
    ]
    assert mailbox.collect(NOON) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "sing"}', '{"kind": "reduce"}'])
def test_what_cannot_be_read_is_dropped(tmp_path: Path, text: str):
    box = WordBox(tmp_path)
    path = box.reduce(by="ada", reason="holiday")
    path.write_text(text)
    assert box.collect(NOON) == []
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7_200), ("8h", 28_800)]
)
def test_durations(text: str, seconds: int):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "0m", "1.5h", "9h", "10d"])
def test_what_is_no_duration(text: str):
    with pytest.raises(ValueError, match=r"hours|write it like"):
        parse_duration(text)
