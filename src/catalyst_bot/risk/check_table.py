"""THE TABLE OF CHECKS: every rule an order must pass, in the order in which a refusal names them.

All of them are run for every intent and all results are kept, so that a refusal shows what else
would have been wrong and an approval shows how much room was left. `docs/reference/risk-checks.md`
is written from it. Add a rule: write a function in `checks`, add a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import Tier
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.trading import Check
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import checks as c
from catalyst_bot.risk.proposal import Proposal
from catalyst_bot.risk.verdicts import in_state

COUNT, FRACTION, RATIO, SECONDS, STATE, USD = "count", "fraction", "ratio", "s", "state", "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule: what judges it, the limit it holds against, what its refusal means.

    `limit` is the field of `RiskLimits` that bounds it, empty where there is nothing to set;
    `source` is given where no such field tells it. Of the rest a person may override one refusal
    where it `may_be_overridden`: never of the account, never an old or wrong price, and never what
    makes an order impossible.
    """

    judge: Callable[[Any], Check]
    tier: Tier
    unit: str
    refusal: str
    limit: str = ""
    source: str = ""
    may_be_overridden: bool = False

    @property
    def name(self) -> str:
        """What the rule is called in journals, pages and commands."""
        return self.judge.__name__

    @property
    def origin(self) -> str:
        """Where the rule comes from."""
        told = {setting.name: setting.metadata.get("source", "") for setting in fields(RiskLimits)}
        return self.source or str(told[self.limit])


_SESSION = "RELIABILITY 4; the time of a run is its broker's"
_KNIGHT = "RELIABILITY 4: the Knight Capital counter"

ENTRY_CHECKS: tuple[Row, ...] = (
    Row(
        judge=c.finite_inputs,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="a number of intent, quote, account or position is NaN or infinite",
        source="RELIABILITY 4",
    ),
    Row(
        judge=c.trading_state,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="trading is halted or only reduced; a person has to resume",
        source="RELIABILITY 4, roadmap breakers",
    ),
    Row(
        judge=c.approved_limits,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="the limits in force are not those approved at the start",
        source="RELIABILITY 4",
    ),
    Row(
        judge=c.approved_model,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="the intent is of another model than the run began with",
        source="RELIABILITY 4",
    ),
    Row(
        judge=c.session_open,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="no session is open, by calendar and broker's clock",
        source=_SESSION,
    ),
    Row(
        judge=c.tradable_symbol,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="the symbol is not on the list of what may be bought",
        limit="tradable_symbols",
        may_be_overridden=True,
    ),
    Row(
        judge=c.symbol_halted,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="the exchange halts the symbol",
        source="RELIABILITY 4",
    ),
    Row(
        judge=c.open_entry,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="an entry in the symbol is on its way",
        source="RELIABILITY 4: one open entry per symbol",
    ),
    Row(
        judge=c.duplicate,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="the symbol is held, or an entry in it was approved within the window",
        source="RELIABILITY 4: same symbol and side within risk.duplicate_window_s",
    ),
    Row(
        judge=c.orders_per_signal,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="the signal set off too many orders",
        limit="max_orders_per_signal",
        source=_KNIGHT,
    ),
    Row(
        judge=c.orders_per_minute,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="too many orders within a minute",
        limit="max_orders_per_minute",
        may_be_overridden=True,
    ),
    Row(
        judge=c.quote_age,
        tier=Tier.ORDER,
        unit=SECONDS,
        refusal="the quote is too old to be a price, or from the future",
        limit="max_quote_age_s",
    ),
    Row(
        judge=c.live_quote_age,
        tier=Tier.ORDER,
        unit=SECONDS,
        refusal="a live quote is too old to be a price",
        limit="max_live_quote_age_s",
    ),
    Row(
        judge=c.price_collar,
        tier=Tier.ORDER,
        unit=FRACTION,
        refusal="the expected price is too far from the middle of the quote",
        limit="price_collar_fraction",
    ),
    Row(
        judge=c.confidence,
        tier=Tier.STRATEGY,
        unit=FRACTION,
        refusal="the news was not read with enough certainty",
        limit="min_confidence",
        may_be_overridden=True,
    ),
    Row(
        judge=c.strategy_paused,
        tier=Tier.STRATEGY,
        unit=STATE,
        refusal="the strategy rests",
        source="roadmap tier 2",
        may_be_overridden=True,
    ),
    Row(
        judge=c.consecutive_losses,
        tier=Tier.STRATEGY,
        unit=COUNT,
        refusal="the strategy lost too often in a row",
        limit="pause_after_consecutive_losses",
        may_be_overridden=True,
    ),
    Row(
        judge=c.strategy_sharpe,
        tier=Tier.STRATEGY,
        unit=RATIO,
        refusal="the strategy does not earn its risk: it needs a review",
        limit="min_sharpe",
        may_be_overridden=True,
    ),
    Row(
        judge=c.strategy_edge,
        tier=Tier.STRATEGY,
        unit=STATE,
        refusal="what the strategy traded so far shows no edge: it needs a review and a new name",
        source="roadmap, Kelly; a strategy that loses is reviewed",
    ),
    Row(
        judge=c.daily_trades,
        tier=Tier.STRATEGY,
        unit=COUNT,
        refusal="enough was traded in this session",
        limit="max_daily_trades",
        may_be_overridden=True,
    ),
    Row(
        judge=c.correlation,
        tier=Tier.STRATEGY,
        unit=RATIO,
        refusal="it moves like something that is held or on its way",
        limit="max_correlation",
        may_be_overridden=True,
    ),
    Row(
        judge=c.losses_per_hour,
        tier=Tier.ACCOUNT,
        unit=COUNT,
        refusal="too many losses in a row within the hour",
        limit="halt_after_losses",
    ),
    Row(
        judge=c.daily_loss,
        tier=Tier.ACCOUNT,
        unit=FRACTION,
        refusal="the account lost its day's limit",
        limit="max_daily_loss_fraction",
    ),
    Row(
        judge=c.drawdown,
        tier=Tier.ACCOUNT,
        unit=FRACTION,
        refusal="the account is too far below its peak",
        limit="max_drawdown_fraction",
    ),
    Row(
        judge=c.stop_present,
        tier=Tier.POSITION,
        unit=STATE,
        refusal="no stop can be set below the price",
        source="roadmap tier 1",
    ),
    Row(
        judge=c.position_size,
        tier=Tier.POSITION,
        unit=FRACTION,
        refusal="the position would be too large a part of the account",
        limit="max_position_fraction",
    ),
    Row(
        judge=c.exposure,
        tier=Tier.ACCOUNT,
        unit=FRACTION,
        refusal="too much of the account would be invested, with what is on its way",
        limit="max_exposure_fraction",
    ),
    Row(
        judge=c.leverage,
        tier=Tier.ACCOUNT,
        unit=RATIO,
        refusal="the account would borrow too much",
        limit="max_leverage",
    ),
    Row(
        judge=c.min_trade,
        tier=Tier.POSITION,
        unit=USD,
        refusal="what the caps leave is too small to pay its costs",
        limit="min_trade_usd",
    ),
)

