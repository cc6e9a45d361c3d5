"""Queries about alerts."""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watcher.model.alert import Alert, AlertHead, AlertState, AlertText, HoldReason
from watcher.model.change import RecordedChange, Severity
from watcher.store.database.query import Query, RunQuery, first_row, in_list, limit_to, select_rows, where
from watcher.store.queries.changes import CHANGE, recorded_change
from watcher.text.link_marks import HIDDEN, with_token

_HEAD = (
    "id, channel, state, severity, title, attempts, created_at, next_attempt_at, sent_at, last_error, note,"
    " first_attempt_at, covered_by"
)
_ALERT = f"{_HEAD}, body, html, short"
_QUEUED_ALERT = f"{_HEAD}, account, case_number, hold AS hold_reason, claimed_by, accepted_by"
_WAITING = f"state IN ('{AlertState.QUEUED.value}', '{AlertState.HELD.value}')"
_UNCLAIMED = "claimed_by IS NULL"
_COUNTS = Query("alert", ("state", "alerts"), "SELECT state, count(*) AS alerts FROM alert GROUP BY state")
_MESSAGES_SINCE = Query(
    "alert",
    ("messages",),
    "SELECT count(*) AS messages FROM alert"  # noqa: S608 - constants
    f" WHERE channel = :channel AND sent_at >= :since AND state = '{AlertState.SENT.value}' AND covered_by IS NULL",
)
_LAST_ACCEPTED = select_rows(
    "alert", "sent_at", f"WHERE channel = :channel AND state = '{AlertState.SENT.value}' ORDER BY sent_at DESC LIMIT 1"
)
_FIRST_ATTEMPTS = (
    "SELECT min(first_attempt_at) AS first_attempt_at FROM alert WHERE channel = :channel"  # noqa: S608 - constants
    f" AND state IN ('{AlertState.QUEUED.value}', '{AlertState.HELD.value}', '{AlertState.FAILED.value}')"
)
_CLAIMS = Query(
    "alert",
    ("claimed_by", "claimed_until"),
    "SELECT DISTINCT claimed_by, claimed_until FROM alert"  # noqa: S608 - constants
    f" WHERE {_WAITING} AND claimed_by IS NOT NULL AND claimed_until IS NOT NULL",
)
_NEXT_NEEDED = Query(
    "alert",
    ("next_attempt_at",),
    "SELECT min(CASE WHEN claimed_by IS NULL THEN next_attempt_at ELSE claimed_until END) AS next_attempt_at"  # noqa: S608 - constants
    f" FROM alert WHERE {_WAITING}",
)
_QUEUED_SINGLY = select_rows(
    "alert",
    "id, account, case_number",
    f"WHERE channel = :channel AND state = '{AlertState.QUEUED.value}' AND (hold IS NULL OR hold NOT IN"
    f" ('{HoldReason.DIGEST.value}', '{HoldReason.MAYBE_SENT.value}')) ORDER BY id",
)
_SERVICE_RESTS = Query(
    "alert",
    ("service_rests_until",),
    "SELECT max(service_rests_until) AS service_rests_until FROM alert"
    " WHERE channel = :channel AND sent_at IS NULL AND service_rests_until > :now AND service_rests_until <= :latest",
)
_MAX_PRECEDING = 500
_LATER = "id > :after AND channel || '' = :channel AND state || ''"
"""Alerts after one. The expressions leave the id as the only index: few alerts are later, but years have one state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedAlert:
    """An alert that has not been sent yet, with the changes it is about. Its text is loaded when it is sent.

    `is_claimed`: a delivery is sending it. `accepted_by`: the targets of the channel that have accepted its message.
    """

    alert: AlertHead
    account: str
    case_number: str | None
    hold_reason: HoldReason | None
    changes: tuple[RecordedChange, ...]
    is_claimed: bool = False
    accepted_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A delivery that sends alerts, and when its claim on them ends at the latest."""

    claimed_by: str
    claimed_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAlert:
    """An alert that a channel has accepted, with the changes it was about."""

    id: int
    account: str
    case_number: str | None
    severity: Severity
    changes: tuple[RecordedChange, ...]


def alerts(run: RunQuery, *, limit: int | None = None, state: AlertState | None = None, **fields: int) -> list[Alert]:
    """Return alerts (in this state, with these values of `id` or `covered_by`), newest first."""
    parameters: dict[str, object] = {**fields, **({"state": state.value} if state else {})}
    selection = f"{where(*(f'{name} = :{name}' for name in parameters))} ORDER BY id DESC {limit_to(limit, parameters)}"
    links = select_rows(
        "alert_change",
        "alert_id, change_id",
        f"WHERE alert_id IN (SELECT id FROM alert {selection}) ORDER BY alert_id, change_id",  # noqa: S608 - constants
    )
    change_ids: dict[int, list[int]] = defaultdict(list)
    for row in run(links, **parameters):
        change_ids[row.alert_id].append(row.change_id)
    return [_alert(row, change_ids[row.id]) for row in run(select_rows("alert", _ALERT, selection), **parameters)]


