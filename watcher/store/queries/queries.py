"""Reading the books: how cases stand, what was recorded, what is kept, what was told.

Every question is asked here, once for the store and for a glance; see `watcher.store.database.query`. Values go in as
parameters, never as text.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, TypeVar

from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.alert import Alert, AlertState
from watcher.model.case import ItemState
from watcher.model.change import Change, ChangeKind, Json, RecordedChange, Severity
from watcher.model.ledger import TrackedCase, TrackedItem, TrackedNotice
from watcher.store.database.query import Query, RunQuery, select_rows
from watcher.store.queries.snapshot_json import decode_item, decode_notice, decode_without_history

_Kept = TypeVar("_Kept", TrackedItem, TrackedNotice)
_ACCOUNT = (
    "name state first_seen_at last_attempt_at last_read_at next_read_at failing_since failures last_error not_before"
    " told rejected_fingerprint"
)
_CASE = "account case_number document first_seen_at last_read_at stage_since stage_since_told touched_at missing_reads"
_ITEM = "id account case_number document state first_seen_at letter_due_on dated_at"
_NOTICE = "id account case_number document first_seen_at saved_as sha256 attempts last_error"
_CHANGE = "id at account case_number kind severity subject summary old new"
_ALERT = "id channel state severity title body html short attempts created_at next_attempt_at sent_at last_error"
_ACCOUNTS, _LAST_READS = select_rows("account", _ACCOUNT), select_rows("account", "name last_read_at")
_CASE_NUMBERS = Query("case", ("case_number",), 'SELECT DISTINCT case_number FROM "case" ORDER BY case_number')
_ALERT_COUNTS = Query("alert", ("state", "alerts"), "SELECT state, count(*) AS alerts FROM alert GROUP BY state")


def known_accounts(ask: RunQuery) -> dict[str, tuple[AccountHealth, datetime | None]]:
    """Health and next read of every account in the books."""
    return {row.name: (health_of(row), row.next_read_at) for row in ask(_ACCOUNTS)}


def health_of(row: Any) -> AccountHealth:
    """An account's health as its row has it."""
    return AccountHealth(
        state=AccountState(row.state),
        first_seen_at=row.first_seen_at,
        last_attempt_at=row.last_attempt_at,
        last_read_at=row.last_read_at,
        failing_since=row.failing_since,
        failures=row.failures,
        last_error=row.last_error,
        not_before=row.not_before,
        notified=frozenset(ChangeKind(kind) for kind in row.told.split(",") if kind),
        rejected_fingerprint=row.rejected_fingerprint,
    )


def case_numbers(ask: RunQuery) -> list[str]:
    """The number of every case in the books, each once, in order."""
    return [row.case_number for row in ask(_CASE_NUMBERS)]


def tracked_cases(ask: RunQuery, account: str | None = None, case_number: str | None = None) -> list[TrackedCase]:
    """Every case (of the account, of that number), ordered by account and number, with its items and notices."""
    kept_items, kept_notices = _by_case(items(ask, account)), _by_case(notices(ask, account))
    reads = {row.name: row.last_read_at for row in ask(_LAST_READS)}
    asked = {"account": account, "case_number": case_number}
    given = {name: value for name, value in asked.items() if value is not None}
    question = select_rows(
        "case", _CASE, f"{_where(*(f'{name} = :{name}' for name in given))} ORDER BY account, case_number"
    )
    return [
        TrackedCase(
            account=row.account,
            case_number=row.case_number,
            snapshot=None if row.document is None else decode_without_history(row.document),
            first_seen_at=row.first_seen_at,
            last_read_at=_last_read(row, reads.get(row.account)),
            stage_since=row.stage_since,
            stage_since_from_portal=row.stage_since_told,
            silent_update_at=row.touched_at,
            missing_reads=row.missing_reads,
            items=tuple(kept_items.get((row.account, row.case_number), ())),
            notices=tuple(kept_notices.get((row.account, row.case_number), ())),
        )
        for row in ask(question, **given)
    ]


def _last_read(row: Any, account_read_at: datetime | None) -> datetime | None:
    if row.document is None:
        return None
    moment: datetime = row.last_read_at or account_read_at or row.first_seen_at
    return moment


def _by_case(kept: Iterable[_Kept]) -> dict[tuple[str, str], list[_Kept]]:
    found = defaultdict(list)
    for each in kept:
        found[each.account, each.case_number].append(each)
    return found


