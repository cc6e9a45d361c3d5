"""Sessions on disk: private, sealed (see `watcher.privacy.sealing`) and never half-written.

A file that cannot be used is no session: the portal then signs in afresh. Why is told to whoever asked for it.
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
from watcher.privacy.private_file import remove_temporary_files, write_private_file
from watcher.privacy.sealing import Seal, Unsealable

_NAME: Final = "watcher-session 1"
_STALE_AFTER: Final = 3600.0
"""Seconds after which a temporary file was left behind by a killed process, and is not another's work."""


class SessionFault(StrEnum):
    """Why a file that is there is no session."""

    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"


_WORDS: Final = {
    SessionFault.UNREADABLE: "the file cannot be read; give it to the user that runs the program",
    SessionFault.DAMAGED: "the file is damaged",
    SessionFault.KEY_MISSING: "the file is encrypted, and no state_key is set",
    SessionFault.KEY_WRONG: "the file is damaged, or was encrypted with a state_key that is no longer set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableSession:
    """A saved session that cannot be used, and why. Holds nothing of its content."""

    account: str
    file: Path
    fault: SessionFault

    def __str__(self) -> str:
        """The sentence for a log or a person."""
        return f"The saved session of {self.account} ({self.file}) is not used: {_WORDS[self.fault]}."


def _nobody(_unusable: UnusableSession) -> None:
    """Nobody asked why."""


class SessionFiles:
    """The folder of the sessions, mode 0700. The first key encrypts, every key decrypts, so that keys can change."""

    def __init__(
        self,
        folder: Path,
        keys: Sequence[SecretStr] = (),
        *,
        tell: Callable[[UnusableSession], None] = _nobody,
    ) -> None:
        """`tell` is called at each `load` that finds a file it cannot use. The folder is made at the first save."""
        self._folder, self._tell = folder, tell
        self._seal = Seal(_NAME, keys)

    def of(self, account: str, purpose: str = "session") -> "SessionFile":
        """The file of one account; `purpose` names another small file of its own beside the session."""
        return SessionFile(account, self._folder / f"{_safe(account)}.{_safe(purpose)}", self._seal, self._tell)

    def kept_otherwise(self, account: str) -> list["SessionFile"]:
        """The account's files that are not sealed as they would be now: a key was set, changed or taken away since."""
        found = (SessionFile(account, file, self._seal) for file in sorted(self._folder.glob(f"{_safe(account)}.*")))
        return [file for file in found if not file.is_current()]


def _safe(name: str) -> str:
    """A file name for any text: readable, and distinct even where the disk does not tell upper from lower case."""
    if re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        return name
    readable = re.sub(r"[^a-z0-9_-]+", "_", name.lower())[:40]
    return f"{readable}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


class SessionFile:
    """One account's small file, mode 0600. Fits the protocol `watcher.portals.SessionFile`."""

    def __init__(self, account: str, file: Path, seal: Seal, tell: Callable[[UnusableSession], None] = _nobody) -> None:
        """Touches nothing yet."""
        self._account, self._file, self._seal, self._tell = account, file, seal, tell

    def load(self) -> bytes | None:
        """What was last saved; None where there is nothing, or nothing that can be used."""
        try:
            return self._seal.open(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError:
            self._tell(UnusableSession(account=self._account, file=self._file, fault=SessionFault.UNREADABLE))
        except Unsealable as unusable:
            self._tell(UnusableSession(account=self._account, file=self._file, fault=SessionFault(unusable.fault)))
        return None

    def is_current(self) -> bool:
        """Whether it is sealed as `save` would seal it now. So is what is not there or cannot be read."""
        try:
            return self._seal.is_current(self._file.read_bytes())
        except OSError:
            return True

    def save(self, content: bytes) -> None:
        """Replaces the file whole: a kill at any moment leaves the old one or the new one. Raises `StoreUnusable`."""
        try:
            self._replace(content)
        except OSError as error:
            raise StoreUnusable(
                f"session {self._file}: {error.strerror}; check the disk, and the folder's mode"
            ) from None

    def _replace(self, content: bytes) -> None:
        folder = self._file.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        remove_temporary_files(folder, self._file.name, older_than=_STALE_AFTER)
        write_private_file(self._file, self._seal.close(content))

    def forget(self) -> None:
        """Removes it and whatever a killed save left behind; nothing to remove is no error. Raises `StoreUnusable`."""
        try:
            self._file.unlink(missing_ok=True)
            remove_temporary_files(self._file.parent, self._file.name)
        except OSError as error:
            raise StoreUnusable(f"session {self._file}: {error.strerror}; check its folder's mode") from None
