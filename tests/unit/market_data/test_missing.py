"""Days that a recording lacks: found whatever the day, and told with the symbols and the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.missing import MissingSessions, missing_sessions
from catalyst_bot.market_data.session_times import Seconds, SessionTimes

SESSIONS = SessionTimes.of(load_calendar())
FIRST = int(np.searchsorted(SESSIONS.days, 17_000))  # in July 2016
COUNT = 12
DAYS = [str(day) for day in SESSIONS.days[FIRST : FIRST + COUNT].astype("datetime64[D]")]


def opens(numbers: Iterable[int]) -> Seconds:
    return SESSIONS.opens_s[[FIRST + number for number in sorted(numbers)]]


def found(held: Mapping[str, Iterable[int]], asked: tuple[int, int] | None = None):
    asked_s = None if asked is None else (int(opens([asked[0]])[0]), int(opens([asked[1]])[0]))
    bars = {symbol: opens(numbers) for symbol, numbers in held.items()}
    return missing_sessions(bars, SESSIONS, benchmark="SPY", asked_s=asked_s)


held_days = st.frozensets(st.integers(0, COUNT - 1))


@given(st.dictionaries(st.sampled_from(["SPY", "ACME", "BOLT"]), held_days))
def test_every_day_that_was_taken_out_is_found_once_and_no_other(
    held: dict[str, frozenset[int]],
) -> None:
    missing = found(held)
    days = set().union(*held.values())
    every = range(min(days, default=0), max(days, default=-1) + 1)
    assert set(missing.of_all) == {DAYS[number] for number in every if number not in days}
    spans = {
        symbol: every if symbol == "SPY" else range(min(numbers), max(numbers) + 1)
        for symbol, numbers in held.items()
        if numbers
    }
    expected = {
        symbol: tuple(DAYS[n] for n in span if n in days and n not in held[symbol])
        for symbol, span in spans.items()
    }
    assert missing.of_benchmark == expected.pop("SPY", ())
    assert missing.of_symbols == {symbol: days for symbol, days in expected.items() if days}
    assert bool(missing.told("bars.csv", benchmark="SPY")) is (missing != MissingSessions())


def test_a_day_that_was_asked_for_is_missing_wherever_the_bars_end() -> None:
    held = {"SPY": range(2, 5), "ACME": range(1, 4)}
    missing = found(held, asked=(0, 6))
    assert missing.of_all == (DAYS[0], DAYS[5], DAYS[6])
    assert missing.of_benchmark == (DAYS[1],)
    assert missing.of_symbols == {}, "a symbol may begin late and be gone"
    assert found(held, asked=(2, 3)).of_all == (), "bars of other days are no fault"


def test_bars_outside_regular_hours_make_no_session() -> None:
    early = opens(range(3))
    early[1] -= 3600
    assert missing_sessions({"ACME": early}, SESSIONS).of_all == (DAYS[1],)


def test_it_is_told_by_file_with_the_worst_first() -> None:
    lacking = {f"S{number}": (DAYS[2],) for number in range(6)} | {"WORST": tuple(DAYS[1:8])}
    missing = MissingSessions(
        of_all=(DAYS[0],), of_benchmark=(DAYS[9],), of_symbols={**lacking, "ELSE": (DAYS[3],)}
    )
    one, benchmark, others, last = missing.told(
        "a.csv, b.csv",
        benchmark="SPY",
        file_of=lambda symbol: "b.csv" if symbol == "ELSE" else "a.csv",
    )
    assert one == f"a.csv, b.csv: no bar of any symbol on 1 session ({DAYS[0]})"
    assert benchmark == f"a.csv: no bar of the benchmark SPY on 1 session ({DAYS[9]})"
    week = ", ".join(DAYS[1:6])
    assert others.startswith(f"a.csv: no bar of WORST on 7 sessions ({week}, …); S0 on 1 session (")
    assert others.endswith("; and of 2 more symbols")
    assert last == f"b.csv: no bar of ELSE on 1 session ({DAYS[3]})"
