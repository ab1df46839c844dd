"""Our Alpaca client at our exchange, over HTTP and WebSockets, as a bench of the broker contract.

The exchange is the real one, served by a thread of this process; the test writes the prices of the
hours to come. Between them the symbol is halted, so that an order is taken first and filled later,
as it is everywhere else.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx2 as httpx
import numpy as np

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.reading import rfc3339
from catalyst_bot.bootstrap import exchange as assembly
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.knobs import Knobs
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.world import MarketSource
from catalyst_bot.exchange.serving.app import create_app
from catalyst_bot.exchange.serving.serve import listen, serve
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from tests.builders import OPEN

KEY, SECRET, TOKEN = "PKBENCH", "bench-secret", "let-me-in"
SYMBOL = "ACME"
MINUTE_S = 60
MINUTES = 390
NEVER_S = 1e6  # in the broker's seconds: what is not heard must be asked for in `take`
QUIET_S = 0.03
HOUR = timedelta(hours=1)


class ExchangeBench:
    """An account of $100,000 at the exchange, and a market that the test moves."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._said: list[Fact] = []
        days = (OPEN - timedelta(days=3), OPEN)  # Friday, so that there is a price before the open
        minutes = MINUTE_S * np.arange(MINUTES)
        self._opened_s = np.concatenate([int(at.timestamp()) + minutes for at in days])
        self._prices = np.full(len(self._opened_s), 100.0)
        self._clock = ExchangeClock.step(OPEN + timedelta(minutes=30))
        self._parts = assembly._parts(
            Knobs(rate_limit_per_min=0),
            MarketSource(stores=(self._store(),), default_start=OPEN),
            self._stack.enter_context(ExchangeStore(None)),
            self._clock,
            admin_token=TOKEN,
        )
        self._parts.exchange.open_account(KEY, SECRET)
        self._venue = _Served(self._parts)
        self._venue.tell("/admin/halt", symbol=SYMBOL)
        self._loop = asyncio.new_event_loop()
        access = access_of(
            base_url=self._venue.url, environ={"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET}
        )
        self._client = AlpacaClient(access, pace=Pace(1_000), per_min=10**9)
        self.broker = AlpacaBrokerClient(
            self._client,
            sink=self._said.append,
            clock=self,
            poll_s=NEVER_S,
            calm_poll_s=NEVER_S,
        )
        self._running = self._loop.create_task(self.broker.run())

    def _store(self) -> BarStore:
        columns = BarColumns(
            opened_s=self._opened_s,
            closed_s=self._opened_s + MINUTE_S,
            open=self._prices,
            high=self._prices,
            low=self._prices,
            close=self._prices,
            volume=np.full(len(self._prices), 1e6),
        )
        return BarStore({SYMBOL: columns}, interval_s=MINUTE_S)

    def now(self) -> datetime:
        """See `Bench.now`."""
        return self._clock.now()

    def trade_at(self, price: float) -> None:
        """See `Bench.trade_at`."""
        self._settle()
        now = self.now()
        self._prices[self._opened_s >= int(now.timestamp())] = price
        world = self._parts.exchange.market.world
        world._series[SYMBOL]._forget()
        world.version += 1
        self._venue.tell("/admin/resume", symbol=SYMBOL)
        self._venue.tell("/admin/clock/advance", to=rfc3339(now + HOUR))
        self._settle()
        self._venue.tell("/admin/halt", symbol=SYMBOL)

    def take(self) -> list[Fact]:
        """See `Bench.take`."""
        self._settle()
        said = list(self._said)
        self._said.clear()
        return said

    def _settle(self) -> None:
        """Let the broker work until nobody has anything to do or to say."""
        self._loop.run_until_complete(self._quiet())

    async def _quiet(self) -> None:
        while not self.broker._watch.stream.is_up:  # noqa: ASYNC110
            await asyncio.sleep(QUIET_S)
        while True:
            said = len(self._said)
            await asyncio.sleep(QUIET_S)
            is_busy = not self.broker._jobs.empty() or self.broker._in_line
            if not is_busy and len(self._said) == said:
                await self.broker.poll()
                if len(self._said) == said and not self._is_placing():
                    return

    def _is_placing(self) -> bool:
        return any(turn.locked() for turn in self.broker._turns.values())

    def close(self) -> None:
        """End the broker and the exchange."""
        self._running.cancel()
        self._loop.run_until_complete(asyncio.gather(self._running, return_exceptions=True))
        self._loop.run_until_complete(self._client.__aexit__())
        self._loop.close()
        self._venue.close()
        self._stack.close()


class _Served:
    """An exchange in a thread with a loop of its own."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._ready.wait()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        with self._listener:
            await serve(
                create_app(self._parts),
                self._listener,
                beside=[self._parts.streams.run],
                on_ready=self._ready.set,
                stop=self._stop,
            )

    def tell(self, path: str, **body: str) -> None:
        """Ask for something that only an administrator may."""
        token = {"X-Admin-Token": TOKEN}
        answer = httpx.post(self.url + path, json=body, headers=token, timeout=60)
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
