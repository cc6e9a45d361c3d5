"""Correction of stored moments after the clock was ahead, in one transaction.

`watcher.store.database.stored_moments` has the rule of each column.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Select, Table, and_, bindparam, func, select

from watcher.errors import MAX_RETRY_AFTER
from watcher.messages import _
from watcher.model.alert import GIVE_UP_AFTER, AlertState, HoldReason
from watcher.model.change import ChangeKind, Severity
from watcher.store.database.engine import queries_on
from watcher.store.database.stored_moments import Rule, columns_with, moved_to
from watcher.store.database.tables import (
    ACCOUNTS,
    ALERT_CHANGES,
    ALERTS,
    CASES,
    CHANGES,
    QUOTAS,
    REMINDERS,
    Row,
)
from watcher.store.queries.accounts import account_health
from watcher.store.writes.claims import CLAIM_TIME
from watcher.store.writes.recording import save_health

TIME_KINDS = frozenset(
    {
        ChangeKind.DEADLINE_NEAR,
        ChangeKind.DEADLINE_PASSED,
        ChangeKind.STALLED,
        ChangeKind.INQUIRY_OPEN,
        ChangeKind.PRIORITY_CURRENT,
        ChangeKind.PRIORITY_BACK,
        ChangeKind.LOOK_REMINDER,
        ChangeKind.REMINDER,
        ChangeKind.BLIND,
        ChangeKind.CHANNEL_FAILING,
        ChangeKind.LIST_FAILING,
    }
)
"""Kinds that say only what the clock made of things that were known."""

SHORT_WAIT = timedelta(minutes=10)
"""How long a queued alert waits at most after a correction. What made it wait longer will make it wait again."""

_WAITING = (AlertState.QUEUED.value, AlertState.HELD.value)
_LONG_TABLES = frozenset({"alert", "change"})
_NEWEST = 1000
_MAX_ZONE_DIFFERENCE = timedelta(hours=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTimes:
    """What shows whether the clock was ahead. Times are aware, UTC; None where nothing is stored.

    `latest` is the latest moment at which something happened. `not_before`, `queued_until`, and `held_until` are the
    latest of all accounts and alerts, `next_checks` are by account.
    """

    latest: datetime | None
    not_before: datetime | None
    queued_until: datetime | None
    held_until: datetime | None
    next_checks: Mapping[str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAlert:
    """The part of a waiting alert that decides until when it may wait. `hold_reason` is None if it was not held."""

    channel: str
    state: AlertState
    severity: Severity
    hold_reason: HoldReason | None


class Plans(Protocol):
    """What can be planned now, by the configuration."""

    def latest_check(self, account: str) -> datetime:
        """Return the latest moment for which a check of the account can be planned now."""
        ...

    def latest_attempt(self, alert: WaitingAlert) -> datetime:
        """Return the latest moment for which sending the alert can be planned now."""
        ...


def stored_times(connection: Connection) -> StoredTimes:
    """Read what shows whether the clock was ahead. Looks only at the newest rows of the two long tables."""
    not_before, queued_until, held_until, *moments = connection.execute(_latest_moments()).one()
    checks = connection.execute(_NEXT_CHECKS)
    return StoredTimes(
        latest=max(filter(None, moments), default=None),
        not_before=not_before,
        queued_until=queued_until,
        held_until=held_until,
        next_checks={name: moment for name, moment in checks if moment is not None},
    )


_NEXT_CHECKS = select(ACCOUNTS.c.name, ACCOUNTS.c.next_read_at)


@cache
def _latest_moments() -> Select[Any]:
    """Return the query, which takes longer to build than to run."""
    happened = [_latest(Row.metadata.tables[table], column) for table, column in columns_with(*_RECORDED)]
    queued, held = (
        select(func.max(ALERTS.c.next_attempt_at)).where(ALERTS.c.state == state.value).scalar_subquery()
        for state in (AlertState.QUEUED, AlertState.HELD)
    )
    waits = select(func.max(ACCOUNTS.c.not_before)).scalar_subquery()
    return select(waits, queued, held, *happened)


_RECORDED = (Rule.HAPPENED, Rule.REMINDED)


def _latest(table: Table, column: str) -> Any:
    query = select(func.max(table.c[column]))
    if table.name in _LONG_TABLES:
        newest = table.alias()
        query = query.where(table.c.id > select(func.max(newest.c.id) - _NEWEST).scalar_subquery())
    return query.scalar_subquery()


def first_change_after(connection: Connection, moment: datetime) -> int | None:
    """Return the id of the first recorded change that is dated after `moment`."""
    first: int | None = connection.execute(select(func.min(CHANGES.c.id)).where(CHANGES.c.at > moment)).scalar()
    return first


def correct_clock(connection: Connection, now: datetime, plans: Plans, *, undo_reminders: bool) -> None:
    """Correct every stored moment that a right clock cannot have written by `now`.

    `undo_reminders`: what only the clock caused counts as not reported, and is not sent if it still waits.
    """
    if undo_reminders:
        _drop_wrong_alerts(connection, now)
        _undo_blindness(connection, now)
        connection.execute(REMINDERS.delete().where(REMINDERS.c.at > now))
    _correct_waits(connection, now)
    _correct_past(connection, now)
    _correct_days(connection, now)
    _correct_next_checks(connection, now, plans)
    _correct_alerts(connection, now, plans)
    if undo_reminders:
        _retry_given_up(connection, now)


def _correct_past(connection: Connection, now: datetime) -> None:
    tables = Row.metadata.tables
    future = {
        (table, column): _future_rows(connection, tables[table], tables[table].c[column], now)
        for table, column in columns_with(*_RECORDED)
    }
    corrected = moved_to(now, (row.moment_ for rows in future.values() for row in rows))
    for (table, column), rows in future.items():
        _set(connection, tables[table], column, ((row, corrected[row.moment_]) for row in rows))


def _future_rows(connection: Connection, table: Table, column: Column[Any], now: datetime) -> list[Any]:
    keys = (key.label(f"key_{key.key}") for key in table.primary_key.columns)
    return list(connection.execute(select(*keys, column.label("moment_")).where(column > now)))


def _set(connection: Connection, table: Table, column: str, moments: Iterable[tuple[Any, datetime]]) -> None:
    """Set the column of each row, which has its key as `_future_rows` labels it."""
    keys = [key.key for key in table.primary_key.columns]
    update = table.update().where(and_(*(table.c[key] == bindparam(f"key_{key}") for key in keys)))
    values = [
        {f"key_{key}": getattr(row, f"key_{key}") for key in keys} | {"moment_": moment} for row, moment in moments
    ]
    if values:
        connection.execute(update.values({column: bindparam("moment_")}), values)


def _correct_waits(connection: Connection, now: datetime) -> None:
    """Let a wait that a portal asked for while the clock was ahead begin now."""
    name = ACCOUNTS.c.name.label("key_name")
    query = select(name, ACCOUNTS.c.last_attempt_at, ACCOUNTS.c.not_before).where(ACCOUNTS.c.not_before > now)
    ends = []
    for row in connection.execute(query):
        if row.last_attempt_at is not None and row.last_attempt_at > now:
            ends.append((row, now + min(row.not_before - row.last_attempt_at, MAX_RETRY_AFTER)))
        elif row.not_before > now + MAX_RETRY_AFTER:
            ends.append((row, now))
    _set(connection, ACCOUNTS, "not_before", ends)


def _correct_days(connection: Connection, now: datetime) -> None:
    today = now.date()
    own = CASES.c.stage_since_from_portal.is_(False)
    connection.execute(CASES.update().where(CASES.c.stage_since > today, own).values(stage_since=today))
    last = (now + _MAX_ZONE_DIFFERENCE).date().isoformat()
    future = select(QUOTAS.c.account, func.sum(QUOTAS.c.taken).label("taken")).where(QUOTAS.c.day > last)
    for row in list(connection.execute(future.group_by(QUOTAS.c.account))):
        # The day of a quota ends in the portal's zone, so today may still be yesterday there.
        for day in (today, today - timedelta(days=1)):
            _add_to_quota(connection, row.account, day.isoformat(), int(row.taken))
    connection.execute(QUOTAS.delete().where(QUOTAS.c.day > last))


def _add_to_quota(connection: Connection, account: str, day: str, taken: int) -> None:
    of_day = (QUOTAS.c.account == account) & (QUOTAS.c.day == day)
    if connection.execute(QUOTAS.update().where(of_day).values(taken=QUOTAS.c.taken + taken)).rowcount == 0:
        connection.execute(QUOTAS.insert(), {"account": account, "day": day, "taken": taken})


def _correct_next_checks(connection: Connection, now: datetime, plans: Plans) -> None:
    name = ACCOUNTS.c.name.label("key_name")
    query = select(name, ACCOUNTS.c.next_read_at, ACCOUNTS.c.not_before).where(ACCOUNTS.c.next_read_at > now)
    rows = list(connection.execute(query))
    latest = ((row, max(plans.latest_check(row.key_name), row.not_before or now)) for row in rows)
    _set(connection, ACCOUNTS, "next_read_at", ((row, moment) for row, moment in latest if moment < row.next_read_at))


def _correct_alerts(connection: Connection, now: datetime, plans: Plans) -> None:
    alert = ALERTS.c
    query = select(alert.id.label("key_id"), alert.channel, alert.state, alert.severity, alert.hold_reason)
    query = query.add_columns(alert.next_attempt_at)
    rows = connection.execute(query.where(alert.state.in_(_WAITING), alert.next_attempt_at > now))
    latest = ((row, plans.latest_attempt(_waiting_alert(row))) for row in rows)
    _set(
        connection,
        ALERTS,
        "next_attempt_at",
        ((row, moment) for row, moment in list(latest) if moment < row.next_attempt_at),
    )
    for column, latest_end in ((alert.claimed_until, now + CLAIM_TIME), (alert.service_rests_until, now + SHORT_WAIT)):
        connection.execute(ALERTS.update().where(column > latest_end).values({column.key: latest_end}))


def _waiting_alert(row: Any) -> WaitingAlert:
    return WaitingAlert(
        channel=row.channel,
        state=AlertState(row.state),
        severity=Severity(row.severity),
        hold_reason=HoldReason(row.hold_reason) if row.hold_reason else None,
    )


def _undo_blindness(connection: Connection, now: datetime) -> None:
    """Let blindness that was reported while the clock was ahead be reported again, and its end too."""
    blind = ChangeKind.BLIND
    told = select(CHANGES.c.account).where(CHANGES.c.at > now, CHANGES.c.kind == blind.value).distinct()
    run = queries_on(connection)
    for (name,) in list(connection.execute(told)):
        health = account_health(run, name)
        if health is not None and blind in health.notified:
            undone = replace(health, notified=health.notified - {blind}, lifted=health.lifted | {blind})
            save_health(connection, name, undone)


def _drop_wrong_alerts(connection: Connection, now: datetime) -> None:
    """Drop waiting alerts that say only what the clock made of things while it was ahead."""
    wrong = select(CHANGES.c.id).where(CHANGES.c.at > now, CHANGES.c.kind.in_([kind.value for kind in TIME_KINDS]))
    about = select(ALERT_CHANGES.c.alert_id)
    connection.execute(
        ALERTS.update()
        .where(
            ALERTS.c.state.in_(_WAITING),
            ALERTS.c.id.in_(about.where(ALERT_CHANGES.c.change_id.in_(wrong))),
            ALERTS.c.id.not_in(about.where(ALERT_CHANGES.c.change_id.not_in(wrong))),
        )
        .values(state=AlertState.DROPPED.value, next_attempt_at=None, note=_("the clock was wrong when it was written"))
    )


def _retry_given_up(connection: Connection, now: datetime) -> None:
    """Try alerts again that were given up before their time was over."""
    early = ALERTS.c.first_attempt_at > now - GIVE_UP_AFTER
    connection.execute(
        ALERTS.update()
        .where(ALERTS.c.state == AlertState.FAILED.value, early)
        .values(state=AlertState.QUEUED.value, next_attempt_at=now)
    )
