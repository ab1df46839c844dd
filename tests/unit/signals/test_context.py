"""The numbers around a signal: what each measures, and that none of them knows the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.market import Bar, MarketView, series_of
from catalyst_bot.domain.messages.decisions import CatalystDetected, SignalFormed
from catalyst_bot.domain.messages.facts import HeadlineReceived, MarketViewReceived, SymbolRenamed
from catalyst_bot.domain.trading import ContextFactor
from catalyst_bot.signals import decide, evolve
from catalyst_bot.signals.context import FACTORS, Seen, context_of, seen_at
from catalyst_bot.signals.measures import measured
from catalyst_bot.signals.reference import ReferenceRow
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import InsiderNote, State
from tests.builders import NOON, OPEN, FakeDesk, bar, catalyst, headline, quote

STEP = timedelta(minutes=5)


def session(start: datetime, count: int, price: float = 100.0, **given: Any) -> list[Bar]:
    flat = {"open": price, "high": price + 0.5, "low": price - 0.5, "close": price}
    return [bar(opened_at=start + STEP * i, **(flat | given)) for i in range(count)]


def view(bars: Sequence[Bar], benchmark: Sequence[Bar] = (), at: datetime = NOON) -> MarketView:
    return MarketView(
        symbol="ACME",
        as_of=at,
        bar_interval_s=300,
        bars=series_of("ACME", bars),
        benchmark_bars=series_of("SPY", benchmark),
        quote=quote(at=at),
    )


def known_at(made: MarketView, **given: Any) -> Seen:
    return seen_at(measured(made, atr_length=14), **given)


def seen(made: MarketView, **given: Any) -> dict[str, ContextFactor]:
    return {each.name: each for each in context_of(known_at(made, **given))}


YESTERDAY = session(OPEN - timedelta(days=3), 78)  # the Friday before
TODAY = session(OPEN, 30, 102.0)  # closed at noon


def test_what_is_unknown_stands_at_its_neutral_value():
    context = seen(view([]))
    assert list(context) == [factor.name for factor in FACTORS]
    assert not any(factor.is_known for factor in context.values())
    assert {name: each.value for name, each in context.items() if each.value} == {
        "relative_volume": 1.0,
        "volatility": 20.0,
    }


def test_the_gap_is_todays_open_against_the_last_close_before():
    gap = seen(view([*YESTERDAY, *TODAY]))["gap"]
    assert gap.value == pytest.approx(200.0)
    assert gap.as_of == OPEN + STEP
    assert not seen(view(TODAY))["gap"].is_known
    before_the_open = view([*YESTERDAY, *TODAY], at=OPEN + timedelta(days=1))
    assert not seen(before_the_open)["gap"].is_known


def test_volume_is_held_against_the_same_time_of_day():
    busy_then = session(OPEN - timedelta(days=3), 78, volume=50_000.0)
    factor = seen(view([*busy_then, *TODAY]))["relative_volume"]
    assert factor.value == pytest.approx(2.0)
    assert factor.as_of == NOON


def test_distance_from_vwap_and_atr_are_in_bps_of_the_price():
    rising = [*session(OPEN, 29), *session(OPEN + 29 * STEP, 1, 101.0, volume=0.0)]
    context = seen(view(rising))
    assert context["vwap_distance"].value == pytest.approx(100.0)
    flat = seen(view(TODAY))["atr"]
    assert flat.value == pytest.approx(1.0 / 102.0 * 10_000)
    assert not seen(view(TODAY[:14]))["atr"].is_known


def test_the_market_is_calm_or_not_and_goes_somewhere():
    def market(step: float) -> list[Bar]:
        closes = [500.0 * (1 + step * (i % 2)) for i in range(60)]
        return [
            bar("SPY", OPEN - timedelta(minutes=150) + STEP * i, open=c, high=c, low=c, close=c)
            for i, c in enumerate(closes)
        ]

    calm = seen(view(TODAY, market(0.0002)))["volatility"]
    wild = seen(view(TODAY, market(0.01)))["volatility"]
    assert calm.note == "calm"
    assert wild.note == "stressed"
    assert wild.value > calm.value > 0
    up = [
        bar("SPY", OPEN - timedelta(minutes=150) + STEP * i, close=100.0 + i / 10)
        for i in range(60)
    ]
    trend = seen(view(TODAY, up))["trend"]
    assert trend.value > 0
    assert trend.note == "bull"


def test_reference_figures_count_from_the_day_after():
    rows = (
        ReferenceRow(as_of=date(2025, 10, 3), float_shares=1e6, sector="Energy"),
        ReferenceRow(as_of=date(2025, 10, 5), float_shares=2e6, short_interest_fraction=0.2),
        ReferenceRow(as_of=date(2025, 10, 6), float_shares=3e6, shares_outstanding=9e6),
    )
    context = seen(view(TODAY), reference=rows)
    assert (context["float"].value, context["float"].as_of) == (
        2e6,
        datetime(2025, 10, 6, tzinfo=UTC),
    )
    assert context["short_interest"].value == 0.2
    assert (context["sector"].note, context["sector"].is_known) == ("Energy", True)
    assert not context["shares_outstanding"].is_known


def test_insiders_are_counted_for_a_month():
    notes = [
        InsiderNote(at=NOON - timedelta(days=days), sign=sign)
        for days, sign in ((1, 1), (2, 1), (3, -1), (4, 0), (31, 1))
    ]
    factor = seen(view(TODAY), insiders=notes)["insiders"]
    assert (factor.value, factor.note) == (1.0, "4 filings in 30 days")
    assert factor.as_of == NOON - timedelta(days=1)


def test_filings_are_heard_of_by_symbol_or_cik_and_signed_by_their_catalyst():
    state = State()
    for number, whose in enumerate(({"symbols": ("ACME",)}, {"symbols": (), "cik": 77})):
        form = "4/A" if number else "4"
        told = headline(form=form, title=f"filing {number}", **whose)
        evolve.hear_of_filing(state, HeadlineReceived(at=NOON, headline=told), NOON)
        if not number:
            bought = catalyst(headline=told, category="insider_buying", direction=1)
            evolve.remember_catalyst(state, CatalystDetected(catalyst=bought), NOON)
    other = headline(form="8-K", symbols=("ACME",), title="other")
    evolve.hear_of_filing(state, HeadlineReceived(at=NOON, headline=other), NOON)
    assert {key: len(filings) for key, filings in state.insiders.items()} == {"ACME": 1, "CIK77": 1}
    waiting = catalyst(headline=headline(title="another"))
    state.waiting = {waiting.catalyst_id: waiting}
    made = view([*YESTERDAY, *TODAY])
    received = MarketViewReceived(
        at=NOON, request_id="r", catalyst_id=waiting.catalyst_id, view=made
    )
    rules = Rules(ciks={"ACME": 77})
    (formed,) = decide.on_market_view(state, received, FakeDesk(), rules)
    assert isinstance(formed, SignalFormed)
    insiders = next(each for each in formed.signal.context if each.name == "insiders")
    assert (insiders.value, insiders.note) == (1.0, "2 filings in 30 days")
    renamed = SymbolRenamed(at=NOON, symbol="ACME", new_symbol="APEX", effective_on=NOON.date())
    evolve.rename_symbol(state, renamed, NOON)
    assert "APEX" in state.insiders
    assert "ACME" not in state.insiders


def test_context_changes_no_decision():
    waiting = catalyst()
    state = State(waiting={waiting.catalyst_id: waiting})
    received = MarketViewReceived(
        at=NOON,
        request_id="r",
        catalyst_id=waiting.catalyst_id,
        view=view([*YESTERDAY, *TODAY]),
    )
    row = ReferenceRow(as_of=date(2025, 10, 1), short_interest_fraction=9.0, float_shares=1.0)
    (plain,) = decide.on_market_view(state, received, FakeDesk(), Rules())
    (informed,) = decide.on_market_view(
        state, received, FakeDesk(), Rules(reference={"ACME": (row,)})
    )
    assert isinstance(plain, SignalFormed)
    assert isinstance(informed, SignalFormed)
    assert plain.signal.context != informed.signal.context
    assert replace(plain.signal, context=()) == replace(informed.signal, context=())


figures = st.floats(0.01, 1e6)
later_bars = st.lists(st.tuples(figures, st.integers(0, 500)), max_size=8)
later_rows = st.lists(
    st.builds(
        ReferenceRow,
        as_of=st.dates(date(2025, 10, 6), date(2026, 1, 1)),
        float_shares=figures,
        shares_outstanding=figures,
        short_interest_fraction=figures,
        sector=st.just("later"),
    ),
    max_size=4,
)
later_notes = st.lists(
    st.builds(
        InsiderNote,
        at=st.integers(1, 10**7).map(lambda s: NOON + timedelta(seconds=s)),
        sign=st.sampled_from((-1, 0, 1)),
    ),
    max_size=4,
)


@given(later_bars, later_rows, later_notes)
def test_nothing_later_than_the_view_changes_a_factor(
    moves: list[tuple[float, int]], rows: list[ReferenceRow], notes: list[InsiderNote]
):
    """Bars that close after `as_of`, figures of that day and later, filings heard of later."""
    benchmark = [replace(each, symbol="SPY") for each in [*YESTERDAY, *TODAY]]
    row = ReferenceRow(as_of=date(2025, 10, 5), float_shares=5.0, sector="now")
    note = InsiderNote(at=NOON, sign=1)
    before = context_of(
        known_at(view([*YESTERDAY, *TODAY], benchmark), reference=[row], insiders=[note])
    )
    later = [
        bar(
            opened_at=NOON + STEP * sum(gap + 1 for _, gap in moves[:i]),
            open=p,
            high=p,
            low=p,
            close=p,
        )
        for i, (p, _) in enumerate(moves)
    ]
    after = context_of(
        known_at(
            view(
                [*YESTERDAY, *TODAY, *later],
                [*benchmark, *(replace(each, symbol="SPY") for each in later)],
            ),
            reference=[row, *rows],
            insiders=[note, *notes],
        )
    )
    assert after == before
    assert any(factor.is_known for factor in before)
