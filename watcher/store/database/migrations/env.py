"""Runs the migrations on the connection that `watcher.store.database.migrate` hands over, in its one transaction."""

from alembic import context

from watcher.store.database.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    compare_type=False,  # SQLite has no date or boolean type of its own to compare
)
context.run_migrations()