def _alert(row: Any, change_ids: Collection[int]) -> Alert:
    """Return an alert to show. Only what is sent has the token of the link."""
    body, html, short = (with_token(text, HIDDEN) for text in (row.body, row.html, row.short))
    return Alert(**_head_fields(row, change_ids), body=body, html=html, short=short)


def _head_fields(row: Any, change_ids: Collection[int]) -> dict[str, Any]:
    read = {"state": AlertState(row.state), "severity": Severity(row.severity), "change_ids": tuple(change_ids)}
    return {name: getattr(row, name) for name in _HEAD.split(", ")} | read


def alert_counts(run: RunQuery) -> dict[AlertState, int]:
    """Return how many alerts there are in each state."""
    counts = {row.state: row.alerts for row in run(_COUNTS)}
    return {state: counts.get(state.value, 0) for state in AlertState}


def due(
    run: RunQuery, now: datetime, *, channels: Collection[str] | None, excluded: Collection[int], limit: int
) -> list[QueuedAlert]:
    """Return the waiting alerts whose time has come (of these channels): urgent ones first, each group oldest first."""
    parameters: dict[str, object] = {"now": now}
    conditions = [*_waiting(excluded, parameters), "next_attempt_at <= :now"]
    if channels is not None:
        conditions.append(in_list("channel", channels, parameters))
    order = f"ORDER BY CASE WHEN severity = '{Severity.URGENT.value}' THEN 0 ELSE 1 END, id"
    return _queued_alerts(run, f"{where(*conditions)} {order} {limit_to(limit, parameters)}", parameters)


def preceding(
    run: RunQuery, channel: str, later: Collection[QueuedAlert], *, excluded: Collection[int]
) -> list[QueuedAlert]:
    """Return what is queued on the channel about the same cases as these alerts, and is older than they are.

    It need not be due. An alert about an account counts as one about each of its cases. A digest is not included,
    because it is sent as a whole.
    """
    newest: dict[tuple[str, str | None], int] = {}
    for queued in later:
        for subject in ((queued.account, queued.case_number), (queued.account, None)):
            newest[subject] = max(newest.get(subject, 0), queued.alert.id)
    known = {queued.alert.id for queued in later} | set(excluded)
    older = [
        row.id
        for row in run(_QUEUED_SINGLY, channel=channel)
        if row.id not in known and row.id < newest.get((row.account, row.case_number), 0)
    ]
    parameters: dict[str, object] = {}
    return _queued_alerts(run, where(in_list("id", older[:_MAX_PRECEDING], parameters)), parameters) if older else []


def service_rests_until(run: RunQuery, channel: str, now: datetime, *, latest: datetime) -> datetime | None:
    """Return the last moment, up to `latest`, before which the channel's service has asked not to be called, if any."""
    row = first_row(run(_SERVICE_RESTS, channel=channel, now=now, latest=latest))
    moment: datetime | None = row.service_rests_until
    return moment


def claims(run: RunQuery) -> list[Claim]:
    """Return the claims on alerts that wait."""
    return [Claim(claimed_by=row.claimed_by, claimed_until=row.claimed_until) for row in run(_CLAIMS)]


def due_channels(run: RunQuery, now: datetime, *, excluded: Collection[int]) -> list[str]:
    """Return the channels that have waiting alerts whose time has come, and that nobody is sending."""
    parameters: dict[str, object] = {"now": now}
    conditions = where(*_waiting(excluded, parameters), "next_attempt_at <= :now", _UNCLAIMED)
    query = Query("alert", ("channel",), f"SELECT DISTINCT channel FROM alert {conditions} ORDER BY channel")  # noqa: S608
    return [row.channel for row in run(query, **parameters)]


def has_urgent(run: RunQuery, channel: str, now: datetime, *, after: int) -> bool:
    """Return whether an urgent alert with an id above `after` is due on the channel."""
    waiting = f"{_LATER} IN ('{AlertState.QUEUED.value}', '{AlertState.HELD.value}')"
    conditions = where(waiting, "next_attempt_at <= :now", "severity = :severity")
    query = select_rows("alert", "id", f"{conditions} LIMIT 1")
    rows = run(query, now=now, channel=channel, after=after, severity=Severity.URGENT.value)
    return first_row(rows) is not None


