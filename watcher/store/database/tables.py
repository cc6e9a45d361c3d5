"""The tables, declared with SQLModel and used as SQLAlchemy tables; rows are never objects of these classes.

A few columns have an older name in the database than the term the program uses: `Column("told", key="notified")`.
"""

from datetime import date, datetime

from sqlalchemy import Boolean, Column, Index, LargeBinary, String, UniqueConstraint
from sqlmodel import Field
from sqlmodel.sql.sqltypes import UTCDateTime

from watcher.store.database import web_tables  # noqa: F401 - the metadata has all tables
from watcher.store.database.row import Row

__all__ = [
    "ACCOUNTS",
    "ALERTS",
    "ALERT_CHANGES",
    "ANSWERS",
    "CASES",
    "CHANGES",
    "ITEMS",
    "META",
    "NOTICES",
    "PUBLISHED_LISTS",
    "QUOTAS",
    "REMINDERS",
    "SEALED",
    "SUBMISSIONS",
    "USER_CASES",
    "AccountRow",
    "Row",
]


class AccountRow(Row, table=True):
    """An account's health, and when the account is checked next."""

    __tablename__ = "account"

    name: str = Field(primary_key=True)
    state: str
    first_seen_at: datetime
    last_attempt_at: datetime | None
    last_read_at: datetime | None
    next_read_at: datetime | None
    failing_since: datetime | None
    failures: int
    last_error: str | None
    not_before: datetime | None
    notified: str = Field(sa_column=Column("told", String, key="notified", nullable=False))
    rejected_fingerprint: str | None


class CaseRow(Row, table=True):
    """A case as of its last check.

    `last_read_at` is NULL if the account's last check also included this case: then the account's time
    counts, so that a check without changes writes a single row. `snapshot_digest` and `answer_digest` are the digests
    of the fresh snapshot and of the answers that `document` was last recorded for.
    """

    __tablename__ = "case"
    __table_args__ = (UniqueConstraint("account", "case_number"),)

    id: int = Field(primary_key=True)
    account: str = Field(foreign_key="account.name")
    case_number: str
    document: str | None
    snapshot_digest: bytes | None = Field(sa_column=Column("seen", LargeBinary, key="snapshot_digest"))
    answer_digest: bytes | None = Field(sa_column=Column("heard", LargeBinary, key="answer_digest"))
    revision: int
    first_seen_at: datetime
    last_read_at: datetime | None
    stage_since: date | None
    stage_since_from_portal: bool = Field(
        sa_column=Column("stage_since_told", Boolean, key="stage_since_from_portal", nullable=False)
    )
    silent_update_at: datetime | None = Field(sa_column=Column("touched_at", UTCDateTime, key="silent_update_at"))
    missing_reads: int


class UserCaseRow(Row, table=True):
    """What the user says about a case, by its normalized number. A row may be older than the case's first check."""

    __tablename__ = "user_case"

    number: str = Field(primary_key=True)
    label: str | None
    person: str | None
    finished_at: datetime | None
    priority_category: str | None
    priority_country: str | None
    priority_on: date | None


class ListRow(Row, table=True):
    """A published list that was fetched from an address of the user's, see `watcher.model.published_list`."""

    __tablename__ = "published_list"

    name: str = Field(primary_key=True)
    address: str
    tried_at: datetime
    wait_seconds: int
    content: bytes | None
    fetched_at: datetime | None
    etag: str | None
    last_modified: str | None
    fault: str | None


class ChangeRow(Row, table=True):
    """A recorded change. Never deleted."""

    __tablename__ = "change"
    __table_args__ = (Index(None, "account", "case_number", "id"),)

    id: int = Field(primary_key=True)
    at: datetime
    account: str
    case_number: str | None
    kind: str
    severity: str
    subject: str | None
    summary: str
    old: str | None
    new: str | None


