"""Writing news down: snapshot, ledger, changes and outgoing alerts, within a transaction that the caller holds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Update, bindparam, select
from sqlalchemy.exc import IntegrityError

from watcher.errors import StoreUnusable
from watcher.model.account_health import AccountHealth
from watcher.model.alert import AlertDraft, AlertState
from watcher.model.change import Json, RecordedChange
from watcher.model.writes import CaseWrite, ReadEnd, WriteSet
from watcher.store.database.tables import ACCOUNTS, ALERT_CHANGES, ALERTS, ANSWERS, CASES, CHANGES, REMINDERS
from watcher.store.queries.snapshot_json import encode
from watcher.store.writes.ledger_sync import follow_items, follow_notices

_OF_ACCOUNT = ACCOUNTS.c.name == bindparam("account_")
_ENTER_ACCOUNT, _UPDATE_ACCOUNT = ACCOUNTS.insert(), ACCOUNTS.update().where(_OF_ACCOUNT)
_NEXT_READ = ACCOUNTS.update().where(_OF_ACCOUNT).values(next_read_at=bindparam("moment_"))
_LAST_READ = select(ACCOUNTS.c.last_read_at).where(_OF_ACCOUNT)

_OF_CASE = (CASES.c.account == bindparam("account_")) & (CASES.c.case_number == bindparam("case_number_"))
_ENTER_CASE = CASES.insert()
_UPDATE_CASE = CASES.update().where(_OF_CASE, CASES.c.revision == bindparam("revision_"))
_READ_NOW = CASES.update().where(_OF_CASE).values(last_read_at=bindparam("moment_"))
_READ_WITH_ALL = CASES.update().where(_OF_CASE).values(last_read_at=None, missing_reads=0)
_LAST_SEEN_WITH_ALL = _READ_NOW.where(CASES.c.last_read_at.is_(None))
_MISSED_AGAIN = CASES.update().where(_OF_CASE).values(missing_reads=CASES.c.missing_reads + 1)
_NUMBERS = select(CASES.c.case_number).where(CASES.c.account == bindparam("account_"))
_READ_APART = _NUMBERS.where(CASES.c.last_read_at.is_not(None) | (CASES.c.missing_reads > 0))

_FORGET_ANSWERS = ANSWERS.delete().where(
    ANSWERS.c.account == bindparam("account_"),
    ANSWERS.c.case_number == bindparam("case_number_"),
    ANSWERS.c.quality == bindparam("quality_"),
)
_KEEP_ANSWER, _REMINDED = ANSWERS.insert(), REMINDERS.insert()
_CHANGE, _ALERT, _TELLS = CHANGES.insert(), ALERTS.insert(), ALERT_CHANGES.insert()


def write(connection: Connection, news: WriteSet, now: datetime) -> list[RecordedChange]:
    """Writes all of it; the connection's transaction decides whether it stays.

    Plain statements: putting objects together and finding out what changed in them takes several times what SQLite
    needs to write them, and nobody looks at these objects again.
    """
    if news.case is not None:
        _save_case(connection, news.account, news.case, now)
    if news.health is not None:
        save_health(connection, news.account, news.health)
    if news.answers and news.case_number is not None:
        _keep_answers(connection, news, news.answers, now)
    recorded = _write_changes(connection, news, now)
    for draft in news.drafts:
        _queue(connection, news, draft, recorded, now)
    for reminder in news.reminders:
        about = {"account": reminder.account, "case_number": reminder.case_number}
        connection.execute(_REMINDED, {**about, "subject": reminder.subject, "mark": reminder.mark, "at": now})
    return recorded


def last_complete_read(connection: Connection, account: str) -> datetime | None:
    """When the account was last read as a whole: when each of its cases was, but for those that say otherwise."""
    moment: datetime | None = connection.execute(_LAST_READ, {"account_": account}).scalar_one()
    return moment


def write_read_end(connection: Connection, end: ReadEnd, now: datetime, *, read_before: datetime | None) -> None:
    """When each case was last read: nothing is written for those that were read with all the others, as ever.

    `read_before` is the account's last complete read before this round.
    """
    if end.complete:
        _count_missing(connection, end, now, read_before or now)
        apart = connection.execute(_READ_APART, {"account_": end.account}).scalars()
        _of_each(connection, _READ_WITH_ALL, end.account, end.read.intersection(apart) - end.missing)
    else:
        _of_each(connection, _READ_NOW, end.account, end.read, moment_=now)
    connection.execute(_NEXT_READ, {"account_": end.account, "moment_": end.next_read_at})


def _count_missing(connection: Connection, end: ReadEnd, now: datetime, read_before: datetime) -> None:
    """A configured number that the portal has never known is entered too, so that it can be told as missing."""
    if not end.missing:
        return
    known = set(connection.execute(_NUMBERS, {"account_": end.account}).scalars())
    for number in sorted(end.missing - known):
        case = {"account": end.account, "case_number": number, "first_seen_at": now}
        connection.execute(_ENTER_CASE, {**case, "revision": 0, "stage_since_told": False, "missing_reads": 0})
    _of_each(connection, _LAST_SEEN_WITH_ALL, end.account, end.missing, moment_=read_before)
    _of_each(connection, _MISSED_AGAIN, end.account, end.missing)


def _of_each(connection: Connection, statement: Update, account: str, numbers: Iterable[str], **values: Any) -> None:
    """The statement for each of these cases; an account may have more of them than a statement has room for."""
    cases = [{"account_": account, "case_number_": number, **values} for number in sorted(numbers)]
    if cases:
        connection.execute(statement, cases)


def save_health(connection: Connection, name: str, health: AccountHealth) -> None:
    """Writes an account's health; its row is made where there is none."""
    stands = {
        "state": health.state.value,
        "first_seen_at": health.first_seen_at,
        "last_attempt_at": health.last_attempt_at,
        "last_read_at": health.last_read_at,
        "failing_since": health.failing_since,
        "failures": health.failures,
        "last_error": health.last_error,
        "not_before": health.not_before,
        "told": ",".join(sorted(health.notified)),
        "rejected_fingerprint": health.rejected_fingerprint,
    }
    if connection.execute(_UPDATE_ACCOUNT, {"account_": name, **stands}).rowcount == 0:
        connection.execute(_ENTER_ACCOUNT, {"name": name, **stands})


