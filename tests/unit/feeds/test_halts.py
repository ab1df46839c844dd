"""Halts from two lists that lag each other: told once, ended once, news only when it is some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.messages.facts import HeadlineReceived, SymbolHalted, SymbolResumed
from catalyst_bot.feeds import fetch
from catalyst_bot.feeds.halts import HaltBoard
from catalyst_bot.feeds.page import Halt
from catalyst_bot.feeds.readers.nasdaq_halts import parse_nasdaq_halts
from catalyst_bot.feeds.readers.nyse_halts import parse_nyse_halts
from tests.builders import NOON
from tests.feed_desk import Desk
from tests.feed_samples import nasdaq_halt, nasdaq_halts, nyse_halts
from tests.feed_server import Reply, Server, serving

LATER = datetime(2026, 9, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def halt(symbol: str = "ACME", **given: Any) -> Halt:
    defaults = {
        "symbol": symbol,
        "company": "Acme Corp",
        "code": "T1",
        "halted_at": NOON - MINUTE,
        "resumes_at": None,
    }
    return Halt(**(defaults | given))


def take(board: HaltBoard, *halts: Halt, now: datetime = NOON) -> list[Any]:
    return [
        (type(fact).__name__, getattr(fact, "symbol", ""))
        for fact in board.take(halts, publisher="NASDAQ halts", now=now)
    ]


HALTED, RESUMED, NEWS = (
    ("SymbolHalted", "ACME"),
    ("SymbolResumed", "ACME"),
    ("HeadlineReceived", ""),
)


def test_a_halt_is_told_once_with_its_news_and_its_end():
    board = HaltBoard()
    assert take(board, halt()) == [HALTED, NEWS]
    assert take(board, halt()) == []
    ends = halt(resumes_at=NOON + 5 * MINUTE)
    assert take(board, ends) == []
    assert board.seconds_to_change(NOON) == 300
    assert take(board, ends, now=NOON + 5 * MINUTE) == [RESUMED]
    assert take(board, ends, now=NOON + 6 * MINUTE) == []
    assert board.seconds_to_change(NOON + 6 * MINUTE) == float("inf")


def test_the_news_of_a_halt_has_the_true_time_and_says_why():
    (halted, news) = HaltBoard().take([halt()], publisher="NASDAQ halts", now=NOON)
    assert halted == SymbolHalted(at=NOON, symbol="ACME", code="T1")
    assert isinstance(news, HeadlineReceived)
    assert news.headline.title == "Trading halted in Acme Corp (ACME): news pending"
    assert news.headline.symbols == ("ACME",)
    assert (news.headline.published_at, news.headline.received_at) == (NOON - MINUTE, NOON)


@pytest.mark.parametrize("code", ["LUDP", "M", "MWC1"])
def test_a_pause_after_a_fast_move_is_no_news(code: str):
    assert take(HaltBoard(), halt(code=code)) == [HALTED]


def test_a_list_that_lags_changes_nothing():
    board = HaltBoard()
    exact = halt(halted_at=NOON - MINUTE + timedelta(milliseconds=183))
    assert take(board, exact) == [HALTED, NEWS]
    assert take(board, halt()) == []  # the same halt, to the second
    assert take(board, halt(resumes_at=NOON)) == [RESUMED]
    assert take(board, exact) == []  # it does not know of the resume yet
    again = halt(halted_at=NOON + MINUTE)
    assert take(board, halt(), again, now=NOON + 2 * MINUTE) == [HALTED, NEWS]
    assert take(board, halt(resumes_at=NOON), now=NOON + 3 * MINUTE) == []


def test_what_began_or_ended_before_we_looked_is_told_as_it_stands():
    over = halt(halted_at=NOON - 9 * MINUTE, resumes_at=NOON - 4 * MINUTE)
    assert take(HaltBoard(), over) == []
    assert take(HaltBoard(), halt(halted_at=NOON + MINUTE)) == []  # nobody halts in the future
    assert take(HaltBoard(), halt(halted_at=NOON - timedelta(days=2_000))) == [HALTED, NEWS]


def test_a_restart_knows_what_the_journal_holds():
    journal = [
        SymbolHalted(at=NOON, symbol="ACME", code="T1"),
        SymbolHalted(at=NOON, symbol="GONE", code="T1"),
        SymbolHalted(at=NOON, symbol="OVER", code="T1"),
        SymbolResumed(at=NOON, symbol="OVER"),
    ]
    board = HaltBoard()
    board.learn(journal)
    assert take(board, halt(), halt("NEW")) == [
        ("SymbolResumed", "GONE"),  # it ended on a day when nobody looked
        ("SymbolHalted", "NEW"),
        NEWS,
    ]
    assert take(board, halt(resumes_at=NOON)) == [RESUMED]


MOMENTS = st.integers(0, 9).map(lambda minutes: NOON + minutes * MINUTE)
LISTS = st.lists(
    st.builds(
        halt,
        st.sampled_from(["ACME", "BETA"]),
        halted_at=MOMENTS,
        resumes_at=st.none() | MOMENTS,
        code=st.sampled_from(["T1", "LUDP"]),
    ),
    max_size=4,
)


@given(st.lists(LISTS, max_size=12))
def test_halts_and_resumes_of_a_symbol_take_turns(lists: list[list[Halt]]):
    board, states = HaltBoard(), {}
    for minute, listed in enumerate(lists):
        for fact in board.take(listed, publisher="x", now=NOON + minute * MINUTE):
            if isinstance(fact, HeadlineReceived):
                continue
            is_halted = isinstance(fact, SymbolHalted)
            assert states.get(fact.symbol, False) is not is_halted
            states[fact.symbol] = is_halted


@pytest.mark.parametrize(
    ("written", "second", "microsecond"),
    [("11:59:00", 0, 0), ("11:59:07.183", 7, 183_000), ("11:59:07 .183", 7, 183_000)],
)
def test_a_halt_begins_at_its_wall_time_in_new_york(written: str, second: int, microsecond: int):
    content = nasdaq_halts(nasdaq_halt("BRK.A", begins=written, ends="12:04:00"))
    (found,) = parse_nasdaq_halts(content, source="x", received_at=NOON).halts or ()
    assert found.symbol == "BRK-A"
    assert found.halted_at == NOON.replace(
        hour=15, minute=59, second=second, microsecond=microsecond
    )
    assert found.resumes_at == NOON + 4 * MINUTE


def test_a_broken_line_costs_nothing_but_itself():
    content = nasdaq_halts(nasdaq_halt(""), nasdaq_halt(begins="soon"), nasdaq_halt("BETA"))
    page = parse_nasdaq_halts(content, source="x", received_at=NOON)
    assert [found.symbol for found in page.halts or ()] == ["BETA"]
    assert [problem.reason for problem in page.problems] == [
        "has no symbol",
        "has no readable time: '2025-10-06Tsoon'",
    ]
    lines = ["2025-10-06,11:59:00,,X,NYSE,News Pending,,", "2025-10-06,soon,X,X,NYSE,LULD Pause,,"]
    assert len(parse_nyse_halts(nyse_halts(*lines), source="x", received_at=NOON).problems) == 2


def test_real_lists_are_read_whole(shared_data: Path):
    folder = shared_data / "fixtures" / "nasdaq_halts"
    for file in sorted(folder.glob("*.xml")):
        page = parse_nasdaq_halts(file.read_bytes(), source="x", received_at=LATER)
        assert page.halts
        assert not page.problems
    (file,) = folder.glob("*.csv")
    page = parse_nyse_halts(file.read_bytes(), source="x", received_at=LATER)
    assert page.halts is not None
    assert [(found.symbol, found.code) for found in page.halts] == [
        ("TNONW", "T1"),
        ("MB", "LUDP"),
        ("SVA", "T1"),
    ]
    assert page.halts[0].company == "Tenon Medical, Inc. Warrant"
    assert page.halts[1].halted_at == datetime(2026, 8, 7, 19, 42, 38, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


async def test_a_poller_looks_again_when_a_halt_is_to_end(server: Server):
    async with fetch.make_client() as client:
        desk = Desk(client)
        nasdaq = desk.poller(f"nasdaq-halts={server.origin}/nasdaq")
        nyse = desk.poller(f"nyse-halts={server.origin}/nyse")
        server.replies = {
            "/nasdaq": Reply(body=nasdaq_halts(nasdaq_halt(code="LUDP", ends="12:00:40"))),
            "/nyse": Reply(body=nyse_halts("2025-10-06,11:59:00,ACME,Acme,Nasdaq,LULD Pause,,")),
        }
        assert await nasdaq.look() == 40
        assert await nyse.look() == 60
        desk.clock.pass_s(40)
        server.replies["/nasdaq"] = Reply(status=304)  # time ends a halt, not the list
        await nasdaq.look()
        assert await nyse.look() == 60
    assert desk.kinds() == ["SymbolHalted", "SymbolResumed"]


async def test_an_empty_list_ends_what_the_journal_holds(server: Server):
    async with fetch.make_client() as client:
        desk = Desk(client)
        desk.shared.board.learn([SymbolHalted(at=NOON, symbol="ACME", code="T1")])
        server.reply = Reply(body=nasdaq_halts())
        await desk.poller(f"nasdaq-halts={server.url}").look()
    assert desk.kinds() == ["SymbolResumed"]
