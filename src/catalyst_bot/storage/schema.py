"""Tables: the journal, and the read tables that can all be rebuilt from it.

Money is decimal text and time is RFC 3339 text, exactly as they are shown: SQLite has no type
that keeps them. Text is compared byte by byte in both databases. Rows are ordered by `seq`, never
by a time.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_CHECKSUM = BigInteger().with_variant(Integer(), "sqlite")  # 32 bits without a sign


def _key(name: str) -> Column[str]:
    return Column(name, _TEXT, primary_key=True, nullable=False)


def _seq_key() -> Column[int]:
    return Column("seq", Integer, primary_key=True, autoincrement=False, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, _TEXT, nullable=False)


def _text_or_null(name: str) -> Column[str]:
    return Column(name, _TEXT, nullable=True)


def _integer(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _measure(name: str) -> Column[float]:
    return Column(name, Float, nullable=False)


journal = Table(
    "journal",
    metadata,
    _seq_key(),
    _text("at"),
    _text("kind"),
    _text("name"),
    _integer("version"),
    Column("cause_seq", Integer, nullable=True),
    _text("trail_id"),
    Column("body", LargeBinary, nullable=False),
    Column("checksum", _CHECKSUM, nullable=False),
    _text("chain"),
    Index("journal_by_trail", "trail_id", "seq"),
)

headline_progress = Table(
    "headline_progress",
    metadata,
    _key("item_id"),
    _integer("seq"),
    _text("received_at"),
    _text("source"),
    _text("title"),
    _text("step"),  # the furthest step of the funnel it reached
    _text_or_null("reason"),  # why not the next one; null while it may still
)

catalysts = Table(
    "catalysts",
    metadata,
    _key("catalyst_id"),
    _integer("seq"),
    _text("item_id"),
    _text("symbol"),
    _text("category"),
    _integer("direction"),
    _measure("score"),
    _measure("confidence"),
    _text_or_null("signal_id"),
    Index("catalysts_by_item", "item_id"),
    Index("catalysts_by_signal", "signal_id"),
)

decisions = Table(
    "decisions",
    metadata,
    _key("signal_id"),
    _integer("seq"),
    _text("catalyst_id"),
    _text_or_null("intent_id"),  # null when declined
    _text_or_null("trade_id"),  # of the trade that an intent to buy begins, if it is filled
    _text("decided_at"),
    _text("model_id"),
    _text("votes"),  # JSON
    Index("decisions_by_intent", "intent_id"),
    Index("decisions_by_trade", "trade_id"),
)

refusals = Table(
    "refusals",
    metadata,
    _seq_key(),
    _text("id"),  # of the refused intent
    _text("catalyst_id"),
    _text("strategy_id"),
    _text("symbol"),
    _text("side"),
    _text("rule"),
    Column("limit", Float, nullable=True),
    Column("observed", Float, nullable=True),
    _text_or_null("unit"),
    _text("at"),
    _text("checks"),  # JSON
)

orders = Table(
    "orders",
    metadata,
    _key("client_order_id"),
    _integer("seq"),
    _text("broker_order_id"),
    _text("trade_id"),
    _text("catalyst_id"),
    _text("strategy_id"),
    _text("symbol"),
    _text("role"),
    _text("side"),
    _text("kind"),
    _text("quantity"),
    _text("reference_price"),  # what the decision was made at: how a fill is measured
    _text_or_null("limit_price"),
    _text_or_null("stop_price"),
    _text_or_null("exit_reason"),
    _text("status"),
    _text_or_null("reason"),
    _text("filled_quantity"),
    _text("filled_usd"),
    _text("approved_at"),
    _text_or_null("submitted_at"),
    _text("updated_at"),
    Index("orders_by_trade", "trade_id"),
)

fills = Table(
    "fills",
    metadata,
    _key("fill_id"),
    _integer("seq"),
    _text("client_order_id"),
    _text("symbol"),
    _text("side"),
    _text("quantity"),
    _text("price"),
    _text("value_usd"),
    _text("fee_usd"),
    _text("filled_at"),
    Index("fills_by_order", "client_order_id"),
)

positions = Table(
    "positions",
    metadata,
    _key("symbol"),
    _text("trade_id"),
    _text("catalyst_id"),
    _text("strategy_id"),
    _text("quantity"),
    _text("average_cost"),
    _text("last_price"),
    _text_or_null("stop_price"),
    _text_or_null("take_profit_price"),
    _text("opened_at"),
    _text("marked_at"),
)

trades = Table(
    "trades",
    metadata,
    _key("trade_id"),
    _integer("seq"),
    _text("catalyst_id"),
    _text("strategy_id"),
    _text("symbol"),
    _text("side"),
    _text("quantity"),
    _text("entry_at"),
    _text("entry_price"),
    _text_or_null("exit_at"),
    _text_or_null("exit_price"),
    _text_or_null("exit_reason"),
    _text_or_null("fees_usd"),
    _text_or_null("pnl_usd"),
    Column("pnl_fraction", Float, nullable=True),
)

equity_points = Table(
    "equity_points",
    metadata,
    _seq_key(),
    _text("at"),
    _text("equity_usd"),
    _text("cash_usd"),
    _text("exposure_usd"),
    _text("day_open_equity_usd"),
    _text("peak_equity_usd"),
    _text("start_equity_usd"),
    _text("realised_usd"),
    _text("unrealised_usd"),
    _text("fees_usd"),
    _measure("day_return"),
    _measure("drawdown"),
)

events = Table(
    "events",
    metadata,
    _seq_key(),
    _text("at"),
    _text("severity"),
    _text("kind"),  # the name of the message
    _text_or_null("symbol"),
    _text("text"),
    _text("trail_id"),
)

status = Table(
    "status",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, nullable=False),
    _text("run_id"),
    _text("mode"),
    _text("broker"),
    _text("code_version"),
    _text("model_id"),
    _text("starting_cash_usd"),
    _text("started_at"),
    _text_or_null("stopped_at"),
    _text("trading_state"),
    _text_or_null("halt_cause"),
    _text_or_null("candidate_id"),
    _text_or_null("candidate_note"),
)

projector_checkpoint = Table(
    "projector_checkpoint",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, nullable=False),
    _integer("seq"),
)

PROJECTIONS: tuple[Table, ...] = tuple(t for t in metadata.sorted_tables if t is not journal)
