"""The embedded venue and the engine as the exchange runs it trade alike under one fill profile."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.broker.embedded_orders import request_of
from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import OrderKind
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges
from catalyst_bot.simulation.venue_rules import RuleBook, VenueRules
from tests.builders import NOON, approved_order
from tests.unit.simulation.exchange_venue import PlainNames

CASH_USD = Decimal(100_000)
CENTS = st.integers(9_500, 10_500)
BARS = st.lists(
    st.tuples(CENTS, CENTS, CENTS, CENTS, st.sampled_from([500.0, 5_000.0, 1e6]), st.booleans()),
    min_size=3,
    max_size=12,
)
Execution = tuple[str, Decimal, Decimal, Decimal, object]


def executions(facts: list[f.OrderFilled]) -> list[Execution]:
    return [
        (x.fill.fill_id, x.fill.quantity, x.fill.price, x.fill.fee_usd, x.fill.filled_at)
        for x in facts
    ]


@settings(max_examples=150)
@given(
    profile=st.sampled_from(FillProfile),
    seed=st.integers(0, 5),
    quantity=st.integers(1, 900),
    limit=st.one_of(st.none(), st.integers(9_800, 10_100)),
    moved_after=st.integers(1, 3),
    prices=BARS,
)
def test_both_faces_fill_the_same(
    profile: FillProfile,
    seed: int,
    quantity: int,
    limit: int | None,
    moved_after: int,
    prices: list[tuple[int, int, int, int, float, bool]],
):
    embedded = EmbeddedVenue(CostRules(), profile, seed=seed, starting_cash_usd=CASH_USD)
    exchange = MatchingEngine(
        CostRules(),
        profile,
        names=PlainNames(),
        seed=seed,
        starting_cash_usd=CASH_USD,
        rules=VenueRules(book=RuleBook.ALPACA),
    )
    order = approved_order(
        client_order_id="cb-one",
        quantity=Decimal(quantity),
        kind=OrderKind.MARKET if limit is None else OrderKind.LIMIT,
        limit_price=None if limit is None else Decimal(limit) / 100,
        stop_loss_price=Decimal(96),
        take_profit_price=Decimal(104),
    )
    facts = embedded.submit(order, NOON)
    events = exchange.submit(request_of(order), NOON, market=MarketNow(last=Decimal(100)))
    now = NOON
    for number, (*cents, volume, has_print) in enumerate(prices):
        low, first, last, high = (c / 100 for c in sorted(cents))
        bar = Bar(
            symbol="ACME",
            opened_at=now,
            closed_at=now + timedelta(minutes=5),
            open=first,
            high=high,
            low=low,
            close=last,
            volume=volume,
        )
        if has_print:
            opening = OpenPrint(symbol="ACME", price=first, volume=volume)
            facts += embedded.on_open_print(opening, now)
            events += exchange.on_open_print(opening, now)
        stop = exchange.state.by_client_id("cb-one.sl")
        if number == moved_after and stop is not None and stop.is_working:
            moved = Decimal(97)
            moved_at = now + timedelta(seconds=30)
            facts += embedded.replace("cb-one-sl", moved_at, stop_price=moved)
            events += exchange.replace(stop.order_id, OrderChanges(stop_price=moved), moved_at)
        now = bar.closed_at
        facts += embedded.on_bar(bar, now)
        events += exchange.on_bar(bar, now)
    told = executions([fact for fact in facts if isinstance(fact, f.OrderFilled)])
    assert told == [
        (x.execution_id, x.quantity, x.price, x.fee_usd, x.filled_at)
        for x in events
        if isinstance(x, e.OrderFilled)
    ]
    assert embedded.state.account == exchange.state.account
