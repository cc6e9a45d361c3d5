"""The keys that encrypt sessions: those that the user set, or else one of the program's own.

If no key is set, sessions are encrypted all the same, so that neither the database nor a copy of it gives them away:
with a key that is kept in a file beside the database, or with one made from the password of the database's server.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from watcher.errors import StoreUnusable, system_reason
from watcher.messages import _
from watcher.privacy.private_file import create_private_folder, write_private_file
from watcher.privacy.sealing import new_key

SEAL_NAME = "watcher-session 1"
"""The name of the format of what these keys encrypt, see `watcher.privacy.sealing`."""


class StateKeys:
    """The keys to encrypt (the first one) and to decrypt with, so that keys can change."""

    def __init__(self, configured: Sequence[SecretStr], *, password: str | None, file: Path) -> None:
        """`password` is that of the database's server. `file` holds this machine's own key; it need not exist."""
        derived = [SecretStr(f"database password\n{password}")] if password else []
        self._known, self._file = [*configured, *derived], file

    @property
    def are_common(self) -> bool:
        """Whether the key that encrypts comes from the configuration, and not from this machine."""
        return bool(self._known)

    def all(self) -> list[SecretStr]:
        """Return every key there is, the one that encrypts first. Raises `StoreUnusable`."""
        return [*self._known, *self._machine_key()]

    def create(self) -> None:
        """Create this machine's own key if there is no key at all. Raises `StoreUnusable`.

        The caller makes sure that no other process does so at the same time.
        """
        if self.all():
            return
        try:
            create_private_folder(self._file.parent)
            write_private_file(self._file, new_key().get_secret_value().encode())
        except OSError as error:
            raise StoreUnusable(
                _(
                    "{file}: {reason}; check the owner and mode of its folder",
                    file=self._file,
                    reason=system_reason(error),
                )
            ) from None

    def _machine_key(self) -> list[SecretStr]:
        try:
            text = self._file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError):
            raise StoreUnusable(
                _("{file}: cannot be read; make the user who runs the program its owner", file=self._file)
            ) from None
        return [SecretStr(text)] if text else []
