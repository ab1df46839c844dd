from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime.resume import bars_told_until, fact_key, known_keys, without_known
from tests.builders import NOON, bar, fill, headline


def facts() -> list[Any]:
    later = NOON + timedelta(minutes=5)
    order: dict[str, Any] = {"at": NOON, "client_order_id": "cb-1"}
    return [
        f.SessionOpened(at=NOON, day=NOON.date(), closes_at=later),
        f.SessionClosed(at=NOON, day=NOON.date()),
        f.HeadlineReceived(at=NOON, headline=headline()),
        f.HeadlineUnreadable(at=NOON, source="x", place="x:1", reason="bad"),
        f.BarClosed(at=later, bar=bar()),
        f.BarClosed(at=later, bar=bar("OTHR")),
        f.SymbolHalted(at=NOON, symbol="ACME", code="T1"),
        f.SymbolResumed(at=later, symbol="ACME"),
        f.OrderAccepted(**order, broker_order_id="v-1"),
        f.OrderFilled(at=later, fill=fill(client_order_id="cb-1")),
        f.OrderFilled(at=later, fill=fill(client_order_id="cb-1", filled_at=later)),
        f.OrderCancelled(**order, reason="asked"),
        f.OrderExpired(at=NOON, client_order_id="cb-2"),
        f.OrderRejected(at=NOON, client_order_id="cb-3", reason="no"),
        f.TimerFired(at=NOON, timer_id="t"),
        f.OperatorHalted(at=NOON, by="me", reason="r", positions_policy="hold"),  # type: ignore[arg-type]
    ]


def recorded(told: Sequence[Any]) -> list[Recorded]:
    return [
        Recorded(seq=n, at=fact.at, cause_seq=None, trail_id="", body=fact)
        for n, fact in enumerate(told, start=1)
    ]


def test_facts_of_the_tape_and_the_venue_have_keys_and_different_ones_differ():
    keys = [fact_key(fact) for fact in facts()]
    named = [key for key in keys if key is not None]
    assert len(named) == len(set(named)) == len(keys) - 2
    assert fact_key(facts()[-1]) is None, "an operator's word is never a repetition"


@given(st.sets(st.integers(0, len(facts()) - 1)), st.randoms(use_true_random=False))
def test_what_is_recorded_is_dropped_and_the_rest_comes_in_order(known: set[int], rng: Any):
    told = facts()
    keys = known_keys(recorded([told[i] for i in known]), since=NOON)
    order = list(range(len(told)))
    rng.shuffle(order)
    cut = rng.randrange(len(order))
    batches = [[told[i] for i in order[:cut]], [told[i] for i in order[cut:]]]
    fresh = [fact for batch in without_known(batches, keys) for fact in batch]
    unkeyed = {i for i, fact in enumerate(told) if fact_key(fact) is None}
    assert fresh == [told[i] for i in order if i not in known or i in unkeyed]


def test_each_key_is_dropped_once_and_empty_batches_are_not_told():
    accepted = f.OrderAccepted(at=NOON, client_order_id="cb-1", broker_order_id="v-1")
    keys = known_keys(recorded([accepted]), since=NOON)
    assert list(without_known([[accepted]], keys)) == []
    assert list(without_known([[accepted], [accepted]], keys)) == [[accepted]]


def test_facts_before_the_overlap_are_not_known():
    assert known_keys(recorded(facts()), since=NOON + timedelta(days=1)) == set()


def test_bars_of_symbols_that_were_not_watched_yet_do_not_come_back():
    """Watched by what followed from the last record, these bars were over by then."""
    closed_at = NOON + timedelta(minutes=5)
    seen = f.BarClosed(at=closed_at, bar=bar("ACME"))
    unseen = f.BarClosed(at=closed_at, bar=bar("NEWX"))
    coming = f.BarClosed(at=closed_at + timedelta(minutes=5), bar=bar("NEWX", closed_at))
    at_the_close = bars_told_until(recorded([seen]))
    assert list(without_known([[unseen], [coming]], set(), at_the_close)) == [[coming]]
    headline_later = f.HeadlineReceived(at=closed_at + timedelta(seconds=9), headline=headline())
    assert list(
        without_known([[unseen], [coming]], set(), bars_told_until(recorded([headline_later])))
    ) == [[coming]]


def test_bars_that_close_just_now_and_were_not_recorded_still_come():
    closed_at = NOON + timedelta(minutes=5)
    opened = f.SessionOpened(at=closed_at, day=NOON.date(), closes_at=closed_at)
    due = f.BarClosed(at=closed_at, bar=bar("ACME"))
    assert list(without_known([[due]], set(), bars_told_until(recorded([opened])))) == [[due]]
    assert list(without_known([[due]], set(), bars_told_until([]))) == [[due]]