class ItemRow(Row, table=True):
    """A pending item in the ledger. Never deleted."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("account", "case_number", "key"),)

    id: int = Field(primary_key=True)
    account: str
    case_number: str
    key: str
    document: str
    state: str
    first_seen_at: datetime
    letter_due_on: date | None
    date_changed_at: datetime | None = Field(sa_column=Column("dated_at", UTCDateTime, key="date_changed_at"))


class NoticeRow(Row, table=True):
    """A notice. It stays when the portal removes it."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("account", "case_number", "key"),)

    id: int = Field(primary_key=True)
    account: str
    case_number: str
    key: str
    document: str
    first_seen_at: datetime
    saved_as: str | None
    sha256: str | None
    attempts: int
    last_error: str | None


class AlertRow(Row, table=True):
    """The outbox: one row for each message and channel, with its text fixed when the row is written.

    `first_attempt_at` is NULL until an attempt has failed. `covered_by` is the id of another alert on the same channel:
    the one whose message included this one, or the one that made it untrue before it was sent.

    `link_digest` is the SHA-256 digest of the token in the link that the text has to this alert on the page, if any.
    `claimed_by` is the delivery that is sending it, and its claim ends at `claimed_until` at the latest. `accepted_by`
    are the targets of the channel that have accepted a message which others have not (JSON, see
    `watcher.delivery.targets`). `service_rests_until` is when the service permits another message (`Retry-After`).
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(None, "state", "next_attempt_at"),
        Index(None, "channel", "sent_at"),
        Index(None, "link_digest"),
    )

    id: int = Field(primary_key=True)
    channel: str
    state: str
    hold_reason: str | None = Field(sa_column=Column("hold", String, key="hold_reason"))
    severity: str
    account: str
    case_number: str | None
    title: str
    body: str
    html: str
    short: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    last_error: str | None
    note: str | None
    first_attempt_at: datetime | None
    covered_by: int | None
    claimed_by: str | None
    claimed_until: datetime | None
    accepted_by: str | None
    service_rests_until: datetime | None
    link_digest: bytes | None


class AlertChangeRow(Row, table=True):
    """Which changes an alert is about."""

    __tablename__ = "alert_change"

    alert_id: int = Field(primary_key=True, foreign_key="alert.id")
    change_id: int = Field(primary_key=True, foreign_key="change.id", index=True)


class AnswerRow(Row, table=True):
    """The raw answers about a case: the last good ones and the last unexpected ones, with secrets redacted."""

    __tablename__ = "answer"

    account: str = Field(primary_key=True)
    case_number: str = Field(primary_key=True)
    quality: str = Field(primary_key=True)
    endpoint: str = Field(primary_key=True)
    at: datetime
    body: bytes


class ReminderRow(Row, table=True):
    """A reminder that was sent because of time alone, so that it is sent once."""

    __tablename__ = "reminder"

    account: str = Field(primary_key=True)
    case_number: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    mark: str = Field(primary_key=True)
    at: datetime


class QuotaRow(Row, table=True):
    """Requests used from a portal's daily limit, counted before they are sent."""

    __tablename__ = "quota"

    account: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    taken: int


class SubmissionRow(Row, table=True):
    """A credential submitted to a portal. Written before it is sent; `verdict` is NULL until the portal answers."""

    __tablename__ = "submission"
    __table_args__ = (Index(None, "account", "at"),)

    id: int = Field(primary_key=True)
    account: str
    at: datetime
    fingerprint: str
    counts: bool
    verdict: str | None


class SealedRow(Row, table=True):
    """What lets somebody sign in, encrypted: a session, a submitted code. Also the codes and mails already used.

    `owner` is an account, a login, or a mailbox.
    """

    __tablename__ = "sealed"

    owner: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    content: bytes


class MetaRow(Row, table=True):
    """Values about the database itself, such as the salt of the fingerprints."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str


ACCOUNTS, CASES, CHANGES, ITEMS, NOTICES, ALERTS, ALERT_CHANGES = (
    Row.metadata.tables[name] for name in ("account", "case", "change", "item", "notice", "alert", "alert_change")
)
ANSWERS, REMINDERS, QUOTAS, SUBMISSIONS, SEALED, META, USER_CASES = (
    Row.metadata.tables[name] for name in ("answer", "reminder", "quota", "submission", "sealed", "meta", "user_case")
)
PUBLISHED_LISTS = Row.metadata.tables["published_list"]
