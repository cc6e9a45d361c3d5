"""What a restore takes over from the database it replaces, because it cannot be undone.

The restored database is as the backup says. But since the backup, alerts were sent, credentials submitted, requests
counted, items marked as done, letters saved, and sessions used. All that is copied from the replaced database, as far
as it can be read: it may be damaged.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from watcher.model.alert import AlertState, AlertText, HoldReason
from watcher.store.backup.left_out import LEFT_OUT
from watcher.store.backup.replaced_database import (
    ReplacedDatabase,
    alert_identity,
    is_valid_item,
    is_valid_moment,
    is_valid_notice,
    open_replaced,
    stored_moment,
)
from watcher.store.backup.row_copies import common_columns, insert, insert_with_id, update
from watcher.store.database.stored_moments import RULES
from watcher.store.writes.accounts import SALT
from watcher.store.writes.restore_marks import RECORDED, REPORTED, UNCERTAIN, mark_key, mark_prefix

AddRestoreNote: TypeAlias = Callable[[AlertText, str, datetime], AlertText]
"""Adds to the text of a channel's alert that it may have been sent already, after the backup's last moment."""

_ENTRY = ("id", "account", "case_number", "first_seen_at")
"""The columns that identify an item or a notice: its key may have changed with the portal's."""

_REPORTED_IN = ("account", "case", "alert", "reminder", "meta")
_WAITING = (AlertState.QUEUED.value, AlertState.HELD.value)
_ENDED = (AlertState.SENT.value, AlertState.DROPPED.value)
_ALERT_CONTENT = (
    "id",
    "channel",
    "severity",
    "account",
    "case_number",
    "title",
    "body",
    "html",
    "short",
    "created_at",
)
"""The columns of an alert that never change. All others tell of its delivery."""

