"""Saved sessions on disk: private, sealed (see `watcher.privacy.sealing`), and replaced atomically.

A file that cannot be used counts as no session, so the portal signs in again. The reason goes to a callback.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from watcher.errors import StoreUnusable
from watcher.privacy.private_file import create_private_folder, remove_temporary_files, write_private_file
from watcher.privacy.sealing import Seal, Unsealable

_NAME: Final = "watcher-session 1"
_STALE_AFTER: Final = 3600.0
"""Seconds after which a temporary file is assumed to be left by a killed process."""


class SessionFault(StrEnum):
    """Why an existing file cannot be used as a session."""

    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"


_MESSAGES: Final = {
    SessionFault.UNREADABLE: "the file cannot be read; give it to the user that runs the program",
    SessionFault.DAMAGED: "the file is damaged",
    SessionFault.KEY_MISSING: "the file is encrypted, and no state_key is set",
    SessionFault.KEY_WRONG: "the file is damaged, or was encrypted with a state_key that is no longer set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableSession:
    """A saved session that cannot be used, and why. Contains nothing of the session."""

    account: str
    file: Path
    fault: SessionFault

    def __str__(self) -> str:
        """Return a sentence for a log or a person."""
        return f"The saved session of {self.account} ({self.file}) is not used: {_MESSAGES[self.fault]}."


def _ignore(_unusable: UnusableSession) -> None:
    """Ignore the reason."""


class SessionFiles:
    """The folder of the sessions, mode 0700. The first key encrypts and every key decrypts, so that keys can rotate."""

    def __init__(
        self,
        folder: Path,
        keys: Sequence[SecretStr] = (),
        *,
        on_unusable: Callable[[UnusableSession], None] = _ignore,
    ) -> None:
        """`on_unusable` is called by each `load` that finds an unusable file. The first save creates the folder."""
        self._folder, self._on_unusable = folder, on_unusable
        self._seal = Seal(_NAME, keys)

    def of(self, account: str, purpose: str = "session") -> "SessionFile":
        """Return the file of one account. `purpose` names another small file beside the session."""
        return SessionFile(account, self._folder / f"{_safe(account)}.{_safe(purpose)}", self._seal, self._on_unusable)

    def sealed_differently(self, account: str) -> list["SessionFile"]:
        """Return the account's files whose seal is outdated because a key was set, changed, or removed."""
        files = (SessionFile(account, file, self._seal) for file in sorted(self._folder.glob(f"{_safe(account)}.*")))
        return [file for file in files if not file.is_current()]


def _safe(name: str) -> str:
    """Return a readable file name for any text, unique even on a case-insensitive disk."""
    if re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        return name
    readable = re.sub(r"[^a-z0-9_-]+", "_", name.lower())[:40]
    return f"{readable}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


class SessionFile:
    """One account's small file, mode 0600. Implements the protocol `watcher.portal.SessionFile`."""

    def __init__(
        self, account: str, file: Path, seal: Seal, on_unusable: Callable[[UnusableSession], None] = _ignore
    ) -> None:
        """Do not access the file yet."""
        self._account, self._file, self._seal, self._on_unusable = account, file, seal, on_unusable

    def load(self) -> bytes | None:
        """Return what was last saved; None if there is nothing, or nothing usable."""
        try:
            return self._seal.unseal(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError:
            self._on_unusable(UnusableSession(account=self._account, file=self._file, fault=SessionFault.UNREADABLE))
        except Unsealable as unusable:
            self._on_unusable(
                UnusableSession(account=self._account, file=self._file, fault=SessionFault(unusable.fault))
            )
        return None

    def is_current(self) -> bool:
        """Return whether `save` would seal the file the same way now. True for a missing or unreadable file."""
        try:
            return self._seal.is_current(self._file.read_bytes())
        except OSError:
            return True

    def save(self, content: bytes) -> None:
        """Replace the file atomically: a kill leaves the old or the new content. Raises `StoreUnusable`."""
        try:
            self._replace(content)
        except OSError as error:
            raise StoreUnusable(
                f"session {self._file}: {error.strerror}; check the disk, and the folder's mode"
            ) from None

    def _replace(self, content: bytes) -> None:
        folder = self._file.parent
        create_private_folder(folder)
        folder.chmod(0o700)
        remove_temporary_files(folder, self._file.name, older_than=_STALE_AFTER)
        write_private_file(self._file, self._seal.seal(content))

    def delete(self) -> None:
        """Remove the file and what a killed save left. Nothing to remove is not an error. Raises `StoreUnusable`."""
        try:
            self._file.unlink(missing_ok=True)
            remove_temporary_files(self._file.parent, self._file.name)
        except OSError as error:
            raise StoreUnusable(f"session {self._file}: {error.strerror}; check its folder's mode") from None
