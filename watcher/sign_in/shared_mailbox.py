"""What accounts with one mailbox share: turns at signing in, used mails, and the submissions of its password."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from threading import Event
from typing import Final, Protocol

from watcher.errors import PortalUnavailable
from watcher.messages import _
from watcher.portal import SignInGuard
from watcher.sign_in.imap import ImapLogin
from watcher.sign_in.shared_value import SharedValue
from watcher.text.json import load_or_none

_MAX_WAIT: Final = 900.0
"""Seconds to wait for another account's sign-in. A code is awaited for at most five minutes."""
_RETRY_AFTER: Final = timedelta(minutes=5)
_MAX_USED: Final = 200
"""Used mails kept. Only the newest fifty of a folder are examined."""


def login_name(login: ImapLogin) -> str:
    """Return a name for a mailbox that is the same in every account and shows nothing of it."""
    return _name(login.host.lower(), login.username.lower())


def folder_name(login: ImapLogin) -> str:
    """Return the same for the folder of the mailbox that codes come to."""
    return _name(login.host.lower(), login.username.lower(), login.folder)


def _name(*parts: str) -> str:
    return f"mailbox {hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


class PasswordGuard(SignInGuard, Protocol):
    """The record of the submissions of a mailbox's password; see `watcher.portal.SignInGuard`."""

    def refused(self) -> None:
        """Record that the server refused the password; it is not submitted again."""
        ...

    def unclear(self) -> None:
        """Record that the connection broke before the server answered. After three in a row there is no fourth."""
        ...

    def unanswered(self) -> None:
        """Record that the server could not check the password at the moment."""
        ...


class UsedMails:
    """The messages whose codes were used, by UID, for one UIDVALIDITY (RFC 3501, section 2.3.1.1)."""

    def __init__(self, value: SharedValue) -> None:
        """The accounts that share the mailbox share the value."""
        self._value = value

    def uids(self, validity: int) -> frozenset[int]:
        """Return the UIDs of used messages; none if the folder has numbered its messages anew."""
        return _uids_in(self._value.load(), validity)

    def add(self, uids: Iterable[int], validity: int) -> None:
        """Record messages as used. Raises `StoreUnusable`."""

        def with_added(content: bytes | None) -> bytes:
            kept = sorted(_uids_in(content, validity).union(uids))[-_MAX_USED:]
            return json.dumps({"validity": validity, "uids": kept}).encode()

        self._value.update(with_added)


def _uids_in(content: bytes | None, validity: int) -> frozenset[int]:
    try:
        entry = load_or_none(content)
        return frozenset(map(int, entry["uids"])) if int(entry["validity"]) == validity else frozenset()
    except (KeyError, TypeError, ValueError):
        return frozenset()


class TurnLock(Protocol):
    """A lock of the store while it is held."""

    def verify(self) -> None:
        """Raise `LockLost` if another process may have the lock by now."""
        ...


class TurnLocks(Protocol):
    """The locks of the store."""

    def acquire(self, name: str, *, wait: float = 0.0, stop: Event | None = None) -> AbstractContextManager[TurnLock]:
        """Hold a lock, waiting up to `wait` seconds."""
        ...


class MailboxTurn:
    """An account's turn to sign in with codes from a mailbox; see `watcher.portal.SignInTurn`."""

    def __init__(self, name: str, locks: TurnLocks, *, busy: type[Exception], stop: Event) -> None:
        """`busy` is what the locks raise if another account has the turn. Takes no turn yet."""
        self._name, self._locks, self._busy, self._stop = name, locks, busy, stop
        self._held = ExitStack()
        self._lock: TurnLock | None = None

    def begin(self) -> None:
        """Wait until no other account signs in with a code from the mailbox.

        Raises `PortalUnavailable` after 15 minutes, or when the program ends, and `LockLost` if the turn was lost.
        """
        if self._lock is not None:
            self._lock.verify()
            return
        try:
            self._lock = self._held.enter_context(self._locks.acquire(self._name, wait=_MAX_WAIT, stop=self._stop))
        except self._busy:
            raise PortalUnavailable(
                _("Another account is signing in with a code from the same mailbox, so this one signs in later."),
                retry_after=_RETRY_AFTER,
            ) from None

    def end(self) -> None:
        """Let other accounts sign in."""
        self._lock = None
        self._held.close()