def _save_case(connection: Connection, account: str, save: CaseWrite, now: datetime) -> None:
    snapshot = save.snapshot
    stands = {
        "document": encode(snapshot),
        "seen": save.snapshot_digest,
        "heard": save.answer_digest,
        "revision": (save.revision or 0) + 1,
        "stage_since": save.stage_since,
        "stage_since_told": save.stage_since_from_portal,
        "touched_at": save.silent_update_at,
    }
    if not _stands_now(connection, account, save, stands, now):
        raise StoreUnusable(f"{account}: another process recorded this case meanwhile; it is read again next time")
    follow_items(connection, account, snapshot, now)
    follow_notices(connection, account, snapshot, now)


def _stands_now(
    connection: Connection, account: str, save: CaseWrite, stands: Mapping[str, Any], now: datetime
) -> bool:
    """Writes the case's row. False: it is not the one that was compared with."""
    number = save.snapshot.case_number
    if save.revision is not None:
        compared = {"account_": account, "case_number_": number, "revision_": save.revision}
        return connection.execute(_UPDATE_CASE, {**compared, **stands}).rowcount == 1
    case = {"account": account, "case_number": number, "first_seen_at": now, "missing_reads": 0}
    try:
        connection.execute(_ENTER_CASE, {**case, **stands})
    except IntegrityError:
        return False
    return True


def _keep_answers(connection: Connection, news: WriteSet, answers: Mapping[str, bytes], now: datetime) -> None:
    quality = "strange" if news.answers_unexpected else "good"
    kept = {"account": news.account, "case_number": news.case_number or "", "quality": quality}
    connection.execute(_FORGET_ANSWERS, {f"{name}_": value for name, value in kept.items()})
    connection.execute(
        _KEEP_ANSWER, [{**kept, "endpoint": endpoint, "at": now, "body": body} for endpoint, body in answers.items()]
    )


def _write_changes(connection: Connection, news: WriteSet, now: datetime) -> list[RecordedChange]:
    """One after the other: the database numbers them in their order."""
    recorded = []
    for change, summary in zip(news.changes, news.summaries, strict=True):
        written = connection.execute(
            _CHANGE,
            {
                "at": now,
                "account": news.account,
                "case_number": change.case_number,
                "kind": change.kind.value,
                "severity": change.severity.value,
                "subject": change.subject,
                "summary": summary,
                "old": _json(change.old),
                "new": _json(change.new),
            },
        )
        number = _number_of(written)
        recorded.append(RecordedChange(id=number, at=now, account=news.account, change=change, summary=summary))
    return recorded


def _json(value: Json) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _queue(
    connection: Connection, news: WriteSet, draft: AlertDraft, recorded: Sequence[RecordedChange], now: datetime
) -> None:
    delivery = draft.routed
    alert = _number_of(
        connection.execute(
            _ALERT,
            {
                "channel": delivery.channel,
                "state": (AlertState.HELD if delivery.hold_reason else AlertState.QUEUED).value,
                "hold": delivery.hold_reason.value if delivery.hold_reason else None,
                "severity": delivery.severity.value,
                "account": news.account,
                "case_number": news.case_number,
                "title": draft.text.title,
                "body": draft.text.body,
                "html": draft.text.html,
                "short": draft.text.short,
                "attempts": 0,
                "created_at": now,
                "next_attempt_at": delivery.not_before,
            },
        )
    )
    if delivery.changes:
        connection.execute(_TELLS, [{"alert_id": alert, "change_id": recorded[place].id} for place in delivery.changes])


def _number_of(written: CursorResult[Any]) -> int:
    """The number that the database gave the row just written."""
    key: Any = written.inserted_primary_key
    return int(key[0])
