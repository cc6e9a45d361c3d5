"""Runs the migrations in the transaction of the connection that `watcher.store.database.migrate` supplies."""

from alembic import context

from watcher.store.database.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    compare_type=False,  # SQLite has no date or boolean type of its own to compare
)
context.run_migrations()
