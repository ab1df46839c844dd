"""Sessions prove themselves, end, and belong to one token."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.monitoring.dashboard.sessions import (
    MAX_WRONG_TOKENS,
    SESSION_LIFE_S,
    WRONG_TOKEN_WINDOW_S,
    Sessions,
)

PASSWORD = "a long enough password"


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_session_lives_its_time_and_no_longer() -> None:
    clock = Clock()
    sessions = Sessions(token=None, now=clock)
    session = sessions.issue()
    clock.seconds += SESSION_LIFE_S - 1
    assert sessions.is_valid(session)
    clock.seconds += 1
    assert not sessions.is_valid(session)
    assert not sessions.is_csrf_token(sessions.csrf_token(session), session)


@given(st.text())
def test_nobody_can_make_up_a_session(text: str) -> None:
    assert not Sessions(token=None, now=Clock()).is_valid(text)


@given(st.data())
def test_a_changed_session_is_refused(data: st.DataObject) -> None:
    sessions = Sessions(token=None, now=Clock())
    session = sessions.issue()
    place = data.draw(st.integers(0, len(session) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda new: new != session[place]))
    assert not sessions.is_valid(session[:place] + other + session[place + 1 :])


def test_a_session_of_another_process_is_refused() -> None:
    assert not Sessions(token=None, now=Clock()).is_valid(Sessions(token=None, now=Clock()).issue())


def test_the_lock_opens_after_its_time() -> None:
    clock = Clock()
    sessions = Sessions(token=PASSWORD, now=clock)
    assert not any(sessions.accepts_token("wrong") for _ in range(MAX_WRONG_TOKENS))
    assert not sessions.accepts_token(PASSWORD)
    clock.seconds += WRONG_TOKEN_WINDOW_S + 1
    assert sessions.accepts_token(PASSWORD)


def test_without_a_password_none_is_asked() -> None:
    sessions = Sessions(token=None, now=Clock())
    assert not sessions.asks_token
    assert sessions.accepts_token("")
