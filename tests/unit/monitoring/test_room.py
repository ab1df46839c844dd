"""The distance to each refusal says exactly what the checks then do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import HaltCause, TradingState
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.monitoring.room import Room, largest_entry_usd, rooms
from catalyst_bot.risk import checks
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.sizing import Sizing
from catalyst_bot.risk.state import State, StrategyRecord
from tests import builders
from tests.unit.risk.bench import proposed

CENT = Decimal("0.01")
usd = st.decimals(min_value=0, max_value=10**7, places=2)
fraction = st.floats(0.001, 1.0)
SIZES = {
    "position_size": "max_position_fraction",
    "exposure": "max_exposure_fraction",
    "leverage": "max_leverage",
}


def of(name: str, found: tuple[Room, ...]) -> Room:
    return next(room for room in found if room.rule == name)


def verdict(name: str, state: State, desk: builders.FakeDesk, limits: RiskLimits, size: Decimal):
    """What the real check says of an entry that costs `size`."""
    made = proposed(state, builders.intent(), desk, replace(Rules(), limits=limits))
    proposal = replace(made, sizing=Sizing(quantity=Decimal(1), steps=()), price=size)
    return getattr(checks, name)(proposal).passed


@given(equity=usd, exposure=usd, limit=fraction, name=st.sampled_from(sorted(SIZES)))
@example(equity=Decimal(3), exposure=Decimal(0), limit=1 / 3, name="position_size")
def test_an_order_of_the_room_passes_and_one_a_cent_larger_is_refused(
    equity: Decimal, exposure: Decimal, limit: float, name: str
):
    field = SIZES[name]
    limits = replace(RiskLimits(), **{field: limit})
    desk = builders.FakeDesk(account=builders.account(equity_usd=equity, exposure_usd=exposure))
    room = of(name, rooms(State(), desk, limits))
    assert not verdict(name, State(), desk, limits, room.room + CENT)
    if room.room > 0:
        assert verdict(name, State(), desk, limits, room.room)
        assert verdict(name, State(), desk, limits, room.room - CENT)
    assert room.is_closed is (room.room < limits.min_trade_usd)


@given(
    opened=usd,
    peak=usd,
    equity=usd,
    reviewed=st.none() | usd,
    limit=fraction,
    name=st.sampled_from(["daily_loss", "drawdown"]),
)
def test_a_loss_of_the_room_is_borne_and_one_a_cent_larger_halts(
    opened: Decimal,
    peak: Decimal,
    equity: Decimal,
    reviewed: Decimal | None,
    limit: float,
    name: str,
):
    assume(opened > 1 and peak >= max(opened, equity))
    field = {"daily_loss": "max_daily_loss_fraction", "drawdown": "max_drawdown_fraction"}[name]
    limits = replace(RiskLimits(), **{field: limit})
    state = State(reviewed_peak_usd=reviewed)

    def passes(loss: Decimal) -> bool:
        account = builders.account(
            equity_usd=equity - loss, day_open_equity_usd=opened, peak_equity_usd=peak
        )
        return bool(verdict(name, state, builders.FakeDesk(account=account), limits, Decimal(500)))

    account = builders.account(equity_usd=equity, day_open_equity_usd=opened, peak_equity_usd=peak)
    room = of(name, rooms(state, builders.FakeDesk(account=account), limits))
    assert room.is_closed is not passes(Decimal(0))
    if not room.is_closed:
        assert passes(room.room)
        assert not passes(room.room + CENT)


def test_the_words_are_those_of_the_roadmap():
    account = builders.account(exposure_usd=Decimal(76_880))
    desk = builders.FakeDesk(account=account)
    first = largest_entry_usd(State(), desk, RiskLimits())
    assert first.text == "next order over $3,120.00 would be refused by exposure"
    nearly = builders.FakeDesk(account=replace(account, exposure_usd=Decimal(79_950)))
    assert (
        "every entry is refused by exposure: $50.00 is left"
        in largest_entry_usd(State(), nearly, RiskLimits()).text
    )


@pytest.mark.parametrize("entries", [0, 38, 39, 40])
def test_trades_of_the_day_are_counted_as_the_check_counts_them(entries: int):
    state, desk = State(entries_today=entries), builders.FakeDesk()
    room = of("daily_trades", rooms(state, desk, RiskLimits()))
    assert room.room == 40 - entries
    assert room.is_closed is not verdict("daily_trades", state, desk, RiskLimits(), Decimal(500))


def closed(state: State, **desk: Any) -> list[str]:
    found = rooms(state, builders.FakeDesk(**desk), RiskLimits())
    return [room.rule for room in found if room.is_closed]


def test_what_refuses_everything_comes_first_and_says_why():
    assert closed(State()) == []
    halted = State(trading_state=TradingState.HALTED, halt_cause=HaltCause.DAILY_LOSS)
    night = builders.NOON.replace(hour=3)
    found = rooms(halted, builders.FakeDesk(now=night), RiskLimits())
    assert [room.rule for room in found[:2]] == ["trading_state", "session_open"]
    assert "daily_loss" in found[0].text
    assert "no session until" in found[1].text
    assert closed(State(), now=datetime(2199, 1, 4, 15, tzinfo=builders.NOON.tzinfo)) == [
        "session_open"
    ]


def test_strategies_say_how_far_a_pause_is():
    until = builders.NOON + timedelta(days=1)
    state = State(
        strategies={
            "calm": StrategyRecord(consecutive_losses=1),
            "tired": StrategyRecord(is_paused=True, paused_until=until),
            "poor": StrategyRecord(is_paused=True),
        }
    )
    texts = [room.text for room in rooms(state, builders.FakeDesk(), RiskLimits())]
    assert "2 more losses in a row would pause calm" in texts
    assert any(text.startswith("tired rests until 2") for text in texts)
    assert any(text.startswith("poor rests until a person resumes") for text in texts)


def test_an_account_without_money_has_no_room():
    account = builders.account(equity_usd=Decimal(0), cash_usd=Decimal(0))
    assert {"position_size", "exposure", "leverage", "daily_loss", "drawdown"} <= set(
        closed(State(), account=account)
    )
