"""The sign-in desk: passwords, one-time codes, sessions and the lock. Knows nothing of HTTP. Safe from any thread."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from threading import RLock

from watcher.clock import Clock
from watcher.practice.state.terms import Account, Terms
from watcher.practice.state.totp import CodeChecker


class Step(Enum):
    """How far a visitor has come."""

    STRANGER = auto()
    CODE_WANTED = auto()
    SIGNED_IN = auto()


class Verdict(Enum):
    """What became of a submitted password or code."""

    FORGED = auto()
    REJECTED = auto()
    LOCKED = auto()
    CODE_WANTED = auto()
    SIGNED_IN = auto()


@dataclass(slots=True)
class Visit:
    """One visitor, known by a cookie. `csrf` must come back with every form that the visitor sends."""

    cookie: str
    csrf: str
    step: Step
    ends_at: datetime


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    locked_until: datetime | None = field(default=None)


class SignInService:
    """Lets one account in, and keeps count. Sessions and the lock go by the portal's clock, codes by the terms' own."""

    def __init__(self, account: Account, terms: Terms, clock: Clock) -> None:
        """Nobody is signed in yet."""
        self._account, self._terms, self._clock = account, terms, clock
        self._password = account.password
        self._codes = CodeChecker(account.totp_secret) if account.totp_secret else None
        self._visits = dict[str, Visit]()
        self._tries = _Tries()
        self._lock = RLock()

    def visit(self, cookie: str) -> Visit:
        """The visit this cookie belongs to, or a new one where it has ended or never was."""
        with self._lock:
            return self._find(cookie) or self._begin(Step.STRANGER)

    def step(self, cookie: str) -> Step:
        """How far the visitor with this cookie has come."""
        with self._lock:
            visit = self._find(cookie)
            return visit.step if visit else Step.STRANGER

    def submit_password(self, cookie: str, *, csrf: str, username: str, password: str) -> tuple[Verdict, Visit]:
        """Checks a password, once. A good one begins a new visit under a new cookie."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or not _same(visit.csrf, csrf):
                return Verdict.FORGED, visit or self._begin(Step.STRANGER)
            verdict = self._judge(username, password)
            if verdict in {Verdict.REJECTED, Verdict.LOCKED}:
                return verdict, visit
            del self._visits[cookie]
            step = Step.CODE_WANTED if verdict is Verdict.CODE_WANTED else Step.SIGNED_IN
            return verdict, self._begin(step)

    def submit_code(self, cookie: str, *, csrf: str, code: str) -> tuple[Verdict, Visit]:
        """Checks a one-time code of a visitor whose password was good; each code is good once."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or self._codes is None or visit.step is Step.STRANGER or not _same(visit.csrf, csrf):
                return Verdict.FORGED, visit or self._begin(Step.STRANGER)
            if not self._codes.accept(code.strip(), self._terms.unix_time()):
                return Verdict.REJECTED, visit
            del self._visits[cookie]
            return Verdict.SIGNED_IN, self._begin(Step.SIGNED_IN)

    def sign_out(self, cookie: str, *, csrf: str) -> bool:
        """Ends this visit; False where the form did not come from it."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or not _same(visit.csrf, csrf):
                return False
            del self._visits[cookie]
            return True

    def revoke_sessions(self) -> None:
        """Ends every visit at once, as a portal does that restarts."""
        with self._lock:
            self._visits.clear()

    def change_password(self, password: str) -> None:
        """From now on this is the password; who is signed in is thrown out."""
        with self._lock:
            self._password = password
            self._visits.clear()

    def unlock(self) -> None:
        """Lifts the lock and forgets the wrong tries, as a help desk does."""
        with self._lock:
            self._tries = _Tries()

    def _judge(self, username: str, password: str) -> Verdict:
        if self._tries.locked_until and self._clock.now() < self._tries.locked_until:
            return Verdict.LOCKED
        if not _same(username, self._account.username):
            return Verdict.REJECTED
        if not _same(password, self._password):
            return self._wrong_password()
        self._tries = _Tries()
        return Verdict.CODE_WANTED if self._codes else Verdict.SIGNED_IN

    def _wrong_password(self) -> Verdict:
        self._tries.wrong += 1
        if self._tries.wrong < self._terms.wrong_passwords:
            return Verdict.REJECTED
        self._tries = _Tries(locked_until=self._clock.now() + self._terms.lock_for)
        return Verdict.LOCKED

    def _begin(self, step: Step) -> Visit:
        visit = Visit(
            cookie=secrets.token_urlsafe(24),
            csrf=secrets.token_urlsafe(24),
            step=step,
            ends_at=self._clock.now() + self._terms.session_lifetime,
        )
        self._visits[visit.cookie] = visit
        return visit

    def _find(self, cookie: str) -> Visit | None:
        visit = self._visits.get(cookie)
        if visit is None or self._clock.now() < visit.ends_at:
            return visit
        del self._visits[cookie]
        return None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
