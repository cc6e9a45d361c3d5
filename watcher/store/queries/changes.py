"""Queries about recorded changes, and the reminders that were sent because of time."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from watcher.model.change import Change, ChangeKind, Json, RecordedChange, Severity
from watcher.model.reminder import SentReminder
from watcher.store.database.query import RunQuery, batches, in_list, limit_to, select_rows, where

CHANGE = "id, at, account, case_number, kind, severity, subject, summary, old, new"
"""The columns that `recorded_change` needs."""

_REMINDERS = select_rows("reminder", "account, case_number, subject, mark")


def history(
    run: RunQuery,
    *,
    accounts: Collection[str] | None = None,
    case_number: str | None = None,
    case_numbers: Collection[str] | None = None,
    kinds: Collection[ChangeKind] | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[RecordedChange]:
    """Return recorded changes, newest first."""
    conditions: list[str] = []
    parameters: dict[str, object] = {}
    if accounts is not None:
        conditions.append(in_list("account", accounts, parameters))
    if case_number is not None:
        conditions.append("case_number = :case_number")
        parameters["case_number"] = case_number
    if case_numbers is not None:
        conditions.append(in_list("case_number", case_numbers, parameters))
    if since is not None:
        conditions.append("at >= :since")
        parameters["since"] = since
    if kinds is not None:
        conditions.append(in_list("kind", [kind.value for kind in kinds], parameters))
    query = select_rows("change", CHANGE, f"{where(*conditions)} ORDER BY id DESC {limit_to(limit, parameters)}")
    return [recorded_change(row) for row in run(query, **parameters)]


def with_ids(run: RunQuery, ids: Collection[int]) -> list[RecordedChange]:
    """Return the changes with these ids, oldest first."""
    parameters: dict[str, object] = {}
    query = select_rows("change", CHANGE, f"{where(in_list('id', ids, parameters))} ORDER BY id")
    return [recorded_change(row) for row in run(query, **parameters)]


def newest(
    run: RunQuery, account: str, numbers: Sequence[str], *, kinds: Collection[ChangeKind] | None = None, limit: int
) -> dict[str, list[RecordedChange]]:
    """Return the newest changes of each of these cases, newest first, by case number.

    An index alone says which ones they are, so that years of history are not read.
    """
    found: dict[str, list[RecordedChange]] = defaultdict(list)
    for batch in batches(numbers):
        parameters: dict[str, object] = {"account": account, "limit": limit}
        conditions = ["account = :account", in_list("case_number", batch, parameters)]
        if kinds is not None:
            conditions.append(in_list("kind", sorted(kinds), parameters))
        numbered = (
            "SELECT id, row_number() OVER (PARTITION BY case_number ORDER BY id DESC) AS place"  # noqa: S608 - constants
            f" FROM change {where(*conditions)}"
        )
        query = select_rows(
            "change",
            CHANGE,
            f"WHERE id IN (SELECT id FROM ({numbered}) AS numbered WHERE place <= :limit) ORDER BY id DESC",  # noqa: S608
        )
        for row in run(query, **parameters):
            found[row.case_number].append(recorded_change(row))
    return found


def after(run: RunQuery, account: str, newest_ids: Mapping[str | None, int]) -> dict[str | None, list[RecordedChange]]:
    """Return the changes of each case with a higher id than its own here, oldest first. None: the account itself."""
    found: dict[str | None, list[RecordedChange]] = defaultdict(list)
    for batch in (*([None] if None in newest_ids else []), *batches([number for number in newest_ids if number])):
        parameters: dict[str, object] = {"account": account}
        case = "case_number IS NULL" if batch is None else in_list("case_number", batch, parameters)
        parameters["change_id"] = min(newest_ids[number] for number in batch or (None,))
        conditions = where("account = :account", case, "id > :change_id")
        for row in run(select_rows("change", CHANGE, f"{conditions} ORDER BY id"), **parameters):
            if row.id > newest_ids[row.case_number]:
                found[row.case_number].append(recorded_change(row))
    return found


def recorded_change(row: Any) -> RecordedChange:
    """Return a row with the columns `CHANGE` as a recorded change."""
    return RecordedChange(
        id=row.id,
        at=row.at,
        account=row.account,
        change=Change(
            kind=ChangeKind(row.kind),
            severity=Severity(row.severity),
            case_number=row.case_number,
            subject=row.subject,
            old=_json(row.old),
            new=_json(row.new),
        ),
        summary=row.summary,
    )


def _json(text: str | None) -> Json:
    value: Json = None if text is None else json.loads(text)
    return value


def sent_reminders(run: RunQuery) -> frozenset[SentReminder]:
    """Return the reminders that were sent because of time."""
    return frozenset(SentReminder(**row._asdict()) for row in run(_REMINDERS))
