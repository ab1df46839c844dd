"""What the read model answers: plain dicts, ready for JSON.

Money is a decimal string, time is RFC 3339 with Z, measurements are numbers.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class StatusView(TypedDict):
    """How the bot is. `last_seq` and `last_at` are the journal's newest row. `model_id` decides;
    the candidate only votes, or does not even run: the note says why.
    """

    run_id: str
    mode: str
    broker: str
    code_version: str
    model_id: str
    starting_cash_usd: str
    started_at: str
    stopped_at: str | None
    trading_state: str
    halt_cause: str | None
    candidate_id: str | None
    candidate_note: str | None
    last_seq: int
    last_at: str


class EquityPoint(TypedDict):
    """The account's worth at a moment; returns and drawdown as fractions."""

    seq: int
    at: str
    equity_usd: str
    cash_usd: str
    exposure_usd: str
    day_return: float
    drawdown: float


class AccountState(EquityPoint):
    """The newest equity point with everything the ledger knows."""

    day_open_equity_usd: str
    peak_equity_usd: str
    start_equity_usd: str
    realised_usd: str
    unrealised_usd: str
    fees_usd: str


class PositionView(TypedDict):
    """An open position, valued at its last price."""

    symbol: str
    trade_id: str
    catalyst_id: str
    strategy_id: str
    quantity: str
    average_cost: str
    last_price: str
    market_value_usd: str
    unrealised_usd: str
    stop_price: str | None
    take_profit_price: str | None
    opened_at: str
    marked_at: str


class TradeResult(TypedDict):
    """A round trip as CONVENTIONS.md writes it; exits are null while it is open."""

    trade_id: str
    strategy_id: str
    symbol: str
    side: str
    quantity: str
    entry_at: str
    entry_price: str
    exit_at: str | None
    exit_price: str | None
    exit_reason: str | None
    pnl_usd: str | None
    headline_id: str | None
    headline_received_at: str | None
    decided_at: str | None
    submitted_at: str | None
    votes: list[dict[str, Any]]


class TradeView(TradeResult):
    """A round trip with the headline that caused it."""

    catalyst_id: str
    headline_title: str | None
    fees_usd: str | None
    pnl_fraction: float | None


class LoggedTrade(TradeView):
    """A round trip with what its execution cost; slippage > 0 is what it lost to the decision.

    `decision_price` is what the entry was sized and checked at; exits are measured against their
    own decision, or the stop or target that sold.
    """

    category: str | None
    ordered_quantity: str | None
    decision_price: str | None
    entry_slippage_bps: float | None
    exit_slippage_bps: float | None
    holding_s: float | None


class OrderView(TypedDict):
    """An order or bracket leg; `average_fill_price` is null before the first fill."""

    client_order_id: str
    broker_order_id: str
    trade_id: str
    catalyst_id: str
    strategy_id: str
    symbol: str
    role: str
    side: str
    kind: str
    quantity: str
    limit_price: str | None
    stop_price: str | None
    exit_reason: str | None
    status: str
    reason: str | None
    filled_quantity: str
    average_fill_price: str | None
    approved_at: str
    submitted_at: str | None
    updated_at: str


class RefusalResult(TypedDict):
    """A refused intent as CONVENTIONS.md writes it."""

    id: str
    symbol: str
    rule: str
    limit: float | None
    observed: float | None
    at: str


class RefusalView(RefusalResult):
    """A refused intent with every check that was made."""

    seq: int
    catalyst_id: str
    strategy_id: str
    side: str
    unit: str | None
    checks: list[dict[str, Any]]


class HeadlineView(TypedDict):
    """A headline and the furthest step it reached; `reason` says why not the next."""

    seq: int
    item_id: str
    received_at: str
    source: str
    title: str
    step: str
    reason: str | None


class CatalystView(TypedDict):
    """What a headline was for a symbol; `signal_id` where it met the market."""

    seq: int
    catalyst_id: str
    item_id: str
    symbol: str
    category: str
    direction: int
    score: float
    confidence: float
    signal_id: str | None


class EventView(TypedDict):
    """One line of the feed for people."""

    seq: int
    at: str
    severity: str
    kind: str
    symbol: str | None
    text: str
    trail_id: str


class FunnelView(TypedDict):
    """Headlines that reached each step, and why the others did not: `lost[step][reason]`."""

    seen: int
    deduped: int
    with_ticker: int
    catalyst: int
    signal: int
    intent: int
    approved: int
    filled: int
    lost: dict[str, dict[str, int]]


class RunResult(TypedDict):
    """The result of a run as CONVENTIONS.md writes it; the caller adds the `seconds` it took."""

    funnel: FunnelView
    trades: list[TradeResult]
    refusals: list[RefusalResult]
    equity_start: str | None
    equity_end: str | None
    journal: str
    journal_hash: str
    seconds: NotRequired[float]
