"""Reading the books: how cases stand, what was recorded, what is kept."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam
from sqlmodel import Session, col, select

from watcher.case import ItemState
from watcher.change import Change, ChangeKind, Json, RecordedChange, Severity
from watcher.health import AccountState, Health
from watcher.standing import CaseStanding, KeptNotice, LedgerItem
from watcher.store.documents import decode_item, decode_notice, decode_standing
from watcher.store.rows import CASES, CHANGES, AccountRow, ItemRow, NoticeRow


def health_of(row: AccountRow) -> Health:
    """An account's health as its row has it."""
    return Health(
        state=AccountState(row.state),
        first_seen_at=row.first_seen_at,
        last_attempt_at=row.last_attempt_at,
        last_read_at=row.last_read_at,
        failing_since=row.failing_since,
        failures=row.failures,
        last_error=row.last_error,
        not_before=row.not_before,
        told=frozenset(ChangeKind(kind) for kind in row.told.split(",") if kind),
        rejected_fingerprint=row.rejected_fingerprint,
    )


def standings(session: Session, account: str | None = None, case_number: str | None = None) -> list[CaseStanding]:
    """Every case (of the account, of that number), ordered by account and number, with its items and notices."""
    items, notices = _items_by_case(session, account), _notices_by_case(session, account)
    reads = dict(session.exec(select(AccountRow.name, AccountRow.last_read_at)).all())
    query = CASES.select().order_by(CASES.c.account, CASES.c.case_number)
    if account is not None:
        query = query.where(CASES.c.account == account)
    if case_number is not None:
        query = query.where(CASES.c.case_number == case_number)
    return [
        CaseStanding(
            account=row.account,
            case_number=row.case_number,
            snapshot=None if row.document is None else decode_standing(row.document),
            first_seen_at=row.first_seen_at,
            last_read_at=_last_read(row, reads.get(row.account)),
            stage_since=row.stage_since,
            stage_since_told=row.stage_since_told,
            touched_at=row.touched_at,
            missing_reads=row.missing_reads,
            items=tuple(items.get((row.account, row.case_number), ())),
            notices=tuple(notices.get((row.account, row.case_number), ())),
        )
        for row in session.connection().execute(query)
    ]


def _last_read(row: Row[Any], account_read_at: datetime | None) -> datetime | None:
    if row.document is None:
        return None
    moment: datetime = row.last_read_at or account_read_at or row.first_seen_at
    return moment


def _items_by_case(session: Session, account: str | None) -> dict[tuple[str, str], list[LedgerItem]]:
    query = select(ItemRow).order_by(col(ItemRow.id))
    if account is not None:
        query = query.where(ItemRow.account == account)
    found = defaultdict(list)
    for row in session.exec(query):
        found[row.account, row.case_number].append(ledger_item(row))
    return found


def _notices_by_case(session: Session, account: str | None) -> dict[tuple[str, str], list[KeptNotice]]:
    query = select(NoticeRow).order_by(col(NoticeRow.id))
    if account is not None:
        query = query.where(NoticeRow.account == account)
    found = defaultdict(list)
    for row in session.exec(query):
        found[row.account, row.case_number].append(kept_notice(row))
    return found


def ledger_item(row: ItemRow) -> LedgerItem:
    """A row of the ledger as the noun."""
    return LedgerItem(
        id=row.id or 0,
        account=row.account,
        case_number=row.case_number,
        item=decode_item(row.document),
        state=ItemState(row.state),
        first_seen_at=row.first_seen_at,
        letter_due_on=row.letter_due_on,
        dated_at=row.dated_at,
    )


def kept_notice(row: NoticeRow) -> KeptNotice:
    """A notice's row as the noun."""
    return KeptNotice(
        id=row.id or 0,
        account=row.account,
        case_number=row.case_number,
        notice=decode_notice(row.document),
        first_seen_at=row.first_seen_at,
        saved_as=row.saved_as,
        sha256=row.sha256,
        attempts=row.attempts,
        last_error=row.last_error,
    )


def history(
    session: Session,
    *,
    accounts: Iterable[str] | None = None,
    case_number: str | None = None,
    kinds: Iterable[ChangeKind] | None = None,
    limit: int | None = None,
) -> list[RecordedChange]:
    """Recorded changes, newest first."""
    asked: dict[str, Any] = {}
    if accounts is not None:
        asked["accounts"] = list(accounts)
    if case_number is not None:
        asked["case_number"] = case_number
    if kinds is not None:
        asked["kinds"] = [kind.value for kind in kinds]
    if limit is not None:
        asked["limit"] = limit
    return [recorded_change(row) for row in session.connection().execute(_changes(frozenset(asked)), asked)]


@cache
def _changes(asked: frozenset[str]) -> Select[Any]:
    """Put together once for each kind of question: that takes longer than to answer it."""
    query = CHANGES.select().order_by(CHANGES.c.id.desc())
    if "accounts" in asked:
        query = query.where(CHANGES.c.account.in_(bindparam("accounts", expanding=True)))
    if "case_number" in asked:
        query = query.where(CHANGES.c.case_number == bindparam("case_number"))
    if "kinds" in asked:
        query = query.where(CHANGES.c.kind.in_(bindparam("kinds", expanding=True)))
    return query.limit(bindparam("limit")) if "limit" in asked else query


def recorded_change(row: Row[Any]) -> RecordedChange:
    """A row of the table of changes as the noun."""
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
