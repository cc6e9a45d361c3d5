"""Queries for what the user says about cases: labels, persons, and finished cases."""

from collections.abc import Sequence

from watcher.model.ledger import UserCase
from watcher.store.database.query import RunQuery, batches, in_list, select_rows, where
from watcher.text.case_numbers import normalized_number

_COLUMNS = "number, label, person, finished_at, priority_category, priority_country, priority_on"
_FINISHED = select_rows("user_case", "number", "WHERE finished_at IS NOT NULL")
_ALL = select_rows("user_case", _COLUMNS, "ORDER BY number")


def user_cases(run: RunQuery) -> dict[str, UserCase]:
    """Return what the user says about cases, by normalized number."""
    return {row.number: UserCase(**row._asdict()) for row in run(_ALL)}


def finished_numbers(run: RunQuery) -> frozenset[str]:
    """Return the normalized numbers of the cases that the user has finished."""
    return frozenset(row.number for row in run(_FINISHED))


def user_cases_of(run: RunQuery, case_numbers: Sequence[str]) -> dict[str, UserCase]:
    """Return what the user says about each of these cases, by their numbers as a portal writes them."""
    found: dict[str, UserCase] = {}
    normalized = {number: normalized_number(number) for number in case_numbers}
    for batch in batches(list(normalized.values())):
        parameters: dict[str, object] = {}
        query = select_rows("user_case", _COLUMNS, where(in_list("number", batch, parameters)))
        found |= {row.number: UserCase(**row._asdict()) for row in run(query, **parameters)}
    return {number: found.get(key) or UserCase(number=key) for number, key in normalized.items()}


def user_case(run: RunQuery, case_number: str) -> UserCase:
    """Return what the user says about the case with this number, as a portal writes it."""
    return user_cases_of(run, [case_number])[case_number]
