"""The status names the model that may not decide, and why it may not."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add two columns; journals written before had no such model."""
    op.add_column("status", sa.Column("candidate_id", TEXT, nullable=True))
    op.add_column("status", sa.Column("candidate_note", TEXT, nullable=True))
