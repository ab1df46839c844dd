"""An entry as the checks see it: everything it is judged by, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.limit_price import above
from catalyst_bot.domain.limits import ExecutionRules, RiskLimits
from catalyst_bot.domain.money import MAX_PRICE_USD, ZERO, to_decimal
from catalyst_bot.domain.trading import Check, Signal, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.book import Book, read_book
from catalyst_bot.risk.correlation import Kinship, kinship
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.sizing import Sizing, size_entry
from catalyst_bot.risk.state import State, StrategyRecord
from catalyst_bot.risk.stops import Protection, protect


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A sized and protected entry. One share is expected to cost `expected` dollars; `price` is the
    most it may cost, which for an order at the market is the same.
    """

    inputs: Check
    intent: TradeIntent
    state: State
    desk: Desk
    rules: Rules
    expected: Decimal
    price: Decimal
    protection: Protection | None
    sizing: Sizing
    book: Book
    kinship: Kinship

    @property
    def limits(self) -> RiskLimits:
        """The limits in force."""
        return self.rules.limits

    @property
    def working(self) -> ExecutionRules:
        """How an approved order is worked."""
        return self.rules.execution

    @property
    def symbol(self) -> str:
        """The symbol to buy."""
        return self.intent.signal.catalyst.symbol

    @property
    def record(self) -> StrategyRecord:
        """What the strategy did so far."""
        return self.state.strategy(self.intent.signal.strategy_id)

    @property
    def size_usd(self) -> Decimal:
        """What the entry is expected to cost, before fees."""
        return self.sizing.quantity * self.price


def wants_entry(intent: TradeIntent) -> bool:
    """True for a wish to buy. A NaN action counts as one: it is sized to nothing and refused."""
    return intent.side is Side.BUY and not intent.action <= 0


def expected_price(signal: Signal) -> Decimal:
    """Return the dearer of last price and ask, in USD; 0 when either is no usable price."""
    dearer = max(signal.price, signal.quote.ask)
    usable = isfinite(signal.price) and isfinite(signal.quote.ask) and signal.price > 0
    usable = usable and dearer <= MAX_PRICE_USD
    return to_decimal(dearer) if usable else ZERO


def propose(
    state: State,
    intent: TradeIntent,
    desk: Desk,
    rules: Rules,
    *,
    inputs: Check,
    cap_bps: float = 0.0,
) -> Proposal:
    """Protect and size the entry that an intent asks for; it may cost `cap_bps` more than now.

    `inputs` is the verdict on its numbers: it has to be good, for everything is computed from them.
    """
    signal = intent.signal
    expected = expected_price(signal)
    price = above(expected, cap_bps) if cap_bps > 0 else expected
    protection = protect(expected, atr=signal.atr, rules=rules.stops)
    book = read_book(state, desk, rules.limits)
    related = kinship(signal.catalyst.symbol, book.symbols, state.closes)
    sizing = size_entry(
        price=price,
        stop_price=protection.stop_price if protection is not None else None,
        action=intent.action,
        signal=signal,
        account=desk.account,
        book=book,
        record=state.strategy(signal.strategy_id),
        correlation=related.correlation,
        limits=rules.limits,
        rules=rules.sizing,
        stops=rules.stops,
        wish=signal.catalyst.wish,
    )
    return Proposal(
        inputs=inputs,
        intent=intent,
        state=state,
        desk=desk,
        rules=rules,
        expected=expected,
        price=price,
        protection=protection,
        sizing=sizing,
        book=book,
        kinship=related,
    )
