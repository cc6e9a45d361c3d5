"""Writing news down: snapshot, ledger, changes and outgoing alerts, within a transaction that the caller holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import Session, col, delete, select, update

from watcher.case import STATUS_ITEM, ItemState, Notice, PendingItem, Snapshot
from watcher.change import Change, Json, RecordedChange
from watcher.errors import StoreUnusable
from watcher.health import Health
from watcher.message import AlertState, Draft
from watcher.remind.memory import Reminder
from watcher.store.documents import decode_item, decode_notice, encode
from watcher.store.rows import (
    AccountRow,
    AlertChangeRow,
    AlertRow,
    AnswerRow,
    CaseRow,
    ChangeRow,
    ItemRow,
    NoticeRow,
    ReminderRow,
)

# Statements of every changed case, made once: SQLAlchemy takes longer to put one together than SQLite to run it.
_ACCOUNT: Any = bindparam("account_")
_NUMBER: Any = bindparam("case_number_")
_CASE = select(CaseRow).where(CaseRow.account == _ACCOUNT, CaseRow.case_number == _NUMBER)
_ITEMS = select(ItemRow).where(ItemRow.account == _ACCOUNT, ItemRow.case_number == _NUMBER)
_NOTICES = select(NoticeRow).where(NoticeRow.account == _ACCOUNT, NoticeRow.case_number == _NUMBER)
_FORGET_ANSWERS = (
    delete(AnswerRow)
    .where(
        col(AnswerRow.account) == _ACCOUNT,
        col(AnswerRow.case_number) == _NUMBER,
        col(AnswerRow.quality) == bindparam("quality_"),
    )
    .execution_options(synchronize_session=False)
)
_KEEP_ANSWER, _TELLS = insert(AnswerRow), insert(AlertChangeRow)


def _of(account: str, number: str) -> dict[str, str]:
    return {"account_": account, "case_number_": number}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSave:
    """A case as it is to stand from now on.

    `seen` is the digest of the fresh snapshot, before it was settled, `heard` that of the answers it was read from.
    `revision` is the one that was compared with; another one now is a conflict.
    """

    snapshot: Snapshot
    seen: bytes
    heard: bytes
    revision: int
    stage_since: date
    stage_since_told: bool
    touched_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What belongs together and is written in one transaction: what was seen, what changed, who is told.

    `summaries` has one line for each change. `answers` are kept as the case's last good ones, or with
    `answers_strange` as its last strange ones.
    """

    account: str
    case_number: str | None = None
    case: CaseSave | None = None
    changes: tuple[Change, ...] = ()
    summaries: tuple[str, ...] = ()
    drafts: tuple[Draft, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    health: Health | None = None
    answers: Mapping[str, bytes] | None = None
    answers_strange: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnd:
    """The end of one round of reads. `read` and `missing` are case numbers; `next_read_at` is when to read again."""

    account: str
    complete: bool
    next_read_at: datetime
    read: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


def write_news(session: Session, news: News, now: datetime) -> list[RecordedChange]:
    """Writes all of it; the session's transaction decides whether it stays."""
    if news.case is not None:
        _save_case(session, news.account, news.case, now)
    if news.health is not None:
        save_health(session, news.account, news.health)
    if news.answers and news.case_number is not None:
        _keep_answers(session, news, news.answers, now)
    recorded = _write_changes(session, news, now)
    _queue(session, news, recorded, now)
    for reminder in news.reminders:
        session.add(
            ReminderRow(
                account=reminder.account,
                case_number=reminder.case_number,
                subject=reminder.subject,
                mark=reminder.mark,
                at=now,
            )
        )
    session.flush()
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


def _save_case(session: Session, account: str, save: CaseSave, now: datetime) -> None:
    snapshot = save.snapshot
    row = session.exec(_CASE, params=_of(account, snapshot.case_number)).one_or_none()
    if row is None:
        row = CaseRow(account=account, case_number=snapshot.case_number, first_seen_at=now)
    if row.revision != save.revision:
        raise StoreUnusable(f"{account}: another process recorded this case meanwhile; it is read again next time")
    row.document = encode(snapshot)
    row.seen, row.heard = save.seen, save.heard
    row.revision += 1
    row.stage_since = save.stage_since
    row.stage_since_told = save.stage_since_told
    row.touched_at = save.touched_at
    session.add(row)
    _save_items(session, account, snapshot, now)
    _save_notices(session, account, snapshot, now)
    session.flush()


def _save_items(session: Session, account: str, snapshot: Snapshot, now: datetime) -> None:
    """The ledger follows the snapshot: new items are entered, known ones brought up to date, vanished ones closed."""
    rows = session.exec(_ITEMS, params=_of(account, snapshot.case_number)).all()
    shown = {item.key: item for item in snapshot.pending or ()}
    for row in rows:
        item = shown.pop(row.key, None) or _listed_now(row, shown)
        if item is None:
            if row.state not in {ItemState.ANSWERED, ItemState.CLOSED}:
                row.state = ItemState.CLOSED.value
                session.add(row)
        elif (document := encode(item)) != row.document or row.state == ItemState.CLOSED:
            if _moved(row, item):
                row.dated_at = now
            row.state = _state_in_ledger(row, item).value
            row.document = document
            session.add(row)
    for item in shown.values():
        session.add(
            ItemRow(
                account=account,
                case_number=snapshot.case_number,
                key=item.key,
                document=encode(item),
                state=item.state.value,
                first_seen_at=now,
            )
        )


def _listed_now(row: ItemRow, shown: dict[str, PendingItem]) -> PendingItem | None:
    """The item that the portal now lists for what only its status asked for before: the same entry of the ledger."""
    if not row.key.startswith(STATUS_ITEM) or row.state == ItemState.CLOSED:
        return None
    kind = decode_item(row.document).kind
    key = next((key for key, item in shown.items() if item.kind is kind and not key.startswith(STATUS_ITEM)), None)
    if key is None:
        return None
    row.key = key
    return shown.pop(key)


def _state_in_ledger(row: ItemRow, item: PendingItem) -> ItemState:
    """What the user said ("done") stands as long as the portal shows the item open and unmoved."""
    if item.state is ItemState.OPEN and row.state == ItemState.DONE and not _moved(row, item):
        return ItemState.DONE
    return item.state


def _moved(row: ItemRow, item: PendingItem) -> bool:
    before = decode_item(row.document)
    return (before.due_on, before.starts_at) != (item.due_on, item.starts_at)


def _save_notices(session: Session, account: str, snapshot: Snapshot, now: datetime) -> None:
    if not snapshot.notices:
        return
    rows = session.exec(_NOTICES, params=_of(account, snapshot.case_number)).all()
    known = {row.key: row for row in rows}
    for notice in snapshot.notices:
        row = known.get(notice.key)
        document = encode(notice)
        if row is None:
            row = NoticeRow(
                account=account,
                case_number=snapshot.case_number,
                key=notice.key,
                document=document,
                first_seen_at=now,
            )
        elif row.document == document:
            continue
        elif _is_another(decode_notice(row.document), notice):
            row.saved_as = row.sha256 = row.last_error = None  # the file stays; what is offered now is fetched anew
            row.attempts = 0
        row.document = document
        session.add(row)


def _is_another(before: Notice, now: Notice) -> bool:
    return (before.title, before.dated) != (now.title, now.dated)


def _keep_answers(session: Session, news: News, answers: Mapping[str, bytes], now: datetime) -> None:
    quality = "strange" if news.answers_strange else "good"
    kept = {"account": news.account, "case_number": news.case_number or "", "quality": quality}
    session.execute(_FORGET_ANSWERS, {f"{name}_": value for name, value in kept.items()})
    session.execute(
        _KEEP_ANSWER, [{**kept, "endpoint": endpoint, "at": now, "body": body} for endpoint, body in answers.items()]
    )


def _write_changes(session: Session, news: News, now: datetime) -> list[RecordedChange]:
    """All at once: the database numbers them in their order."""
    rows = [
        ChangeRow(
            at=now,
            account=news.account,
            case_number=change.case_number,
            kind=change.kind.value,
            severity=change.severity.value,
            subject=change.subject,
            summary=summary,
            old=_json(change.old),
            new=_json(change.new),
        )
        for change, summary in zip(news.changes, news.summaries, strict=True)
    ]
    session.add_all(rows)
    session.flush()
    return [
        RecordedChange(id=_number_of(row), at=now, account=news.account, change=change, summary=row.summary)
        for row, change in zip(rows, news.changes, strict=True)
    ]


def _json(value: Json) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _queue(session: Session, news: News, recorded: Sequence[RecordedChange], now: datetime) -> None:
    rows = [_alert(news, draft, now) for draft in news.drafts]
    session.add_all(rows)
    session.flush()
    tells = [
        {"alert_id": _number_of(row), "change_id": recorded[place].id}
        for row, draft in zip(rows, news.drafts, strict=True)
        for place in draft.delivery.changes
    ]
    if tells:
        session.execute(_TELLS, tells)


def _alert(news: News, draft: Draft, now: datetime) -> AlertRow:
    delivery = draft.delivery
    return AlertRow(
        channel=delivery.channel,
        state=(AlertState.HELD if delivery.hold else AlertState.QUEUED).value,
        hold=delivery.hold.value if delivery.hold else None,
        severity=delivery.severity.value,
        account=news.account,
        case_number=news.case_number,
        title=draft.words.title,
        body=draft.words.body,
        html=draft.words.html,
        short=draft.words.short,
        created_at=now,
        next_attempt_at=delivery.not_before,
    )


def _number_of(row: ChangeRow | AlertRow) -> int:
    if row.id is None:  # the database has just given it one
        raise StoreUnusable("the database gave a row no number")
    return row.id
