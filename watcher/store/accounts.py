"""What the books hold of an account besides its cases: health, turns, quota, and the breaker before its password."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from sqlmodel import Session, col, func, select, update

from watcher.clock import Clock
from watcher.errors import PortalUnavailable, SignInRejected
from watcher.health import Health
from watcher.store.database import Database
from watcher.store.recording import save_health
from watcher.store.rows import AccountRow, MetaRow, QuotaRow, SubmissionRow
from watcher.store.standings import health_of
from watcher.store.view import AccountsView

SALT = "fingerprint_salt"
_UNCLEAR = 3
_CUT_OFF = timedelta(minutes=20)  # a locked account opens after this at the strictest portal known


class Accounts(AccountsView):
    """Health and turns by account. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Works on an open database."""
        super().__init__(database.looking)
        self._database = database
        self._fingerprints: dict[tuple[str, bytes], str] = {}
        self._stretching = Lock()

    def health(self, name: str, now: datetime) -> Health:
        """The account's health; one that is new to the books is entered, first seen `now`."""
        with self._database.reading() as session:
            row = session.get(AccountRow, name)
            if row is not None:
                return health_of(row)
        health = Health(first_seen_at=now)
        with self._database.writing() as session:
            row = session.get(AccountRow, name)
            if row is not None:
                return health_of(row)
            save_health(session.connection(), name, health)
        return health

    def next_read(self, name: str) -> datetime | None:
        """When the account is read next, as it stands in the books now; None for one that was never read."""
        with self._database.reading() as session:
            return session.exec(select(AccountRow.next_read_at).where(AccountRow.name == name)).one_or_none()

    def set_health(self, name: str, health: Health) -> None:
        """Replaces the account's health."""
        with self._database.writing_statements() as connection:
            save_health(connection, name, health)

    def set_next_read(self, name: str, moment: datetime) -> None:
        """When the account is read next."""
        with self._database.writing() as session:
            session.exec(update(AccountRow).where(col(AccountRow.name) == name).values(next_read_at=moment))

    def fingerprint(self, credential: str | None) -> str | None:
        """Tells two credentials apart without writing either down: scrypt with this database's own salt.

        Made once for each credential in the life of this object: it takes 16 MiB, which the allocator then keeps for
        every thread that has made one.
        """
        if credential is None:
            return None
        salt = self._salt()
        with self._stretching:
            if (credential, salt) not in self._fingerprints:
                digest = hashlib.scrypt(credential.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16)
                self._fingerprints[credential, salt] = digest.hex()
            return self._fingerprints[credential, salt]

    def _salt(self) -> bytes:
        with self._database.reading() as session:
            row = session.get(MetaRow, SALT)
            if row is not None:
                return bytes.fromhex(row.value)
        with self._database.writing() as session:
            row = session.get(MetaRow, SALT) or MetaRow(key=SALT, value=secrets.token_hex(16))
            session.add(row)
            return bytes.fromhex(row.value)


class DailyQuota:
    """Requests of one account, counted in the database before they are sent, so that a restart forgets none."""

    def __init__(self, database: Database, account: str) -> None:
        """Counts for this account."""
        self._database, self._account = database, account

    def take(self, requests: int, *, daily_limit: int, day: str) -> int:
        """Takes up to `requests` from what is left of `day`; returns how many were granted."""
        with self._database.writing() as session:
            row = session.get(QuotaRow, (self._account, day)) or QuotaRow(account=self._account, day=day)
            granted = max(0, min(requests, daily_limit - row.taken))
            row.taken += granted
            session.add(row)
            return granted

    def give_back(self, requests: int, *, day: str) -> None:
        """Returns what was taken and not used."""
        if requests <= 0:
            return
        with self._database.writing() as session:
            row = session.get(QuotaRow, (self._account, day))
            if row is not None:
                row.taken = max(0, row.taken - requests)
                session.add(row)


