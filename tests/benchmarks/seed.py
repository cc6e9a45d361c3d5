"""A database that knows many cases already, without a first check of each."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.benchmarks.household import account, watching
from tests.benchmarks.office import Office, answer
from watcher.app import App
from watcher.portals.uscis_api.snapshot import ENDPOINT
from watcher.portals.uscis_api.snapshot import read as read_answer
from watcher.store import digest, digest_of_answers


@contextmanager
def watching_for_long(home: Path, sections: str, office: Office, cases: tuple[str, ...]) -> Iterator[App]:
    """Open the program with that configuration and with its cases as they are at the office before any change.

    The program reads the first case itself; the rows of the others are written after its pattern.
    """
    with watching(home, account(office, cases[:1])) as app:
        app.poll("office")
    with closing(sqlite3.connect(home / "state" / "watcher.sqlite3")) as database:
        _copy_case(database, cases)
        _copy(database, "answer", [{"case_number": case, "body": answer(case)} for case in cases[1:]])
        database.commit()
    with watching(home, sections) as app:
        yield app


def _copy_case(database: sqlite3.Connection, cases: tuple[str, ...]) -> None:
    (document,) = database.execute('SELECT document FROM "case"').fetchone()
    rows: list[dict[str, object]] = []
    for case in cases[1:]:
        answers = {ENDPOINT: answer(case)}
        rows.append(
            {
                "case_number": case,
                "document": document.replace(cases[0], case),
                "seen": digest(read_answer(answers, "en")),
                "heard": digest_of_answers(answers, "en"),
            }
        )
    _copy(database, "case", rows)


def _copy(database: sqlite3.Connection, table: str, others: list[dict[str, object]]) -> None:
    """Copy the table's only row for each of the others, with their own values."""
    found = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of ours
    names = [column[0] for column in found.description]
    first = dict(zip(names, found.fetchone(), strict=True))
    names = [name for name in names if name != "id"]
    database.executemany(
        f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({", ".join("?" * len(names))})',  # noqa: S608
        ([{**first, **other}[name] for name in names] for other in others),
    )
