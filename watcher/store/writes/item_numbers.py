"""Numbers of items in the texts of alerts, which are written before the database numbers a new item."""

from dataclasses import fields, replace

from sqlalchemy import Connection

from watcher.model.alert import AlertText
from watcher.model.writes import WriteSet
from watcher.store.database.engine import queries_on
from watcher.store.queries.cases import item_rows
from watcher.text.item_marks import has_item_mark, with_item_numbers


def with_numbered_items(connection: Connection, write_set: WriteSet) -> WriteSet:
    """Return the write set with numbers instead of marks in its alerts. Its items are in the ledger by now."""
    number = write_set.case_number
    if number is None or not any(has_item_mark(draft.text.body) for draft in write_set.drafts):
        return write_set
    rows = item_rows(queries_on(connection), write_set.account, [number])
    numbers = {row.key: row.id for row in rows}
    drafts = tuple(replace(draft, text=_numbered(draft.text, numbers)) for draft in write_set.drafts)
    return replace(write_set, drafts=drafts)


def _numbered(text: AlertText, numbers: dict[str, int]) -> AlertText:
    return AlertText(**{field.name: with_item_numbers(getattr(text, field.name), numbers) for field in fields(text)})
