from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.generated import GeneratedMarket, generate_session
from catalyst_bot.market_data.generated_news import PlantedEvent
from catalyst_bot.market_data.invented_companies import BENCHMARK, COMPANIES, UNLISTED

SEEDS = range(1, 7)
TWO_HOURS = 24  # bars
market = cache(generate_session)


def reaction(made: GeneratedMarket, event: PlantedEvent) -> float | None:
    """Return from the first open after the news was received to two hours later."""
    bars = made.bars.columns(event.symbol)
    first = int(np.searchsorted(bars.opened_s, event.received_at.timestamp()))
    if first + TWO_HOURS >= len(bars.open):
        return None
    return float(bars.close[first + TWO_HOURS] / bars.open[first] - 1)


def mean_reaction(effects: float, wanted: Callable[[PlantedEvent], bool]) -> float:
    """Mean over several seeds of the reactions to the events of the seed's full-effect plan."""
    found = []
    for seed in SEEDS:
        plan = {event.item_id: event for event in market(seed, 1.0).events}
        for event in market(seed, effects).events:
            moved = reaction(market(seed, effects), event)
            if moved is not None and wanted(plan[event.item_id]):
                found.append(moved)
    return float(np.mean(found))


def is_good(event: PlantedEvent) -> bool:
    return event.shock.effect > 0


def is_bad(event: PlantedEvent) -> bool:
    return event.shock.effect < 0


def is_fake(event: PlantedEvent) -> bool:
    return event.is_fake


def test_planted_news_moves_prices_after_it_is_received():
    assert mean_reaction(1.0, is_good) > 0.025
    assert mean_reaction(1.0, is_bad) < -0.02
    assert mean_reaction(2.0, is_good) > 1.5 * mean_reaction(1.0, is_good)


@pytest.mark.parametrize("kind", [is_good, is_bad, is_fake])
def test_without_effects_there_is_only_noise(kind: Callable[[PlantedEvent], bool]):
    assert abs(mean_reaction(0.0, kind)) < 0.012


def test_fakes_move_nothing_even_with_effects():
    assert abs(mean_reaction(1.0, is_fake)) < 0.012


def test_no_price_moves_before_the_news_is_received():
    """Until then the market with effects is, to the cent, the one without."""
    for event in market(3, 1.0).events:
        without, made = (market(3, effects).bars for effects in (0.0, 1.0))
        earlier = [e for e in market(3, 1.0).events if e.symbol == event.symbol]
        if earlier[0] is event:
            window = made.window(event.symbol, event.received_at, 1000)
            quiet = without.window(event.symbol, event.received_at, 1000)
            assert [bar.close for bar in window] == [bar.close for bar in quiet]


def test_the_same_seed_gives_the_same_market():
    again = generate_session(1, 1.0)
    assert again.bars.data_hash() == market(1, 1.0).bars.data_hash()
    assert again.headlines == market(1, 1.0).headlines
    assert again.events == market(1, 1.0).events
    assert again.halts == market(1, 1.0).halts


def test_another_seed_gives_another_market():
    assert market(2, 1.0).bars.data_hash() != market(1, 1.0).bars.data_hash()
    assert market(2, 1.0).headlines != market(1, 1.0).headlines


def test_effects_change_prices_but_no_word_of_the_news():
    assert market(1, 0.0).headlines == market(1, 1.0).headlines
    assert market(1, 0.0).bars.data_hash() != market(1, 1.0).bars.data_hash()


def test_volume_has_the_shape_of_a_day():
    bars = market(1, 0.0).bars
    benchmark = bars.columns(BENCHMARK.symbol).volume.reshape(-1, 78).mean(axis=0)
    assert benchmark[:6].mean() > 1.5 * benchmark[30:48].mean()
    assert benchmark[-6:].mean() > 1.2 * benchmark[30:48].mean()