class Breaker:
    """Promise 2 for one account: what stands between a credential and the portal, on disk.

    A submission is written down before it is sent. One whose verdict was never written (a kill in mid-submission)
    may have been refused: the next waits for twenty minutes, and a third in a row without a verdict does not happen.
    Nor does a fourth after three in a row that left unclear whether the portal had taken the credential.
    """

    def __init__(
        self,
        database: Database,
        account: str,
        *,
        clock: Clock,
        fingerprint: Callable[[], str | None],
        max_sign_ins_per_day: int,
    ) -> None:
        """`fingerprint` gives that of the credential in use; it is asked only where one is to be submitted."""
        self._database, self._account, self._clock = database, account, clock
        self._fingerprint_now = fingerprint
        self._limit = max_sign_ins_per_day
        self._submission: int | None = None

    def before_submission(self, *, counts: bool = True) -> None:
        """Writes down that the credential is about to be submitted; raises where it must not be."""
        now = self._clock.now()
        fingerprint = self._fingerprint_now() or ""
        with self._database.writing() as session:
            self._refuse_where_rejected_or_unclear(session, fingerprint, now)
            if counts:
                self._refuse_where_used_up(session, now)
            row = SubmissionRow(account=self._account, at=now, fingerprint=fingerprint, counts=counts)
            session.add(row)
            session.flush()
            self._submission = row.id

    def accepted(self) -> None:
        """Writes down that the portal took the credential."""
        self._verdict("accepted")

    def refused(self) -> None:
        """Writes down that the portal refused it (or locked the account); it is not submitted again."""
        self._verdict("refused")

    def unclear(self) -> None:
        """Writes down that the portal answered, and nobody could tell whether it had taken the credential."""
        self._verdict("unclear")

    def unanswered(self) -> None:
        """Writes down that the portal was not there to judge the credential."""
        self._verdict("unanswered")

    def _verdict(self, verdict: str) -> None:
        if self._submission is None:
            return
        with self._database.writing() as session:
            session.exec(update(SubmissionRow).where(col(SubmissionRow.id) == self._submission).values(verdict=verdict))
        self._submission = None

    def _refuse_where_rejected_or_unclear(self, session: Session, fingerprint: str, now: datetime) -> None:
        last = session.exec(
            select(SubmissionRow)
            .where(SubmissionRow.account == self._account, SubmissionRow.fingerprint == fingerprint)
            .order_by(col(SubmissionRow.id).desc())
            .limit(_UNCLEAR)
        ).all()
        if last and last[0].verdict == "refused":
            raise SignInRejected(
                f"{self._account}: the portal refused this credential before; it is not submitted again until it is"
                f" changed or you say `watcher resume {self._account}`"
            )
        if [row.verdict for row in last] == ["unclear"] * _UNCLEAR:
            raise SignInRejected(
                f"{self._account}: after {_UNCLEAR} sign-ins in a row it was unclear whether the portal had taken the"
                f" credential; to be safe none is tried until you say `watcher resume {self._account}`"
            )
        cut_off = [row for row in last[:2] if row.verdict is None]
        if len(cut_off) == 2:  # noqa: PLR2004 - the last two
            raise SignInRejected(
                f"{self._account}: two sign-ins in a row were cut off before the portal answered; to be safe none is"
                f" tried until you say `watcher resume {self._account}`"
            )
        if cut_off and last[0] is cut_off[0] and now - cut_off[0].at < _CUT_OFF:
            wait = cut_off[0].at + _CUT_OFF - now
            raise PortalUnavailable(
                f"{self._account}: the last sign-in was cut off before the portal answered; waiting to be safe",
                retry_after=max(wait, timedelta(seconds=1)),
            )

    def _refuse_where_used_up(self, session: Session, now: datetime) -> None:
        since = now - timedelta(days=1)
        recent = session.exec(
            select(func.count(), func.min(SubmissionRow.at))
            .select_from(SubmissionRow)
            .where(SubmissionRow.account == self._account, col(SubmissionRow.counts), col(SubmissionRow.at) > since)
        ).one()
        if recent[0] >= self._limit:
            raise PortalUnavailable(
                f"{self._account}: {recent[0]} sign-ins within a day, the most that max_sign_ins_per_day allows",
                retry_after=max(recent[1] + timedelta(days=1) - now, timedelta(seconds=1)),
            )

    def lift(self) -> None:
        """The user said so: what was refused or cut off no longer counts against the credential."""
        with self._database.writing() as session:
            session.exec(
                update(SubmissionRow)
                .where(
                    col(SubmissionRow.account) == self._account,
                    col(SubmissionRow.verdict).is_(None) | col(SubmissionRow.verdict).in_(["refused", "unclear"]),
                )
                .values(verdict="lifted")
            )
