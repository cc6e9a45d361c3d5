"""Writes of snapshot, ledger, changes, and alerts, within the caller's transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Update, bindparam
from sqlalchemy.exc import IntegrityError

from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertDraft, AlertState
from watcher.model.change import Json, RecordedChange
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store.database.engine import queries_on
from watcher.store.database.tables import ACCOUNTS, ALERT_CHANGES, ALERTS, ANSWERS, CASES, CHANGES, REMINDERS
from watcher.store.queries.accounts import encode_notified
from watcher.store.queries.cases import numbers_of_account, numbers_read_apart, numbers_read_together
from watcher.store.queries.snapshot_json import encode
from watcher.store.writes.ledger_sync import sync_items, sync_notices

_OF_ACCOUNT = ACCOUNTS.c.name == bindparam("account_")
_INSERT_ACCOUNT, _UPDATE_ACCOUNT = ACCOUNTS.insert(), ACCOUNTS.update().where(_OF_ACCOUNT)
_NEXT_READ = ACCOUNTS.update().where(_OF_ACCOUNT).values(next_read_at=bindparam("moment_"))

_OF_CASE = (CASES.c.account == bindparam("account_")) & (CASES.c.case_number == bindparam("case_number_"))
_INSERT_CASE = CASES.insert()
_UPDATE_CASE = CASES.update().where(_OF_CASE, CASES.c.revision == bindparam("revision_"))
_READ_WITH_ACCOUNT = CASES.update().where(_OF_CASE).values(last_read_at=None, missing_reads=0)
_LEFT_OUT = CASES.update().where(_OF_CASE, CASES.c.last_read_at.is_(None)).values(last_read_at=bindparam("moment_"))
_MISSING_AGAIN = CASES.update().where(_OF_CASE).values(missing_reads=CASES.c.missing_reads + 1)

_DELETE_ANSWERS = ANSWERS.delete().where(
    ANSWERS.c.account == bindparam("account_"),
    ANSWERS.c.case_number == bindparam("case_number_"),
    ANSWERS.c.quality == bindparam("quality_"),
)
_INSERT_ANSWER, _INSERT_REMINDER = ANSWERS.insert(), REMINDERS.insert()
_INSERT_CHANGE, _INSERT_ALERT, _INSERT_ALERT_CHANGE = CHANGES.insert(), ALERTS.insert(), ALERT_CHANGES.insert()


def write(connection: Connection, write_set: WriteSet, now: datetime) -> list[RecordedChange]:
    """Write everything in the write set and return the recorded changes.

    Plain statements instead of objects: creating objects and finding out what changed in them takes several times as
    long as writing the rows, and nothing uses the objects afterwards.
    """
    if write_set.case is not None:
        _write_case(connection, write_set.account, write_set.case, now)
    if write_set.health is not None and write_set.only_notified:
        notified = encode_notified(write_set.health)
        connection.execute(_UPDATE_ACCOUNT, {"account_": write_set.account, "notified": notified})
    elif write_set.health is not None:
        save_health(connection, write_set.account, write_set.health)
    if write_set.answers and write_set.case_number is not None:
        _replace_answers(connection, write_set, write_set.answers, now)
    recorded = _write_changes(connection, write_set, now)
    for draft in write_set.drafts:
        _queue(connection, write_set, draft, recorded, now)
    for reminder in write_set.reminders:
        case = {"account": reminder.account, "case_number": reminder.case_number}
        connection.execute(_INSERT_REMINDER, {**case, "subject": reminder.subject, "mark": reminder.mark, "at": now})
    return recorded


def write_read_end(connection: Connection, end: ReadEnd, now: datetime, *, read_before: datetime | None) -> None:
    """Record when each case was last read; writes nothing for cases that are always read with the account.

    `read_before` is the account's last check before this one in which any case was read.
    """
    _count_missing(connection, end, now)
    if end.read or end.complete:
        run = queries_on(connection)
        left_out = end.missing if end.complete else numbers_read_together(run, end.account) - end.read
        _for_each(connection, _LEFT_OUT, end.account, left_out, moment_=read_before or now)
        apart = numbers_read_apart(run, end.account)
        _for_each(connection, _READ_WITH_ACCOUNT, end.account, end.read & apart)
    connection.execute(_NEXT_READ, {"account_": end.account, "moment_": end.next_read_at})


def _count_missing(connection: Connection, end: ReadEnd, now: datetime) -> None:
    """Count the cases as missing. A number that the portal never showed is added, so that it can count."""
    if not end.missing:
        return
    for number in sorted(end.missing - numbers_of_account(queries_on(connection), end.account)):
        case = {"account": end.account, "case_number": number, "first_seen_at": now}
        connection.execute(_INSERT_CASE, {**case, "revision": 0, "stage_since_from_portal": False, "missing_reads": 0})
    _for_each(connection, _MISSING_AGAIN, end.account, end.missing)


def _for_each(connection: Connection, statement: Update, account: str, numbers: Iterable[str], **values: Any) -> None:
    """Run the statement for each case; an account may have more cases than one statement may have parameters."""
    cases = [{"account_": account, "case_number_": number, **values} for number in sorted(numbers)]
    if cases:
        connection.execute(statement, cases)


def save_health(connection: Connection, name: str, health: AccountHealth) -> None:
    """Write an account's health; an unknown account is added."""
    values = {
        "state": health.state.value,
        "first_seen_at": health.first_seen_at,
        "last_attempt_at": health.last_attempt_at,
        "last_read_at": health.last_read_at,
        "failing_since": health.failing_since,
        "failures": health.failures,
        "last_error": health.last_error,
        "not_before": health.not_before,
        "notified": encode_notified(health),
        "rejected_fingerprint": health.rejected_fingerprint,
    }
    if connection.execute(_UPDATE_ACCOUNT, {"account_": name, **values}).rowcount == 0:
        connection.execute(_INSERT_ACCOUNT, {"name": name, **values})


