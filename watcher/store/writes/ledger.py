"""The ledger of pending items, as far as a person writes in it."""

from datetime import date

from watcher.model.case import ItemState
from watcher.model.ledger import TrackedItem
from watcher.store.database.engine import Database
from watcher.store.database.tables import ItemRow
from watcher.store.queries.queries import ledger_item


class Ledger:
    """What the user says of a pending item. Every method is one transaction and returns None for an unknown item."""

    def __init__(self, database: Database) -> None:
        """Works on an open database."""
        self._database = database

    def item(self, item_id: int) -> TrackedItem | None:
        """The item of this number."""
        with self._database.reading() as session:
            row = session.get(ItemRow, item_id)
            return ledger_item(row) if row else None

    def set_done(self, item_id: int) -> TrackedItem | None:
        """The user has dealt with it: no more reminders. What the portal already calls answered or closed stays so."""
        return self._move(item_id, ItemState.OPEN, ItemState.DONE)

    def reopen(self, item_id: int) -> TrackedItem | None:
        """Back to open, for an item that the user had called done."""
        return self._move(item_id, ItemState.DONE, ItemState.OPEN)

    def set_due(self, item_id: int, due_on: date) -> TrackedItem | None:
        """The due date on the paper letter; from now on it counts."""
        with self._database.writing() as session:
            row = session.get(ItemRow, item_id)
            if row is not None:
                row.letter_due_on = due_on
                session.add(row)
            return ledger_item(row) if row else None

    def _move(self, item_id: int, origin: ItemState, target: ItemState) -> TrackedItem | None:
        with self._database.writing() as session:
            row = session.get(ItemRow, item_id)
            if row is not None and row.state == origin:
                row.state = target.value
                session.add(row)
            return ledger_item(row) if row else None