def items(ask: RunQuery, account: str | None = None) -> list[TrackedItem]:
    """Every pending item that was ever seen (of this account), in the order of its first sight."""
    return [ledger_item(row) for row in _in_order(ask, "item", _ITEM, account)]


def ledger_item(row: Any) -> TrackedItem:
    """A row of the ledger as the noun."""
    return TrackedItem(
        id=row.id,
        account=row.account,
        case_number=row.case_number,
        item=decode_item(row.document),
        state=ItemState(row.state),
        first_seen_at=row.first_seen_at,
        letter_due_on=row.letter_due_on,
        date_changed_at=row.dated_at,
    )


def notices(ask: RunQuery, account: str | None = None) -> list[TrackedNotice]:
    """Every notice that was ever seen (of this account), in the order of its first sight."""
    return [kept_notice(row) for row in _in_order(ask, "notice", _NOTICE, account)]


def kept_notice(row: Any) -> TrackedNotice:
    """A notice's row as the noun."""
    return TrackedNotice(
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


def _in_order(ask: RunQuery, table: str, columns: str, account: str | None) -> Iterable[Any]:
    if account is None:
        return ask(select_rows(table, columns, "ORDER BY id"))
    return ask(select_rows(table, columns, "WHERE account = :account ORDER BY id"), account=account)


def history(
    ask: RunQuery,
    *,
    accounts: Collection[str] | None = None,
    case_number: str | None = None,
    kinds: Collection[ChangeKind] | None = None,
    limit: int | None = None,
) -> list[RecordedChange]:
    """Recorded changes, newest first."""
    conditions: list[str] = []
    given: dict[str, object] = {}
    if accounts is not None:
        conditions.append(_among("account", accounts, given))
    if case_number is not None:
        conditions.append("case_number = :case_number")
        given["case_number"] = case_number
    if kinds is not None:
        conditions.append(_among("kind", [kind.value for kind in kinds], given))
    question = select_rows("change", _CHANGE, f"{_where(*conditions)} ORDER BY id DESC {_limit(limit, given)}")
    return [recorded_change(row) for row in ask(question, **given)]


def recorded_change(row: Any) -> RecordedChange:
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


def alerts(ask: RunQuery, *, limit: int | None = None, state: AlertState | None = None) -> list[Alert]:
    """Alerts (in this state), newest first."""
    given: dict[str, object] = {} if state is None else {"state": state.value}
    chosen = f"{_where(*(f'{name} = :{name}' for name in given))} ORDER BY id DESC {_limit(limit, given)}"
    tells = select_rows(
        "alert_change",
        "alert_id change_id",
        f"WHERE alert_id IN (SELECT id FROM alert {chosen}) ORDER BY alert_id, change_id",  # noqa: S608 - ours
    )
    told: dict[int, list[int]] = defaultdict(list)
    for row in ask(tells, **given):
        told[row.alert_id].append(row.change_id)
    return [alert_of(row, tuple(told[row.id])) for row in ask(select_rows("alert", _ALERT, chosen), **given)]


def alert_of(row: Any, change_ids: tuple[int, ...]) -> Alert:
    """A row of the outbox as the noun, with the changes that it tells of."""
    return Alert(
        id=row.id,
        channel=row.channel,
        state=AlertState(row.state),
        severity=Severity(row.severity),
        title=row.title,
        body=row.body,
        html=row.html,
        short=row.short,
        change_ids=change_ids,
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
        last_error=row.last_error,
    )


def alert_counts(ask: RunQuery) -> dict[AlertState, int]:
    """How many alerts there are in each state."""
    found = {row.state: row.alerts for row in ask(_ALERT_COUNTS)}
    return {state: found.get(state.value, 0) for state in AlertState}


def _where(*conditions: str) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _among(column: str, values: Collection[str], given: dict[str, object]) -> str:
    """A parameter for each value, for databases differ in how they take a list; PostgreSQL wants at least one."""
    if not values:
        return "1 = 0"
    names = [f"{column}_{place}" for place in range(len(values))]
    given.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{name}' for name in names)})"


def _limit(limit: int | None, given: dict[str, object]) -> str:
    if limit is None:
        return ""
    given["limit"] = limit
    return "LIMIT :limit"
