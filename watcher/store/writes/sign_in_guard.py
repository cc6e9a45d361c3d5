"""The sign-in guard: each credential is submitted once for each attempt, recorded in the database."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from watcher.clock import Clock
from watcher.errors import PortalUnavailable, SignInRejected
from watcher.messages import _
from watcher.store.database.engine import Database, queries_on
from watcher.store.database.query import RunQuery
from watcher.store.database.tables import SUBMISSIONS
from watcher.store.queries.accounts import counted_submissions, last_submissions

_MAX_UNCLEAR = 3
_LOCKOUT = timedelta(minutes=20)  # the strictest known portal opens a locked account after this


class StoredSignInGuard:
    """Decides whether an account's credential may be submitted to the portal.

    What it records belongs to the login, so that the same login under another name is the same to it.

    A submission is recorded before it is sent. If its verdict was never recorded (a kill during the submission), it may
    have been refused: the next one waits for twenty minutes, and after two in a row without a verdict there is no
    third. After three in a row that left unclear whether the portal accepted the credential, there is no fourth.
    """

    def __init__(
        self,
        database: Database,
        account: str,
        *,
        clock: Clock,
        login: str | None = None,
        fingerprint: Callable[[], str | None],
        max_sign_ins_per_day: int,
    ) -> None:
        """`fingerprint` returns that of the current credential; it is called only before a submission.

        `login` identifies the login; None stands for the account's name, which earlier releases recorded.
        """
        self._database, self._account, self._clock = database, account, clock
        self._login = login or account
        self._fingerprint = fingerprint
        self._limit = max_sign_ins_per_day
        self._submission: int | None = None

    def before_submission(self, *, counts: bool = True) -> None:
        """Record that the credential is about to be submitted; raise if it must not be."""
        now = self._clock.now()
        fingerprint = self._fingerprint() or ""
        with self._database.writing() as connection:
            run = queries_on(connection)
            self._check_verdicts(last_submissions(run, self._owners, fingerprint, limit=_MAX_UNCLEAR), now)
            if counts:
                self._check_daily_limit(run, now)
            inserted = connection.execute(
                SUBMISSIONS.insert(),
                {"account": self._login, "at": now, "fingerprint": fingerprint, "counts": counts},
            )
            key: Any = inserted.inserted_primary_key
            self._submission = key[0]

    @property
    def _owners(self) -> tuple[str, str]:
        return self._login, self._account

    def accepted(self) -> None:
        """Record that the portal accepted the credential."""
        self._set_verdict("accepted")

    def refused(self) -> None:
        """Record that the portal refused it (or locked the account); it is not submitted again."""
        self._set_verdict("refused")

    def unclear(self) -> None:
        """Record that the portal answered without making clear whether it accepted the credential."""
        self._set_verdict("unclear")

    def unanswered(self) -> None:
        """Record that the portal was not available to check the credential."""
        self._set_verdict("unanswered")

    def _set_verdict(self, verdict: str) -> None:
        if self._submission is None:
            return
        with self._database.writing() as connection:
            connection.execute(SUBMISSIONS.update().where(SUBMISSIONS.c.id == self._submission).values(verdict=verdict))
        self._submission = None

    def _check_verdicts(self, last: Sequence[Any], now: datetime) -> None:
        """Raise if the last submissions of the credential, newest first, forbid another one now."""
        fields = {"name": self._account, "account": quote(self._account)}
        if last and last[0].verdict == "refused":
            raise SignInRejected(
                _(
                    "{name}: the website rejected this credential before. It is not submitted again until you"
                    " change it or run `watcher resume {account}`",
                    **fields,
                )
            )
        if [row.verdict for row in last] == ["unclear"] * _MAX_UNCLEAR:
            raise SignInRejected(
                _(
                    "{name}: after {count} sign-ins in a row it was unclear whether the website had"
                    " accepted the credential. To be safe, the program does not sign in again until you run"
                    " `watcher resume {account}`",
                    count=_MAX_UNCLEAR,
                    **fields,
                )
            )
        cut_off = [row for row in last[:2] if row.verdict is None]
        if len(cut_off) == 2:  # noqa: PLR2004 - the last two
            raise SignInRejected(
                _(
                    "{name}: two sign-ins in a row were interrupted before the website answered. To be safe,"
                    " the program does not sign in again until you run `watcher resume {account}`",
                    **fields,
                )
            )
        if cut_off and last[0] is cut_off[0] and now - cut_off[0].at < _LOCKOUT:
            wait = cut_off[0].at + _LOCKOUT - now
            raise PortalUnavailable(
                _(
                    "{account}: the last sign-in was interrupted before the website answered, so the program "
                    "waits to be safe",
                    account=self._account,
                ),
                retry_after=max(wait, timedelta(seconds=1)),
            )

    def _check_daily_limit(self, run: RunQuery, now: datetime) -> None:
        count, first = counted_submissions(run, self._owners, now - timedelta(days=1))
        if count >= self._limit:
            wait = (first or now) + timedelta(days=1) - now
            raise PortalUnavailable(
                _(
                    "{account}: {count} sign-ins within a day, the limit set by max_sign_ins_per_day",
                    account=self._account,
                    count=count,
                ),
                retry_after=max(wait, timedelta(seconds=1)),
            )

    def reset(self) -> None:
        """Forget refused, unclear, and cut-off submissions, at the user's request."""
        with self._database.writing() as connection:
            connection.execute(
                SUBMISSIONS.update()
                .where(
                    SUBMISSIONS.c.account.in_(self._owners),
                    SUBMISSIONS.c.verdict.is_(None) | SUBMISSIONS.c.verdict.in_(["refused", "unclear"]),
                )
                .values(verdict="lifted")
            )
