"""Orders keep the price they were decided at, so that slippage can be read from the table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
READ_TABLES = (
    *("catalysts", "equity_points", "events", "fills", "headline_progress", "positions"),
    *("projector_checkpoint", "refusals", "status", "trades"),
)


def upgrade() -> None:
    """Make the table `orders` anew; all read tables are written again from the journal."""
    for table in READ_TABLES:
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # names of this file
    op.drop_table("orders")
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
        sa.Column("reference_price", TEXT, nullable=False),
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
