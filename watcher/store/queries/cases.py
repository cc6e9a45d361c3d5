"""Queries about cases, their pending items, and their notices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from watcher.model.case import ItemState, Snapshot
from watcher.model.change import RecordedChange
from watcher.model.ledger import TrackedCase, TrackedItem, TrackedNotice, UserCase
from watcher.store.database.query import Query, RunQuery, batches, first_row, in_list, select_rows, where
from watcher.store.queries.snapshot_json import decode, decode_item, decode_notice, decode_without_history
from watcher.store.queries.user_cases import user_cases
from watcher.text.case_numbers import normalized_number

_Tracked = TypeVar("_Tracked", TrackedItem, TrackedNotice)
_PROGRESS = "stage_since, stage_since_told AS stage_since_from_portal, touched_at AS silent_update_at, missing_reads"
_CASE = f"account, case_number, document, first_seen_at, last_read_at, {_PROGRESS}"
_ITEM = "id, account, case_number, document, state, first_seen_at, letter_due_on, dated_at AS date_changed_at"
_NOTICE = "id, account, case_number, document, first_seen_at, saved_as, sha256, attempts, last_error"
_OF_CASE = "WHERE account = :account AND case_number = :case_number"
_OF_ACCOUNT = "WHERE account = :account"

_LAST_READS = select_rows("account", "name, last_read_at")
_CASE_NUMBERS = Query("case", ("case_number",), 'SELECT DISTINCT case_number FROM "case" ORDER BY case_number')
_STORED_CASES = select_rows(
    "case", f"case_number, seen AS snapshot_digest, heard AS answer_digest, revision, {_PROGRESS}", _OF_ACCOUNT
)
_NUMBERS = select_rows("case", "case_number", _OF_ACCOUNT)
_READ_APART = select_rows("case", "case_number", f"{_OF_ACCOUNT} AND (last_read_at IS NOT NULL OR missing_reads > 0)")
_READ_TOGETHER = select_rows("case", "case_number", f"{_OF_ACCOUNT} AND last_read_at IS NULL")
_ITEM_BY_ID = select_rows("item", _ITEM, "WHERE id = :id")
RAW_ANSWERS_OF_CASE = select_rows("answer", "quality, endpoint, body", _OF_CASE)
RAW_ANSWERS = select_rows("answer", "account, case_number, quality, endpoint, at, body")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """The part of a stored case that a check compares before it loads the snapshot.

    If the fresh snapshot has the digest `snapshot_digest`, nothing changed. If the answers have the digest
    `answer_digest`, they need not even be parsed.
    """

    case_number: str
    snapshot_digest: bytes | None
    answer_digest: bytes | None
    revision: int
    stage_since: date | None
    stage_since_from_portal: bool
    silent_update_at: datetime | None
    missing_reads: int

    @property
    def was_read(self) -> bool:
        """Whether a check has read the case; false for a number that the portal never showed."""
        return self.revision > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCase:
    """What is stored of a case that was read before: its last snapshot, and its newest changes, newest first."""

    document: str
    history: tuple[RecordedChange, ...]

    def snapshot(self, fallback: Snapshot) -> Snapshot:
        """Return the snapshot, with the fields that an older release did not store from `fallback`, the fresh one."""
        return decode(self.document, fallback=fallback)


def stored_cases(run: RunQuery, account: str) -> dict[str, StoredCase]:
    """Return the account's cases by number, for comparison with a fresh check."""
    return {row.case_number: StoredCase(**row._asdict()) for row in run(_STORED_CASES, account=account)}


def documents(run: RunQuery, account: str, numbers: Sequence[str]) -> dict[str, str]:
    """Return the stored snapshots of these cases as JSON, by number, without cases that were never read."""
    rows = _of_cases(run, "case", "case_number, document", account, numbers)
    return {row.case_number: row.document for row in rows if row.document is not None}


def item_rows(run: RunQuery, account: str, numbers: Sequence[str]) -> Iterator[Any]:
    """Yield the rows of the pending items of these cases, for an update."""
    columns = "id, case_number, key, document, state, dated_at AS date_changed_at"
    return _of_cases(run, "item", columns, account, numbers)


def notice_rows(run: RunQuery, account: str, numbers: Sequence[str]) -> Iterator[Any]:
    """Yield the rows of the notices of these cases, for an update."""
    return _of_cases(run, "notice", "id, case_number, key, document", account, numbers)


def _of_cases(run: RunQuery, table: str, columns: str, account: str, numbers: Sequence[str]) -> Iterator[Any]:
    for batch in batches(numbers):
        parameters: dict[str, object] = {"account": account}
        condition = in_list("case_number", batch, parameters)
        yield from run(select_rows(table, columns, f"{_OF_ACCOUNT} AND {condition}"), **parameters)


