"""What the user records about cases: labels, persons, finished cases, priority dates, own dates, and letters."""

from collections.abc import Mapping
from datetime import date, datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, bindparam

from watcher.model.account_health import AccountHealth
from watcher.model.case import OWN_PREFIX, ItemKind, ItemState, Notice, PendingItem
from watcher.model.priority import Priority
from watcher.store.database.engine import Database, execute_many, queries_on
from watcher.store.database.tables import CASES, ITEMS, NOTICES, USER_CASES
from watcher.store.queries.accounts import account_health
from watcher.store.queries.cases import numbers_of_account
from watcher.store.queries.snapshot_json import encode
from watcher.store.queries.user_cases import user_case
from watcher.store.writes.recording import save_health
from watcher.text.case_numbers import normalized_number

_OF_NUMBER = USER_CASES.c.number == bindparam("number_")
_UPDATE, _INSERT = USER_CASES.update().where(_OF_NUMBER), USER_CASES.insert()
_DELETE_EMPTY = USER_CASES.delete().where(
    *(column.is_(None) for column in USER_CASES.columns if not column.primary_key)
)


class UserCases:
    """What the user records about cases. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def label(self, cases: Mapping[str, Mapping[str, str | None]]) -> None:
        """Set the `label` and `person` of cases, by case number; what a case does not name stays, None clears it."""
        with self._database.writing() as connection:
            for number, values in cases.items():
                _set(connection, number, dict(values))

    def set_priority(self, case_number: str, priority: Priority | None) -> None:
        """Set the priority date of a case; None clears it."""
        values = {
            "priority_category": priority and priority.category,
            "priority_country": priority and priority.country,
            "priority_on": priority and priority.day,
        }
        with self._database.writing() as connection:
            _set(connection, case_number, values)

    def finish(self, case_number: str, now: datetime) -> bool:
        """Stop watching the case. Return whether it was watched."""
        with self._database.writing() as connection:
            was_finished = user_case(queries_on(connection), case_number).finished_at is not None
            if not was_finished:
                _set(connection, case_number, {"finished_at": now})
        return not was_finished

    def watch(self, case_number: str) -> bool:
        """Watch a finished case again. Return whether it was finished."""
        with self._database.writing() as connection:
            was_finished = user_case(queries_on(connection), case_number).finished_at is not None
            _set(connection, case_number, {"finished_at": None})
        return was_finished

    def add_reminder(self, account: str, case_number: str, text: str, day: date, now: datetime) -> int:
        """Add a date of the user's own to the case's pending items. Return the number of the item.

        A case that was not checked yet is added, as one that was not read.
        """
        item = PendingItem(key=f"{OWN_PREFIX}{token_hex(8)}", kind=ItemKind.REMINDER, title=text, due_on=day)
        values = {"account": account, "case_number": case_number, "key": item.key, "document": encode(item)}
        with self._database.writing() as connection:
            _add_case(connection, account, case_number, now)
            inserted = connection.execute(
                ITEMS.insert().returning(ITEMS.c.id), {**values, "state": ItemState.OPEN.value, "first_seen_at": now}
            )
            return int(inserted.scalar_one())

    def add_notice(
        self, account: str, case_number: str, title: str, *, saved_as: str, sha256: str, now: datetime
    ) -> tuple[int, bool]:
        """Add a letter of the user's own that was saved to this file, relative to state_dir.

        Return its number, and whether it is new: the same file is added to a case once.
        """
        notice = Notice(key=f"{OWN_PREFIX}{sha256}", title=title)
        values = {"account": account, "case_number": case_number, "key": notice.key}
        same = NOTICES.select().where(*(NOTICES.c[name] == value for name, value in values.items()))
        saved = {"saved_as": saved_as, "sha256": sha256}
        with self._database.writing() as connection:
            known = connection.execute(same).first()
            if known is not None:
                connection.execute(NOTICES.update().where(NOTICES.c.id == known.id).values(**saved))
                return int(known.id), False
            _add_case(connection, account, case_number, now)
            inserted = connection.execute(
                NOTICES.insert().returning(NOTICES.c.id),
                {**values, **saved, "document": encode(notice), "first_seen_at": now, "attempts": 0},
            )
            return int(inserted.scalar_one()), True


def _set(connection: Connection, case_number: str, values: dict[str, Any]) -> None:
    if not values:
        return
    number = normalized_number(case_number)
    if execute_many(connection, _UPDATE, [{"number_": number, **values}]) == 0:
        connection.execute(_INSERT, {"number": number, **values})
    connection.execute(_DELETE_EMPTY)


def _add_case(connection: Connection, account: str, case_number: str, now: datetime) -> None:
    """Add the case, and its account, if they are not stored yet."""
    run = queries_on(connection)
    if case_number in numbers_of_account(run, account):
        return
    if account_health(run, account) is None:
        save_health(connection, account, AccountHealth(first_seen_at=now))
    case = {"account": account, "case_number": case_number, "first_seen_at": now, "revision": 0}
    connection.execute(CASES.insert(), {**case, "stage_since_from_portal": False, "missing_reads": 0})
