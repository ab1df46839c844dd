from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from catalyst_bot.domain import ids
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.decisions import (
    CatalystDetected,
    HeadlineIgnored,
    IntentFormed,
    OrderApproved,
    PositionOpened,
    SignalFormed,
)
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.trading import Vote, stop_leg_id
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.rows import journal_hash
from tests import builders as b
from tests.unit.storage.stories import a_day, entry_order, record, to_intent

ORDER = entry_order()
DAY = record(a_day(), trail_id=ORDER.catalyst_id)
TRADE_KEYS = [
    *("trade_id", "strategy_id", "symbol", "side", "quantity", "entry_at", "entry_price"),
    *("exit_at", "exit_price", "exit_reason", "pnl_usd", "headline_id", "headline_received_at"),
    *("decided_at", "submitted_at", "votes"),
]


@pytest.fixture
def model(place: Place):
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY)
    with ReadModel(place) as opened:
        yield opened


def test_the_result_of_a_run_has_the_agreed_shape(model: ReadModel):
    result = model.run_result()
    assert [*result] == [
        "funnel",
        "trades",
        "refusals",
        "equity_start",
        "equity_end",
        "journal",
        "journal_hash",
    ]
    assert [[*trade] for trade in result["trades"]] == [TRADE_KEYS]
    assert [[*refusal] for refusal in result["refusals"]] == [
        ["id", "symbol", "rule", "limit", "observed", "at"]
    ]
    assert (result["equity_start"], result["equity_end"]) == ("100000", "99770.19")
    assert result["journal"] == str(model.place)
    assert result["journal_hash"] == journal_hash(DAY)
    assert json.loads(json.dumps(result)) == result


def test_a_trade_knows_the_headline_and_the_votes_that_caused_it(model: ReadModel):
    (trade,) = model.trades()
    assert trade["headline_title"] == "Acme wins FDA approval for its pump"
    assert trade["headline_received_at"] == "2025-10-06T16:01:00Z"
    assert trade["decided_at"] == trade["submitted_at"] == "2025-10-06T16:00:00Z"
    assert trade["votes"] == [{"agent": "rule", "action": 1.0, "weight": 1.0, "reason": "test"}]
    assert (trade["pnl_usd"], trade["fees_usd"]) == ("-229.81", "19.81")


def test_the_newest_headlines_and_catalysts_are_named(model: ReadModel):
    headlines, catalysts = model.headlines(limit=2), model.catalysts(limit=1)
    assert len(headlines) == 2
    assert headlines[0]["seq"] > headlines[1]["seq"]
    assert {headline["item_id"][:5] for headline in headlines} == {"news-"}
    (catalyst,) = catalysts
    assert catalyst["symbol"] == "ACME"
    for named in (headlines[0]["item_id"], catalyst["catalyst_id"]):
        assert model.trail(named)


def test_a_refusal_keeps_the_rule_with_its_numbers_and_all_checks(model: ReadModel):
    (refusal,) = model.refusals()
    assert (refusal["rule"], refusal["limit"], refusal["observed"], refusal["unit"]) == (
        "min_trade_usd",
        100.0,
        42.5,
        "usd",
    )
    assert [check["name"] for check in refusal["checks"]] == ["min_trade_usd"]


def test_the_funnel_counts_headlines_and_says_where_the_others_went(model: ReadModel):
    assert model.funnel() == {
        "seen": 3,
        "deduped": 3,
        "with_ticker": 2,
        "catalyst": 2,
        "signal": 2,
        "intent": 2,
        "approved": 1,
        "filled": 1,
        "lost": {
            "deduped": {},
            "with_ticker": {"no_ticker": 1},
            "catalyst": {},
            "signal": {},
            "intent": {},
            "approved": {"min_trade_usd": 1},
            "filled": {},
        },
    }


@pytest.mark.parametrize(
    "any_id",
    [
        ORDER.catalyst_id,
        ORDER.signal_id,
        b.intent(signal=b.signal()).intent_id,
        ORDER.client_order_id,
        stop_leg_id(ORDER.client_order_id),
        ORDER.trade_id,
        b.headline().item_id,
    ],
)
def test_any_id_on_the_way_leads_to_the_whole_trail(model: ReadModel, any_id: str):
    trail = model.trail(any_id)
    names = [type(found.body).__name__ for found in trail]
    assert names[:4] == ["HeadlineReceived", "CatalystDetected", "SignalFormed", "IntentFormed"]
    assert {"OrderApproved", "OrderFilled", "PositionOpened", "PositionClosed"} <= set(names)
    assert names.count("HeadlineReceived") == 1
    assert [found.seq for found in trail] == sorted(found.seq for found in trail)


