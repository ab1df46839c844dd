"""The journal and the first read tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
CHECKSUM = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    if op.get_bind().dialect.name == "postgresql":
        _decimal_sum()
    _journal()
    _funnel()
    _orders()
    _positions()
    _account()


def _decimal_sum() -> None:
    """Exact sum of decimal text: SQLite gets this function with each connection."""
    op.execute(
        "CREATE FUNCTION decimal_add(numeric, text) RETURNS numeric LANGUAGE sql IMMUTABLE "
        "AS 'SELECT $1 + $2::numeric'"
    )
    op.execute(
        "CREATE FUNCTION decimal_text(numeric) RETURNS text LANGUAGE sql IMMUTABLE "
        "AS 'SELECT $1::text'"
    )
    op.execute(
        "CREATE AGGREGATE decimal_sum(text) "
        "(SFUNC = decimal_add, STYPE = numeric, INITCOND = '0', FINALFUNC = decimal_text)"
    )


def _journal() -> None:
    """The truth."""
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cause_seq", sa.Integer(), nullable=True),
        sa.Column("trail_id", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", CHECKSUM, nullable=False),
        sa.Column("chain", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("journal_by_trail", "journal", ["trail_id", "seq"])


def _funnel() -> None:
    """What became of each headline."""
    op.create_table(
        "headline_progress",
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("received_at", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("item_id"),
    )
    op.create_table(
        "catalysts",
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("signal_id", TEXT, nullable=True),
        sa.Column("intent_id", TEXT, nullable=True),
        sa.Column("decided_at", TEXT, nullable=True),
        sa.Column("model_id", TEXT, nullable=True),
        sa.Column("votes", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("catalyst_id"),
    )
    op.create_index("catalysts_by_item", "catalysts", ["item_id"])
    op.create_index("catalysts_by_signal", "catalysts", ["signal_id"])
    op.create_table(
        "refusals",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("strategy_id", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("limit", sa.Float(), nullable=True),
        sa.Column("observed", sa.Float(), nullable=True),
        sa.Column("unit", TEXT, nullable=True),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("checks", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _orders() -> None:
    """Orders and executions."""
    op.create_table(
        "orders",
        sa.Column("client_order_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("broker_order_id", TEXT, nullable=False),
        sa.Column("trade_id", TEXT, nullable=False),
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("strategy_id", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("limit_price", TEXT, nullable=True),
        sa.Column("stop_price", TEXT, nullable=True),
        sa.Column("exit_reason", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("filled_quantity", TEXT, nullable=False),
        sa.Column("filled_usd", TEXT, nullable=False),
        sa.Column("approved_at", TEXT, nullable=False),
        sa.Column("submitted_at", TEXT, nullable=True),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("client_order_id"),
    )
    op.create_index("orders_by_trade", "orders", ["trade_id"])
    op.create_table(
        "fills",
        sa.Column("fill_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("client_order_id", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("price", TEXT, nullable=False),
        sa.Column("value_usd", TEXT, nullable=False),
        sa.Column("fee_usd", TEXT, nullable=False),
        sa.Column("filled_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("fill_id"),
    )
    op.create_index("fills_by_order", "fills", ["client_order_id"])


def _positions() -> None:
    """Open positions and round trips."""
    op.create_table(
        "positions",
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("trade_id", TEXT, nullable=False),
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("strategy_id", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("average_cost", TEXT, nullable=False),
        sa.Column("last_price", TEXT, nullable=False),
        sa.Column("stop_price", TEXT, nullable=True),
        sa.Column("take_profit_price", TEXT, nullable=True),
        sa.Column("opened_at", TEXT, nullable=False),
        sa.Column("marked_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
    )
    op.create_table(
        "trades",
        sa.Column("trade_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("strategy_id", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("quantity", TEXT, nullable=False),
        sa.Column("entry_at", TEXT, nullable=False),
        sa.Column("entry_price", TEXT, nullable=False),
        sa.Column("exit_at", TEXT, nullable=True),
        sa.Column("exit_price", TEXT, nullable=True),
        sa.Column("exit_reason", TEXT, nullable=True),
        sa.Column("fees_usd", TEXT, nullable=True),
        sa.Column("pnl_usd", TEXT, nullable=True),
        sa.Column("pnl_fraction", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("trade_id"),
    )


def _account() -> None:
    """The equity curve, the feed for people, and how the bot is."""
    op.create_table(
        "equity_points",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("equity_usd", TEXT, nullable=False),
        sa.Column("cash_usd", TEXT, nullable=False),
        sa.Column("exposure_usd", TEXT, nullable=False),
        sa.Column("day_open_equity_usd", TEXT, nullable=False),
        sa.Column("peak_equity_usd", TEXT, nullable=False),
        sa.Column("start_equity_usd", TEXT, nullable=False),
        sa.Column("realised_usd", TEXT, nullable=False),
        sa.Column("unrealised_usd", TEXT, nullable=False),
        sa.Column("fees_usd", TEXT, nullable=False),
        sa.Column("day_return", sa.Float(), nullable=False),
        sa.Column("drawdown", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("severity", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=True),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("trail_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "status",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("broker", TEXT, nullable=False),
        sa.Column("code_version", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=False),
        sa.Column("starting_cash_usd", TEXT, nullable=False),
        sa.Column("started_at", TEXT, nullable=False),
        sa.Column("stopped_at", TEXT, nullable=True),
        sa.Column("trading_state", TEXT, nullable=False),
        sa.Column("halt_cause", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "projector_checkpoint",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
