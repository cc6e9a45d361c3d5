"""The tables. Private to the store: a table model does not validate, and a row cannot leave its session."""

from datetime import date, datetime

from sqlalchemy import Index, MetaData, UniqueConstraint
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """A table of this program, with constraint names that migrations can rely on."""

    metadata = MetaData(naming_convention=NAMING)


class AccountRow(Row, table=True):
    """An account's health and when it is read next."""

    __tablename__ = "account"

    name: str = Field(primary_key=True)
    state: str
    first_seen_at: datetime
    last_attempt_at: datetime | None = None
    last_read_at: datetime | None = None
    next_read_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    not_before: datetime | None = None
    told: str = ""
    rejected_fingerprint: str | None = None


class CaseRow(Row, table=True):
    """A case as last read.

    `last_read_at` is NULL where the account's last complete read also read this case: then the account's counts, so
    that a round without changes writes one row in all. `seen` and `heard` are the digests of the fresh snapshot and of
    the answers that `document` was last recorded for.
    """

    __tablename__ = "case"
    __table_args__ = (UniqueConstraint("account", "case_number"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str = Field(foreign_key="account.name")
    case_number: str
    document: str | None = None
    seen: bytes | None = None
    heard: bytes | None = None
    revision: int = 0
    first_seen_at: datetime
    last_read_at: datetime | None = None
    stage_since: date | None = None
    stage_since_told: bool = False
    touched_at: datetime | None = None
    missing_reads: int = 0


class ChangeRow(Row, table=True):
    """One recorded change. Kept for good."""

    __tablename__ = "change"
    __table_args__ = (Index(None, "account", "case_number", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    account: str
    case_number: str | None = None
    kind: str
    severity: str
    subject: str | None = None
    summary: str
    old: str | None = None
    new: str | None = None


class ItemRow(Row, table=True):
    """A pending item in the ledger. Never deleted."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("account", "case_number", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str
    case_number: str
    key: str
    document: str
    state: str
    first_seen_at: datetime
    letter_due_on: date | None = None
    dated_at: datetime | None = None


class NoticeRow(Row, table=True):
    """A notice. It stays when the portal removes it."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("account", "case_number", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str
    case_number: str
    key: str
    document: str
    first_seen_at: datetime
    saved_as: str | None = None
    sha256: str | None = None
    attempts: int = 0
    last_error: str | None = None


class AlertRow(Row, table=True):
    """The outbox: one row for each message and channel, its words fixed when it is written."""

    __tablename__ = "alert"
    __table_args__ = (Index(None, "state", "next_attempt_at"), Index(None, "channel", "sent_at"))

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    state: str
    hold: str | None = None
    severity: str
    account: str
    case_number: str | None = None
    title: str
    body: str
    html: str
    short: str
    attempts: int = 0
    created_at: datetime
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    last_error: str | None = None
    note: str | None = None


class AlertChangeRow(Row, table=True):
    """Which changes an alert tells of."""

    __tablename__ = "alert_change"

    alert_id: int = Field(primary_key=True, foreign_key="alert.id")
    change_id: int = Field(primary_key=True, foreign_key="change.id", index=True)


class AnswerRow(Row, table=True):
    """The raw answers about a case: the last good ones and the last strange ones, secrets blanked."""

    __tablename__ = "answer"

    account: str = Field(primary_key=True)
    case_number: str = Field(primary_key=True)
    quality: str = Field(primary_key=True)
    endpoint: str = Field(primary_key=True)
    at: datetime
    body: bytes


class ReminderRow(Row, table=True):
    """What time alone has brought and people were told of, so that it is told once."""

    __tablename__ = "reminder"

    account: str = Field(primary_key=True)
    case_number: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    mark: str = Field(primary_key=True)
    at: datetime


class QuotaRow(Row, table=True):
    """Requests taken of a portal's daily budget, counted before they are sent."""

    __tablename__ = "quota"

    account: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    taken: int = 0


class SubmissionRow(Row, table=True):
    """A credential submitted at a portal. Written before it is sent; `verdict` is NULL until the portal answered."""

    __tablename__ = "submission"
    __table_args__ = (Index(None, "account", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    account: str
    at: datetime
    fingerprint: str
    counts: bool = True
    verdict: str | None = None


class MetaRow(Row, table=True):
    """What belongs to the database itself: the salt of the fingerprints."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str


ACCOUNTS, CASES, CHANGES, ITEMS, NOTICES, ALERTS, ALERT_CHANGES, ANSWERS, REMINDERS = (
    Row.metadata.tables[name]
    for name in ("account", "case", "change", "item", "notice", "alert", "alert_change", "answer", "reminder")
)
"""The tables of what a read is written to, for statements that make no objects."""
