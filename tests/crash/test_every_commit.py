"""A process that dies at any commit, and the next one: the same book, no order twice.

What a dead process leaves behind is its journal up to the last commit and nothing else, so every
crash of the session is one prefix of its journal. The commits around orders are all tried, of the
others some (STRIDE = 1 tries them all). The session ends an hour into its second day, so that the
night between, with its lapsed orders, is part of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from tests.replays import Played, first_difference, generated, play, story

STRIDE = 10
PARTS = 8
ABOUT_ORDERS = (
    c.SubmitOrder,
    c.CancelOrder,
    c.ReplaceOrder,
    f.OrderAccepted,
    f.OrderFilled,
    f.OrderRejected,
    f.OrderCancelled,
    f.OrderExpired,
    f.OrderReplaced,
    f.ChangeRefused,
)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> ReplayRequest:
    request = generated(tmp_path_factory.mktemp("crash"))
    tape = request.recording.tape
    second_day = tape.sessions[-1].opens_at + timedelta(hours=1)
    return replace(
        request, recording=replace(request.recording, tape=replace(tape, end=second_day))
    )


@pytest.fixture(scope="module")
def whole(request_: ReplayRequest) -> Played:
    return play(request_)


def crash_points(whole: Played) -> list[int]:
    """Numbers of records after which a process dies: around orders, and now and then."""
    starts = [0, *whole.commits]
    about_orders = {
        index
        for index, (start, end) in enumerate(zip(starts, whole.commits, strict=False))
        if any(isinstance(r.body, ABOUT_ORDERS) for r in whole.records[start:end])
    }
    before = {index - 1 for index in about_orders if index}
    chosen = about_orders | before | set(range(0, len(whole.commits), STRIDE))
    unfinished = len(whole.commits) - 1  # after the last one the run is over
    return [0, *(whole.commits[index] for index in sorted(chosen) if index < unfinished)]


def test_the_session_has_enough_to_lose(whole: Played):
    kinds = Counter(type(record.body) for record in whole.records)
    assert kinds[f.OrderFilled] > 20
    assert kinds[f.OrderReplaced] > 5
    assert len(crash_points(whole)) > 150


@pytest.mark.parametrize("part", range(PARTS))
def test_a_crash_at_any_commit_ends_in_the_same_book(
    request_: ReplayRequest, whole: Played, part: int
):
    for seq in crash_points(whole)[part::PARTS]:
        resumed = play(request_, whole.records[:seq])
        parted = first_difference(story(resumed.records), story(whole.records))
        assert not parted, f"after a crash at record {seq} (recovered, uninterrupted) {parted}"
        assert resumed.broker_books == whole.broker_books, f"venue after a crash at {seq}"
        assert resumed.state.portfolio.books == whole.state.portfolio.books
        accepted = Counter(
            r.body.client_order_id for r in resumed.records if isinstance(r.body, f.OrderAccepted)
        )
        assert set(accepted.values()) == {1}, f"an order twice after a crash at {seq}"


def test_a_crash_of_the_recovery_itself_changes_nothing(request_: ReplayRequest, whole: Played):
    """Two deaths: the second right after the restart's first commits, effects not yet done."""
    starts = [0, *whole.commits]
    submits = [
        end
        for start, end in zip(starts, whole.commits, strict=False)
        if any(isinstance(r.body, c.SubmitOrder) for r in whole.records[start:end])
    ]
    for seq in submits[:: len(submits) // 3]:
        resumed = play(request_, whole.records[:seq])
        for commit in resumed.commits[:2]:
            again = play(request_, resumed.records[:commit])
            assert not first_difference(story(again.records), story(whole.records))
            assert again.broker_books == whole.broker_books
