"""Each decision has its row, as a policy may be asked more than once; a candidate is named."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOVED = ("intent_id", "decided_at", "model_id", "votes")
READ_TABLES = (
    *("catalysts", "equity_points", "events", "fills", "headline_progress", "orders", "positions"),
    *("projector_checkpoint", "refusals", "status", "trades"),
)


def upgrade() -> None:
    """Move what is of a decision to a table of its own; all read tables are written again."""
    for table in READ_TABLES:
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # names of this file
    for column in MOVED:
        op.drop_column("catalysts", column)
    op.create_table(
        "decisions",
        sa.Column("signal_id", TEXT, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("catalyst_id", TEXT, nullable=False),
        sa.Column("intent_id", TEXT, nullable=True),
        sa.Column("trade_id", TEXT, nullable=True),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.Column("model_id", TEXT, nullable=False),
        sa.Column("votes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("signal_id"),
    )
    op.create_index("decisions_by_intent", "decisions", ["intent_id"])
    op.create_index("decisions_by_trade", "decisions", ["trade_id"])
    op.add_column("status", sa.Column("candidate_id", TEXT, nullable=True))
    op.add_column("status", sa.Column("candidate_note", TEXT, nullable=True))
