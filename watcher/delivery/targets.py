"""Which targets of a channel have accepted a message: topics, chats, recipients, and the parts of a long message.

Apprise's plug-ins ask before each target whether it has the message, and report when it has; Apprise itself remembers
that only while it repeats an attempt. Here it is remembered from one attempt to the next, as tokens that do not show
the target, because a topic or an address in a channel's URL may be a secret.
"""

from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Any, TypeAlias

_TOKEN_BYTES = 12

Slot: TypeAlias = tuple[int | None, Any]
"""What Apprise identifies a target by: the number of the message's part, and the type and `repr` of the target."""


class AcceptedTargets:
    """Stands in for the set in which Apprise's plug-ins note the targets that have accepted a message."""

    def __init__(self, tokens: Collection[str], report: Callable[[str], None]) -> None:
        """Begin with the tokens of earlier attempts. `report` is called with each new one at once."""
        self.tokens = set(tokens)
        self._report = report

    def __contains__(self, slot: Slot) -> bool:
        """Return whether the target has accepted the message."""
        return _token(slot) in self.tokens

    def add(self, slot: Slot) -> None:
        """Note that the target has accepted the message."""
        token = _token(slot)
        if token not in self.tokens:
            self.tokens.add(token)
            self._report(token)


def _token(slot: Slot) -> str:
    """Return the same token in every process. A whole part is marked by a plain object, whose `repr` is an address."""
    part, (kind, text) = slot
    name = f"{kind.__module__}.{kind.__qualname__}"
    key = f"{part}\n{name}\n{'' if kind is object else text}"
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_TOKEN_BYTES).hexdigest()
