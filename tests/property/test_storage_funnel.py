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
from catalyst_bot.storage.migrate import migrate
from catalyst_bot.storage.projections.headlines import STEPS
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.sqlite_store import open_writer
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


# How one catalyst may fare: what is said, and where its headline then stands (None: as before).
FATES: tuple[tuple[tuple[str, Stand | None], ...], ...] = (
    (("drop", Stand("catalyst", "spread")),),
    (("signal", Stand("signal", None)), ("decline", Stand("signal", "policy_says_no"))),
    (("signal", Stand("signal", None)), ("leave", Stand("intent", "exit")), ("exit", None)),
    *(
        (("signal", Stand("signal", None)), ("intent", Stand("intent", None)), *ending)
        for ending in (
            (("refuse", Stand("intent", "min_trade_usd")),),
            (("approve", Stand("approved", None)), ("reject", Stand("approved", "no cash"))),
            (("approve", Stand("approved", None)), ("expire", Stand("approved", "expired"))),
            (("approve", Stand("approved", None)), ("exit", None), ("stop", None)),
            (("approve", Stand("approved", None)), ("fill", Stand("filled", None)), ("stop", None)),
        )
    ),
)


@st.composite
def lives(draw: st.DrawFn, number: int) -> tuple[list[Message], list[Stand]]:
    """What is said of one headline, and every place it stood at on the way."""
    title = f"Headline {number}"
    headline = b.headline(title=title)
    said: list[Message] = [f.HeadlineReceived(at=b.NOON, headline=headline)]
    ignored_at = draw(st.sampled_from([None, None, "deduped", "with_ticker", "catalyst"]))
    if ignored_at is not None:
        before = STEPS[STEPS.index(ignored_at) - 1]
        said.append(d.HeadlineIgnored(item_id=headline.item_id, step=ignored_at, reason="why"))
        return said, [Stand(before, "why")]
    stood = [Stand("seen", None)]
    symbols = draw(st.lists(st.sampled_from(["AAA", "BBB"]), max_size=2, unique=True))
    stories = {symbol: story(title, symbol) for symbol in symbols}
    for symbol in symbols:
        said.append(stories[symbol]["catalyst"])
        stood.append(Stand("catalyst", None))
    fates = {symbol: iter(draw(st.sampled_from(FATES))) for symbol in symbols}
    turns = draw(st.permutations(symbols * 5))
    for symbol in turns[: draw(st.integers(0, len(turns)))]:
        word, stands = next(fates[symbol], (None, None))
        said += [stories[symbol][word]] if word is not None else []
        stood += [stands] if stands is not None else []
    return said, stood


def recount(lives_stood: list[list[Stand]]) -> dict[str, Any]:
    """The funnel, counted the slow way."""
    reached: dict[str, Any] = dict.fromkeys(STEPS, 0)
    lost: dict[str, dict[str, int]] = {step: {} for step in STEPS[1:]}
    for stood in lives_stood:
        furthest = max(STEPS.index(stand.step) for stand in stood)
        for step in STEPS[: furthest + 1]:
            reached[step] += 1
        if furthest + 1 < len(STEPS):
            reasons = [s.reason for s in stood if s.step == STEPS[furthest] and s.reason]
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


@given(parts=st.integers(1, 6).flatmap(lambda n: st.tuples(*map(lives, range(n)))), data=st.data())
def test_the_funnel_is_that_of_a_plain_recount(empty: Path, parts: Any, data: st.DataObject):
    messages = [message for said, _ in parts for message in said]
    cut = data.draw(st.integers(0, len(messages)))
    path = empty.with_name("case.db")
    shutil.copy(empty, path)
    records = record(messages)
    with closing(open_writer(path, durable=False)) as connection:
        apply(connection, records[:cut], known_seq=0)
        apply(connection, records[cut:], known_seq=cut)
    with ReadModel(f"sqlite:///{path}") as model:
        funnel = dict(model.funnel())
    assert funnel == recount([stood for _, stood in parts])
    for before, step in pairwise(STEPS):
        assert funnel[before] - funnel[step] == sum(funnel["lost"][step].values())


def apply(connection: sqlite3.Connection, records: Any, *, known_seq: int) -> None:
    with connection:
        projector.apply(connection, records, known_seq=known_seq)
