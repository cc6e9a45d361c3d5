"""The session of one check."""

from watcher.sign_in.shared_value import SharedValue


class SessionOfCheck:
    """A `SavedSession` that does not replace what another process has saved since this check loaded it.

    That happens only after the check has lost its lock. Then the other session is newer, and at a portal that allows
    one session at a time this one has ended.
    """

    def __init__(self, value: SharedValue) -> None:
        """Load nothing yet."""
        self._value = value
        self._known: bytes | None = None

    def load(self) -> bytes | None:
        """See `SavedSession.load`."""
        self._known = self._value.load()
        return self._known

    def save(self, content: bytes) -> None:
        """See `SavedSession.save`."""
        self._replace(content)

    def delete(self) -> None:
        """See `SavedSession.delete`."""
        self._replace(None)

    def _replace(self, content: bytes | None) -> None:
        def replaced(present: bytes | None) -> bytes | None:
            return content if present == known else present

        known, self._known = self._known, content
        self._value.update(replaced)