EXIT_CHECKS: tuple[Row, ...] = (
    Row(
        judge=c.shorting,
        tier=Tier.ORDER,
        unit=STATE,
        refusal="nothing is held: the bot sells what it bought",
        source="long only",
    ),
    Row(
        judge=c.exit_working,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="an exit is at work already",
        source="RELIABILITY 4: sells never exceed what is held",
    ),
    Row(
        judge=c.held_quantity,
        tier=Tier.ORDER,
        unit=COUNT,
        refusal="more would be sold than is held",
        source="RELIABILITY 4: sells never exceed what is held",
    ),
)
ROWS: dict[str, Row] = {row.name: row for row in ENTRY_CHECKS}


def check_entry(entry: Proposal) -> tuple[Check, ...]:
    """Run every check; a refusal is named after the first that fails in the table's order."""
    return tuple(row.judge(entry) for row in ENTRY_CHECKS)


def not_judged(inputs: Check) -> tuple[Check, ...]:
    """The table for an entry with a number that is none: nothing else can be said of it."""
    note = f"not judged: {inputs.note}"
    rest = (in_state(row.name, row.tier, is_good=False, note=note) for row in ENTRY_CHECKS[1:])
    return (inputs, *rest)


def check_exit(
    symbol: str, position: Position | None, desk: Desk, quantity: Decimal | None = None
) -> tuple[Check, ...]:
    """What an exit of so many shares (or of all) must pass.

    Nothing else may keep a position open: an exit passes halts, pauses and loss limits, and out of
    the session the venue holds it until the open.
    """
    held = position.quantity if position is not None else Decimal(0)
    wanted = quantity if quantity is not None else held
    sale = c.Sale(symbol=symbol, position=position, quantity=wanted, desk=desk)
    return tuple(row.judge(sale) for row in EXIT_CHECKS)