def case_numbers(run: RunQuery) -> list[str]:
    """Return the number of every case, once and in order."""
    return [row.case_number for row in run(_CASE_NUMBERS)]


def numbers_of_account(run: RunQuery, account: str) -> set[str]:
    """Return the numbers of the account's cases."""
    return {row.case_number for row in run(_NUMBERS, account=account)}


def numbers_read_apart(run: RunQuery, account: str) -> set[str]:
    """Return the numbers of cases whose last check is not that of the account."""
    return {row.case_number for row in run(_READ_APART, account=account)}


def numbers_read_together(run: RunQuery, account: str) -> set[str]:
    """Return the numbers of cases whose last check is that of the account."""
    return {row.case_number for row in run(_READ_TOGETHER, account=account)}


def tracked_cases(run: RunQuery, account: str | None = None, case_number: str | None = None) -> list[TrackedCase]:
    """Return every case (of the account, of that number) by account and number, with its items and notices."""
    items_by_case, notices_by_case = _by_case(items(run, account)), _by_case(notices(run, account))
    said = user_cases(run)
    account_reads = {row.name: row.last_read_at for row in run(_LAST_READS)}
    filters = {"account": account, "case_number": case_number}
    parameters = {name: value for name, value in filters.items() if value is not None}
    conditions = where(*(f"{name} = :{name}" for name in parameters))
    return [
        TrackedCase(
            account=row.account,
            case_number=row.case_number,
            **_said(said.get(normalized_number(row.case_number))),
            snapshot=None if row.document is None else decode_without_history(row.document),
            first_seen_at=row.first_seen_at,
            last_read_at=_last_read(row, account_reads.get(row.account)),
            stage_since=row.stage_since,
            stage_since_from_portal=row.stage_since_from_portal,
            silent_update_at=row.silent_update_at,
            missing_reads=row.missing_reads,
            items=tuple(items_by_case.get((row.account, row.case_number), ())),
            notices=tuple(notices_by_case.get((row.account, row.case_number), ())),
        )
        for row in run(select_rows("case", _CASE, f"{conditions} ORDER BY account, case_number"), **parameters)
    ]


def _said(case: UserCase | None) -> dict[str, Any]:
    if case is None:
        return {}
    return {
        "label": case.label,
        "person": case.person,
        "finished": case.finished_at is not None,
        "priority": case.priority,
    }


def _last_read(row: Any, account_read_at: datetime | None) -> datetime | None:
    if row.document is None:
        return None
    moment: datetime = row.last_read_at or account_read_at or row.first_seen_at
    return moment


def _by_case(entries: Iterable[_Tracked]) -> dict[tuple[str, str], list[_Tracked]]:
    by_case = defaultdict(list)
    for entry in entries:
        by_case[entry.account, entry.case_number].append(entry)
    return by_case


def items(run: RunQuery, account: str | None = None) -> list[TrackedItem]:
    """Return every pending item ever seen (of this account), in the order in which they were first seen."""
    return [_item(row) for row in _in_order(run, "item", _ITEM, account)]


def item(run: RunQuery, item_id: int) -> TrackedItem | None:
    """Return the pending item with this number, or None."""
    row = first_row(run(_ITEM_BY_ID, id=item_id))
    return None if row is None else _item(row)


def _item(row: Any) -> TrackedItem:
    return TrackedItem(
        id=row.id,
        account=row.account,
        case_number=row.case_number,
        item=decode_item(row.document),
        state=ItemState(row.state),
        first_seen_at=row.first_seen_at,
        letter_due_on=row.letter_due_on,
        date_changed_at=row.date_changed_at,
    )


def notices(run: RunQuery, account: str | None = None) -> list[TrackedNotice]:
    """Return every notice ever seen (of this account), in the order in which they were first seen."""
    return [
        TrackedNotice(
            id=row.id,
            account=row.account,
            case_number=row.case_number,
            notice=decode_notice(row.document),
            first_seen_at=row.first_seen_at,
            saved_as=row.saved_as,
            sha256=row.sha256,
            attempts=row.attempts,
            last_error=row.last_error,
        )
        for row in _in_order(run, "notice", _NOTICE, account)
    ]


def _in_order(run: RunQuery, table: str, columns: str, account: str | None) -> Iterable[Any]:
    if account is None:
        return run(select_rows(table, columns, "ORDER BY id"))
    return run(select_rows(table, columns, f"{_OF_ACCOUNT} ORDER BY id"), account=account)
