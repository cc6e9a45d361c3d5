"""What is kept about a mailbox of official mails: how far it was read, what failed, and which mails were forged.

It is an encrypted value of the database. It has no address, no subject, and no text of a mail.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from watcher.clock.timestamps import parse_utc, utc_text
from watcher.text.json import load_or_none

PURPOSE: Final = "official_mail"
"""Of the saved value, whose owner is the mailbox."""

_MAX_FORGED: Final = 20
_KEPT_FORGED: Final = timedelta(days=30)
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=5), timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxState:
    """The state of a mailbox. Times are aware, UTC.

    Mails up to `last_uid` were looked at; `validity` is that of the UIDs, 0 if the mailbox was never opened. `forged`
    is when mails arrived that are possibly phishing, newest last. `is_reported`: people were told that it cannot be
    read.
    """

    validity: int = 0
    last_uid: int = 0
    read_at: datetime | None = None
    official_at: datetime | None = None
    forged: tuple[datetime, ...] = field(default=())
    failing_since: datetime | None = None
    failures: int = 0
    reason: str | None = None
    is_reported: bool = False

    def was_read(self, *, validity: int, last_uid: int, now: datetime) -> "MailboxState":
        """Return the state after the mailbox was read."""
        return MailboxState(
            validity=validity, last_uid=last_uid, read_at=now, official_at=self.official_at, forged=self.forged
        )

    def failed(self, reason: str, now: datetime) -> "MailboxState":
        """Return the state after the mailbox could not be read."""
        return replace(self, failing_since=self.failing_since or now, failures=self.failures + 1, reason=reason)

    def with_forged(self, arrived: datetime) -> "MailboxState":
        """Return the state with one more forged mail."""
        recent = [moment for moment in self.forged if moment != arrived and arrived - moment < _KEPT_FORGED]
        return replace(self, forged=tuple([*recent, arrived][-_MAX_FORGED:]))

    @property
    def retry_after(self) -> timedelta:
        """How long to wait before the next attempt; more after each that failed."""
        return min(_FIRST_RETRY * int(2 ** min(max(self.failures - 1, 0), 10)), _LAST_RETRY)


def encode(state: MailboxState) -> bytes:
    """Return the state as it is saved."""
    values = asdict(state)
    values |= {name: utc_text(value) for name, value in values.items() if isinstance(value, datetime)}
    return json.dumps(values | {"forged": list(map(utc_text, state.forged))}).encode()


def decode(content: bytes | None) -> MailboxState:
    """Return a saved state; a new one if there is none, or it is damaged."""
    try:
        saved: dict[str, Any] = load_or_none(content)
        return MailboxState(
            validity=int(saved["validity"]),
            last_uid=int(saved["last_uid"]),
            read_at=_moment(saved["read_at"]),
            official_at=_moment(saved["official_at"]),
            forged=tuple(map(parse_utc, saved["forged"])),
            failing_since=_moment(saved["failing_since"]),
            failures=int(saved["failures"]),
            reason=saved["reason"],
            is_reported=bool(saved["is_reported"]),
        )
    except (KeyError, TypeError, ValueError):
        return MailboxState()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_utc(text)
