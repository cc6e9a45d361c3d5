"""What is stored of published lists that were fetched."""

from dataclasses import asdict

from sqlalchemy import bindparam

from watcher.model.published_list import StoredList
from watcher.store.database.engine import Database, execute_many
from watcher.store.database.tables import PUBLISHED_LISTS

_UPDATE = PUBLISHED_LISTS.update().where(PUBLISHED_LISTS.c.name == bindparam("name_"))


class PublishedLists:
    """The published lists. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, stored: StoredList) -> None:
        """Replace what is stored of this list. Raises `StoreUnusable`."""
        values = asdict(stored)
        with self._database.writing() as connection:
            if execute_many(connection, _UPDATE, [{"name_": values.pop("name"), **values}]) == 0:
                connection.execute(PUBLISHED_LISTS.insert(), asdict(stored))
