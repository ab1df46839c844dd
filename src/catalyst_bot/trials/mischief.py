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
ONE_REFUSAL = timedelta(minutes=5)  # keys that fail again so soon were never seen to work again
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
        stage = self._stage
        now, chance = stage.clock.now(), stage.chance
        if chance.random() < 0.12:
            headline = stage.world.write_headline(now)
            stage.note("news", headline.title)
            stage.tell(f.HeadlineReceived(at=now, headline=headline))
        if stage.faults.strikes("news-twice", times=0.3):
            again = stage.world.repeated(now)
            if again is not None:
                stage.tell(f.HeadlineReceived(at=now, headline=again))
        if stage.faults.strikes("news-garbage", times=0.3):
            stage.tell(f.HeadlineReceived(at=now, headline=stage.world.garbage(now)))
        if stage.faults.strikes("news-unreadable", times=0.3):
            stage.tell(
                f.HeadlineUnreadable(
                    at=now, source="trial", place=f"row {stage.steps}", reason="no title"
                )
            )

    def _people(self) -> None:
        """A person asks for a trade now and then, or for everything at once, and resumes after a
        halt.
        """
        stage = self._stage
        chance, now = stage.chance, stage.clock.now()
        if chance.random() < 0.1:
            side = Side.BUY if chance.random() < 0.7 else Side.SELL
            usd = Decimal(chance.choice((500, 3_000, 20_000, 50_000)))
            self._ask_for(side, chance.choice(stage.world.tradable()), usd)
        if chance.random() < 0.01:
            for symbol in stage.world.tradable():
                self._ask_for(Side.BUY, symbol, Decimal(50_000))
        life = stage.alive()
        is_halted = (
            life is not None and life.engine.state.risk.trading_state is not TradingState.ACTIVE
        )
        if (is_halted or stage.latch.is_set) and stage.faults.strikes("operator-resume"):
            stage.latch.is_set, stage.latched_at_s = False, None
            stage.shared.keys_refused_at_s = None  # who is refused again halts again
            stage.note("person", "resumes")
            stage.tell(f.OperatorResumed(at=now, by="trial", reason="looked at it"))

    def _ask_for(self, side: Side, symbol: str, usd: Decimal) -> None:
        """Ask the bot to buy for so many dollars, or to sell all."""
        stage = self._stage
        stage.note("person", f"asks to {side} {symbol}")
        stage.tell(
            f.OperatorTradeRequested(
                at=stage.clock.now(),
                request_id=f"op-{stage.seed}-{stage.steps}",
                by="trial",
                side=side,
                symbol=symbol,
                usd=usd if side is Side.BUY else None,
            )
        )

    def lift(self) -> None:
        """End what lasts for a while."""
        stage = self._stage
        now_s = stage.loop.time()
        for symbol, until_s in list(self._halted_until.items()):
            if now_s >= until_s:
                self._resume(symbol)
        for symbol, until_s in list(self._frozen_until.items()):
            if now_s >= until_s:
                del self._frozen_until[symbol]
                stage.world.stocks[symbol].is_frozen = False
        for adapter, until_s in list(self._back_at.items()):
            if now_s >= until_s:
                del self._back_at[adapter]
                stage.tell(f.AdapterRecovered(at=stage.clock.now(), adapter=adapter))

    def _resume(self, symbol: str) -> None:
        stage = self._stage
        stock = stage.world.stocks[symbol]
        self._halted_until.pop(symbol, None)
        if not stock.is_halted:
            return
        stock.is_halted = False
        if not stage.faults.is_over:
            stock.move_to(stock.price * stage.chance.choice((0.6, 0.9, 0.98, 1.05, 1.3)))
        stage.venue.resume(symbol)
        stage.note("world", f"{symbol} trades again at {stock.price}")
        stage.tell(f.SymbolResumed(at=stage.clock.now(), symbol=symbol))

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
        stage, shared = self._stage, self._stage.shared
        now = stage.true_time()
        if shared.keys_fail_until is None or now > shared.keys_fail_until + ONE_REFUSAL:
            shared.keys_refused_at_s = None
        shared.keys_fail_until = now + timedelta(seconds=stage.chance.uniform(1, 60))

    def _befall_leg(self) -> None:
        stage = self._stage
        legs = [
            each
            for each in stage.venue.open_orders()
            if each.parent_id is not None and each.role in _LEGS
        ]
        if legs:
            stage.venue.cancel(stage.chance.choice(legs).order_id)

    def _befall_entry(self) -> None:
        stage = self._stage
        entries = [each for each in stage.venue.open_orders() if each.side is Side.BUY]
        if entries:
            stage.venue.cancel(stage.chance.choice(entries).order_id)

    def _befall_manual_cancel(self) -> None:
        stage = self._stage
        orders = list(stage.venue.open_orders())
        if orders:
            stage.venue.cancel(stage.chance.choice(orders).order_id)

    def _befall_manual_trade(self) -> None:
        stage = self._stage
        held = [symbol for symbol, each in stage.venue.holdings.items() if each.quantity > 0]
        symbol = stage.chance.choice(sorted(held) or stage.world.tradable())
        side = stage.chance.choice(("buy", "sell")) if symbol in held else "buy"
        most = int(stage.venue.held(symbol)) if side == "sell" else 60
        stage.observed.meddled.add(symbol)
        stage.observed.was_meddled_early |= not stage.disk.count
        stage.venue.trade_by_hand(symbol, side, stage.chance.randint(1, max(most, 1)))

    def _befall_feed(self) -> None:
        self._down(NEWS_FEED)

    def _befall_prices(self) -> None:
        self._down(ADAPTER)

    def _down(self, adapter: str) -> None:
        stage = self._stage
        if adapter not in self._back_at:
            self._back_at[adapter] = stage.loop.time() + stage.chance.uniform(2, 200)
            stage.tell(f.AdapterFailed(at=stage.clock.now(), adapter=adapter, error="HTTP 503"))

    def _befall_frozen(self) -> None:
        stage = self._stage
        symbol = stage.chance.choice(stage.world.tradable())
        stage.world.stocks[symbol].is_frozen = True
        self._frozen_until[symbol] = stage.loop.time() + stage.chance.uniform(10, 900)

    def _befall_halt(self) -> None:
        stage = self._stage
        symbol = stage.chance.choice(stage.world.tradable())
        stock = stage.world.stocks[symbol]
        if not stock.is_halted:
            stock.is_halted = True
            stage.venue.halt(symbol)
            self._halted_until[symbol] = stage.loop.time() + stage.chance.uniform(20, 600)
            stage.tell(f.SymbolHalted(at=stage.clock.now(), symbol=symbol, code="LUDP"))

    def _befall_gap(self) -> None:
        stage = self._stage
        stock = stage.world.stocks[stage.chance.choice(stage.world.tradable())]
        if not stock.is_halted:
            stock.move_to(stock.price * stage.chance.choice((0.6, 0.85, 0.93, 1.08, 1.25)))

    def _befall_operator(self) -> None:
        stage = self._stage
        stage.latch.is_set = True
        stage.latched_at_s = stage.latched_at_s or stage.loop.time()
        if stage.chance.random() < 0.5:
            stage.loop.call_later(stage.chance.uniform(0.0, 0.2), self.tell_halt)

    def tell_halt(self) -> None:
        """Let the bot read the latch."""
        stage = self._stage
        policy = stage.chance.choice((PositionsPolicy.HOLD, PositionsPolicy.CLOSE))
        stage.tell(
            f.OperatorHalted(
                at=stage.clock.now(), by="trial", reason="a drill", positions_policy=policy
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
