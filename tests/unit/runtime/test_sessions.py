"""What a start reads out of the journal before it goes on."""

from __future__ import annotations

from datetime import timedelta

from catalyst_bot.domain.messages.facts import SessionClosed, SessionOpened
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime.sessions import open_day
from tests.builders import CLOSE, OPEN

OPENED = SessionOpened(at=OPEN, day=OPEN.date(), closes_at=CLOSE)
CLOSED = SessionClosed(at=CLOSE, day=OPEN.date())


def journal(*bodies: SessionOpened | SessionClosed) -> list[Recorded]:
    return [
        Recorded(
            seq=number, at=OPEN + timedelta(hours=number), cause_seq=None, trail_id="", body=body
        )
        for number, body in enumerate(bodies, start=1)
    ]


def test_a_restart_in_the_session_finds_the_day_open() -> None:
    assert open_day(journal(OPENED)) == OPEN.date()


def test_after_the_close_or_in_a_new_journal_no_day_is_open() -> None:
    assert open_day(journal(OPENED, CLOSED)) is None
    assert open_day([]) is None
