"""Queries for what the user says about cases: labels, persons, and finished cases."""

from watcher.model.ledger import UserCase
from watcher.store.database.query import RunQuery, first_row, select_rows
from watcher.text.case_numbers import normalized_number

_COLUMNS = "number, label, person, finished_at"
_ALL = select_rows("user_case", _COLUMNS, "ORDER BY number")
_ONE = select_rows("user_case", _COLUMNS, "WHERE number = :number")


def user_cases(run: RunQuery) -> dict[str, UserCase]:
    """Return what the user says about cases, by normalized number."""
    return {row.number: UserCase(**row._asdict()) for row in run(_ALL)}


def user_case(run: RunQuery, case_number: str) -> UserCase:
    """Return what the user says about the case with this number, as a portal writes it."""
    number = normalized_number(case_number)
    row = first_row(run(_ONE, number=number))
    return UserCase(number=number) if row is None else UserCase(**row._asdict())
