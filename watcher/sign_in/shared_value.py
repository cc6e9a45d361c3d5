"""What several processes share about signing in: submitted codes, and the one-time codes and mails that were used."""

from collections.abc import Callable
from typing import Protocol


class SharedValue(Protocol):
    """A stored value that outlasts a restart, shared by every process that uses the database."""

    def load(self) -> bytes | None:
        """Return what was last saved, or None if there is nothing usable. Raises `StoreUnusable`."""
        ...

    def update(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """Replace the content by what `change` makes of it. No other process writes meanwhile.

        None stands for no content. Raises `StoreUnusable`.
        """
        ...


class SharedValues(Protocol):
    """The shared values of every account."""

    def of(self, owner: str, purpose: str) -> SharedValue:
        """Return the value of an account, a login, or a mailbox. One owner has a value for each purpose."""
        ...
