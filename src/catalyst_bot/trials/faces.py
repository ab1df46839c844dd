"""The bot's eyes in a schedule: prices and news, told as its own adapters would tell them.

A price goes through the reader of the real adapter, so what is no number is left out there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from catalyst_bot.alpaca.reading import rfc3339
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, MarketView, Quote
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.market_data.alpaca_rows import read_quote
from catalyst_bot.ports.clock import Clock
from catalyst_bot.trials.faults import FaultPlan
from catalyst_bot.trials.world import BENCHMARK, INTERVAL, World

ADAPTER = "market data"
SAMPLES_APART_S = 1.0
_OLD_S = (3.0, 65.0, 900.0, 86_400.0)
_NAN = float("nan")


class Prices:
    """`MarketData` over the world. `clock` is the bot's, `true_time` the exchange's."""

    def __init__(
        self,
        world: World,
        faults: FaultPlan,
        chance: Random,
        *,
        clock: Clock,
        true_time: Callable[[], datetime],
        sink: Callable[[Fact], None],
    ) -> None:
        self._world = world
        self._faults = faults
        self._chance = chance
        self._clock = clock
        self._true_time = true_time
        self._sink = sink
        self._sampled_at: dict[str, float] = {}
        self.watched: dict[str, None] = {BENCHMARK: None}

    def request_view(self, command: RequestMarketView) -> None:
        """See `MarketData.request_view`: the answer comes a little later."""
        delay_s = self._chance.uniform(0.01, 0.3)
        asyncio.get_running_loop().call_later(delay_s, self._answer, command)

    def watch(self, symbol: str) -> None:
        """See `MarketData.watch`."""
        self.watched[symbol] = None
        self.sample(symbol)

    def unwatch(self, symbol: str) -> None:
        """See `MarketData.unwatch`."""
        if symbol != BENCHMARK:
            self.watched.pop(symbol, None)

    def sample(self, symbol: str) -> None:
        """Tell the quote of a watched symbol, at most one a second."""
        now_s = asyncio.get_running_loop().time()
        stock = self._world.stocks.get(symbol)
        last_s = self._sampled_at.get(symbol, -SAMPLES_APART_S)
        if symbol not in self.watched or stock is None or stock.is_frozen:
            return
        if now_s - last_s < SAMPLES_APART_S:
            return
        quote = self._quote(symbol)
        if quote is not None:
            self._sampled_at[symbol] = now_s
            self._sink(f.QuoteSampled(at=self._clock.now(), quote=quote))

    def tell_bars(self, bars: list[Bar]) -> None:
        """Tell the bars of watched symbols."""
        for bar in bars:
            if bar.symbol in self.watched and not self._world.stocks[bar.symbol].is_frozen:
                self._sink(f.BarClosed(at=self._clock.now(), bar=bar))

    def _answer(self, command: RequestMarketView) -> None:
        symbol, now = command.symbol, self._clock.now()
        stock = self._world.stocks.get(symbol)
        reason = "unknown_symbol" if stock is None else ""
        if not reason and self._faults.strikes("no-bars"):
            reason = self._chance.choice(("no_bars", "source_down"))
        quote = None if reason else self._quote(symbol)
        if quote is None:
            self._sink(
                f.MarketViewUnavailable(
                    at=now,
                    request_id=command.request_id,
                    catalyst_id=command.catalyst_id,
                    symbol=symbol,
                    reason=reason or "source_down",
                )
            )
            return
        view = MarketView(
            symbol=symbol,
            as_of=now,
            bar_interval_s=int(INTERVAL.total_seconds()),
            bars=self._world.bars(symbol, now),
            benchmark_bars=self._world.bars(BENCHMARK, now),
            quote=quote,
        )
        self._sink(
            f.MarketViewReceived(
                at=now, request_id=command.request_id, catalyst_id=command.catalyst_id, view=view
            )
        )

    def _quote(self, symbol: str) -> Quote | None:
        """Return a quote as the source tells it, with what is wrong with it."""
        chance = self._chance
        honest = self._world.quote(symbol, self._true_time())
        bid, ask, at = honest.bid, honest.ask, honest.at
        if self._faults.strikes("quote-bad"):
            bid, ask = chance.choice(
                ((ask, bid), (bid, bid * 1.4), (1e308, 1e308), (0.01, 0.02), (bid * 10, ask * 10))
            )
        if self._faults.strikes("quote-nan"):
            bid, ask = chance.choice(((_NAN, ask), (bid, _NAN), (_NAN, _NAN), (float("inf"), ask)))
        if self._faults.strikes("quote-stale"):
            at -= timedelta(seconds=chance.choice(_OLD_S))
        try:
            return read_quote(symbol, {"bp": bid, "ap": ask, "t": rfc3339(at)}, self._clock.now())
        except BadData:
            return None