def test_the_bars_are_sound_and_fit_the_sessions():
    made = market(1, 1.0)
    assert made.bars.range() == (made.sessions[0].opens_at, made.sessions[-1].closes_at)
    assert {session.opens_at.hour for session in made.sessions} == {13, 14}  # daylight saving
    assert len(made.sessions) == 10
    for symbol in made.bars.symbols:
        bars = made.bars.columns(symbol)
        assert (bars.low > 0).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.volume >= 1).all()


def test_a_halted_symbol_has_no_bars_for_25_minutes():
    made = market(1, 1.0)
    halted, resumed = made.halts
    assert halted.symbol == resumed.symbol
    assert resumed.at - halted.at == timedelta(minutes=25)
    during = [at for at in made.bars.instants(halted.at, resumed.at) if at < resumed.at]
    assert not [at for at in during if made.bars.opening_at(at, [halted.symbol])]
    assert made.bars.opening_at(resumed.at, [halted.symbol])
    news = [event for event in made.events if event.symbol == halted.symbol]
    assert halted.at < news[0].received_at < resumed.at


def test_a_price_gaps_over_night_and_an_offering_is_sold_into_the_next_day():
    made = market(1, 1.0)
    first, second = made.sessions[-2:]
    before = made.bars.last_close_before(made.night_gap.symbol, first.closes_at)
    (opened,) = made.bars.opening_at(second.opens_at, [made.night_gap.symbol])
    assert before is not None
    assert abs(opened.price / before - 1) > 0.05
    offerings = [e for e in made.events if e.category == "offering"]
    evening = [e for e in offerings if first.closes_at < e.received_at < second.opens_at]
    (opened,) = made.bars.opening_at(second.opens_at, [evening[0].symbol])
    assert opened.price < made.bars.window(evening[0].symbol, first.closes_at, 1)[0].close


def test_the_news_is_what_a_feed_brings():
    made = market(1, 1.0)
    assert 120 <= len(made.headlines) <= 180
    received = [headline.received_at for headline in made.headlines]
    assert received == sorted(received)
    assert all(made.starts_at <= at <= made.ends_at for at in received)
    assert len({headline.source for headline in made.headlines}) == 4
    fakes = sum(event.is_fake for event in made.events)
    assert 0.15 < fakes / len(made.events) < 0.30
    assert len({event.category for event in made.events}) >= 8
    copies = Counter(headline.item_id for headline in made.headlines)
    assert max(copies.values()) == 2  # the feed delivers some items twice
    assert len(copies) < len(made.headlines)


def test_the_news_holds_what_must_be_refused():
    made = market(1, 1.0)
    assert any(UNLISTED.name in headline.title for headline in made.headlines)
    assert UNLISTED.symbol not in made.bars
    assert [h for h in made.headlines if h.published_at > h.received_at]
    assert made.unreadable
    assert made.unreadable[0].reason


def test_results_come_as_filings_that_only_a_number_identifies():
    made = market(1, 1.0)
    filings = [h for h in made.headlines if h.form == "8-K" and "2.02" in h.items]
    assert len(filings) == 4
    for filing in filings:
        assert filing.symbols == ()
        assert filing.cik is not None
        assert made.symbol_by_cik[filing.cik] in made.bars
        assert not any(s.opens_at <= filing.received_at < s.closes_at for s in made.sessions)


def test_it_says_that_it_is_generated():
    lines = market(1, 1.0).describe()
    assert "GENERATED" in lines[0]
    assert "invented" in lines[0]


@pytest.mark.parametrize(("seed", "effects"), [(-1, 1.0), (1, -0.1), (1, float("nan")), (1, 5.1)])
def test_impossible_wishes_are_refused(seed: int, effects: float):
    with pytest.raises(BadData, match="is needed"):
        generate_session(seed, effects)


def test_no_company_is_a_real_one(shared_data: Path):
    lines = (shared_data / "reference" / "sec_company_tickers.ndjson").read_text("utf-8")
    listed = [json.loads(line) for line in lines.splitlines()]
    symbols = {entry["ticker"] for entry in listed}
    names = " ".join(entry["title"].lower() for entry in listed)
    for company in (*COMPANIES, UNLISTED):
        assert company.symbol not in symbols
        assert company.short_name.lower() not in names
