"""The sign-in service: passwords, one-time codes, sessions, and the lock. Independent of HTTP and thread-safe."""

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
    """How far a visitor has signed in."""

    ANONYMOUS = auto()
    CODE_REQUIRED = auto()
    SIGNED_IN = auto()


class Verdict(Enum):
    """The result of a submitted password or code."""

    FORGED = auto()
    REJECTED = auto()
    LOCKED = auto()
    CODE_REQUIRED = auto()
    SIGNED_IN = auto()


@dataclass(slots=True)
class Visit:
    """One visitor, identified by a cookie. Every form of the visitor must contain `csrf`."""

    cookie: str
    csrf: str
    step: Step
    ends_at: datetime


@dataclass(slots=True)
class _Failures:
    wrong: int = 0
    locked_until: datetime | None = field(default=None)


class SignInService:
    """Signs one account in and counts failures. Sessions and the lock use the portal's clock, codes use `Terms`."""

    def __init__(self, account: Account, terms: Terms, clock: Clock) -> None:
        """Start without sessions."""
        self._account, self._terms, self._clock = account, terms, clock
        self._password = account.password
        self._codes = CodeChecker(account.totp_secret) if account.totp_secret else None
        self._visits = dict[str, Visit]()
        self._failures = _Failures()
        self._lock = RLock()

    def visit(self, cookie: str) -> Visit:
        """Return the visit of this cookie, or a new one if there is none or it has expired."""
        with self._lock:
            return self._find(cookie) or self._begin(Step.ANONYMOUS)

    def step(self, cookie: str) -> Step:
        """Return how far the visitor with this cookie has signed in."""
        with self._lock:
            visit = self._find(cookie)
            return visit.step if visit else Step.ANONYMOUS

    def submit_password(self, cookie: str, *, csrf: str, username: str, password: str) -> tuple[Verdict, Visit]:
        """Check a password once. A correct one starts a new visit with a new cookie."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or not _same(visit.csrf, csrf):
                return Verdict.FORGED, visit or self._begin(Step.ANONYMOUS)
            verdict = self._check(username, password)
            if verdict in {Verdict.REJECTED, Verdict.LOCKED}:
                return verdict, visit
            del self._visits[cookie]
            step = Step.CODE_REQUIRED if verdict is Verdict.CODE_REQUIRED else Step.SIGNED_IN
            return verdict, self._begin(step)

    def submit_code(self, cookie: str, *, csrf: str, code: str) -> tuple[Verdict, Visit]:
        """Check the one-time code of a visitor with a correct password. Each code is valid once."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or self._codes is None or visit.step is Step.ANONYMOUS or not _same(visit.csrf, csrf):
                return Verdict.FORGED, visit or self._begin(Step.ANONYMOUS)
            if not self._codes.accept(code.strip(), self._terms.unix_time()):
                return Verdict.REJECTED, visit
            del self._visits[cookie]
            return Verdict.SIGNED_IN, self._begin(Step.SIGNED_IN)

    def sign_out(self, cookie: str, *, csrf: str) -> bool:
        """End this visit. Returns False if the form did not come from it."""
        with self._lock:
            visit = self._find(cookie)
            if visit is None or not _same(visit.csrf, csrf):
                return False
            del self._visits[cookie]
            return True

    def revoke_sessions(self) -> None:
        """End every visit, as a portal does when it restarts."""
        with self._lock:
            self._visits.clear()

    def change_password(self, password: str) -> None:
        """Change the password and end all visits."""
        with self._lock:
            self._password = password
            self._visits.clear()

    def unlock(self) -> None:
        """Lift the lock and reset the failures."""
        with self._lock:
            self._failures = _Failures()

    def _check(self, username: str, password: str) -> Verdict:
        if self._failures.locked_until and self._clock.now() < self._failures.locked_until:
            return Verdict.LOCKED
        if not _same(username, self._account.username):
            return Verdict.REJECTED
        if not _same(password, self._password):
            return self._wrong_password()
        self._failures = _Failures()
        return Verdict.CODE_REQUIRED if self._codes else Verdict.SIGNED_IN

    def _wrong_password(self) -> Verdict:
        self._failures.wrong += 1
        if self._failures.wrong < self._terms.wrong_passwords:
            return Verdict.REJECTED
        self._failures = _Failures(locked_until=self._clock.now() + self._terms.lock_for)
        return Verdict.LOCKED

    def _begin(self, step: Step) -> Visit:
        if step is Step.SIGNED_IN and self._terms.one_session:
            self._visits.clear()
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
