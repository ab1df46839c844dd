"""One instant of the market is kept as a whole: whenever an exchange is killed, it goes on as if it
had not been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.exchange.api.order_desk import OrderDesk
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.knobs import Knobs, Profile
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.moments import Played
from catalyst_bot.exchange.market.ticks import Halt
from catalyst_bot.simulation.events import OrderFilled
from tests.exchange.desk import OPEN, Quiet, make_market

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
MOVES = {
    "AAPL": {2: 95.0, 4: 110.0},
    "MSFT": {2: 45.0, 3: 55.0, 4: 40.0},
    "SPY": {2: 380.0, 4: 420.0},
}
KEYS = ("PKONE", "PKTWO")
LIMIT = {"type": "limit", "side": "buy", "time_in_force": "day", "qty": "5"}
DIPPED = {"AAPL": "96", "MSFT": "46", "SPY": "384"}  # what all three fall below at one instant
BRACKET = {
    **LIMIT,
    "order_class": "bracket",
    "take_profit": {"limit_price": "105"},
    "stop_loss": {"stop_price": "80"},
}
SCRIPT: list[tuple[datetime, int, dict[str, Any]]] = [  # when which account sends which order
    *(
        (OPEN + 30 * SECOND, who, {**LIMIT, "symbol": symbol, "limit_price": price})
        for who in range(2)
        for symbol, price in DIPPED.items()
    ),
    (OPEN + MINUTE, 0, {**BRACKET, "symbol": "AAPL", "limit_price": "96"}),
    (OPEN + 90 * SECOND, 1, {"halt": "MSFT"}),
    (OPEN + 100 * SECOND, 1, {"resume": "MSFT"}),
    (OPEN + 2 * MINUTE, 1, {**LIMIT, "symbol": "MSFT", "type": "market"}),
    (OPEN + 3 * MINUTE, 0, {**LIMIT, "symbol": "SPY", "side": "sell", "type": "market"}),
]
END = OPEN + 5 * MINUTE


class Killed(Exception):
    """The process is no more."""


class MortalStore(ExchangeStore):
    """Is killed just before it writes for the n-th time, and so just after it wrote before."""

    def __init__(self, path: Path, dies_at: int) -> None:
        super().__init__(path)
        self._lives = dies_at

    def commit(self, at: datetime, played: Played, *, is_exact: bool = False) -> None:
        self._lives -= bool(self._waiting or is_exact)
        if self._lives == 0:
            raise Killed
        super().commit(at, played, is_exact=is_exact)


class House:
    """A whole exchange over a file, as it is put together at a start."""

    def __init__(
        self,
        store: ExchangeStore,
        *,
        profile: Profile = Profile.ALPACA,
        clock: ExchangeClock | None = None,
        ack_delay_s: float = 0.5,
    ) -> None:
        self.store = store
        start = store.clock() or OPEN
        self.clock = clock or ExchangeClock.step(start)
        knobs = Knobs(profile=profile, partial_probability=Decimal(0), ack_delay_s=ack_delay_s)
        market = make_market(MOVES)
        self.exchange = Exchange(market, store, knobs, now=self.clock.now)
        self.conductor = Conductor(
            market,
            self.clock,
            venue=self.exchange,
            data_hub=Quiet(),
            news_hub=Quiet(),
            holds_openings=profile is Profile.OURS,
            since=store.played(),
        )
        self.exchange.nudge = self.conductor.nudge
        self.exchange.played = self.conductor.played

    def account(self, who: int) -> Account:
        return self.exchange.open_account(KEYS[who], "secret")[0]

    def order(self, who: int, body: Mapping[str, Any]) -> None:
        OrderDesk(self.exchange).place(self.account(who), body)

    def play(self) -> None:
        """Go through the script from where the exchange stands."""
        for who in range(len(KEYS)):
            self.account(who)
        for number, (at, who, body) in enumerate(SCRIPT):
            if at >= self.clock.now():
                self.advance(at)
                self._ask(who, body, f"order {number}")
        self.advance(END)

    def _ask(self, who: int, body: Mapping[str, Any], name: str) -> None:
        """Ask for what was not done yet: who was killed may have done it without an answer."""
        halted = self.exchange.market.halt_of("MSFT", self.clock.now())
        match body:
            case {"halt": symbol}:
                if halted is None:
                    self.conductor.halt(Halt(symbol=symbol, starts_at=self.clock.now()))
            case {"resume": symbol}:
                if halted is not None:
                    self.conductor.resume(symbol)
            case _:
                if self.account(who).index.named(name) is None:
                    self.order(who, {**body, "client_order_id": name})

    def advance(self, to: datetime) -> None:
        if to > self.clock.now():
            self.conductor.advance(to)

    def books(self) -> dict[str, Any]:
        """Return everything that was kept."""
        return {
            key: (
                list(self.store.events(account.account_id)),
                self.store.equity_points(account.account_id),
            )
            for key, account in zip(KEYS, self.exchange.accounts, strict=False)
        }


def undisturbed(path: Path, profile: Profile) -> dict[str, Any]:
    with ExchangeStore(path) as store:
        house = House(store, profile=profile)
        house.play()
        return house.books()


def is_killed(path: Path, dies_at: int, profile: Profile) -> bool:
    """Play until the n-th commit; tell whether there is one."""
    with MortalStore(path, dies_at) as store:
        try:
            House(store, profile=profile).play()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("profile", list(Profile))
def test_whenever_it_is_killed_the_books_come_to_the_same(tmp_path: Path, profile: Profile) -> None:
    expected = undisturbed(tmp_path / "undisturbed.db", profile)
    fills = [e for events, _ in expected.values() for _, e in events if isinstance(e, OrderFilled)]
    assert len({fill.at for fill in fills}) <= len(fills) - 4, "several fills at one instant"
    for dies_at in count(1):
        path = tmp_path / f"{dies_at}.db"
        if not is_killed(path, dies_at, profile):
            assert dies_at > 20
            return
        assert undisturbed(path, profile) == expected, f"killed before commit {dies_at}"


@pytest.fixture
def seconds() -> list[float]:
    return [0.0]


@contextmanager
def running(path: Path, seconds: list[float]) -> Iterator[House]:
    """An exchange whose clock runs, and whose conductor has not had its turn yet."""
    seconds[0] = 0.0
    with ExchangeStore(path) as store:
        start = store.clock() or OPEN + 30 * SECOND
        clock = ExchangeClock.replay(start, monotonic=lambda: seconds[0])
        house = House(store, clock=clock, ack_delay_s=0)
        house.clock.begin()
        house.account(0)
        yield house


def fills_of(house: House) -> list[OrderFilled]:
    events = house.store.events(house.account(0).account_id)
    return [event for _, event in events if isinstance(event, OrderFilled)]


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_holds_the_clock_is_not_lost_when_something_else_is_kept(
    tmp_path: Path, seconds: list[float], is_killed: bool
) -> None:
    path = tmp_path / "exchange.db"
    falls_at = OPEN + 2 * MINUTE
    with running(path, seconds) as house:
        house.order(0, {**LIMIT, "symbol": "AAPL", "limit_price": "96"})
        house.advance(falls_at - SECOND)
        due_at = house.conductor.next_moment()
        while due_at < falls_at:
            house.advance(due_at)
            due_at = house.conductor.next_moment()
        seconds[0] += 60.0
        assert house.clock.now() == due_at, "it waits for the fall to be played"
        house.order(0, {**LIMIT, "symbol": "SPY", "limit_price": "1"})
        if not is_killed:
            house.advance(due_at + SECOND)
    with running(path, seconds) as house:
        house.advance(due_at + SECOND)
        assert [fill.at for fill in fills_of(house)] == [due_at]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_minute_that_holds_the_clock_is_valued_after_a_restart(
    tmp_path: Path, seconds: list[float], is_killed: bool
) -> None:
    path = tmp_path / "exchange.db"
    falls_at = OPEN + 2 * MINUTE
    with running(path, seconds) as house:
        house.order(0, {**LIMIT, "symbol": "AAPL", "type": "market", "limit_price": None})
        house.advance(falls_at + SECOND)
        seconds[0] += 120.0
        assert house.clock.now() == falls_at + MINUTE, "it waits for the accounts to be valued"
        house.order(0, {**LIMIT, "symbol": "SPY", "limit_price": "1"})
        if not is_killed:
            house.advance(falls_at + MINUTE + SECOND)
    with running(path, seconds) as house:
        house.advance(falls_at + MINUTE + SECOND)
        minutes = [minute_s for minute_s, _ in house.books()["PKONE"][1]]
        assert int(falls_at.timestamp()) in minutes


def test_an_order_meets_no_price_of_before_it_came(tmp_path: Path, seconds: list[float]) -> None:
    path = tmp_path / "exchange.db"
    with running(path, seconds) as house:
        seconds[0] = 180.0  # the price has fallen to 45 and come back, and nobody looked
        house.order(0, {**LIMIT, "symbol": "MSFT", "limit_price": "46"})
        assert house.store.played() == Played(until=house.clock.now())
    with running(path, seconds) as house:
        house.advance(OPEN + 4 * MINUTE - SECOND)
        assert fills_of(house) == []


def test_a_stepped_exchange_goes_on_where_its_last_answer_was(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    told = OPEN + timedelta(seconds=61.25)
    with ExchangeStore(path) as store:
        house = House(store)
        house.advance(OPEN + MINUTE)
        house.advance(told)
        assert (store.clock(), store.played()) == (told, Played(until=told))


def test_what_was_stepped_may_run_after_a_restart(tmp_path: Path, seconds: list[float]) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeStore(path) as store:
        house = House(store, profile=Profile.OURS)
        house.account(0)
        house.advance(OPEN + MINUTE)
        house.order(0, {**LIMIT, "symbol": "AAPL", "type": "market", "limit_price": None})
        assert store.played() == Played(until=OPEN + MINUTE, is_to_open=True)
    with running(path, seconds) as house:
        asyncio.run(turn_of(house.conductor))
        assert house.conductor.played() == Played(until=OPEN + MINUTE)


async def turn_of(conductor: Conductor) -> None:
    running = asyncio.create_task(conductor.run())
    await asyncio.sleep(0)
    running.cancel()
