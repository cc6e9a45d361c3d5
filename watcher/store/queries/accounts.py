"""Queries about accounts: health, next check, quota, and submitted credentials."""

from datetime import datetime
from typing import Any

from watcher.model.account_health import AccountHealth, AccountState
from watcher.model.change import ChangeKind
from watcher.store.database.query import Query, RunQuery, first_row, select_rows
from watcher.store.queries.meta import meta_values

_HEALTH = (
    "name, state, first_seen_at, last_attempt_at, last_read_at, next_read_at, failing_since, failures, last_error,"
    " not_before, told AS notified, rejected_fingerprint"
)
_LIFTED = "*"
_ACCOUNTS, _ACCOUNT = select_rows("account", _HEALTH), select_rows("account", _HEALTH, "WHERE name = :name")
_NEXT_READ = select_rows("account", "next_read_at", "WHERE name = :name")
_LAST_READ = select_rows("account", "last_read_at", "WHERE name = :name")
_QUOTA = select_rows("quota", "taken", "WHERE account = :account AND day = :day")
_SUBMISSIONS = select_rows(
    "submission",
    "at, verdict",
    "WHERE account IN (:login, :account) AND fingerprint = :fingerprint ORDER BY id DESC LIMIT :limit",
)
_COUNTED_SUBMISSIONS = Query(
    "submission",
    ("submissions", "at"),
    "SELECT count(*) AS submissions, min(at) AS at FROM submission WHERE account IN (:login, :account) AND counts"
    " AND at > :since",
)


def all_accounts(run: RunQuery) -> dict[str, tuple[AccountHealth, datetime | None]]:
    """Return health and next check of every account by name."""
    return {row.name: (_health(row), row.next_read_at) for row in run(_ACCOUNTS)}


def account_health(run: RunQuery, name: str) -> AccountHealth | None:
    """Return the health of an account, or None for an unknown account."""
    row = first_row(run(_ACCOUNT, name=name))
    return None if row is None else _health(row)


def _health(row: Any) -> AccountHealth:
    reported = [kind for kind in row.notified.split(",") if kind]
    return AccountHealth(
        state=AccountState(row.state),
        first_seen_at=row.first_seen_at,
        last_attempt_at=row.last_attempt_at,
        last_read_at=row.last_read_at,
        failing_since=row.failing_since,
        failures=row.failures,
        last_error=row.last_error,
        not_before=row.not_before,
        notified=frozenset(ChangeKind(kind) for kind in reported if not kind.endswith(_LIFTED)),
        lifted=frozenset(ChangeKind(kind.removesuffix(_LIFTED)) for kind in reported if kind.endswith(_LIFTED)),
        rejected_fingerprint=row.rejected_fingerprint,
    )


def encode_notified(health: AccountHealth) -> str:
    """Return the reported problems as they are stored, those whose pause was lifted with a mark."""
    return ",".join([*sorted(health.notified), *(f"{kind}{_LIFTED}" for kind in sorted(health.lifted))])


def next_read(run: RunQuery, name: str) -> datetime | None:
    """Return when the account is checked next; None if that is not planned yet."""
    row = first_row(run(_NEXT_READ, name=name))
    return None if row is None else row.next_read_at


def last_read(run: RunQuery, name: str) -> datetime | None:
    """Return the account's last check, which was also that of each case without a time of its own."""
    row = first_row(run(_LAST_READ, name=name))
    return None if row is None else row.last_read_at


SESSION_END = "session_end "
"""Before the account's name: the key in the table `meta` of when its session ends."""


def session_ends(run: RunQuery) -> dict[str, datetime]:
    """Return when the saved session of an account ends, by account, where that is known."""
    return {
        key.removeprefix(SESSION_END): datetime.fromisoformat(value)
        for key, value in meta_values(run, SESSION_END).items()
    }


def used_quota(run: RunQuery, account: str, day: str) -> int | None:
    """Return how many requests the account has used on a day; None if nothing is recorded for it."""
    row = first_row(run(_QUOTA, account=account, day=day))
    return None if row is None else row.taken


def last_submissions(run: RunQuery, owners: tuple[str, str], fingerprint: str, *, limit: int) -> list[Any]:
    """Return the last submissions of a credential, newest first, each with `at` and `verdict`.

    `owners` are the login and the account's name, under which earlier releases recorded submissions.
    """
    login, account = owners
    return list(run(_SUBMISSIONS, login=login, account=account, fingerprint=fingerprint, limit=limit))


def counted_submissions(run: RunQuery, owners: tuple[str, str], since: datetime) -> tuple[int, datetime | None]:
    """Return how many submissions since then count against the daily limit, and when the first one was."""
    login, account = owners
    row = first_row(run(_COUNTED_SUBMISSIONS, login=login, account=account, since=since))
    return row.submissions, row.at
