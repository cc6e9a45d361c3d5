"""Writes of snapshot, ledger, changes, and alerts, within the caller's transaction."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, bindparam
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from watcher.errors import StoreUnusable
from watcher.messages import _
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertDraft, AlertState
from watcher.model.change import Json, RecordedChange
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store.database.engine import execute_many, queries_on
from watcher.store.database.tables import ACCOUNTS, ALERT_CHANGES, ALERTS, ANSWERS, CASES, CHANGES, REMINDERS
from watcher.store.queries.accounts import encode_notified
from watcher.store.queries.cases import numbers_of_account, numbers_read_apart, numbers_read_together
from watcher.store.queries.snapshot_json import encode
from watcher.store.writes.item_numbers import with_numbered_items
from watcher.store.writes.ledger_sync import sync_ledger

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
_INSERT_CHANGE = CHANGES.insert().returning(CHANGES.c.id)
_INSERT_ALERT = ALERTS.insert().returning(ALERTS.c.id)
_INSERT_ALERT_CHANGE = ALERT_CHANGES.insert()
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write(connection: Connection, write_sets: Sequence[WriteSet], now: datetime) -> list[RecordedChange]:
    """Write everything in the write sets, with one statement for each table, and return the recorded changes.

    Plain statements instead of objects: creating objects and finding out what changed in them takes several times as
    long as writing the rows, and nothing uses the objects afterwards.
    """
    cases: dict[str, list[CaseWrite]] = defaultdict(list)
    for write_set in write_sets:
        if write_set.case is not None:
            cases[write_set.account].append(write_set.case)
    for account, of_account in cases.items():
        _write_cases(connection, account, of_account, now)
    for write_set in write_sets:
        if write_set.health is not None:
            _write_health(connection, write_set.account, write_set.health, only_notified=write_set.only_notified)
    _replace_answers(connection, write_sets, now)
    recorded = _write_changes(connection, write_sets, now)
    _queue(connection, write_sets, recorded, now)
    reminders = [reminder for write_set in write_sets for reminder in write_set.reminders]
    execute_many(connection, _INSERT_REMINDER, [{**asdict(reminder), "at": now} for reminder in reminders])
    return [change for of_write_set in recorded for change in of_write_set]


def _write_health(connection: Connection, account: str, health: AccountHealth, *, only_notified: bool) -> None:
    if only_notified:
        connection.execute(_UPDATE_ACCOUNT, {"account_": account, "notified": encode_notified(health)})
    else:
        save_health(connection, account, health)


def write_read_end(connection: Connection, end: ReadEnd, now: datetime, *, read_before: datetime | None) -> None:
    """Record when each case was last read; writes nothing for cases that are always read with the account.

    `read_before` is the account's last check before this one in which any case was read.
    """
    _count_missing(connection, end, now)
    if end.read or end.complete:
        run = queries_on(connection)
        left_out = end.missing | end.finished if end.complete else numbers_read_together(run, end.account) - end.read
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
    execute_many(connection, statement, cases)


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


def _write_cases(connection: Connection, account: str, cases: Sequence[CaseWrite], now: datetime) -> None:
    """Write the cases with their items and notices, unless one is no longer the revision that was compared."""
    first = {"account": account, "first_seen_at": now, "missing_reads": 0}
    added = [
        {**first, "case_number": case.snapshot.case_number, **_case_values(case)}
        for case in cases
        if case.revision is None
    ]
    updated = [
        {"account_": account, "case_number_": case.snapshot.case_number, "revision_": case.revision}
        | _case_values(case)
        for case in cases
        if case.revision is not None
    ]
    try:
        execute_many(connection, _INSERT_CASE, added)
        is_current = execute_many(connection, _UPDATE_CASE, updated) == len(updated)
    except IntegrityError:
        is_current = False
    if not is_current:
        raise StoreUnusable(
            _("{account}: another process has just recorded a case, so it is checked again next time", account=account)
        )
    sync_ledger(connection, account, [case.snapshot for case in cases], now)


def _case_values(case: CaseWrite) -> dict[str, Any]:
    return {
        "document": encode(case.snapshot),
        "snapshot_digest": case.snapshot_digest,
        "answer_digest": case.answer_digest,
        "revision": (case.revision or 0) + 1,
        "stage_since": case.stage_since,
        "stage_since_from_portal": case.stage_since_from_portal,
        "silent_update_at": case.silent_update_at,
    }


def _replace_answers(connection: Connection, write_sets: Iterable[WriteSet], now: datetime) -> None:
    replaced: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for write_set in write_sets:
        if write_set.answers and write_set.case_number is not None:
            quality = "strange" if write_set.answers_unexpected else "good"
            key = {"account": write_set.account, "case_number": write_set.case_number, "quality": quality}
            replaced.append({f"{name}_": value for name, value in key.items()})
            rows += [{**key, "endpoint": name, "at": now, "body": body} for name, body in write_set.answers.items()]
    execute_many(connection, _DELETE_ANSWERS, replaced)
    execute_many(connection, _INSERT_ANSWER, rows)


def _write_changes(connection: Connection, write_sets: Sequence[WriteSet], now: datetime) -> list[list[RecordedChange]]:
    """Write the changes, numbered in their order, and return them for each write set."""
    rows = [
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
        }
        for write_set in write_sets
        for change, summary in zip(write_set.changes, write_set.summaries, strict=True)
    ]
    ids = iter(_new_ids(connection, _INSERT_CHANGE, rows))
    return [
        [
            RecordedChange(id=next(ids), at=now, account=write_set.account, change=change, summary=summary)
            for change, summary in zip(write_set.changes, write_set.summaries, strict=True)
        ]
        for write_set in write_sets
    ]


def _json(value: Json) -> str | None:
    return None if value is None else _encode_json(value)


def _queue(
    connection: Connection,
    write_sets: Sequence[WriteSet],
    recorded: Sequence[Sequence[RecordedChange]],
    now: datetime,
) -> None:
    """Write the alerts, in their order, and which changes each is about."""
    rows: list[dict[str, Any]] = []
    about: list[list[int]] = []
    for write_set, changes in zip(write_sets, recorded, strict=True):
        for draft in with_numbered_items(connection, write_set).drafts:
            rows.append(_alert_values(write_set, draft, now))
            about.append([*write_set.about, *(changes[index].id for index in draft.routed.changes)])
    links = [
        {"alert_id": alert_id, "change_id": change_id}
        for alert_id, change_ids in zip(_new_ids(connection, _INSERT_ALERT, rows), about, strict=True)
        for change_id in change_ids
    ]
    execute_many(connection, _INSERT_ALERT_CHANGE, links)


def _alert_values(write_set: WriteSet, draft: AlertDraft, now: datetime) -> dict[str, Any]:
    routed = draft.routed
    return {
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
    }


def _new_ids(connection: Connection, insert: ReturningInsert[int], rows: list[dict[str, Any]]) -> Sequence[int]:
    """Insert the rows and return their ids.

    Both databases number the rows of one statement in their order, though they may return the ids in another one.
    """
    return sorted(connection.execute(insert, rows).scalars()) if rows else ()