def test_the_trail_of_an_ignored_headline_says_why(model: ReadModel):
    trail = model.trail(b.headline(title="Weather").item_id)
    assert [type(found.body).__name__ for found in trail] == [
        "HeadlineReceived",
        "HeadlineIgnored",
    ]


def test_the_trail_of_one_catalyst_leaves_out_its_sibling(place: Place):
    headline = b.headline(symbols=("ACME", "EMCA"))
    ours, theirs = (b.catalyst(headline=headline, symbol=symbol) for symbol in headline.symbols)
    story = [
        HeadlineReceived(at=b.NOON, headline=headline),
        CatalystDetected(catalyst=ours),
        CatalystDetected(catalyst=theirs),
        HeadlineReceived(at=b.NOON, headline=headline),
        HeadlineIgnored(item_id=headline.item_id, step="deduped", reason="duplicate"),
    ]
    with SqlJournal(place, durable=False) as journal:
        journal.append(record(story))
    with ReadModel(place) as model:
        assert [found.seq for found in model.trail(ours.catalyst_id)] == [1, 2, 4]
        assert [found.seq for found in model.trail(headline.item_id)] == [1, 2, 3, 4, 5]


def test_an_unknown_id_leads_nowhere(model: ReadModel):
    assert model.trail("cat-nothing") == []


def test_events_come_oldest_first_and_go_on_after_a_seq(model: ReadModel):
    events = model.events()
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert model.events(limit=2) == events[-2:]
    assert model.events(after_seq=events[3]["seq"]) == events[4:]


def test_closed_trades_only(place: Place):
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY[:12])
        journal.settle()
        with ReadModel(place) as model:
            (trade,) = model.trades()
            assert trade["exit_at"] is None
            assert model.trades(include_open=False) == []


def test_reading_sees_what_the_running_writer_committed(place: Place):
    with SqlJournal(place) as journal, ReadModel(place) as model:
        assert (model.status(), model.account()) == (None, None)
        assert model.run_result()["equity_start"] is None
        journal.append(DAY[:1])
        journal.settle()
        status = model.status()
        assert status is not None
        assert status["last_seq"] == 1
        assert model.run_result()["equity_end"] == "100000"
        journal.append(DAY[1:])
        journal.settle()
        status = model.status()
        assert status is not None
        assert status["last_seq"] == len(DAY)


def test_records_are_all_or_only_those_named(model: ReadModel):
    assert list(model.records()) == DAY
    assert [found.seq for found in model.records(HeadlineReceived.__name__)] == [
        found.seq for found in DAY if isinstance(found.body, HeadlineReceived)
    ]
    assert [trade.trade_id for trade in model.closed_trades()] == [ORDER.trade_id]


def test_a_reader_cannot_write(model: ReadModel):
    with (
        model._engine.connect() as connection,
        pytest.raises(DBAPIError, match=r"read-?only"),
    ):
        connection.exec_driver_sql("DELETE FROM journal")


def test_a_missing_journal_is_told_and_not_made(tmp_path: Path):
    with pytest.raises(ConfigError, match="no journal"):
        ReadModel(f"sqlite:///{tmp_path / 'none.db'}")
    assert [*tmp_path.iterdir()] == []


def test_a_headline_sent_twice_is_seen_once(place: Place):
    with SqlJournal(place, durable=False) as journal:
        story = to_intent()
        journal.append(record([*story, story[0]]))
        journal.settle()
        with ReadModel(place) as model:
            assert (model.funnel()["seen"], model.funnel()["intent"]) == (1, 1)


def test_each_trade_of_a_case_is_shown_with_the_votes_for_its_own_entry(place: Place):
    catalyst = b.catalyst()
    again = b.signal(
        catalyst=catalyst,
        signal_id=ids.review_id(catalyst.catalyst_id, b.CLOSE),
        is_review=True,
        formed_at=b.CLOSE,
    )
    wish = b.intent(signal=again, votes=(Vote(agent="sac-0", action=0.4, weight=1.0),))
    order = b.approved_order(catalyst_id=catalyst.catalyst_id, signal_id=again.signal_id)
    bought = b.position(trade_id=order.trade_id, catalyst_id=catalyst.catalyst_id)
    later = [
        SignalFormed(signal=again),
        IntentFormed(intent=wish),
        OrderApproved(order=order),
        PositionOpened(position=bought),
    ]
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY)
        journal.append(record(later, after_seq=len(DAY), trail_id=catalyst.catalyst_id))
    with ReadModel(place) as model:
        votes = {t["trade_id"]: (t["decided_at"], t["votes"][0]["agent"]) for t in model.trades()}
        found = [type(r.body).__name__ for r in model.trail(wish.intent_id)]
    assert votes == {
        ORDER.trade_id: ("2025-10-06T16:00:00Z", "rule"),
        order.trade_id: ("2025-10-06T20:00:00Z", "sac-0"),
    }
    assert found.count("IntentFormed") == 2
