"""The sign-in guard: each credential is submitted once for each attempt, recorded on disk."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select, update

from watcher.clock import Clock
from watcher.errors import PortalUnavailable, SignInRejected
from watcher.store.database.engine import Database
from watcher.store.database.tables import SubmissionRow

_UNCLEAR = 3
_CUT_OFF = timedelta(minutes=20)  # a locked account opens after this at the strictest portal known


class StoredSignInGuard:
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

    def reset(self) -> None:
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
