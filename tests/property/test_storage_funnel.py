"""The funnel against a plain recount, over any order of messages about a few headlines."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.storage import projector
from catalyst_bot.storage.database import migrate, open_writer
from catalyst_bot.storage.projections.headlines import STEPS
from catalyst_bot.storage.read_model import ReadModel
from tests import builders as b
from tests.unit.storage.stories import entry_order, fill, record, refused


class Stand(NamedTuple):
    """Where one catalyst stands in the recount."""

    step: str
    reason: str | None


def story(title: str, symbol: str) -> dict[str, Message]:
    """Every message that may follow from one headline for one symbol, by what it does."""
    headline = b.headline(title=title, symbols=(symbol,))
    catalyst = b.catalyst(headline=headline, symbol=symbol)
    signal = b.signal(catalyst=catalyst)
    intent = b.intent(signal=signal)
    order = replace(
        entry_order(title),
        catalyst_id=catalyst.catalyst_id,
        client_order_id=f"cb-{catalyst.catalyst_id}",
        trade_id=f"trd-{catalyst.catalyst_id}",
        symbol=symbol,
    )
    order_id = order.client_order_id
    return {
        "catalyst": d.CatalystDetected(catalyst=catalyst),
        "drop": d.SignalDropped(
            catalyst_id=catalyst.catalyst_id,
            item_id=headline.item_id,
            symbol=symbol,
            reason="spread",
            checks=(),
        ),
        "signal": d.SignalFormed(signal=signal),
        "decline": d.IntentDeclined(
            signal_id=signal.signal_id,
            catalyst_id=catalyst.catalyst_id,
            symbol=symbol,
            reason="policy_says_no",
            model_id="rule",
            votes=(),
            observation=intent.observation,
        ),
        "intent": d.IntentFormed(intent=intent),
        "leave": d.IntentFormed(intent=replace(intent, side=Side.SELL)),
        "refuse": refused(order),
        "approve": d.OrderApproved(order=order),
        "exit": d.OrderApproved(order=replace(order, role=OrderRole.EXIT, client_order_id="x")),
        "reject": f.OrderRejected(at=b.NOON, client_order_id=order_id, reason="no cash"),
        "expire": f.OrderExpired(at=b.NOON, client_order_id=order_id),
        "fill": fill(order_id),
        "stop": fill(f"{order_id}-sl"),
    }


# What may come next, and where the headline then stands (None: where it stood).
WAYS: dict[str, tuple[tuple[str, Stand | None], ...]] = {
    "catalyst": (("drop", Stand("catalyst", "spread")), ("signal", Stand("signal", None))),
    "signal": (
        ("decline", Stand("signal", "policy_says_no")),
        ("intent", Stand("intent", None)),
        ("leave", Stand("intent", "exit")),
    ),
    "intent": (
        ("refuse", Stand("intent", "min_trade_usd")),
        ("approve", Stand("approved", None)),
    ),
    "leave": (("exit", None),),
    "approve": (
        ("reject", Stand("approved", "no cash")),
        ("expire", Stand("approved", "expired")),
        ("fill", Stand("filled", None)),
    ),
    "fill": (("stop", None), ("exit", None)),
}


@st.composite
def lives(draw: st.DrawFn, number: int) -> tuple[list[Message], dict[str, list[Stand]]]:
    """One headline with up to two catalysts, told in any order that causes allow."""
    title = f"Headline {number}"
    headline = b.headline(title=title)
    said: list[Message] = [f.HeadlineReceived(at=b.NOON, headline=headline)]
    ignored_at = draw(st.sampled_from([None, None, "deduped", "with_ticker", "catalyst"]))
    if ignored_at is not None:
        before = STEPS[STEPS.index(ignored_at) - 1]
        said.append(d.HeadlineIgnored(item_id=headline.item_id, step=ignored_at, reason="why"))
        return said, {title: [Stand(before, "why")]}
    ways: list[Stand] = [Stand("seen", None)]
    symbols = draw(st.lists(st.sampled_from(["AAA", "BBB"]), max_size=2, unique=True))
    stories = {symbol: story(title, symbol) for symbol in symbols}
    standing: dict[str, str | None] = {}
    for symbol in symbols:
        said.append(stories[symbol]["catalyst"])
        ways.append(Stand("catalyst", None))
        standing[symbol] = "catalyst"
    for symbol in draw(st.lists(st.sampled_from(symbols), max_size=10)) if symbols else []:
        choices = WAYS.get(standing[symbol] or "", ())
        if choices:
            word, stands = draw(st.sampled_from(choices))
            said.append(stories[symbol][word])
            standing[symbol] = word
            ways += [stands] if stands is not None else []
    return said, {title: ways}


def recount(ways: dict[str, list[Stand]]) -> dict[str, Any]:
    """The funnel, counted the slow way."""
    reached: dict[str, Any] = dict.fromkeys(STEPS, 0)
    lost: dict[str, dict[str, int]] = {step: {} for step in STEPS[1:]}
    for stands in ways.values():
        furthest = max(STEPS.index(way.step) for way in stands)
        for step in STEPS[: furthest + 1]:
            reached[step] += 1
        if furthest + 1 < len(STEPS):
            reasons = [w.reason for w in stands if STEPS.index(w.step) == furthest and w.reason]
            reason = reasons[-1] if reasons else "still_waiting"
            losses = lost[STEPS[furthest + 1]]
            losses[reason] = losses.get(reason, 0) + 1
    return {**reached, "lost": lost}


@pytest.fixture(scope="module")
def empty() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        migrate(path)
        yield path


@given(parts=st.integers(1, 4).flatmap(lambda n: st.tuples(*map(lives, range(n)))), data=st.data())
def test_the_funnel_is_that_of_a_plain_recount(empty: Path, parts: Any, data: st.DataObject):
    messages = [message for said, _ in parts for message in said]
    ways = {title: way for _, told in parts for title, way in told.items()}
    cut = data.draw(st.integers(0, len(messages)))
    path = empty.with_name("case.db")
    shutil.copy(empty, path)
    records = record(messages)
    with closing(open_writer(path, durable=False)) as connection:
        apply(connection, records[:cut])
        apply(connection, records[cut:])
    with ReadModel(f"sqlite:///{path}") as model:
        funnel = dict(model.funnel())
    assert funnel == recount(ways)
    for before, step in pairwise(STEPS):
        assert funnel[before] - funnel[step] == sum(funnel["lost"][step].values())


def apply(connection: sqlite3.Connection, records: Any) -> None:
    with connection:
        projector.apply(connection, records)
