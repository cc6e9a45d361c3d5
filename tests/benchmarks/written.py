"""The time to write one changed case: the same rows with plain sqlite3 and with SQLAlchemy Core."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, create_engine

from watcher.store.database.tables import ALERT_CHANGES, ALERTS, ANSWERS, CASES, CHANGES

_Rows: TypeAlias = Mapping[str, list[dict[str, Any]]]
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


@contextmanager
def ways_to_write(database: Path, times: int) -> Iterator[Mapping[str, Callable[[], None]]]:
    """Return ways to write one case's newest change again, so many times, each in a transaction."""
    rows = _newest(database)
    with _plainly(database, rows) as plain, _by_core(database, rows) as core:
        yield {"sqlite3": _often(plain, times), "SQLAlchemy Core": _often(core, times)}


def _often(once: Callable[[], None], times: int) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(times):
            once()

    return repeated


def _newest(database: Path) -> _Rows:
    """Return the rows of the newest alert: the alert, its changes, and the answer about its case."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        alert = dict(connection.execute("SELECT * FROM alert ORDER BY id DESC LIMIT 1").fetchone())
        links = connection.execute("SELECT * FROM alert_change WHERE alert_id = ?", (alert["id"],)).fetchall()
        changes = [
            connection.execute("SELECT * FROM change WHERE id = ?", (one["change_id"],)).fetchone() for one in links
        ]
        answers = connection.execute("SELECT * FROM answer WHERE case_number = ?", (alert["case_number"],)).fetchall()
    found = {"alert": [alert], "change": changes, "answer": answers}
    return {name: [{key: one[key] for key in dict(one) if key != "id"} for one in each] for name, each in found.items()}


@contextmanager
def _plainly(database: Path, rows: _Rows) -> Iterator[Callable[[], None]]:
    (alert,) = rows["alert"]
    of_case = (alert["account"], alert["case_number"])
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

        def insert(table: str, row: Mapping[str, Any]) -> int:
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
            statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables
            return connection.execute(statement, list(row.values())).lastrowid or 0

        def write() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                'UPDATE "case" SET document = document, revision = revision + 1 WHERE account = ? AND case_number = ?',
                of_case,
            )
            connection.execute("DELETE FROM answer WHERE account = ? AND case_number = ?", of_case)
            for answer in rows["answer"]:
                insert("answer", answer)
            changes = [insert("change", change) for change in rows["change"]]
            number = insert("alert", alert)
            for change in changes:
                insert("alert_change", {"alert_id": number, "change_id": change})
            connection.execute("COMMIT")

        yield write


@contextmanager
def _by_core(database: Path, rows: _Rows) -> Iterator[Callable[[], None]]:
    (alert,) = ({**row, **_moments(row)} for row in rows["alert"])
    alert = {column.key: alert[column.name] for column in ALERTS.columns if column.name in alert}
    changes = [{**row, **_moments(row)} for row in rows["change"]]
    answers = [{**row, **_moments(row)} for row in rows["answer"]]
    of_case = (CASES.c.account == alert["account"]) & (CASES.c.case_number == alert["case_number"])
    moved = CASES.update().where(of_case).values(document=CASES.c.document, revision=CASES.c.revision + 1)
    forget = ANSWERS.delete().where(
        ANSWERS.c.account == alert["account"], ANSWERS.c.case_number == alert["case_number"]
    )
    keep, change, queue, link = ANSWERS.insert(), CHANGES.insert(), ALERTS.insert(), ALERT_CHANGES.insert()

    def numbered(connection: Connection, statement: Any, row: Mapping[str, Any]) -> Any:
        key: Any = connection.execute(statement, row).inserted_primary_key
        return key[0]

    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for pragma in _PRAGMAS:
            driver.execute(f"PRAGMA {pragma}")
        connection.rollback()

        def write() -> None:
            with connection.begin():
                connection.execute(moved)
                connection.execute(forget)
                connection.execute(keep, answers)
                numbers = [numbered(connection, change, row) for row in changes]
                number = numbered(connection, queue, alert)
                connection.execute(link, [{"alert_id": number, "change_id": each} for each in numbers])

        yield write
    engine.dispose()


def _moments(row: Mapping[str, Any]) -> dict[str, datetime]:
    """Return the columns of a row that contain a moment, as the tables need them."""
    names = ("at", "created_at", "next_attempt_at", "sent_at", "acknowledged_at")
    return {name: datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in names if row.get(name)}
