"""What befalls: news, people, and every fault that is not the wire's, the disk's or a death."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import PositionsPolicy, Side, TradingState
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.simulation.venue_order import VenueRole
from catalyst_bot.trials.faces import ADAPTER
from catalyst_bot.trials.stage import Stage

NEWS_FEED = "feed trial"
_LEGS = frozenset({VenueRole.STOP_LOSS, VenueRole.TAKE_PROFIT})


class Mischief:
    """Lets things happen on a stage; `kill` ends the process at once."""

    def __init__(self, stage: Stage, *, kill: Callable[[str], None]) -> None:
        self._stage = stage
        self._kill = kill
        self._frozen_until: dict[str, float] = {}
        self._halted_until: dict[str, float] = {}
        self._back_at: dict[str, float] = {}

    def stop(self) -> None:
        """Let every fault be over."""
        stage = self._stage
        stage.faults.is_over, stage.calm_at_s = True, stage.now_s()
        stage.shared.keys_fail_until = stage.shared.stream_refused_until = None
        stage.clock.is_off_by = timedelta(0)
        for symbol, stock in stage.world.stocks.items():
            self._resume(symbol)
            stock.is_frozen = False
        for name in list(self._back_at):
            stage.tell(f.AdapterRecovered(at=stage.clock.now(), adapter=name))
        self._back_at.clear()

    def befall(self) -> None:
        """Let people write news and ask for trades, and let faults happen."""
        self._news()
        self._people()
        for name, befall in self._BEFALLS:
            if self._stage.faults.strikes(name):
                self._stage.note("fault", name)
                befall(self)

    def _news(self) -> None:
        now, chance = self._stage.clock.now(), self._stage.chance
        if chance.random() < 0.12:
            headline = self._stage.world.write_headline(now)
            self._stage.note("news", headline.title)
            self._stage.tell(f.HeadlineReceived(at=now, headline=headline))
        if self._stage.faults.strikes("news-twice", times=0.3):
            again = self._stage.world.repeated(now)
            if again is not None:
                self._stage.tell(f.HeadlineReceived(at=now, headline=again))
        if self._stage.faults.strikes("news-garbage", times=0.3):
            self._stage.tell(f.HeadlineReceived(at=now, headline=self._stage.world.garbage(now)))
        if self._stage.faults.strikes("news-unreadable", times=0.3):
            self._stage.tell(
                f.HeadlineUnreadable(
                    at=now, source="trial", place=f"row {self._stage.steps}", reason="no title"
                )
            )

    def _people(self) -> None:
        """A person asks for a trade now and then, or for everything at once, and resumes after a
        halt.
        """
        chance, now = self._stage.chance, self._stage.clock.now()
        if chance.random() < 0.06:
            side = Side.BUY if chance.random() < 0.7 else Side.SELL
            usd = Decimal(chance.choice((500, 3_000, 20_000, 50_000)))
            self._ask_for(side, chance.choice(self._stage.world.tradable()), usd)
        if chance.random() < 0.006:
            for symbol in self._stage.world.tradable():
                self._ask_for(Side.BUY, symbol, Decimal(50_000))
        life = self._stage.alive()
        is_halted = (
            life is not None and life.engine.state.risk.trading_state is not TradingState.ACTIVE
        )
        if (is_halted or self._stage.latch.is_set) and self._stage.faults.strikes(
            "operator-resume"
        ):
            self._stage.latch.is_set, self._stage.latched_at_s = False, None
            self._stage.note("person", "resumes")
            self._stage.tell(f.OperatorResumed(at=now, by="trial", reason="looked at it"))

    def _ask_for(self, side: Side, symbol: str, usd: Decimal) -> None:
        """Ask the bot to buy for so many dollars, or to sell all."""
        self._stage.note("person", f"asks to {side} {symbol}")
        self._stage.tell(
            f.OperatorTradeRequested(
                at=self._stage.clock.now(),
                request_id=f"op-{self._stage.seed}-{self._stage.steps}",
                by="trial",
                side=side,
                symbol=symbol,
                usd=usd if side is Side.BUY else None,
            )
        )

    def lift(self) -> None:
        """End what lasts for a while."""
        now_s = self._stage.loop.time()
        for symbol, until_s in list(self._halted_until.items()):
            if now_s >= until_s:
                self._resume(symbol)
        for symbol, until_s in list(self._frozen_until.items()):
            if now_s >= until_s:
                del self._frozen_until[symbol]
                self._stage.world.stocks[symbol].is_frozen = False
        for adapter, until_s in list(self._back_at.items()):
            if now_s >= until_s:
                del self._back_at[adapter]
                self._stage.tell(f.AdapterRecovered(at=self._stage.clock.now(), adapter=adapter))

    def _resume(self, symbol: str) -> None:
        stock = self._stage.world.stocks[symbol]
        self._halted_until.pop(symbol, None)
        if not stock.is_halted:
            return
        stock.is_halted = False
        if not self._stage.faults.is_over:
            stock.move_to(stock.price * self._stage.chance.choice((0.6, 0.9, 0.98, 1.05, 1.3)))
        self._stage.venue.resume(symbol)
        self._stage.note("world", f"{symbol} trades again at {stock.price}")
        self._stage.tell(f.SymbolResumed(at=self._stage.clock.now(), symbol=symbol))

    def _befall_crash(self) -> None:
        self._kill("between two steps")

    def _befall_sigterm(self) -> None:
        life = self._stage.alive()
        if life is not None:
            self._stage.note("person", "stops the bot")
            life.is_stopping.set()

    def _befall_clock(self) -> None:
        self._stage.put_off_clock()
        life = self._stage.alive()
        if life is not None:
            life.timers.wake()

    def _befall_stream_drop(self) -> None:
        self._stage.shared.break_streams()

    def _befall_stream_mute(self) -> None:
        self._stage.shared.mute_streams()

    def _befall_keys(self) -> None:
        self._stage.shared.keys_fail_until = self._stage.true_time() + timedelta(
            seconds=self._stage.chance.uniform(1, 60)
        )

    def _befall_leg(self) -> None:
        legs = [
            each
            for each in self._stage.venue.open_orders()
            if each.parent_id is not None
            and each.role in {VenueRole.STOP_LOSS, VenueRole.TAKE_PROFIT}
        ]
        if legs:
            self._stage.venue.cancel(self._stage.chance.choice(legs).order_id)

    def _befall_entry(self) -> None:
        entries = [each for each in self._stage.venue.open_orders() if each.side is Side.BUY]
        if entries:
            self._stage.venue.cancel(self._stage.chance.choice(entries).order_id)

    def _befall_manual_cancel(self) -> None:
        orders = list(self._stage.venue.open_orders())
        if orders:
            self._stage.venue.cancel(self._stage.chance.choice(orders).order_id)

    def _befall_manual_trade(self) -> None:
        held = [symbol for symbol, each in self._stage.venue.holdings.items() if each.quantity > 0]
        symbol = self._stage.chance.choice(sorted(held) or self._stage.world.tradable())
        side = self._stage.chance.choice(("buy", "sell")) if symbol in held else "buy"
        most = int(self._stage.venue.held(symbol)) if side == "sell" else 60
        self._stage.observed.meddled.add(symbol)
        self._stage.venue.trade_by_hand(symbol, side, self._stage.chance.randint(1, max(most, 1)))

    def _befall_feed(self) -> None:
        self._down(NEWS_FEED)

    def _befall_prices(self) -> None:
        self._down(ADAPTER)

    def _down(self, adapter: str) -> None:
        if adapter not in self._back_at:
            self._back_at[adapter] = self._stage.loop.time() + self._stage.chance.uniform(2, 200)
            self._stage.tell(
                f.AdapterFailed(at=self._stage.clock.now(), adapter=adapter, error="HTTP 503")
            )

    def _befall_frozen(self) -> None:
        symbol = self._stage.chance.choice(self._stage.world.tradable())
        self._stage.world.stocks[symbol].is_frozen = True
        self._frozen_until[symbol] = self._stage.loop.time() + self._stage.chance.uniform(10, 900)

    def _befall_halt(self) -> None:
        symbol = self._stage.chance.choice(self._stage.world.tradable())
        stock = self._stage.world.stocks[symbol]
        if not stock.is_halted:
            stock.is_halted = True
            self._stage.venue.halt(symbol)
            self._halted_until[symbol] = self._stage.loop.time() + self._stage.chance.uniform(
                20, 600
            )
            self._stage.tell(f.SymbolHalted(at=self._stage.clock.now(), symbol=symbol, code="LUDP"))

    def _befall_gap(self) -> None:
        stock = self._stage.world.stocks[self._stage.chance.choice(self._stage.world.tradable())]
        if not stock.is_halted:
            stock.move_to(stock.price * self._stage.chance.choice((0.6, 0.85, 0.93, 1.08, 1.25)))

    def _befall_operator(self) -> None:
        self._stage.latch.is_set = True
        self._stage.latched_at_s = self._stage.latched_at_s or self._stage.loop.time()
        if self._stage.chance.random() < 0.5:
            self._stage.loop.call_later(self._stage.chance.uniform(0.0, 0.2), self.tell_halt)

    def tell_halt(self) -> None:
        """Let the bot read the latch."""
        policy = self._stage.chance.choice((PositionsPolicy.HOLD, PositionsPolicy.CLOSE))
        self._stage.tell(
            f.OperatorHalted(
                at=self._stage.clock.now(), by="trial", reason="a drill", positions_policy=policy
            )
        )

    _BEFALLS = (
        ("crash-anytime", _befall_crash),
        ("sigterm", _befall_sigterm),
        ("clock-jump", _befall_clock),
        ("stream-drop", _befall_stream_drop),
        ("stream-mute", _befall_stream_mute),
        ("key-revoked", _befall_keys),
        ("leg-cancelled", _befall_leg),
        ("entry-cancelled", _befall_entry),
        ("manual-cancel", _befall_manual_cancel),
        ("manual-trade", _befall_manual_trade),
        ("feed-down", _befall_feed),
        ("prices-down", _befall_prices),
        ("symbol-frozen", _befall_frozen),
        ("halt", _befall_halt),
        ("gap", _befall_gap),
        ("operator-halt", _befall_operator),
    )
