"""Upgrades of a database from any released schema, with Alembic, which is imported only if there is something to do.

A database of a newer release is refused, because an older program would write to tables it does not know.
"""

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.store.database.engine import Database
from watcher.store.database.schema import FOREIGN, HEAD
from watcher.store.database.tables import Row

_SCRIPTS = Path(__file__).with_name("migrations")


def bring_up_to_date(database: Database) -> None:
    """Create the tables in an empty database, migrate an older one, and refuse a newer one or another program's."""
    with database.reading() as connection:
        if schema_of(connection) == HEAD:
            return
    with database.migrating() as connection:
        version = schema_of(connection)
        if version == HEAD:
            return  # another process was faster
        if version is None:
            database.refuse_if_known()
        upgrade(connection, database.display_name)


def schema_on_server(url: str) -> tuple[str, str | None]:
    """Return the database's name for messages and its schema, which is None if it has no tables yet.

    Writes nothing. Raises `StoreUnusable` if the database cannot be reached or written to, or is another program's.
    """
    database = Database(url)
    try:
        with database.reading() as connection:
            version = schema_of(connection)
            if version != HEAD and _is_foreign(connection, version):
                raise _foreign(database.display_name)
        if version is not None:
            database.probe_writing()
        return database.display_name, version
    finally:
        database.close()


def schema_of(connection: Connection) -> str | None:
    """Return the version of the schema; None if there are no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def create_tables(connection: Connection, display_name: str, schema: str) -> None:
    """Create the tables of a release, by its schema, in an empty database. `display_name` is where the schema is from.

    Raises `StoreUnusable` for a newer release.
    """
    if schema != HEAD:
        upgrade(connection, display_name, to=schema)
        return
    Row.metadata.create_all(connection)  # without Alembic's memory, which the daemon's backups would take each time
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:schema)"), {"schema": schema})


def upgrade(connection: Connection, display_name: str, *, to: str = "head") -> None:
    """Run the migrations that are missing. Raises `StoreUnusable` for a database of a newer release."""
    from alembic import command  # noqa: PLC0415 - 38 MiB that only a migration needs
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    version = schema_of(connection)
    if version not in known and _is_foreign(connection, version):
        raise _foreign(display_name)
    newer = {version, to} - known - {None, "head"}
    if newer:
        raise StoreUnusable(
            _(
                "database {name}: it was written by a newer release (schema {schema}). Install that release, "
                "or restore a backup that this release created",
                name=display_name,
                schema=newer.pop(),
            )
        )
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _foreign(name: str) -> StoreUnusable:
    return StoreUnusable(_("database {name}: {reason}", name=name, reason=_(FOREIGN)))


def _is_foreign(connection: Connection, version: str | None) -> bool:
    """Return whether the tables are another program's: without our version, or with one that no release of ours has."""
    has_ours = not Row.metadata.tables.keys().isdisjoint(inspect(connection).get_table_names())
    if version is None:
        return has_ours
    return not has_ours or re.fullmatch("[0-9]{4}", version) is None
