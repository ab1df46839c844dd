"""Whatever comes in whatever order: who is asked about what, when, and who is watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalyst_bot.domain.enums import CategoryAction, StoryRelation
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.messages import decisions as d
from tests.watch_desk import SESSIONS, WatchDesk

RENAMED = "APEX"
SYMBOLS = st.sampled_from(["ACME", "BOLT", RENAMED])
DAYS = st.sampled_from([0.1, 1.0, 2.0, 5.0])
LAST = len(SESSIONS) - 12  # what is over is looked at nine days later


@dataclass
class Told:
    """News that waits for the close, as the test expects it to be judged."""

    catalyst_id: str
    symbol: str
    days: float
    direction: int


class Watch(RuleBasedStateMachine):
    """A second, simpler telling of the rules, held against the stage."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = WatchDesk()
        self.waiting: list[Told] = []
        self.cases: dict[str, tuple[str, datetime]] = {}
        self.first_symbols: dict[str, str] = {}  # of catalysts: their stories are named after them

    @rule(symbol=SYMBOLS, days=DAYS, is_good=st.booleans())
    def news(self, symbol: str, days: float, *, is_good: bool) -> None:
        direction = 1 if is_good else -1
        found = self.desk.news(symbol, days=days, direction=direction, story_id=f"sty-{symbol}")
        self.first_symbols[found.catalyst_id] = symbol
        if is_good or symbol in self.desk.held:
            self.waiting.append(Told(found.catalyst_id, symbol, days, direction))

    @precondition(lambda self: self.desk.number < LAST)
    @rule(with_bars=st.sets(SYMBOLS))
    def close(self, with_bars: set[str]) -> None:
        """Bars may be missing: then nobody is asked again, but first looks are taken."""
        at, before = self.desk.session.closes_at, len(self.desk.signals)
        watched = with_bars & self.desk.watched
        self.desk.close(with_bars)
        expected, has_new_case = [], set()
        for told in sorted(self.waiting, key=lambda each: each.catalyst_id):
            if told.direction > 0 or told.symbol in self.desk.held:
                expected.append((told.catalyst_id, False))
                until = at + timedelta(seconds=told.days * DAY_S)
                self.cases[told.symbol] = (told.catalyst_id, until)
                has_new_case.add(told.symbol)
        self.waiting.clear()
        for symbol in sorted(watched - has_new_case):
            case = self.cases.get(symbol)
            if case is not None and at <= case[1]:
                expected.append((case[0], True))
        asked = [(s.catalyst.catalyst_id, s.is_review) for s in self.desk.signals[before:]]
        assert asked == expected

    @rule(symbol=SYMBOLS)
    def buy(self, symbol: str) -> None:
        self.desk.buy(symbol)
        self.desk.watched.add(symbol)  # as the portfolio says with a position

    @precondition(lambda self: self.desk.held)
    @rule()
    def sell(self) -> None:
        self.desk.sell(sorted(self.desk.held)[0])

    @rule(symbol=SYMBOLS)
    def order(self, symbol: str) -> None:
        self.desk.order(symbol)

    @precondition(lambda self: self.desk.ordered)
    @rule()
    def end_unfilled(self) -> None:
        self.desk.end_unfilled(sorted(self.desk.ordered)[0])

    @rule(symbol=SYMBOLS)
    def rename(self, symbol: str) -> None:
        """A company takes a symbol that nobody uses, while no news of it waits and no order."""
        desk = self.desk
        in_use = desk.held | desk.ordered | desk.state.watch.keys()
        waits = {told.symbol for told in self.waiting} | desk.ordered
        if RENAMED in in_use | waits or symbol in {RENAMED, *waits}:
            return
        desk.rename(symbol, RENAMED)
        self.cases.pop(RENAMED, None)
        if symbol in self.cases:
            self.cases[RENAMED] = self.cases.pop(symbol)

    @rule(symbol=SYMBOLS)
    def take_back(self, symbol: str) -> None:
        waiting = [told for told in self.waiting if told.symbol == symbol]
        self.waiting = [told for told in self.waiting if told.symbol != symbol]
        for name, (catalyst_id, until) in self.cases.items():
            if self.first_symbols[catalyst_id] == symbol and self.desk.now < until:
                self.cases[name] = (catalyst_id, self.desk.now)
        before = len(self.desk.said)
        self.desk.tell(_retraction(symbol))
        dropped = self.desk.said_since(before, d.SignalDropped)
        assert {each.catalyst_id for each in dropped} >= {told.catalyst_id for told in waiting}

    @invariant()
    def what_may_be_asked_again_is_watched(self) -> None:
        for symbol, (_, until) in self.cases.items():
            if self.desk.now <= until:
                assert symbol in self.desk.watched

    @invariant()
    def nobody_is_asked_twice_at_a_close(self) -> None:
        asked = [(s.catalyst.catalyst_id, s.formed_at) for s in self.desk.signals]
        assert len(set(asked)) == len(asked)
        assert len({s.signal_id for s in self.desk.signals}) == len(asked)

    def teardown(self) -> None:
        """Once everything is over, nothing is watched or remembered any more."""
        while self.desk.held:
            self.desk.sell(sorted(self.desk.held)[0])
        while self.desk.ordered:
            self.desk.end_unfilled(sorted(self.desk.ordered)[0])
        self.desk.state.waiting.clear()
        self.desk.timers.clear()
        self.desk.now += timedelta(days=9)
        self.desk.number = next(
            n for n, session in enumerate(SESSIONS) if session.opens_at >= self.desk.now
        )
        self.desk.close(self.desk.watched)
        assert self.desk.state.watch == {}
        assert self.desk.watched == set()


def _retraction(symbol: str) -> d.StoryTold:
    return d.StoryTold(
        story_id=f"sty-{symbol}",
        symbol=symbol,
        item_id="news-retraction",
        source="test",
        relation=StoryRelation.RETRACTION,
        category="fda_approval",
        direction=0,
        action=CategoryAction.TRADE,
        confidence=0.9,
        words=(),
    )


TestWatch = Watch.TestCase
TestWatch.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