def _write_case(connection: Connection, account: str, case: CaseWrite, now: datetime) -> None:
    snapshot = case.snapshot
    values = {
        "document": encode(snapshot),
        "snapshot_digest": case.snapshot_digest,
        "answer_digest": case.answer_digest,
        "revision": (case.revision or 0) + 1,
        "stage_since": case.stage_since,
        "stage_since_from_portal": case.stage_since_from_portal,
        "silent_update_at": case.silent_update_at,
    }
    if not _write_case_row(connection, account, case, values, now):
        raise StoreUnusable(f"{account}: another process recorded this case meanwhile; it is read again next time")
    sync_items(connection, account, snapshot, now)
    sync_notices(connection, account, snapshot, now)


def _write_case_row(
    connection: Connection, account: str, case: CaseWrite, values: Mapping[str, Any], now: datetime
) -> bool:
    """Write the case's row; return False if it is no longer the revision that was compared."""
    number = case.snapshot.case_number
    if case.revision is not None:
        compared = {"account_": account, "case_number_": number, "revision_": case.revision}
        return connection.execute(_UPDATE_CASE, {**compared, **values}).rowcount == 1
    first = {"account": account, "case_number": number, "first_seen_at": now, "missing_reads": 0}
    try:
        connection.execute(_INSERT_CASE, {**first, **values})
    except IntegrityError:
        return False
    return True


def _replace_answers(connection: Connection, write_set: WriteSet, answers: Mapping[str, bytes], now: datetime) -> None:
    quality = "strange" if write_set.answers_unexpected else "good"
    key = {"account": write_set.account, "case_number": write_set.case_number or "", "quality": quality}
    connection.execute(_DELETE_ANSWERS, {f"{name}_": value for name, value in key.items()})
    rows = [{**key, "endpoint": endpoint, "at": now, "body": body} for endpoint, body in answers.items()]
    connection.execute(_INSERT_ANSWER, rows)


def _write_changes(connection: Connection, write_set: WriteSet, now: datetime) -> list[RecordedChange]:
    """Write the changes one by one, so that the database numbers them in order."""
    recorded = []
    for change, summary in zip(write_set.changes, write_set.summaries, strict=True):
        inserted = connection.execute(
            _INSERT_CHANGE,
            {
                "at": now,
                "account": write_set.account,
                "case_number": change.case_number,
                "kind": change.kind.value,
                "severity": change.severity.value,
                "subject": change.subject,
                "summary": summary,
                "old": _json(change.old),
                "new": _json(change.new),
            },
        )
        change_id = _new_id(inserted)
        recorded.append(RecordedChange(id=change_id, at=now, account=write_set.account, change=change, summary=summary))
    return recorded


def _json(value: Json) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _queue(
    connection: Connection, write_set: WriteSet, draft: AlertDraft, recorded: Sequence[RecordedChange], now: datetime
) -> None:
    routed = draft.routed
    alert_id = _new_id(
        connection.execute(
            _INSERT_ALERT,
            {
                "channel": routed.channel,
                "state": (AlertState.HELD if routed.hold_reason else AlertState.QUEUED).value,
                "hold_reason": routed.hold_reason.value if routed.hold_reason else None,
                "severity": routed.severity.value,
                "account": write_set.account,
                "case_number": write_set.case_number,
                "title": draft.text.title,
                "body": draft.text.body,
                "html": draft.text.html,
                "short": draft.text.short,
                "attempts": 0,
                "created_at": now,
                "next_attempt_at": routed.not_before,
            },
        )
    )
    change_ids = [*write_set.about, *(recorded[index].id for index in routed.changes)]
    if change_ids:
        links = [{"alert_id": alert_id, "change_id": change_id} for change_id in change_ids]
        connection.execute(_INSERT_ALERT_CHANGE, links)


def _new_id(inserted: CursorResult[Any]) -> int:
    """Return the id that the database gave the inserted row."""
    key: Any = inserted.inserted_primary_key
    return int(key[0])