_CHANGE_IDENTITY = ("at", "account", "case_number", "kind", "subject", "old", "new")
_NOT_FROM_REPLACED = ("name", "next_read_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """How much of the replaced database could be read.

    `alerts_known`: it is known what was reported since the backup, and nothing of it is reported again. `ledger_known`:
    all that the user recorded about items since (done, due, reopen) was taken over.
    """

    alerts_known: bool
    ledger_known: bool


def merge_into(
    replaced: Path, copy: Path, *, accounts: Collection[str], since: datetime, now: datetime, add_note: AddRestoreNote
) -> MergeResult:
    """Take over into `copy`, which is about to replace `replaced`, what cannot be undone.

    `since` is the backup's last moment. If it cannot be known what was reported after it, waiting alerts say so through
    `add_note`, and so do the alerts of the next check of each of `accounts`: those of the configuration, because the
    backup may be older than the first check of one. It is no error if `replaced` is missing or unreadable.
    """
    with closing(sqlite3.connect(copy)) as database, open_replaced(replaced) as old, database:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA secure_delete=ON")
        database.execute("PRAGMA synchronous=OFF")  # the caller syncs the file as a whole before it gets its name
        continues = old.continues(database) and not old.is_older(database, now)
        known = continues and all(old.is_intact(table) for table in _REPORTED_IN) and not old.is_uncertain()
        for table in LEFT_OUT:
            _replace_all(table, old, database)
        if not old.is_older(database, now):
            _merge_alert_progress(old, database)
            _merge_entries("item", old, database, is_valid=is_valid_item, with_new=continues)
            _merge_entries("notice", old, database, is_valid=is_valid_notice, with_new=continues)
        if continues:
            _merge_user_cases(old, database)
            _merge_submissions(old, database)
            _merge_quota(old, database)
        if known:
            _merge_reported(old, database)
        else:
            _note_waiting(old, database, since=since, now=now, add_note=add_note)
            _mark_uncertain(database, accounts, since)
        return MergeResult(alerts_known=known, ledger_known=continues and old.is_intact("item"))


def _replace_all(table: str, old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    """Take over the rows of a table that no backup carries. A database of an earlier release may lack it."""
    if database.execute(f'PRAGMA table_info("{table}")').fetchall():
        database.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own names
        moments = RULES.get(table, ())
        for row in old.rows(table):
            if all(row[name] is None or is_valid_moment(row[name]) for name in moments):
                insert(database, table, row)


def _merge_submissions(old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    """Take over submitted credentials and their verdicts: a restore must not submit a rejected one again."""
    for row in old.rows("meta"):
        if row["key"] == SALT:
            database.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (row["key"], row["value"]))
    for row in old.rows("submission"):
        if not is_valid_moment(row["at"]):
            continue
        key = (row["account"], row["at"])
        known = database.execute("SELECT id FROM submission WHERE account = ? AND at = ?", key).fetchone()
        if known is None:
            insert(database, "submission", row, without=("id",))
        elif row["verdict"] is not None:
            database.execute("UPDATE submission SET verdict = ? WHERE id = ?", (row["verdict"], known["id"]))


def _merge_quota(old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    for row in old.rows("quota") if old.is_intact("quota") else ():
        database.execute(
            "INSERT INTO quota (account, day, taken) VALUES (:account, :day, :taken)"
            " ON CONFLICT (account, day) DO UPDATE SET taken = max(taken, excluded.taken)",
            {name: row[name] for name in ("account", "day", "taken")},
        )


def _merge_alert_progress(old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    """Take over what later happened to alerts that wait in the backup, where it can be read."""
    for row in _waiting_alerts(database):
        later = old.alert(row)
        if later is not None and later["state"] in set(AlertState):
            columns = common_columns(database, "alert", later, _ALERT_CONTENT)
            assignments = ", ".join(f"{column} = :{column}" for column in columns)
            values = {column: later[column] for column in columns} | {"id": row["id"]}
            database.execute(f"UPDATE OR IGNORE alert SET {assignments} WHERE id = :id", values)  # noqa: S608 - our own names


def _merge_entries(
    table: str,
    old: ReplacedDatabase,
    database: sqlite3.Connection,
    *,
    is_valid: Callable[[sqlite3.Row], bool],
    with_new: bool,
) -> None:
    """Take over items with what the user recorded, or notices with where their letters were saved.

    They are copied as they were, with their numbers, and so may be ahead of their cases until the next check.
    `with_new`: also those that the backup does not have; otherwise only what is surely the same entry.
    """
    known = {row["id"]: tuple(row[name] for name in _ENTRY) for row in database.execute(f"SELECT * FROM {table}")}  # noqa: S608
    for row in old.rows(table):
        if not is_valid(row):
            continue
        if row["id"] not in known:
            if with_new:
                insert(database, table, row)
        elif known[row["id"]] == tuple(row[name] for name in _ENTRY):
            update(database, table, row, key="id")


def _merge_user_cases(old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    """Take over labels, persons, and finished cases; also that some were removed, if nothing is damaged."""
    if old.is_intact("user_case"):
        _replace_all("user_case", old, database)
        return
    for row in old.rows("user_case"):
        moments = [row[name] for name in ("finished_at", "priority_on") if name in row.keys()]  # noqa: SIM118 - no dict
        if all(moment is None or is_valid_moment(moment) for moment in moments):
            database.execute("DELETE FROM user_case WHERE number = ?", (row["number"],))
            insert(database, "user_case", row)


def _merge_reported(old: ReplacedDatabase, database: sqlite3.Connection) -> None:
    """Take over everything that was reported, and what was about to be."""
    change_ids = _merge_history(old, database)
    _merge_alerts(old, database, change_ids)
    for row in old.rows("reminder"):
        insert(database, "reminder", row)
    for row in old.rows("account"):
        insert(database, "account", row)
        update(database, "account", row, key="name", without=_NOT_FROM_REPLACED)
    marks = (REPORTED,) if change_ids is None else (REPORTED, RECORDED)
    for row in old.rows("meta"):
        if row["key"].startswith(tuple(mark_prefix(mark) for mark in marks)):
            insert(database, "meta", row)
    _mark_reported(old, database, recorded=change_ids is not None)


def _merge_history(old: ReplacedDatabase, database: sqlite3.Connection) -> dict[int, int] | None:
    """Take over the changes since the backup. Return the new ids of those whose id was in use, by their old ones.

    Returns None and takes over nothing if the history is damaged or from a release whose rows lack a column: the next
    check then records the changes again.
    """
    if not (old.is_intact("change") and old.is_intact("alert_change")):
        return None
    since = database.execute("SELECT max(at) FROM change").fetchone()[0] or ""
    new_ids = {}
    for row in old.rows("change"):
        known = _known_change(database, row) if row["at"] <= since else None
        change_id = known or insert_with_id(database, "change", row)
        if change_id is None:
            return None
        if change_id != row["id"]:
            new_ids[row["id"]] = change_id
    return new_ids


def _known_change(database: sqlite3.Connection, row: sqlite3.Row) -> int | None:
    """Return the id of the same change, nearly always the same id; None if there is none."""
    identity = tuple(row[name] for name in _CHANGE_IDENTITY)
    same_id = database.execute("SELECT * FROM change WHERE id = ?", (row["id"],)).fetchone()
    if same_id is not None and tuple(same_id[name] for name in _CHANGE_IDENTITY) == identity:
        return int(row["id"])
    conditions = " AND ".join(f"{name} IS ?" for name in _CHANGE_IDENTITY)
    found = database.execute(f"SELECT max(id) FROM change WHERE {conditions}", identity).fetchone()[0]  # noqa: S608
    return None if found is None else int(found)


def _merge_alerts(old: ReplacedDatabase, database: sqlite3.Connection, change_ids: dict[int, int] | None) -> None:
    """Take over the alerts since the backup, including sent ones: acknowledging one acknowledges its escalations.

    If it is unknown which changes they are about, only alerts that still wait or have failed.
    """
    for row in old.rows("alert"):
        if _has_alert(database, row) or (change_ids is None and row["state"] in _ENDED):
            continue
        alert_id = insert_with_id(database, "alert", row)
        if alert_id is None or change_ids is None:
            continue
        links = ((alert_id, change_ids.get(change_id, change_id)) for change_id in old.changes_of(row["id"]))
        database.executemany("INSERT INTO alert_change SELECT ?, id FROM change WHERE id = ?", links)


def _has_alert(database: sqlite3.Connection, alert: sqlite3.Row) -> bool:
    present = database.execute("SELECT * FROM alert WHERE id = ?", (alert["id"],)).fetchone()
    return present is not None and alert_identity(present) == alert_identity(alert)


def _mark_reported(old: ReplacedDatabase, database: sqlite3.Connection, *, recorded: bool) -> None:
    """Mark the cases that changed since the backup with their last snapshot; take over how often cases were missing.

    `recorded`: the history has the changes already.
    """
    query = 'SELECT account, case_number, revision FROM "case"'
    revisions = {(row["account"], row["case_number"]): row["revision"] for row in database.execute(query)}
    for row in old.rows("case"):
        names = (row["account"], row["case_number"])
        if row["document"] is not None and row["revision"] > revisions.get(names, -1):
            _set_meta(database, mark_key(REPORTED, *names), row["document"])
            database.execute("DELETE FROM meta WHERE key = ?", (mark_key(RECORDED, *names),))
            if recorded:
                _set_meta(database, mark_key(RECORDED, *names), "")
        database.execute(
            'UPDATE "case" SET missing_reads = ? WHERE account = ? AND case_number = ?', (row["missing_reads"], *names)
        )


def _note_waiting(
    old: ReplacedDatabase, database: sqlite3.Connection, *, since: datetime, now: datetime, add_note: AddRestoreNote
) -> None:
    """Add the note to the waiting alerts that were due by now: it is unknown whether they were sent."""
    due = stored_moment(now)
    for row in _waiting_alerts(database):
        still_held = row["hold"] is not None and row["next_attempt_at"] > due
        if still_held or old.alert(row) is not None:
            continue
        stored = AlertText(**{part: row[part] for part in ("title", "body", "html", "short")})
        text = add_note(stored, row["channel"], since)
        database.execute(
            "UPDATE alert SET body = ?, html = ?, short = ?, hold = ?, state = ? WHERE id = ?",
            (text.body, text.html, text.short, HoldReason.MAYBE_SENT.value, AlertState.HELD.value, row["id"]),
        )


def _mark_uncertain(database: sqlite3.Connection, accounts: Collection[str], since: datetime) -> None:
    """Mark every account: what its next check finds may have been reported."""
    known = {row["name"] for row in database.execute("SELECT name FROM account")}
    for name in sorted(known.union(accounts)):
        _set_meta(database, mark_key(UNCERTAIN, name), since.isoformat())


def _set_meta(database: sqlite3.Connection, key: str, value: str) -> None:
    database.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _waiting_alerts(database: sqlite3.Connection) -> list[sqlite3.Row]:
    return database.execute("SELECT * FROM alert WHERE state IN (?, ?) ORDER BY id", _WAITING).fetchall()
