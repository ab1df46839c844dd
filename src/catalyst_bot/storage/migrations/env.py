"""Alembic's entry: runs the revisions on the connection that `migrate.migrate` gives it.

There is no alembic.ini and no offline mode: the program migrates its own file when it starts.
"""

from __future__ import annotations

from alembic import context

from catalyst_bot.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
