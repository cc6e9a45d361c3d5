"""What the user records about pending items."""

from datetime import date
from typing import Any

from watcher.model.case import ItemState
from watcher.model.ledger import TrackedItem
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.tables import ITEMS
from watcher.store.queries import cases


class Ledger:
    """The user's notes on pending items. Every method is one transaction and returns None for an unknown item."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def item(self, item_id: int) -> TrackedItem | None:
        """Return the item with this number."""
        with self._database.queries() as run:
            return cases.item(run, item_id)

    def set_done(self, item_id: int) -> TrackedItem | None:
        """Mark the item as done: no more reminders. An item the portal calls answered or closed stays as it is."""
        return self._update(item_id, ItemState.OPEN, state=ItemState.DONE.value)

    def reopen(self, item_id: int) -> TrackedItem | None:
        """Mark an item that the user had marked as done as open again."""
        return self._update(item_id, ItemState.DONE, state=ItemState.OPEN.value)

    def set_due(self, item_id: int, due_on: date) -> TrackedItem | None:
        """Record the due date on the paper letter; from now on it takes precedence."""
        return self._update(item_id, None, letter_due_on=due_on)

    def _update(self, item_id: int, state_before: ItemState | None, **values: Any) -> TrackedItem | None:
        update = ITEMS.update().where(ITEMS.c.id == item_id).values(**values)
        if state_before is not None:
            update = update.where(ITEMS.c.state == state_before.value)
        with self._database.writing() as connection:
            connection.execute(update)
            return cases.item(queries_on(connection), item_id)
