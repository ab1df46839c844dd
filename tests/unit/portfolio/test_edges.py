"""What the other tests of the ledger pass by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.portfolio import decide, evolve, ledger
from catalyst_bot.portfolio.performance import Curve, sortino_ratio
from catalyst_bot.portfolio.state import Books, Origin, State
from catalyst_bot.portfolio.tracker import PortfolioTracker
from tests import builders as b
from tests.unit.portfolio.test_ledger import buy

NOON = b.NOON
OURS = Origin(trade_id="trd", catalyst_id="cat", strategy_id="s")


def test_a_sale_of_what_is_not_held_is_told_and_books_nothing():
    state = State(books=ledger.start(Books(), Decimal(1_000)), origins={"cb-test": OURS})
    sold = f.OrderFilled(at=NOON, fill=b.fill(side=Side.SELL, quantity=Decimal(5)))
    said = decide.on_order_filled(state, sold, b.FakeDesk(), None)
    assert [type(m) for m in said] == [d.MismatchFound]
    assert said[0].ours == "0 held"
    evolve.book_fill(state, sold, NOON)
    assert state.books.positions == {}


def test_fills_are_remembered_up_to_a_bound():
    state = State(books=ledger.start(Books(), Decimal(10**6)), origins={"cb-test": OURS})
    state.fill_ids = dict.fromkeys(map(str, range(evolve.MAX_FILL_IDS)))
    evolve.book_fill(state, f.OrderFilled(at=NOON, fill=b.fill()), NOON)
    assert len(state.fill_ids) == evolve.MAX_FILL_IDS
    assert "0" not in state.fill_ids


def test_a_name_that_is_not_held_or_taken_changes_no_books():
    books = buy(ledger.start(Books(), Decimal(10**6)), "10", "5").books
    assert ledger.rename(books, "NOBODY", "NEWC") is books
    both = replace(books, positions={**books.positions, "NEWC": b.position(symbol="NEWC")})
    assert ledger.rename(both, "ACME", "NEWC") is both
    moved = ledger.rename(books, "ACME", "NEWC")
    assert list(moved.positions) == ["NEWC"]
    renamed = f.SymbolRenamed(at=NOON, symbol="NOBODY", new_symbol="NEWC", effective_on=NOON.date())
    assert decide.on_renamed(State(books=books), renamed, b.FakeDesk(), None) == []


def test_a_curve_without_points_or_money_has_no_length_and_no_fall():
    assert Curve().length == timedelta()
    ruined = Curve()
    ruined.add(NOON, Decimal(0))
    ruined.add(NOON + timedelta(days=1), Decimal(-5))
    assert ruined.deepest_fall == 0
    assert ruined.length == timedelta(days=1)


def test_one_return_says_nothing_of_its_downside():
    assert sortino_ratio([0.1], periods_per_year=252) is None


def test_what_the_tracker_does_not_know_changes_nothing():
    tracker, empty = PortfolioTracker(), PortfolioTracker().report()
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(2), effective_on=NOON.date()
    )
    told = (
        split,
        f.OrderCancelled(at=NOON, client_order_id="?", reason=""),
        f.OrderLookedUp(at=NOON, client_order_id="?", ticket=None),
        d.OrderApproved(order=b.approved_order(symbol="OTHER")),
        split,
        f.SymbolHalted(at=NOON, symbol="ACME", code="T1"),
    )
    tracker.learn(
        Recorded(seq=n, at=NOON, cause_seq=None, trail_id="", body=body)
        for n, body in enumerate(told, start=1)
    )
    assert replace(tracker.report(), order_count=0) == replace(empty, order_count=0)
