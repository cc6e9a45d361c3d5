"""Writing news down: snapshot, ledger, changes and outgoing alerts, within a transaction that the caller holds."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from watcher.change import Json, RecordedChange
from watcher.errors import StoreUnusable
from watcher.health import Health
from watcher.message import AlertState, Draft
from watcher.store.documents import encode
from watcher.store.following import follow_items, follow_notices
from watcher.store.news import CaseSave, News, RoundEnd
from watcher.store.rows import ALERT_CHANGES, ALERTS, ANSWERS, CASES, CHANGES, REMINDERS, AccountRow, CaseRow

_ENTER_CASE = CASES.insert()
_UPDATE_CASE = CASES.update().where(
    CASES.c.account == bindparam("account_"),
    CASES.c.case_number == bindparam("case_number_"),
    CASES.c.revision == bindparam("revision_"),
)
_FORGET_ANSWERS = ANSWERS.delete().where(
    ANSWERS.c.account == bindparam("account_"),
    ANSWERS.c.case_number == bindparam("case_number_"),
    ANSWERS.c.quality == bindparam("quality_"),
)
_KEEP_ANSWER, _REMINDED = ANSWERS.insert(), REMINDERS.insert()
_CHANGE, _ALERT, _TELLS = CHANGES.insert(), ALERTS.insert(), ALERT_CHANGES.insert()


def write_news(session: Session, news: News, now: datetime) -> list[RecordedChange]:
    """Writes all of it; the session's transaction decides whether it stays.

    Plain statements on the session's connection: putting objects together and finding out what changed in them takes
    several times what SQLite needs to write them, and nobody looks at these objects again.
    """
    connection = session.connection()
    if news.case is not None:
        _save_case(connection, news.account, news.case, now)
    if news.health is not None:
        save_health(session, news.account, news.health)
    if news.answers and news.case_number is not None:
        _keep_answers(connection, news, news.answers, now)
    recorded = _write_changes(connection, news, now)
    for draft in news.drafts:
        _queue(connection, news, draft, recorded, now)
    for reminder in news.reminders:
        about = {"account": reminder.account, "case_number": reminder.case_number}
        connection.execute(_REMINDED, {**about, "subject": reminder.subject, "mark": reminder.mark, "at": now})
    return recorded


def end_round(session: Session, end: RoundEnd, now: datetime) -> None:
    """When each case was last read: one statement for the whole round unless some case was left out of it."""
    account = session.get_one(AccountRow, end.account)
    cases = update(CaseRow).where(col(CaseRow.account) == end.account)
    behind = col(CaseRow.last_read_at).is_not(None)
    if end.complete:
        if end.missing:
            _enter_unread(session, end, now)
            session.exec(
                cases.where(~behind, col(CaseRow.case_number).in_(end.missing)).values(
                    last_read_at=account.last_read_at or now
                )
            )
            session.exec(
                cases.where(col(CaseRow.case_number).in_(end.missing)).values(
                    missing_reads=col(CaseRow.missing_reads) + 1
                )
            )
        session.exec(
            cases.where(behind | (col(CaseRow.missing_reads) > 0), col(CaseRow.case_number).not_in(end.missing))
            .where(col(CaseRow.case_number).in_(end.read))
            .values(last_read_at=None, missing_reads=0)
        )
    elif end.read:
        session.exec(cases.where(col(CaseRow.case_number).in_(end.read)).values(last_read_at=now))
    account.next_read_at = end.next_read_at
    session.add(account)


def _enter_unread(session: Session, end: RoundEnd, now: datetime) -> None:
    """A configured number that the portal has never known is entered too, so that it can be told as missing."""
    query = select(CaseRow.case_number).where(CaseRow.account == end.account, col(CaseRow.case_number).in_(end.missing))
    for number in end.missing.difference(session.exec(query).all()):
        session.add(CaseRow(account=end.account, case_number=number, first_seen_at=now))
    session.flush()


def save_health(session: Session, name: str, health: Health) -> None:
    """Writes an account's health; its row is made where there is none."""
    row = session.get(AccountRow, name) or AccountRow(name=name, state=health.state, first_seen_at=health.first_seen_at)
    row.state = health.state.value
    row.first_seen_at = health.first_seen_at
    row.last_attempt_at = health.last_attempt_at
    row.last_read_at = health.last_read_at
    row.failing_since = health.failing_since
    row.failures = health.failures
    row.last_error = health.last_error
    row.not_before = health.not_before
    row.told = ",".join(sorted(health.told))
    row.rejected_fingerprint = health.rejected_fingerprint
    session.add(row)
    session.flush()


def _save_case(connection: Connection, account: str, save: CaseSave, now: datetime) -> None:
    snapshot = save.snapshot
    stands = {
        "document": encode(snapshot),
        "seen": save.seen,
        "heard": save.heard,
        "revision": (save.revision or 0) + 1,
        "stage_since": save.stage_since,
        "stage_since_told": save.stage_since_told,
        "touched_at": save.touched_at,
    }
    if not _stands_now(connection, account, save, stands, now):
        raise StoreUnusable(f"{account}: another process recorded this case meanwhile; it is read again next time")
    follow_items(connection, account, snapshot, now)
    follow_notices(connection, account, snapshot, now)


def _stands_now(connection: Connection, account: str, save: CaseSave, stands: Mapping[str, Any], now: datetime) -> bool:
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


def _keep_answers(connection: Connection, news: News, answers: Mapping[str, bytes], now: datetime) -> None:
    quality = "strange" if news.answers_strange else "good"
    kept = {"account": news.account, "case_number": news.case_number or "", "quality": quality}
    connection.execute(_FORGET_ANSWERS, {f"{name}_": value for name, value in kept.items()})
    connection.execute(
        _KEEP_ANSWER, [{**kept, "endpoint": endpoint, "at": now, "body": body} for endpoint, body in answers.items()]
    )


def _write_changes(connection: Connection, news: News, now: datetime) -> list[RecordedChange]:
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


def _queue(connection: Connection, news: News, draft: Draft, recorded: Sequence[RecordedChange], now: datetime) -> None:
    delivery = draft.delivery
    alert = _number_of(
        connection.execute(
            _ALERT,
            {
                "channel": delivery.channel,
                "state": (AlertState.HELD if delivery.hold else AlertState.QUEUED).value,
                "hold": delivery.hold.value if delivery.hold else None,
                "severity": delivery.severity.value,
                "account": news.account,
                "case_number": news.case_number,
                "title": draft.words.title,
                "body": draft.words.body,
                "html": draft.words.html,
                "short": draft.words.short,
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