def sent_after(run: RunQuery, channel: str, alert_id: int) -> list[SentAlert]:
    """Return the alerts with a higher id that the channel has accepted, with their changes."""
    parameters: dict[str, object] = {"channel": channel, "after": alert_id}
    selection = where(f"{_LATER} = '{AlertState.SENT.value}'")
    rows = list(run(select_rows("alert", "id, account, case_number, severity", selection), **parameters))
    changes = _changes_by_alert(run, selection, parameters) if rows else {}
    return [
        SentAlert(
            id=row.id,
            account=row.account,
            case_number=row.case_number,
            severity=Severity(row.severity),
            changes=tuple(changes.get(row.id, ())),
        )
        for row in rows
    ]


def next_due(run: RunQuery, *, excluded: Collection[int], busy: Collection[str] = ()) -> datetime | None:
    """Return when the next waiting alert that nobody is sending is due; None if none is. Leaves out `busy` channels."""
    parameters: dict[str, object] = {}
    free = [f"NOT {in_list('channel', busy, parameters)}"] if busy else []
    conditions = where(*_waiting(excluded, parameters), _UNCLAIMED, *free)
    query = Query(
        "alert",
        ("next_attempt_at",),
        f"SELECT min(next_attempt_at) AS next_attempt_at FROM alert {conditions}",  # noqa: S608 - constants and :names
    )
    moment: datetime | None = first_row(run(query, **parameters)).next_attempt_at
    return moment


def next_needed(run: RunQuery) -> datetime | None:
    """Return when the next waiting alert is due, or the claim of a delivery on one ends; None if nothing waits."""
    moment: datetime | None = first_row(run(_NEXT_NEEDED)).next_attempt_at
    return moment


def messages_since(run: RunQuery, channel: str, since: datetime) -> int:
    """Return how many messages the channel has accepted since then. Several alerts in one message count once."""
    count: int = first_row(run(_MESSAGES_SINCE, channel=channel, since=since)).messages
    return count


def last_accepted_at(run: RunQuery, channel: str) -> datetime | None:
    """Return when the channel last accepted a message; None if it never did."""
    row = first_row(run(_LAST_ACCEPTED, channel=channel))
    return None if row is None else row.sent_at


def failing_since(run: RunQuery, channel: str) -> datetime | None:
    """Return the first failed attempt since the channel last accepted a message; None if none has failed since."""
    accepted_at = last_accepted_at(run, channel)
    condition = "" if accepted_at is None else " AND first_attempt_at > :accepted_at"
    parameters = {} if accepted_at is None else {"accepted_at": accepted_at}
    query = Query("alert", ("first_attempt_at",), _FIRST_ATTEMPTS + condition)
    moment: datetime | None = first_row(run(query, channel=channel, **parameters)).first_attempt_at
    return moment


def alert_texts(run: RunQuery, alert_ids: Collection[int]) -> dict[int, AlertText]:
    """Return the texts of these alerts, by id."""
    parameters: dict[str, object] = {}
    rows = run(
        select_rows("alert", "id, title, body, html, short", where(in_list("id", alert_ids, parameters))), **parameters
    )
    return {row.id: AlertText(title=row.title, body=row.body, html=row.html, short=row.short) for row in rows}


def _waiting(excluded: Collection[int], parameters: dict[str, object]) -> list[str]:
    return [_WAITING, f"NOT {in_list('id', excluded, parameters)}"] if excluded else [_WAITING]


def _queued_alerts(run: RunQuery, selection: str, parameters: dict[str, object]) -> list[QueuedAlert]:
    rows = list(run(select_rows("alert", _QUEUED_ALERT, selection), **parameters))
    changes = _changes_by_alert(run, selection, parameters) if rows else {}
    return [
        QueuedAlert(
            alert=AlertHead(**_head_fields(row, [change.id for change in changes.get(row.id, ())])),
            account=row.account,
            case_number=row.case_number,
            hold_reason=HoldReason(row.hold_reason) if row.hold_reason else None,
            changes=tuple(changes.get(row.id, ())),
            is_claimed=row.claimed_by is not None,
            accepted_by=frozenset(json.loads(row.accepted_by)) if row.accepted_by else frozenset(),
        )
        for row in rows
    ]


def _changes_by_alert(run: RunQuery, selection: str, parameters: dict[str, object]) -> dict[int, list[RecordedChange]]:
    query = select_rows(
        "change",
        f"{CHANGE}, alert_id",
        f"JOIN alert_change ON change_id = id WHERE alert_id IN (SELECT id FROM alert {selection}) ORDER BY id",  # noqa: S608
    )
    changes: dict[int, list[RecordedChange]] = defaultdict(list)
    for row in run(query, **parameters):
        changes[row.alert_id].append(recorded_change(row))
    return changes
