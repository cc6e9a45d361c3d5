"""How long the sessions of a portal last."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLife:
    """How long a session lasts at most: since the sign-in, and since its last use. None if that is not known."""

    absolute: timedelta | None = None
    idle: timedelta | None = None
